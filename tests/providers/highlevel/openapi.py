"""Checks a request that leaves us, and an answer of the simulator, against HighLevel's published OpenAPI files, which
live beside the project.

Its server refuses keys that a DTO does not have ("property x should not exist"), so the check does as well,
although the files do not say so.
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from openapi_schema_validator import OAS30Validator

APPS = Path(__file__).resolve().parents[4] / "shared" / "contracts" / "ghl" / "openapi" / "apps"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

Schema = dict[str, Any]


def available() -> bool:
    return APPS.is_dir()


needs_openapi = pytest.mark.skipif(not available(), reason="HighLevel's OpenAPI files are not beside the project")


def check_request(
    method: str,
    path: str,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | str | Mapping[str, Any] | None = None,
) -> None:
    """Raises AssertionError with all that is wrong. `body` is what is sent, or the object that it holds.

    Skips the test where the files are missing.
    """
    if not available():
        pytest.skip("HighLevel's OpenAPI files are not beside the project")
    document, operation, placed = _operation(method, path)
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    problems = _parameters(operation, {"path": placed, "query": dict(query or {}), "header": sent})
    if operation.get("security") and not sent.get("authorization", "").startswith("Bearer "):
        problems.append("header authorization: no bearer token")
    problems += _body(document, operation, sent.get("content-type", JSON), body)
    assert not problems, f"{method} {path} does not fit {operation['operationId']}:\n  " + "\n  ".join(problems)


def check_answer(method: str, path: str, status: int, answer: Mapping[str, Any]) -> None:
    """Raises AssertionError with all that is wrong. Every answer has a traceId (contracts/ghl, section 4).

    Skips the test where the files are missing.
    """
    if not available():
        pytest.skip("HighLevel's OpenAPI files are not beside the project")
    document, operation, _ = _operation(method, path)
    declared = operation["responses"].get(str(status))
    assert declared, f"{method} {path}: {operation['operationId']} declares no {status}"
    assert answer.get("traceId"), f"{method} {path}: no traceId"
    schema = _resolved(document, declared["content"][JSON]["schema"])
    problems = _errors(schema, {name: value for name, value in answer.items() if name != "traceId"}, "answer")
    assert not problems, f"{method} {path} does not fit {operation['operationId']}:\n  " + "\n  ".join(problems)


# What the files get wrong (contracts/ghl, section 8.5), by the schema's name.


def _birthday_is_text(schema: Schema) -> Schema:
    return _with(schema, dateOfBirth={"type": "string", "nullable": True})


def _id_or_key(schema: Schema) -> Schema:
    either: list[Schema] = [{"required": ["id"]}, {"required": ["key"]}]
    return {**schema, "required": ["field_value"], "allOf": [{"anyOf": either}]}


def _clearable(schema: Schema) -> Schema:
    """An empty text is how a custom field is cleared."""
    return _id_or_key(_with(schema, field_value={**schema["properties"]["field_value"], "nullable": True}))


def _number(schema: Schema) -> Schema:
    return _id_or_key(_with(schema, field_value={"type": "number"}))


def _search(schema: Schema) -> Schema:
    """The published body is empty; this is the format of contracts/ghl, section 4."""
    return {
        "type": "object",
        "required": ["locationId", "pageLimit"],
        "properties": {
            "locationId": {"type": "string"},
            "pageLimit": {"type": "integer", "minimum": 1, "maximum": 500},
            "page": {"type": "integer", "minimum": 1},
            "searchAfter": {"type": "array", "items": {}},
            "filters": {"type": "array", "items": {"type": "object"}},
            "sort": {"type": "array", "items": {"type": "object"}},
            "query": {"type": "string", "maxLength": 75},
        },
    }


def _objects(*names: str) -> Callable[[Schema], Schema]:
    """Lists whose items are called lists or texts, although the examples show objects."""
    return lambda schema: _with(schema, **{name: {"type": "array", "items": {"type": "object"}} for name in names})


def _invoice(schema: Schema) -> Schema:
    """Its number is a text in the vendor's own examples, and its lines are objects."""
    return _texts("invoiceNumber")(_objects("invoiceItems")(schema))


def _texts(*names: str) -> Callable[[Schema], Schema]:
    return lambda schema: _with(schema, **{name: {"type": "string"} for name in names})


RELAXED: dict[str, Callable[[Schema], Schema]] = {
    "CreateContactDto": _birthday_is_text,
    "UpsertContactDto": _birthday_is_text,
    "UpdateContactDto": _birthday_is_text,
    "TextField": _clearable,
    "LargeTextField": _clearable,
    "SingleSelectField": _clearable,
    "RadioField": _clearable,
    "NumericField": _number,
    "MonetoryField": _number,
    "CheckboxField": _clearable,
    "MultiSelectField": _clearable,
    "FileField": _id_or_key,
    "SearchBodyV2DTO": _search,
    **dict.fromkeys(("GetInvoiceResponseDto", "DefaultInvoiceResponseDto", "CreateInvoiceResponseDto"), _invoice),
    **dict.fromkeys(("UpdateInvoiceResponseDto", "VoidInvoiceResponseDto", "DeleteInvoiceResponseDto"), _invoice),
    **dict.fromkeys(("TxnResponseSchema", "GetTxnResponseSchema"), _texts("status")),
    "CalendarEventDTO": _texts("startTime", "endTime", "dateAdded", "dateUpdated"),
    "PipelinesResponseSchema": _objects("stages"),
    "LocationTaskListSuccessfulResponseDto": _objects("tasks"),
}


def _with(schema: Schema, **properties: Schema) -> Schema:
    return {**schema, "properties": {**schema["properties"], **properties}}


@cache
def _documents() -> list[Schema]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(APPS.glob("*.json"))]


def _operation(method: str, path: str) -> tuple[Schema, Schema, dict[str, str]]:
    """The operation for a path, and what stands in the path's placeholders. A fixed path wins over a placeholder."""
    found = []
    for document in _documents():
        for template, operations in document["paths"].items():
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            match = re.fullmatch(pattern, path)
            if match and method.lower() in operations:
                found.append((template.count("{"), document, operations[method.lower()], match.groupdict()))
    assert found, f"{method} {path} is not in HighLevel's OpenAPI files"
    _, document, operation, placed = min(found, key=lambda each: each[0])
    return document, operation, placed


def _parameters(operation: Schema, given: Mapping[str, Mapping[str, str]]) -> list[str]:
    problems = []
    declared: list[Schema] = operation.get("parameters", [])
    for each in declared:
        where, name = each["in"], each["name"]
        value = given[where].get(name.lower() if where == "header" else name)
        if value is None:
            problems += [f"{where} {name}: missing"] if each.get("required") else []
        else:
            problems += _errors(each["schema"], _typed(value, each["schema"]), f"{where} {name}")
    known = {each["name"] for each in declared if each["in"] == "query"}
    return problems + [f"query {name}: not documented" for name in given["query"] if name not in known]


def _typed(value: str, schema: Schema) -> Any:
    """A parameter is text on the wire; its schema says what the text stands for."""
    if schema.get("type") in ("number", "integer", "boolean"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _body(document: Schema, operation: Schema, content_type: str, body: Any) -> list[str]:
    declared = operation.get("requestBody")
    if declared is None:
        return [] if body in (None, b"", "") else ["body: none is documented"]
    if body in (None, b"", ""):
        return ["body: missing"] if declared.get("required") else []
    kind = content_type.partition(";")[0].strip()
    if kind not in declared["content"]:
        return [f"header content-type: {kind} is not one of {', '.join(declared['content'])}"]
    schema = _resolved(document, declared["content"][kind]["schema"])
    return _errors(schema, _parsed(body, kind), "body")


def _parsed(body: Any, kind: str) -> Any:
    if isinstance(body, bytes):
        body = body.decode()
    if not isinstance(body, str):
        return body
    return dict(parse_qsl(body, keep_blank_values=True)) if kind == FORM else json.loads(body)


def _resolved(document: Schema, schema: Any) -> Any:
    """The schema with its references filled in, mistakes put right and unknown keys forbidden."""
    if isinstance(schema, list):
        return [_resolved(document, each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _resolved(document, RELAXED.get(name, dict)(document["components"]["schemas"][name]))
    resolved = {key: _resolved(document, value) for key, value in schema.items() if key != "example"}
    if isinstance(resolved.get("properties"), dict) and resolved["properties"]:
        resolved.setdefault("additionalProperties", False)
    return resolved


def _errors(schema: Schema, value: Any, where: str) -> list[str]:
    validator = OAS30Validator(schema)
    return [
        ".".join([where, *(str(step) for step in error.absolute_path)]) + f": {error.message}"
        for error in validator.iter_errors(value)
    ]

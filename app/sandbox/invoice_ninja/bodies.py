"""Reading a body the way Laravel does: what cannot be read is an empty body (contracts/invoice_ninja, section 2)."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

_FORM_KEY = re.compile(r"\[([^\]]*)\]")


def parse(raw: bytes, content_type: str) -> dict[str, Any]:
    if "/json" in content_type or "+json" in content_type:
        try:
            decoded = json.loads(raw)
        except ValueError:
            return {}
        return _fields(decoded) if isinstance(decoded, dict) else {}
    if "application/x-www-form-urlencoded" in content_type:
        return _fields(_form(raw.decode("utf-8", "replace")))
    return {}


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    return {name: _cleaned(value) for name, value in given.items()}


def form_fields(items: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A form with files in it; `name[]` is one of several."""
    found: dict[str, Any] = {}
    for key, value in items:
        name, is_list = key.removesuffix("[]"), key.endswith("[]")
        found[name] = [*found.get(name, ()), value] if is_list else _cleaned(value)
    return found


def _cleaned(value: Any) -> Any:
    """Strings are trimmed, and empty ones become null (section 1)."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, dict):
        return {key: _cleaned(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_cleaned(each) for each in value]
    return value


def _form(text: str) -> dict[str, Any]:
    """`contacts[0][email]=x` -> {"contacts": [{"email": "x"}]}."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        path = [key.split("[", 1)[0], *_FORM_KEY.findall(key)]
        place = root
        for part in path[:-1]:
            place = place.setdefault(part or str(len(place)), {})
        place[path[-1] or str(len(place))] = value
    return {key: _lists(value) for key, value in root.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and list(inner) == [str(place) for place in range(len(inner))]:
        return list(inner.values())
    return inner


def text(value: Any) -> str:
    """A scalar as the database's text column keeps it."""
    if value is None or isinstance(value, dict | list):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def number(value: Any) -> float | int:
    """Anything that is not a number is 0, without an error (section 5)."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return 0
    return tidy(found)


def tidy(found: float) -> float | int:
    """PHP's JSON shows 200.0 as 200."""
    return int(found) if found == int(found) else found


def flag(value: Any) -> bool:
    return value is True or value == 1 or (isinstance(value, str) and value.lower() in ("1", "true", "on", "yes"))


_TAG = re.compile(r"<[^>]*>")


def without_html(value: str) -> str:
    return _TAG.sub("", value)


def is_email(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[^\s@<>()\[\],;:\"\\]+@[^\s@<>()\[\],;:\"\\]+", value) is not None


def merged(query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    """Laravel's input: the body over the query string."""
    return {**query, **body}

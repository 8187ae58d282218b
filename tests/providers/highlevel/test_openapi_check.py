import json
from typing import Any

import pytest

from tests.providers.highlevel.openapi import check_request, needs_openapi

pytestmark = needs_openapi

HEADERS = {"Authorization": "Bearer t", "Version": "2021-07-28", "Content-Type": "application/json"}
HERE = "sandboxLocation0001"


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/contacts/", {}, {"locationId": HERE, "email": "ada@example.org", "companyName": "Engines"}),
        ("POST", "/contacts/", {}, {"locationId": HERE, "dateOfBirth": "1815-12-10"}),
        ("PUT", "/contacts/abc", {}, {"firstName": "Ada", "phone": None, "tags": ["vip"]}),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"key": "vat_number", "field_value": "IT1"}]}),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"id": "f1", "field_value": 12.5}]}),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"id": "f1", "field_value": ["a", "b"]}]}),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"id": "f1", "field_value": ""}]}),
        ("POST", "/contacts/search", {}, {"locationId": HERE, "pageLimit": 100, "filters": []}),
        ("GET", "/contacts/search/duplicate", {"locationId": HERE, "number": "+12125550147"}, None),
        ("DELETE", "/contacts/abc/tags", {}, {"tags": ["vip"]}),
        ("GET", f"/locations/{HERE}/customFields", {"model": "contact"}, None),
        ("GET", "/contacts/", {"locationId": HERE, "limit": "20"}, None),
    ],
)
def test_a_documented_request_passes(method: str, path: str, query: dict[str, str], body: Any) -> None:
    check_request(method, path, query, HEADERS, body)
    check_request(method, path, query, HEADERS, json.dumps(body).encode() if body else None)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "complaint"),
    [
        ("POST", "/contacts/", {}, {"email": "ada@example.org"}, "'locationId' is a required property"),
        ("PUT", "/contacts/abc", {}, {"companyName": "Engines"}, "'companyName' was unexpected"),
        ("PUT", "/contacts/abc", {}, {"city": 7}, "body.city: 7 is not of type 'string'"),
        ("PUT", "/contacts/abc", {}, {"postalCode": None}, "body.postalCode"),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"id": "f1", "value": "x"}]}, "body.customFields.0"),
        ("PUT", "/contacts/abc", {}, {"customFields": [{"field_value": "x"}]}, "body.customFields.0"),
        ("PUT", "/contacts/abc", {}, None, "body: missing"),
        ("GET", "/contacts/abc", {}, {"a": 1}, "body: none is documented"),
        ("POST", "/contacts/search", {}, {"locationId": HERE, "pageLimit": 501}, "body.pageLimit"),
        ("GET", "/contacts/search/duplicate", {"email": "a@b.example"}, None, "query locationId: missing"),
        ("GET", "/contacts/abc", {"include": "all"}, None, "query include: not documented"),
        ("GET", "/contacts/", {"locationId": HERE, "limit": "many"}, None, "query limit"),
        ("GET", "/contacts", {}, None, "is not in HighLevel's OpenAPI files"),
    ],
)
def test_anything_else_is_named(method: str, path: str, query: dict[str, str], body: Any, complaint: str) -> None:
    with pytest.raises(AssertionError) as refused:
        check_request(method, path, query, HEADERS, body)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"Version": "2023-02-21"}, "header Version"),
        ({"Version": None}, "header Version: missing"),
        ({"Authorization": None}, "no bearer token"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "header content-type"),
    ],
)
def test_a_wrong_header_is_named(changed: dict[str, str | None], complaint: str) -> None:
    headers = {name: value for name, value in {**HEADERS, **changed}.items() if value is not None}
    with pytest.raises(AssertionError) as refused:
        check_request("PUT", "/contacts/abc", {}, headers, {"city": "Rome"})
    assert complaint in str(refused.value)


def test_the_token_endpoint_takes_a_form_and_nothing_else() -> None:
    form = "client_id=a&client_secret=b&grant_type=refresh_token&refresh_token=c"
    check_request("POST", "/oauth/token", {}, {"Content-Type": "application/x-www-form-urlencoded"}, form)
    with pytest.raises(AssertionError, match="content-type"):
        check_request("POST", "/oauth/token", {}, {"Content-Type": "application/json"}, {"client_id": "a"})

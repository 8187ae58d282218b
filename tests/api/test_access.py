"""Who may ask, and how a refusal looks."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import openapi_spec_validator
import pytest

from app.api.body import BODY_LIMIT
from app.api.guard import NEEDED
from tests.conftest import ADMIN_TOKEN, World

MEDIA_TYPE = "application/problem+json"


@pytest.fixture
async def documented(bare_world: World) -> dict[str, Any]:
    return dict((await bare_world.admin.get("/openapi.json")).raise_for_status().json())


def endpoints(documented: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in documented["paths"].items():
        if path.startswith("/api/v1/"):
            for method, operation in methods.items():
                yield method.upper(), path, operation


def refused(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 401
        and answer.headers["content-type"] == MEDIA_TYPE
        and answer.headers["www-authenticate"] == "Bearer"
        and answer.json()["status"] == 401
    )


WRONG = (
    None,
    "",
    "Bearer",
    "Bearer wrong",
    f"Bearer {ADMIN_TOKEN}x",
    f"Bearer {ADMIN_TOKEN[:-1]}",
    f"Basic {ADMIN_TOKEN}",
    ADMIN_TOKEN,
    "Bearer é",
)


async def test_no_endpoint_answers_without_a_token(bare_world: World, documented: dict[str, Any]) -> None:
    table = [(method, re.sub(r"{\w+}", "1", path)) for method, path, _ in endpoints(documented)]
    assert len(table) == len(NEEDED)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        for (method, path), header in itertools.product(table, WRONG):
            headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
            answer = await stranger.request(method, path, headers=headers)
            assert refused(answer), (method, path, header, answer.status_code)


async def test_the_documentation_is_valid_openapi(documented: dict[str, Any]) -> None:
    openapi_spec_validator.validate(documented)


async def test_every_endpoint_is_documented_with_its_refusals(documented: dict[str, Any]) -> None:
    for method, path, operation in endpoints(documented):
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["security"] == [{"ApiToken": []}, {"Session": []}]
        expected = {"401", "403", "422"} | ({"404"} if "{" in path else set())
        assert expected <= set(operation["responses"])
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert set(response["content"]) == {MEDIA_TYPE}, (method, path, status)
    scheme = documented["components"]["securitySchemes"]["ApiToken"]
    assert scheme["scheme"] == "bearer"


async def test_an_unknown_id_is_a_404_problem_and_an_impossible_one_a_422(bare_world: World) -> None:
    for thing in ("connections", "bridges", "events", "links", "activities", "users", "tokens", "alerts", "channels"):
        for id_ in (7, 2**63 - 1, 2**63, 0, -1, "x", "%00"):
            answer = await bare_world.admin.get(f"/api/v1/{thing}/{id_}")
            assert answer.status_code == (404 if id_ in (7, 2**63 - 1) else 422), (thing, id_)
            assert answer.headers["content-type"] == MEDIA_TYPE
    assert (await bare_world.admin.get("/api/v1/links/7")).json()["detail"] == "There is no link 7."


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "connections/7"),
        ("POST", "connections/7/check"),
        ("POST", "connections/7/webhook-secrets"),
        ("DELETE", "bridges/7"),
        ("PATCH", "bridges/7"),
        ("POST", "events/7/replay"),
        ("POST", "jobs/7/retry"),
        ("DELETE", "users/7"),
        ("PATCH", "users/7"),
        ("DELETE", "tokens/7"),
        ("PATCH", "channels/7"),
        ("DELETE", "channels/7"),
        ("POST", "channels/7/test"),
        ("POST", "channels/7/secret"),
    ],
)
async def test_an_action_on_an_unknown_id_is_a_404_problem(bare_world: World, method: str, path: str) -> None:
    answer = await bare_world.admin.request(method, f"/api/v1/{path}", json={})
    assert answer.status_code == 404, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE


async def test_what_was_sent_in_a_wrong_field_is_not_repeated(bare_world: World) -> None:
    body = {"provider": "highlevel", "name": "x", "location_id": "pit-a-secret-token", "private_token": ["s3cret-list"]}
    answer = await bare_world.admin.post("/api/v1/connections", json=body)
    assert answer.status_code == 422
    assert {tuple(each["loc"]) for each in answer.json()["errors"]} == {
        ("body", "highlevel", "location_id"),
        ("body", "highlevel", "private_token"),
    }
    assert "s3cret" not in answer.text
    assert "pit-a" not in answer.text


async def test_a_body_that_is_no_json_is_a_422_problem(bare_world: World) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b"null", b'{"provider": "nobody"}'):
        answer = await bare_world.admin.post("/api/v1/connections", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE), body


async def test_a_body_that_cannot_be_read_or_stored_is_a_problem(bare_world: World) -> None:
    headers = {"Content-Type": "application/json"}
    surrogate = b'{"name": "\\ud800", "crm_connection_id": 1, "billing_connection_id": 2}'
    for body, status in ((b"\xff", 400), (surrogate, 422)):
        answer = await bare_world.admin.post("/api/v1/bridges", content=body, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE), answer.text


async def test_a_body_that_is_too_large_is_refused(bare_world: World) -> None:
    body = json.dumps({"name": "x" * BODY_LIMIT})
    headers = {"Content-Type": "application/json"}
    for authorization in ({}, {"Authorization": ""}):
        answer = await bare_world.admin.post("/api/v1/bridges", content=body, headers={**headers, **authorization})
        assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)

"""Every endpoint of the API, tried by everybody. What each role may do is written out here once more, by hand."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import APIRouter

from app.api.body import Bounded
from app.api.guard import check_declared
from app.people.roles import Role, lower
from app.people.sessions import form_token
from tests.conftest import ADMIN_TOKEN
from tests.people.conftest import House

MAY = {
    Role.VIEWER: """
        GET /me                 GET /overview
        GET /connections        GET /connections/{connection_id}
        GET /connections/{connection_id}/health
        GET /bridges            GET /bridges/{bridge_id}
        GET /events             GET /events/{event_id}
        GET /links              GET /links/{link_id}
        GET /conflicts          GET /conflicts/{link_id}
        GET /activities         GET /activities/{activity_id}       GET /activities/export
        GET /activities/{activity_id}/exchange
        GET /records
        GET /activities         GET /activities/{activity_id}
        GET /jobs
        GET /runs               GET /runs/{run_id}
        GET /plans/{run_id}     GET /plans/{run_id}/items       GET /plans/{run_id}/export
        GET /links/{link_id}/history            GET /links/{link_id}/timeline
        GET /undo/{run_id}/items        GET /undo/{run_id}/items.csv
        GET /jobs               GET /failures           GET /failures/{key}/records
        GET /alerts             GET /alerts/{alert_id}
        GET /channels           GET /channels/{channel_id}
        GET /duplicates         GET /duplicates/{cluster_id}        GET /bridges/{bridge_id}/duplicates
        GET /runs               GET /runs/{run_id}      GET /bridges/{bridge_id}/health
        GET /sandbox            GET /sandbox/people
        GET /set-ups            GET /set-ups/{bridge_id}        GET /set-ups/{bridge_id}/objects
        GET /set-ups/{bridge_id}/objects/{object}/fields        GET /set-ups/{bridge_id}/values
        GET /set-ups/{bridge_id}/matching
        GET /bridges/{bridge_id}/mapping/{object}       GET /bridges/{bridge_id}/status-page
        GET /bridges/{bridge_id}/versions       GET /bridges/{bridge_id}/versions/{number}
    """,
    Role.OPERATOR: """
        POST /connections       POST /connections/{connection_id}/check
        GET /connections/{connection_id}/webhooks           DELETE /connections/{connection_id}/webhooks
        POST /connections/{connection_id}/webhooks/install
        POST /bridges           PATCH /bridges/{bridge_id}
        PUT /bridges/{bridge_id}/status-page    DELETE /bridges/{bridge_id}/status-page
        POST /events/{event_id}/replay
        POST /conflicts/decide  POST /conflicts/{link_id}/decide
        POST /jobs/retry        POST /jobs/{job_id}/retry POST /links/{link_id}/sync
        POST /bridges/{bridge_id}/plan  POST /plans/{run_id}/apply
        POST /undo/preview      POST /undo      POST /replay
        POST /runs/{run_id}/pause       POST /runs/{run_id}/resume      POST /runs/{run_id}/cancel
        POST /failures/retry
        POST /channels          PATCH /channels/{channel_id}    DELETE /channels/{channel_id}
        POST /channels/{channel_id}/test
        POST /bridges/{bridge_id}/duplicates
        POST /duplicates/{cluster_id}/dismiss           POST /duplicates/{cluster_id}/reopen
        POST /duplicates/{cluster_id}/merge
        POST /bridges/{bridge_id}/sweep
        POST /links/{link_id}/exclude   POST /links/{link_id}/include
        POST /links/{link_id}/unlink    POST /links/{link_id}/relink
        POST /sandbox/people    PATCH /sandbox/people/{side}/{person_id}
        DELETE /sandbox/people/{side}/{person_id}
        POST /sandbox/troubles  DELETE /sandbox/troubles
        POST /bridges/{bridge_id}/sweep         POST /bridges/{bridge_id}/stop
        POST /bridges/stop      POST /bridges/resume
        POST /bridges/{bridge_id}/objects/{object}/pause    POST /bridges/{bridge_id}/objects/{object}/resume
        POST /connections/{connection_id}/pause             POST /connections/{connection_id}/resume
        PATCH /set-ups/{bridge_id}              POST /set-ups/{bridge_id}/steps/{step}
        POST /set-ups/{bridge_id}/live          POST /set-ups/{bridge_id}/count
        POST /bridges/{bridge_id}/mapping/preview
        POST /bridges/{bridge_id}/versions/{number}/restore
        POST /bridges/{bridge_id}/copy/preview  POST /bridges/{bridge_id}/copy
    """,
    Role.OWNER: """
        DELETE /connections/{connection_id}     POST /connections/{connection_id}/webhook-secrets
        DELETE /bridges/{bridge_id}
        POST /channels/{channel_id}/secret
        GET /users      POST /users     GET /users/{user_id}    PATCH /users/{user_id}      DELETE /users/{user_id}
        GET /tokens     POST /tokens    GET /tokens/{token_id}  DELETE /tokens/{token_id}
        GET /audit
        POST /sandbox           DELETE /sandbox
        GET /settings
    """,
}
NEEDED = {
    (method, f"/api/v1{path}"): role
    for role, said in MAY.items()
    for method, path in re.findall(r"([A-Z]+) (\S+)", said)
}
NOBODY_HAS = "999999"


@dataclass
class Visitor:
    """`role` is None where it should not be known at all. `csrf`: whether it sends the token of its session."""

    role: Role | None
    headers: dict[str, str] = field(default_factory=dict)
    cookie: str = ""
    csrf: str = ""

    def expected(self, method: str, needed: Role) -> int | None:
        """The refusal, or None where it may."""
        if self.role is None:
            return 401
        if not self.role.covers(needed):
            return 403
        forged = self.cookie and method != "GET" and self.csrf != form_token(self.cookie)
        return 403 if forged else None


async def visitors(house: House) -> dict[str, Visitor]:
    """Tokens and browsers of each role, and all that should not work."""
    people = {role: await house.user(role) for role in Role}
    owner, hour = people[Role.OWNER], timedelta(hours=1)
    made: dict[str, Visitor] = {"nobody": Visitor(None), "admin token": _bearer(Role.OWNER, ADMIN_TOKEN)}
    for role, person in people.items():
        cookie = await house.session(person)
        made[f"{role} by token"] = _bearer(role, await house.token(person))
        made[f"{role} in a browser"] = Visitor(role, cookie=cookie, csrf=form_token(cookie))
        made[f"{role} in a browser, without CSRF token"] = Visitor(role, cookie=cookie)
        made[f"owner's token for {role}"] = _bearer(role, await house.token(owner, role))
    good, stolen = await house.session(owner), await house.session(owner)
    made["with the CSRF token of another session"] = Visitor(Role.OWNER, cookie=good, csrf=form_token(stolen))
    made["before it expires"] = _bearer(Role.OWNER, await house.token(owner, expires_at=datetime.now(UTC) + hour))
    made["expired token"] = _bearer(None, await house.token(owner, expires_at=datetime.now(UTC) + hour))
    await house.sql("UPDATE api_tokens SET expires_at = now() WHERE id = (SELECT max(id) FROM api_tokens)")
    made["revoked token"] = _bearer(None, await house.token(owner))
    await house.sql("UPDATE api_tokens SET revoked_at = now() WHERE id = (SELECT max(id) FROM api_tokens)")
    idle, old = await house.session(owner), await house.session(owner)
    ended = "UPDATE sessions SET {} WHERE id = (SELECT max(id) - {} FROM sessions)"
    await house.sql(ended.format("seen_at = now() - interval '12 hours 1 second'", 1))
    await house.sql(ended.format("expires_at = now() - interval '1 second'", 0))
    for name, cookie in {"idle": idle, "old": old}.items():
        made[f"{name} session"] = Visitor(None, cookie=cookie, csrf=form_token(cookie))
    made["unknown session"] = Visitor(None, cookie="x" * 43, csrf=form_token("x" * 43))
    made["unknown token"] = _bearer(None, "cl_" + "x" * 43)
    made["session as a token"] = _bearer(None, good)
    made["good session, wrong token"] = Visitor(None, {"Authorization": "Bearer cl_x"}, good, form_token(good))
    made["basic"] = Visitor(None, {"Authorization": f"Basic {ADMIN_TOKEN}"})
    return made


def _bearer(role: Role | None, token: str) -> Visitor:
    return Visitor(role, {"Authorization": f"Bearer {token}"})


async def test_everybody_may_do_at_every_endpoint_exactly_what_their_role_allows(house: House) -> None:
    wrong = []
    everybody = await visitors(house)
    for name, visitor in everybody.items():
        browser = await house.browser(**visitor.headers, **({"X-CSRF-Token": visitor.csrf} if visitor.csrf else {}))
        if visitor.cookie:
            browser.cookies.set("crossledger", visitor.cookie)
        for (method, path), needed in NEEDED.items():
            body: dict[str, Any] | None = {} if method in ("POST", "PATCH") else None
            answer = await browser.request(method, re.sub(r"{\w+}", NOBODY_HAS, path), json=body)
            got = answer.status_code if answer.status_code in (401, 403) else None
            if got != visitor.expected(method, needed) or answer.status_code >= 500:
                wrong.append((name, method, path, answer.status_code))
            if got:
                assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []


async def test_the_table_has_every_endpoint_that_is_documented(house: House) -> None:
    paths = (await (await house.browser()).get("/openapi.json")).json()["paths"]
    documented = {
        (method.upper(), path) for path, methods in paths.items() if path.startswith("/api/v1") for method in methods
    }
    assert documented == set(NEEDED)


def test_an_endpoint_without_a_role_stops_the_start() -> None:
    router = APIRouter(prefix="/bridges", route_class=Bounded)
    router.add_api_route("/{bridge_id}/explode", _nothing, methods=["POST"])
    with pytest.raises(RuntimeError, match="explode has no role"):
        check_declared(router)


def test_a_write_that_the_audit_log_would_miss_stops_the_start() -> None:
    router = APIRouter(prefix="/bridges")
    router.add_api_route("", _nothing, methods=["POST"])
    with pytest.raises(RuntimeError, match="POST /bridges is not in the audit log"):
        check_declared(router)


def test_a_router_within_a_router_stops_the_start_for_its_endpoints_would_not_be_seen() -> None:
    outer, inner = APIRouter(), APIRouter(prefix="/bridges")
    inner.add_api_route("/explode", _nothing)
    outer.include_router(inner)
    with pytest.raises(RuntimeError):
        check_declared(outer)


async def _nothing() -> dict[str, Any]:
    return {}


def test_a_role_may_what_the_ones_below_it_may() -> None:
    assert [[one.covers(other) for other in Role] for one in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert lower(Role.OWNER, Role.VIEWER) is lower(Role.VIEWER, Role.OWNER) is Role.VIEWER


async def test_without_an_admin_token_none_is_valid_not_even_an_empty_one(house: House) -> None:
    for given in ("Bearer", "Bearer ", "Bearer  ", f"Bearer {ADMIN_TOKEN}"):
        gate = house.app.state.gate
        house.app.state.gate = type(gate)(gate.engine, gate.public_url, b"")
        assert (await (await house.browser(Authorization=given)).get("/api/v1/me")).status_code == 401


async def test_what_needs_no_login_needs_none_still(house: House) -> None:
    browser = await house.browser()
    for path in ("/healthz", "/readyz", "/metrics", "/login", "/style.css", "/openapi.json"):
        assert (await browser.get(path)).status_code == 200, path
    answer = await browser.post("/webhooks/highlevel", json={})
    assert "www-authenticate" not in answer.headers
    assert answer.json()["detail"] != "Log in, or send an API token: “Authorization: Bearer …”."

"""The audit log: every act, by whom, from where, on what; and no secret."""

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.models import AuditEntry
from app.people import audit
from app.people.roles import Role
from tests.conftest import ADMIN_TOKEN
from tests.people.conftest import ADDRESS, PASSWORD, House, form_token, log_in


async def entries(house: House, *columns: str) -> list[Any]:
    return await house.sql(f"SELECT {', '.join(columns)} FROM audit ORDER BY id")  # noqa: S608


async def test_each_write_says_who_did_what_to_which_thing_and_how_it_ended(house: House) -> None:
    owner = await house.user(Role.OWNER)
    bearer = await house.bearer(await house.token(owner), address="198.51.100.9")
    body = {"email": "ada@example.com", "role": "viewer", "password": PASSWORD}
    id_ = (await bearer.post("/api/v1/users", json=body)).json()["id"]
    await bearer.patch(f"/api/v1/users/{id_}", json={"role": "operator", "password": "another good password"})
    await bearer.post("/api/v1/users", json=body)
    await bearer.post("/api/v1/users", json={})
    await bearer.delete("/api/v1/connections/77")
    await bearer.delete(f"/api/v1/users/{id_}")
    await bearer.get("/api/v1/users")
    assert await entries(house, "action", "thing", "detail", "outcome") == [
        ("POST /users", f"user {id_}", "ada@example.com, viewer", "done"),
        ("PATCH /users/{user_id}", f"user {id_}", "ada@example.com, role viewer -> operator, new password", "done"),
        ("POST /users", "", "ada@example.com, viewer", "refused"),
        ("POST /users", "", "", "refused"),
        ("DELETE /connections/{connection_id}", "connection 77", "", "refused"),
        ("DELETE /users/{user_id}", f"user {id_}", "ada@example.com", "done"),
    ]
    who = set(await entries(house, "actor", "user_id", "address"))
    assert who == {("token 1 “test” of owner@example.com", owner.user_id, "198.51.100.9")}


async def test_the_admin_token_is_named_and_not_shown(house: House) -> None:
    await (await house.bearer()).post("/api/v1/jobs/retry", json={})
    assert await entries(house, "actor", "action", "outcome") == [("admin token", "POST /jobs/retry", "done")]


async def test_what_browsers_do_is_in_it(house: House) -> None:
    await house.user(Role.OWNER)
    browser = await house.browser()
    await log_in(browser, "owner@example.com", "wrong")
    await log_in(browser, "my password, typed too early", "wrong")
    await log_in(browser, "owner@example.com")
    form = {"csrf_token": form_token(await browser.get("/account"))}
    new = "another good password"
    await browser.post("/account/password", data={**form, "present": "wrong", "password": new, "again": new})
    await browser.post("/account/password", data={**form, "present": PASSWORD, "password": new, "again": new})
    await browser.post("/account/tokens", data={**form, "name": "CI", "role": "viewer"})
    await browser.post("/account/tokens/1/revoke", data=form)
    await browser.post("/logout", data=form)
    assert await entries(house, "actor", "action", "thing", "detail", "outcome") == [
        ("owner@example.com", "session.refused", "", "", "refused"),
        ("", "session.refused", "", "no such account", "refused"),
        ("owner@example.com", "session.started", "", "", "done"),
        ("owner@example.com", "POST /account/password", "", "", "refused"),
        ("owner@example.com", "password.refused", "", "", "refused"),
        ("owner@example.com", "POST /account/password", "", "", "done"),
        ("owner@example.com", "POST /account/tokens", "", "token 1 “CI”, viewer", "done"),
        ("owner@example.com", "POST /account/tokens/{token_id}/revoke", "token 1", "", "done"),
        ("owner@example.com", "POST /logout", "", "", "done"),
    ]
    assert set(await entries(house, "address")) == {(ADDRESS,)}


async def test_no_secret_is_in_it(house: House) -> None:
    owner = await house.user(Role.OWNER)
    browser, admin = await house.browser(), await house.bearer()
    await log_in(browser, "owner@example.com", "wrong-password-1")
    await log_in(browser, "secret-in-the-wrong-field", "x")
    await log_in(browser, "owner@example.com")
    cookie = browser.cookies["crossledger"]
    csrf = (await browser.get("/api/v1/me")).json()["csrf_token"]
    token = await house.token(owner)
    made = await (await house.bearer(token)).post("/api/v1/tokens", json={"name": "n", "role": "viewer"})
    body = {"email": "a@example.com", "role": "viewer", "password": "the-password-of-ada"}
    await admin.post("/api/v1/users", json=body)
    connection = {"provider": "highlevel", "name": "x", "location_id": "abc", "private_token": "pit-secret"}
    await admin.post("/api/v1/connections", json={**connection, "base_url": "http://127.0.0.1:1"})
    said = str(await house.sql("SELECT * FROM audit"))
    hashes = str(await house.sql("SELECT password_hash FROM users"))
    assert "POST /connections" in said
    for secret in (PASSWORD, "wrong-password-1", "wrong-field", cookie, csrf, token, made.json()["token"]):
        assert secret not in said
    for secret in (ADMIN_TOKEN, "the-password-of-ada", "pit-secret", hashes[5:40], "argon2"):
        assert secret not in said


async def test_owners_read_it_page_by_page_newest_first_and_filtered(house: House) -> None:
    admin = await house.bearer()
    for n in range(5):
        await admin.delete(f"/api/v1/bridges/{n + 1}")
    first = (await admin.get("/api/v1/audit", params={"limit": 3})).json()
    rest = (await admin.get("/api/v1/audit", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert [row["thing"] for row in first["items"] + rest["items"]] == [f"bridge {n}" for n in (5, 4, 3, 2, 1)]
    assert rest["next_cursor"] is None
    assert set(first["items"][0]) == set(AuditEntry.model_fields)
    for params, count in (
        ({"thing": "bridge 2"}, 1),
        ({"actor": "admin token"}, 5),
        ({"action": "DELETE /bridges/{bridge_id}"}, 5),
        ({"actor": "nobody"}, 0),
    ):
        assert len((await admin.get("/api/v1/audit", params=params)).json()["items"]) == count


async def test_nothing_is_done_that_cannot_be_written_down(house: House) -> None:
    owner = await house.user(Role.OWNER)
    await house.user(Role.VIEWER)
    await house.sql("ALTER TABLE audit RENAME TO gone")
    answer = await (await house.bearer()).delete(f"/api/v1/users/{owner.user_id}")
    assert answer.status_code == 503
    assert await house.sql("SELECT count(*) FROM users") == [(2,)]


async def test_an_end_that_cannot_be_written_does_not_undo_the_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise OperationalError("UPDATE", {}, Exception("away"))

    monkeypatch.setattr(audit, "end", broken)
    assert (await (await house.bearer()).post("/api/v1/jobs/retry", json={})).status_code == 202
    assert await entries(house, "action", "outcome") == [("POST /jobs/retry", "")]


async def test_a_path_that_cannot_be_stored_is_refused_as_before(house: House) -> None:
    answer = await (await house.bearer()).delete("/api/v1/bridges/%00")
    assert answer.status_code == 422
    assert await entries(house, "thing", "outcome") == [("bridge ", "refused")]

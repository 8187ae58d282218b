"""Users and API tokens, through the API and the page."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.people import tokens, users
from app.people.roles import Role
from app.people.users import LastOwner, NotAllowed, address_of
from tests.people.conftest import PASSWORD, House, form_token, log_in

NEW = "another good password"


async def test_an_owner_adds_changes_and_removes_a_user(house: House) -> None:
    admin = await house.bearer()
    body = {"email": "Ada@Example.com", "role": "viewer", "password": PASSWORD}
    made = await admin.post("/api/v1/users", json=body)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert shown == {"id": shown["id"], "email": "ada@example.com", "role": "viewer", "created_at": shown["created_at"]}
    url = f"/api/v1/users/{shown['id']}"
    assert (await admin.get(url)).json() == shown
    assert (await admin.get("/api/v1/users")).json() == {"items": [shown], "next_cursor": None}
    assert (await admin.post("/api/v1/users", json=body)).status_code == 409
    assert (await admin.patch(url, json={"role": "operator"})).json() == {**shown, "role": "operator"}
    assert (await admin.patch(url, json={})).json()["role"] == "operator"
    assert (await log_in(await house.browser(), "ada@example.com")).status_code == 303
    assert (await admin.delete(url)).status_code == 204
    assert (await admin.get(url)).status_code == 404
    assert (await log_in(await house.browser(), "ada@example.com")).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody"},
        {"email": "a\x00@example.com"},
        {"role": "king"},
        {"password": "tiny-one"},
        {"password": "aaaaaaaaaaaaaaaa"},
        {"password": "ada@example.com"},
        {"password": "x" * 201},
        {"name": "unknown field"},
    ],
)
async def test_a_user_that_cannot_be_is_refused_without_repeating_the_password(
    house: House, wrong: dict[str, str]
) -> None:
    body = {"email": "ada@example.com", "role": "viewer", "password": PASSWORD, **wrong}
    answer = await (await house.bearer()).post("/api/v1/users", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert body["password"] not in answer.text or body["password"] == body["email"]
    assert await house.sql("SELECT * FROM users") == []


async def test_the_last_owner_stays_an_owner(house: House) -> None:
    first, admin = await house.user(Role.OWNER), await house.bearer()
    url = f"/api/v1/users/{first.user_id}"
    for answer in (await admin.patch(url, json={"role": "operator"}), await admin.delete(url)):
        assert (answer.status_code, "last owner" in answer.json()["detail"]) == (409, True)


async def test_of_two_owners_who_are_demoted_at_once_one_stays(house: House) -> None:
    first, second = await house.user(Role.OWNER), await house.user(Role.OWNER, "second@example.com")
    async with house.service.engine.begin() as connection:
        await users.set_role(connection, first.user_id or 0, Role.VIEWER)
        other = asyncio.create_task(_demote(house, second.user_id or 0))
        await asyncio.sleep(0.3)
    with pytest.raises(LastOwner):
        await other


async def _demote(house: House, user_id: int) -> None:
    async with house.service.engine.begin() as connection:
        await users.set_role(connection, user_id, Role.VIEWER)


async def test_a_removed_users_sessions_and_tokens_end_at_once(house: House) -> None:
    ada = await house.user(Role.OPERATOR)
    ways = [await house.logged_in(ada), await house.bearer(await house.token(ada))]
    assert [(await way.get("/api/v1/me")).status_code for way in ways] == [200, 200]
    await (await house.bearer()).delete(f"/api/v1/users/{ada.user_id}")
    assert [(await way.get("/api/v1/me")).status_code for way in ways] == [401, 401]


# -- passwords --------------------------------------------------------------------------------------------------------


async def change(browser: httpx.AsyncClient, present: str = PASSWORD, new: str = NEW, again: str = NEW) -> Any:
    token = form_token(await browser.get("/account"))
    body = {"csrf_token": token, "present": present, "password": new, "again": again}
    return await browser.post("/account/password", data=body)


async def test_a_new_password_ends_the_other_sessions_and_the_old_one_does_not_work(house: House) -> None:
    ada = await house.user(Role.VIEWER, "ada@example.com")
    here, elsewhere, stranger = await house.logged_in(ada), await house.logged_in(ada), await house.user(Role.OWNER)
    unconcerned = await house.logged_in(stranger)
    answer = await change(here)
    assert answer.status_code == 200, answer.text
    assert "Your password is changed" in answer.text
    statuses = [(await each.get("/api/v1/me")).status_code for each in (here, elsewhere, unconcerned)]
    assert statuses == [200, 401, 200]
    assert (await log_in(elsewhere, "ada@example.com", PASSWORD)).status_code == 401
    assert (await log_in(elsewhere, "ada@example.com", NEW)).status_code == 303


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"present": "wrong"}, "present password is wrong"),
        ({"again": "something else"}, "are not the same"),
        ({"new": "short", "again": "short"}, "at least 12"),
    ],
)
async def test_a_password_that_will_not_do_changes_nothing(house: House, said: dict[str, str], sentence: str) -> None:
    browser = await house.logged_in(await house.user(Role.VIEWER))
    answer = await change(browser, **said)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert (await change(browser)).status_code == 200


async def test_the_present_password_cannot_be_guessed_on_the_account_page(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.VIEWER))
    statuses = [(await change(browser, present=f"guess {n}")).status_code for n in range(5)]
    assert statuses == [422] * 5
    closed = await change(browser)
    assert (closed.status_code, int(closed.headers["retry-after"]) > 0) == (429, True)


async def test_an_owner_who_sets_a_password_ends_the_sessions_of_that_user(house: House) -> None:
    ada, owner = await house.user(Role.VIEWER), await house.user(Role.OWNER)
    browser, mine, other = await house.logged_in(ada), await house.logged_in(owner), await house.logged_in(owner)
    token = (await mine.get("/api/v1/me")).json()["csrf_token"]
    for person in (ada, owner):
        url = f"/api/v1/users/{person.user_id}"
        assert (await mine.patch(url, json={"password": NEW}, headers={"X-CSRF-Token": token})).status_code == 200
    assert [(await each.get("/api/v1/me")).status_code for each in (browser, other, mine)] == [401, 401, 200]


# -- tokens -----------------------------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_works_until_it_is_revoked(house: House) -> None:
    admin = await house.bearer()
    made = await admin.post("/api/v1/tokens", json={"name": "CI", "role": "operator", "expires_in_days": 30})
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    assert re.fullmatch(r"cl_[\w-]{43}", token)
    url = f"/api/v1/tokens/{made.json()['id']}"
    shown = await admin.get(url)
    assert "token" not in shown.json()
    assert token not in shown.text + (await admin.get("/api/v1/tokens")).text
    assert token not in str(await house.sql("SELECT * FROM api_tokens"))
    ci = await house.bearer(token)
    assert (await ci.get("/api/v1/me")).json()["role"] == "operator"
    assert [(await admin.delete(url)).status_code for _ in range(2)] == [204, 204]
    assert (await ci.get("/api/v1/me")).status_code == 401
    assert (await admin.get(url)).json()["revoked_at"]


async def test_use_of_a_token_is_noted_once_a_minute(house: House) -> None:
    bearer = await house.bearer(await house.token(await house.user(Role.VIEWER)))
    assert await house.sql("SELECT last_used_at FROM api_tokens") == [(None,)]
    await bearer.get("/api/v1/me")
    for ago, written in (("30 seconds", False), ("61 seconds", True)):
        await house.sql(f"UPDATE api_tokens SET last_used_at = now() - interval '{ago}'")  # noqa: S608
        before = await house.sql("SELECT last_used_at FROM api_tokens")
        await bearer.get("/api/v1/me")
        assert (await house.sql("SELECT last_used_at FROM api_tokens") != before) is written


async def test_a_token_never_outranks_its_maker_also_not_later(house: House) -> None:
    ada = await house.user(Role.OPERATOR)
    async with house.service.engine.begin() as connection:
        for role in (Role.VIEWER, Role.OPERATOR):
            await tokens.make(connection, ada, name="x", role=role, expires_at=None)
        with pytest.raises(NotAllowed, match="cannot be owner"):
            await tokens.make(connection, ada, name="x", role=Role.OWNER, expires_at=None)
        with pytest.raises(NotAllowed, match="expired already"):
            await tokens.make(connection, ada, name="x", role=Role.VIEWER, expires_at=datetime.now(UTC))
    bearer = await house.bearer(await house.token(ada))
    await house.sql("UPDATE users SET role = 'viewer'")
    assert (await bearer.get("/api/v1/me")).json()["role"] == "viewer"


@pytest.mark.parametrize("wrong", [{"name": ""}, {"role": "king"}, {"expires_in_days": 0}, {"expires_in_days": 9999}])
async def test_a_token_that_cannot_be_is_refused(house: House, wrong: dict[str, Any]) -> None:
    answer = await (await house.bearer()).post("/api/v1/tokens", json={"name": "x", "role": "viewer", **wrong})
    assert answer.status_code == 422


async def submit(browser: httpx.AsyncClient, path: str, **body: str) -> httpx.Response:
    return await browser.post(path, data={"csrf_token": form_token(await browser.get("/account")), **body})


async def test_a_user_makes_and_revokes_tokens_of_their_own_on_the_account_page(house: House) -> None:
    ada = await house.user(Role.OPERATOR)
    browser = await house.logged_in(ada)
    answer = await submit(browser, "/account/tokens", name="Script <b>", role="viewer", days="7")
    assert answer.status_code == 200
    found = re.search(r"<code>(cl_[\w-]{43})</code>", answer.text)
    assert found
    assert "Script &lt;b&gt;" in answer.text
    assert found.group(1) not in (await browser.get("/account")).text
    bearer = await house.bearer(found.group(1))
    assert (await bearer.get("/api/v1/me")).json()["user_id"] == ada.user_id
    ((id_, left),) = await house.sql("SELECT id, expires_at - now() FROM api_tokens")
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    assert (await submit(browser, f"/account/tokens/{id_}/revoke")).status_code == 303
    assert (await bearer.get("/api/v1/me")).status_code == 401


async def test_nobody_revokes_tokens_of_others_on_the_account_page(house: House) -> None:
    token = await house.token(await house.user(Role.OWNER))
    browser = await house.logged_in(await house.user(Role.VIEWER))
    ((id_,),) = await house.sql("SELECT id FROM api_tokens")
    assert (await submit(browser, f"/account/tokens/{id_}/revoke")).status_code == 404
    assert (await (await house.bearer(token)).get("/api/v1/me")).status_code == 200
    assert "test" not in re.findall(r'<th scope="row">(.*?)</th>', (await browser.get("/account")).text)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"role": "owner"}, "cannot be owner"),
        ({"role": "king"}, "Choose a role"),
        ({"name": " "}, "a name"),
        ({"days": "0"}, "1 to 3650"),
        ({"days": "99999999999"}, "1 to 3650"),
        ({"days": "soon"}, "1 to 3650"),
    ],
)
async def test_the_form_for_a_token_says_what_is_wrong(house: House, said: dict[str, str], sentence: str) -> None:
    browser = await house.logged_in(await house.user(Role.OPERATOR))
    answer = await submit(browser, "/account/tokens", **{"name": "x", "role": "viewer", "days": "", **said})
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert await house.sql("SELECT * FROM api_tokens") == []


async def test_an_api_token_has_no_account_page(house: House) -> None:
    answer = await (await house.bearer()).get("/account")
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("typed", "spelt"),
    [
        ("owner@server.local", "owner@server.local"),
        ("Owner@LOCALHOST ", "owner@localhost"),
        ("me@home.arpa", "me@home.arpa"),
        ("Ana@Müller.Example", "ana@müller.example"),
    ],
)
def test_an_address_may_be_of_a_network_of_ones_own(typed: str, spelt: str) -> None:
    assert address_of(typed) == spelt


@pytest.mark.parametrize("typed", ["", "owner", "owner@", "@server", "a@b@c", "owner@server.", "a b@server", "a@\x00b"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(NotAllowed):
        address_of(typed)

"""Logging in with a browser: cookies, ends, and what forms must bring along."""

import asyncio
import itertools

import pytest
from argon2 import PasswordHasher

from app.people import login, passwords, sessions, users
from app.people.roles import Role
from app.people.users import NotAllowed
from app.settings import Settings
from app.web.pages import account, setup
from app.web.pages import login as login_page
from app.web.pages.layout import local
from tests.people.conftest import ADDRESS, PASSWORD, House, form_token, log_in


async def test_a_user_logs_in_and_out(house: House) -> None:
    await house.user(Role.VIEWER, "ada@example.com")
    browser = await house.browser()
    assert (await log_in(browser, " Ada@Example.COM ")).headers["location"] == "/"
    me = (await browser.get("/api/v1/me")).json()
    assert (me["name"], me["role"]) == ("ada@example.com", "viewer")
    cookie = browser.cookies["crossledger"]
    answer = await browser.post("/logout", data={"csrf_token": form_token(await browser.get("/account"))})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "crossledger" not in browser.cookies
    browser.cookies.set("crossledger", cookie)
    assert (await browser.get("/api/v1/me")).status_code == 401
    assert await house.sql("SELECT * FROM sessions") == []


async def test_the_cookie_is_not_in_the_database(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.OWNER))
    assert (await browser.get("/api/v1/me")).status_code == 200
    assert browser.cookies["crossledger"] not in str(await house.sql("SELECT * FROM sessions"))


async def test_over_http_the_cookie_is_plain_and_closed_to_scripts(house: House) -> None:
    await house.user(Role.OWNER)
    answer = await log_in(await house.browser(), "owner@example.com")
    (made,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("crossledger=")]
    attributes = {part.strip().lower() for part in made.split(";")[1:]}
    assert attributes == {"httponly", "samesite=lax", "path=/", "max-age=604800"}


async def test_a_password_that_is_for_the_web_server_in_front_does_not_hide_the_session(house: House) -> None:
    """Browsers send it with each request, and web servers pass it on."""
    await house.user(Role.OWNER)
    browser = await house.browser(Authorization="Basic bWU6c2VjcmV0")
    await log_in(browser, "owner@example.com")
    assert (await browser.get("/api/v1/me")).status_code == 200
    assert (await browser.get("/account")).status_code == 200


class TestHttps:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"public_url": "https://sync.example.com"})

    async def test_over_https_no_other_host_can_set_the_cookies_and_they_travel_no_other_way(
        self, house: House
    ) -> None:
        await house.user(Role.OWNER)
        browser = await house.browser()
        page = await browser.get("/login")
        answer = await log_in(browser, "owner@example.com")
        made = page.headers.get_list("set-cookie") + answer.headers.get_list("set-cookie")
        assert {each.partition("=")[0] for each in made} == {"__Host-crossledger", "__Host-crossledger-form"}
        for each in made:
            attributes = {part.strip().lower().partition("=")[0] for part in each.split(";")[1:]}
            assert {"secure", "httponly", "path"} <= attributes
            assert "domain" not in attributes
        assert (await browser.get("/account")).status_code == 200

    async def test_a_cookie_of_the_plain_name_counts_for_nothing(self, house: House) -> None:
        browser = await house.logged_in(await house.user(Role.OWNER))
        assert (await browser.get("/api/v1/me")).status_code == 401


async def test_use_keeps_a_session_alive_but_is_written_once_a_minute(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.OWNER))
    for ago, written in (("30 seconds", False), ("61 seconds", True), ("11 hours 59 minutes", True)):
        await house.sql(f"UPDATE sessions SET seen_at = now() - interval '{ago}'")  # noqa: S608
        before = await house.sql("SELECT seen_at FROM sessions")
        assert (await browser.get("/api/v1/me")).status_code == 200
        assert (await house.sql("SELECT seen_at FROM sessions") != before) is written


async def test_a_session_ends_after_seven_days_whatever_is_done(house: House) -> None:
    await house.logged_in(await house.user(Role.OWNER))
    ((left,),) = await house.sql("SELECT extract(epoch FROM expires_at - now()) FROM sessions")
    assert 7 * 86_400 - 60 < left <= 7 * 86_400


async def test_sessions_that_have_ended_are_forgotten_at_the_next_login(house: House) -> None:
    ada = await house.user(Role.OWNER)
    for change in ("seen_at = now() - interval '13 hours'", "expires_at = now()", "seen_at = now()"):
        await house.session(ada)
        await house.sql(f"UPDATE sessions SET {change} WHERE id = (SELECT max(id) FROM sessions)")  # noqa: S608
    await house.session(ada)
    assert await house.sql("SELECT count(*) FROM sessions") == [(2,)]


async def test_a_new_role_counts_at_once(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.OWNER))
    assert (await browser.get("/api/v1/users")).status_code == 200
    await house.sql("UPDATE users SET role = 'viewer'")
    assert (await browser.get("/api/v1/users")).status_code == 403


async def test_logging_in_again_ends_the_session_before(house: House) -> None:
    await house.user(Role.OWNER)
    browser = await house.browser()
    await log_in(browser, "owner@example.com")
    first = browser.cookies["crossledger"]
    await log_in(browser, "owner@example.com")
    assert browser.cookies["crossledger"] != first
    assert await house.sql("SELECT count(*) FROM sessions") == [(1,)]


# -- forms ------------------------------------------------------------------------------------------------------------

FORMS = {"/login", "/logout", "/setup", "/account/password", "/account/tokens", "/account/tokens/{token_id}/revoke"}


def test_the_list_of_forms_below_is_complete() -> None:
    routes = [route for part in (account, login_page, setup) for route in part.router.routes]
    assert {getattr(route, "path", "?") for route in routes if "POST" in getattr(route, "methods", "?")} == FORMS


@pytest.mark.parametrize("path", sorted(FORMS))
async def test_no_form_is_taken_without_the_token_of_its_own_browser(house: House, path: str) -> None:
    owner = await house.user(Role.OWNER)
    browser, other = await house.logged_in(owner), await house.logged_in(owner)
    for each in (browser, other):
        await each.get("/login")
    stolen = form_token(await other.get("/account")), form_token(await other.get("/login"))
    for token in (None, "", "x", *stolen):
        body = {"email": "owner@example.com", "password": PASSWORD} | ({"csrf_token": token} if token else {})
        answer = await browser.post(path.replace("{token_id}", "1"), data=body)
        assert answer.status_code == 403, (path, token)
        assert "load the page again" in answer.text
        assert answer.headers["content-type"].startswith("text/html")
    bare = await house.browser()
    refused = await bare.post(path.replace("{token_id}", "1"), data={"csrf_token": sessions.form_token("")})
    assert (refused.status_code, refused.headers.get("location")) in {(403, None), (303, "/login")}
    assert await house.sql("SELECT count(*) FROM sessions") == [(2,)]


async def test_a_browser_gets_its_token_for_the_api_from_me(house: House) -> None:
    browser = await house.logged_in(await house.user(Role.OPERATOR))
    token = (await browser.get("/api/v1/me")).json()["csrf_token"]
    assert (await browser.post("/api/v1/jobs/retry", json={})).status_code == 403
    answer = await browser.post("/api/v1/jobs/retry", json={}, headers={"X-CSRF-Token": token})
    assert answer.status_code == 202
    bearer = await house.bearer()
    assert (await bearer.get("/api/v1/me")).json()["csrf_token"] is None


# -- guessing ---------------------------------------------------------------------------------------------------------


async def test_the_answer_is_the_same_for_an_unknown_user_and_a_wrong_password(house: House) -> None:
    await house.user(Role.OWNER, "known@example.com")
    browser = await house.browser()
    answers = [await log_in(browser, email, "wrong " * 4) for email in ("known@example.com", "other@example.com")]
    assert [answer.status_code for answer in answers] == [401, 401]
    one, two = (answer.text.replace("known@", "").replace("other@", "") for answer in answers)
    assert one == two
    assert login.WRONG in one


async def test_an_unknown_user_is_compared_like_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that both take the same time; how long that is, is nothing to test on a busy machine."""
    verify, compared = passwords._verify, []

    def noted(password: bytes, stored: str) -> bool:
        compared.append(stored)
        return verify(password, stored)

    monkeypatch.setattr(passwords, "_verify", noted)
    stored = await passwords.hashed(PASSWORD)
    for known in (stored, None):
        assert not await passwords.matches("wrong", known)
    assert compared == [stored, passwords._DECOY]


def test_what_an_unknown_user_is_compared_with_costs_the_same() -> None:
    hasher: PasswordHasher = passwords._HASHER
    assert not hasher.check_needs_rehash(passwords._DECOY)


async def test_the_password_of_the_decoy_logs_nobody_in() -> None:
    assert not await passwords.matches("nobody has this password", None)


async def test_after_five_failures_an_account_is_closed_from_everywhere_and_opens_again(house: House) -> None:
    await house.user(Role.OWNER)
    for n in range(5):
        answer = await log_in(await house.browser(address=f"192.0.2.{n}"), "OWNER@example.com", "wrong")
        assert answer.status_code == 401
    elsewhere = await house.browser(address="198.51.100.1")
    closed = await log_in(elsewhere, "owner@example.com")
    assert closed.status_code == 429
    assert 1 <= int(closed.headers["retry-after"]) <= 900
    assert "Too many log-ins have failed" in closed.text
    await house.sql("UPDATE login_failures SET at = at - interval '14 minutes'")
    assert (await log_in(elsewhere, "owner@example.com")).status_code == 429
    await house.sql("UPDATE login_failures SET at = at - interval '1 minute'")
    assert (await log_in(elsewhere, "owner@example.com")).status_code == 303


async def test_after_five_failures_an_address_is_closed_for_every_account(house: House) -> None:
    await house.user(Role.OWNER)
    browser = await house.browser()
    for n in range(5):
        assert (await log_in(browser, f"nobody{n}@example.com", "wrong")).status_code == 401
    assert (await log_in(browser, "owner@example.com")).status_code == 429
    assert (await log_in(await house.browser(address="198.51.100.1"), "owner@example.com")).status_code == 303


async def test_an_unknown_account_is_closed_as_a_known_one_is(house: House) -> None:
    for n in range(5):
        await log_in(await house.browser(address=f"192.0.2.{n}"), "nobody@example.com", "wrong")
    answer = await log_in(await house.browser(address="198.51.100.1"), "nobody@example.com", "wrong")
    assert answer.status_code == 429


async def test_a_right_password_forgives_what_was_typed_wrong_before(house: House) -> None:
    await house.user(Role.OWNER)
    browser = await house.browser()
    for password in ("wrong",) * 4 + (PASSWORD,) + ("wrong",) * 4 + (PASSWORD,):
        answer = await log_in(browser, "owner@example.com", password)
        assert answer.status_code == (303 if password == PASSWORD else 401)
    assert await house.sql("SELECT * FROM login_failures") == []


async def test_a_password_that_is_changed_in_this_moment_logs_nobody_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await house.user(Role.OWNER)
    compare = passwords.matches

    async def changed_meanwhile(password: str, stored: str | None) -> bool:
        right = await compare(password, stored)
        async with house.service.engine.begin() as connection:
            await users.set_password(connection, ada.user_id or 0, "another hash")
        return right

    monkeypatch.setattr(passwords, "matches", changed_meanwhile)
    assert (await log_in(await house.browser(), ada.name)).status_code == 401
    assert await house.sql("SELECT * FROM sessions") == []


async def test_many_guesses_at_once_are_no_more_than_five(house: House) -> None:
    await house.user(Role.OWNER)
    guesses = (login.log_in(house.service.engine, "owner@example.com", "wrong", ADDRESS) for _ in range(20))
    outcomes = await asyncio.gather(*guesses, return_exceptions=True)
    assert {type(each) for each in outcomes} <= {NotAllowed, login.Closed}
    assert sum(not isinstance(each, login.Closed) for each in outcomes) <= 5


async def test_guesses_that_were_not_looked_at_do_not_prolong_it(house: House) -> None:
    browser = await house.browser()
    for _ in range(9):
        await log_in(browser, "owner@example.com", "wrong")
    assert await house.sql("SELECT count(*) FROM login_failures") == [(5,)]


def test_an_ipv6_network_counts_as_one_address() -> None:
    assert login.network("2001:db8:1:2:3::4") == login.network("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert login.network("2001:db8:1:3::4") != login.network("2001:db8:1:2::4")
    assert login.network("::ffff:192.0.2.1") == login.network("192.0.2.1") == "192.0.2.1"
    assert login.network("testclient") == "testclient"


@pytest.mark.parametrize("email", ["", "no address", "a\x00b@example.com", "x" * 5000, "ada@example.com\r\nX: y"])
async def test_what_is_no_address_is_a_wrong_one(house: House, email: str) -> None:
    assert (await log_in(await house.browser(), email, "wrong\x00")).status_code == 401


# -- where to ---------------------------------------------------------------------------------------------------------


async def test_who_is_not_logged_in_is_sent_to_the_login_and_back(house: House) -> None:
    await house.user(Role.VIEWER)
    browser = await house.browser()
    answer = await browser.get("/account", params={"a": "1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/account%3Fa%3D1")
    assert (await browser.get("/")).headers["location"] == "/login"
    assert (await log_in(browser, "viewer@example.com", next_path="/account?a=1")).headers["location"] == "/account?a=1"


AWAY = ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "x"]
AWAY += ["/\t/evil.example", "/a\r\nSet-Cookie: x=y", "", "/é"]


async def test_a_login_never_leads_to_another_site(house: House) -> None:
    assert {local(path) for path in AWAY} == {"/"}
    await house.user(Role.VIEWER)
    browser = await house.browser()
    for path in itertools.islice(AWAY, 3):
        token = form_token(await browser.get("/login"))
        body = {"csrf_token": token, "next": path, "email": "viewer@example.com", "password": PASSWORD}
        assert (await browser.post("/login", data=body)).headers["location"] == "/"

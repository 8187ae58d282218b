"""The first owner: by a link that works once."""

import asyncio
import re

import httpx
import pytest

from app.people import setup, users
from app.people.roles import Role
from tests.people.conftest import PASSWORD, House, form_token, log_in

OWNER = {"email": "Ada@example.com", "password": PASSWORD, "again": PASSWORD}


async def link(house: House) -> str:
    async with house.service.engine.begin() as connection:
        made = await setup.renew(connection, "http://test")
    assert made
    return made


def token_of(link: str) -> str:
    return link.partition("token=")[2]


async def set_up(browser: httpx.AsyncClient, link: str, **changed: str) -> httpx.Response:
    page = await browser.get(link)
    assert page.status_code == 200, page.text
    body = {"csrf_token": form_token(page), "token": token_of(link), **OWNER, **changed}
    return await browser.post("/setup", data=body)


async def test_the_first_visitor_with_the_link_becomes_the_owner_and_is_logged_in(house: House) -> None:
    browser = await house.browser()
    answer = await set_up(browser, await link(house))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = (await browser.get("/api/v1/me")).json()
    assert (me["name"], me["role"]) == ("ada@example.com", "owner")
    assert (await log_in(await house.browser(), "ada@example.com")).status_code == 303
    ((action, actor),) = await house.sql("SELECT action, actor FROM audit WHERE action LIKE 'setup%'")
    assert (action, actor) == ("setup.used", "ada@example.com")


async def test_the_link_works_once(house: House) -> None:
    made = await link(house)
    first, second = await house.browser(), await house.browser()
    token = form_token(await second.get(made))
    await set_up(first, made)
    late = await second.post("/setup", data={**OWNER, "csrf_token": token, "token": token_of(made)})
    assert (late.status_code, (await second.get(made)).status_code) == (403, 403)
    assert "has been used" in late.text
    assert await house.sql("SELECT count(*) FROM users") == [(1,)]
    assert await house.sql("SELECT * FROM setup_links") == []


async def test_two_at_the_same_moment_are_one_owner(house: House) -> None:
    made = await link(house)
    answers = await asyncio.gather(*[set_up(await house.browser(), made, email=f"{n}@example.com") for n in range(6)])
    assert sorted(answer.status_code for answer in answers) == [303] + [403] * 5
    assert await house.sql("SELECT count(*) FROM users") == [(1,)]


async def test_the_link_is_no_way_in_once_there_is_a_user(house: House) -> None:
    """Also where the user came another way while the link was good."""
    made = await link(house)
    await house.user(Role.OWNER)
    assert (await set_up(await house.browser(), made)).status_code == 403
    assert await house.sql("SELECT count(*) FROM users") == [(1,)]
    async with house.service.engine.begin() as connection:
        assert await setup.renew(connection, "http://test") is None


async def test_a_newer_link_replaces_the_one_before_and_a_day_ends_it(house: House) -> None:
    first, second = await link(house), await link(house)
    browser = await house.browser()
    assert [(await browser.get(each)).status_code for each in (first, second)] == [403, 200]
    await house.sql("UPDATE setup_links SET expires_at = expires_at - interval '24 hours'")
    assert (await browser.get(second)).status_code == 403
    form = form_token(await browser.get("/login"))
    answer = await browser.post("/setup", data={**OWNER, "csrf_token": form, "token": token_of(second)})
    assert answer.status_code == 403
    assert await house.sql("SELECT * FROM users") == []


async def test_only_a_digest_of_the_link_is_stored(house: House) -> None:
    made = await link(house)
    assert len(token_of(made)) >= 43
    assert token_of(made) not in str(await house.sql("SELECT * FROM setup_links"))


@pytest.mark.parametrize("token", ["", "x", "\x00", "x" * 5000])
async def test_a_guess_is_no_link(house: House, token: str) -> None:
    await link(house)
    browser = await house.browser()
    assert (await browser.get("/setup", params={"token": token})).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"email": "nobody"}, "not an e-mail address"),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "ababababababab", "again": "ababababababab"}, "repeats the same few"),
        ({"password": "x1" * 120, "again": "x1" * 120}, "at most 200"),
        ({"password": "ada@example.com", "again": "ada@example.com"}, "must not be the e-mail"),
        ({"again": "another password"}, "not the same"),
    ],
)
async def test_what_is_wrong_is_said_and_the_link_stays_good(
    house: House, wrong: dict[str, str], sentence: str
) -> None:
    made, browser = await link(house), await house.browser()
    answer = await set_up(browser, made, **wrong)
    assert answer.status_code == 422
    assert sentence in re.sub(r"\s+", " ", answer.text)
    assert PASSWORD not in answer.text
    assert (await set_up(browser, made)).status_code == 303


async def test_a_password_is_hashed_with_argon2id_and_a_salt_of_its_own(house: House) -> None:
    one, two = [await users.hash_of(PASSWORD, "a@example.com") for _ in range(2)]
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")  # OWASP's first choice
    assert one != two

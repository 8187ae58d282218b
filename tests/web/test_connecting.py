"""Connecting in a browser's steps, over HTTP: consent and back, agencies, installations from the vendor's side."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.store import COMPANY_ID
from tests.conftest import LOCATION, World


@pytest.fixture
async def browser(bare_world: World) -> AsyncIterator[httpx.AsyncClient]:
    """An owner who is logged in. Redirects are followed by hand, so that each is seen."""
    async with httpx.AsyncClient(base_url=bare_world.url, timeout=20, trust_env=False) as browser:
        await log_in(bare_world, browser)
        yield browser


async def log_in(
    world: World, browser: httpx.AsyncClient, email: str = "owner@ours.example", role: str = "owner"
) -> None:
    password = "correct horse battery staple"
    body = {"email": email, "password": password, "role": role}
    (await world.admin.post("/api/v1/users", json=body)).raise_for_status()
    form = {"csrf_token": token_of((await browser.get("/login")).text), "email": email, "password": password}
    answer = await browser.post("/login", data=form)
    assert answer.status_code == 303, answer.text


def token_of(html: str) -> str:
    return html.partition('name="csrf_token" value="')[2].partition('"')[0]


async def send(browser: httpx.AsyncClient, path: str, **form: Any) -> httpx.Response:
    """A form of ours."""
    token = token_of((await browser.get("/connect")).text)
    return await browser.post(path, data={"csrf_token": token, **form})


async def agree(browser: httpx.AsyncClient, choice: str, start: str = "/oauth/highlevel/start") -> httpx.URL:
    """From our start through the vendor's page; returns the address that it sends the browser back to."""
    to_vendor = await browser.get(start)
    assert to_vendor.status_code == 303, to_vendor.text
    url = httpx.URL(to_vendor.headers["location"])
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        back = await elsewhere.get(url.copy_merge_params({"approve": choice}))
    return httpx.URL(back.headers["location"])


async def follow(browser: httpx.AsyncClient, back: httpx.URL) -> httpx.Response:
    return await browser.get(back.raw_path.decode())


async def connections(world: World) -> list[dict[str, Any]]:
    return await world.rows("connections")


async def test_an_owner_agrees_for_a_location_and_it_is_connected(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    answer = await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    assert answer.status_code == 303
    assert (row["account_id"], row["state"], row["name"]) == (LOCATION, "active", "Sandbox location 1")
    assert "missing scopes" not in row["facts"]


async def test_the_page_of_consent_is_asked_for_what_is_needed_and_no_more(browser: httpx.AsyncClient) -> None:
    to_vendor = await browser.get("/oauth/highlevel/start")
    asked = parse_qs(urlsplit(to_vendor.headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [Config().client_id]
    assert set(asked["scope"][0].split()) == {
        "contacts.readonly",
        "contacts.write",
        "locations.readonly",
        "locations/customFields.readonly",
        "oauth.readonly",
        "oauth.write",
    }


async def test_an_answer_is_good_once(bare_world: World, browser: httpx.AsyncClient) -> None:
    back = await agree(browser, LOCATION)
    await follow(browser, back)
    again = await follow(browser, back)
    assert again.status_code == 403
    assert len(await connections(bare_world)) == 1


async def test_an_answer_that_somebody_else_began_is_refused(bare_world: World, browser: httpx.AsyncClient) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as other:
        await log_in(bare_world, other, "other@ours.example")
        assert (await follow(other, back)).status_code == 403
    assert await connections(bare_world) == []


@pytest.mark.parametrize("state", ["x", "gAAAAABnot-ours", "%00", "a" * 5000])
async def test_a_state_that_is_not_ours_is_refused(bare_world: World, browser: httpx.AsyncClient, state: str) -> None:
    back = await agree(browser, LOCATION)
    answer = await follow(browser, back.copy_set_param("state", state))
    assert answer.status_code == 403
    assert await connections(bare_world) == []


async def test_an_answer_that_comes_too_late_is_refused(bare_world: World, browser: httpx.AsyncClient) -> None:
    from sqlalchemy import text

    back = await agree(browser, LOCATION)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE oauth_states SET expires_at = now() - interval '1 second'"))
    assert (await follow(browser, back)).status_code == 403
    assert await connections(bare_world) == []


async def test_nobody_begins_or_ends_a_visit_without_logging_in(bare_world: World, browser: httpx.AsyncClient) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        for path in ("/connect", "/oauth/highlevel/start", back.raw_path.decode()):
            answer = await stranger.get(path)
            assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    assert await connections(bare_world) == []


async def test_an_installation_from_highlevels_side_waits_to_be_claimed(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        answer = await follow(stranger, back.copy_remove_param("state"))
    assert answer.status_code == 200
    (row,) = await connections(bare_world)
    assert row["state"] == "pending"

    page = await browser.get("/connect")
    claimed = await browser.post(f"/connect/{row['id']}/claim", data={"csrf_token": token_of(page.text)})
    assert claimed.status_code == 303
    (row,) = await connections(bare_world)
    assert (row["state"], row["name"]) == ("active", "Sandbox location 1")


async def test_an_installation_that_nobody_here_began_changes_no_connection_that_works(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    await follow(browser, await agree(browser, LOCATION))
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        answer = await follow(stranger, back.copy_remove_param("state"))
    assert answer.status_code == 502
    (row,) = await connections(bare_world)
    assert row["state"] == "active"


async def test_an_agency_agrees_and_its_locations_are_chosen(bare_world: World, browser: httpx.AsyncClient) -> None:
    answer = await follow(browser, await agree(browser, "agency"))
    page = await browser.get(answer.headers["location"])
    assert "Sandbox location 1" in page.text
    form = {"csrf_token": token_of(page.text), "location": [LOCATION, "sandboxLocation0002"]}
    assert (await browser.post(answer.headers["location"], data=form)).status_code == 303
    rows = {row["account_id"]: row for row in await connections(bare_world)}
    assert {rows[LOCATION]["state"], rows["sandboxLocation0002"]["state"]} == {"active"}
    assert "connected" in (await browser.get(answer.headers["location"])).text


async def test_to_agree_again_for_another_account_is_refused(bare_world: World, browser: httpx.AsyncClient) -> None:
    await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    back = await agree(browser, "sandboxLocation0002", f"/oauth/highlevel/start?connection_id={row['id']}")
    answer = await follow(browser, back)
    assert "another account" in answer.text
    assert len(await connections(bare_world)) == 1


async def test_what_the_vendor_says_is_shown_word_for_word_with_a_cure(browser: httpx.AsyncClient) -> None:
    path = "/oauth/highlevel/callback?error=access_denied&error_description=The%20user%20%3Cb%3Erefused%3C/b%3E"
    answer = await browser.get(path)
    assert answer.status_code == 400
    assert "The user &lt;b&gt;refused&lt;/b&gt;" in answer.text
    assert "Start again and agree" in answer.text


async def test_scopes_that_were_not_granted_are_named(bare_world: World, browser: httpx.AsyncClient) -> None:
    to_vendor = httpx.URL((await browser.get("/oauth/highlevel/start")).headers["location"])
    less = to_vendor.copy_set_param("scope", "contacts.readonly locations/customFields.readonly locations.readonly")
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        back = await elsewhere.get(less.copy_merge_params({"approve": LOCATION}))
    await follow(browser, httpx.URL(back.headers["location"]))
    (row,) = await connections(bare_world)
    assert row["facts"]["missing scopes"] == "contacts.write (create and update contacts)"
    assert "contacts.write" in (await browser.get("/connect")).text


async def test_an_owner_declines_an_installation_that_nobody_knows_and_nobody_else_may(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as operator:
        await follow(operator, back.copy_remove_param("state"))
        await log_in(bare_world, operator, "operator@ours.example", "operator")
        (row,) = await connections(bare_world)
        assert "Decline" not in (await operator.get("/connect")).text
        assert (await send(operator, f"/connect/{row['id']}/decline")).status_code == 403
    assert (await send(browser, f"/connect/{row['id']}/decline")).status_code == 303
    assert await connections(bare_world) == []


async def test_a_connection_that_works_is_not_declined(bare_world: World, browser: httpx.AsyncClient) -> None:
    await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    answer = await send(browser, f"/connect/{row['id']}/decline")
    assert (answer.status_code, len(await connections(bare_world))) == (409, 1)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Enter an API token, or an e-mail address and a password."),
        ({"email": "admin@example.com"}, "Enter an API token, or an e-mail address and a password."),
        ({"api_token": "s3cret with spaces"}, "API token: was not pasted whole"),
        ({"api_token": "x", "base_url": "invoices.example.com"}, "Address of the server: must begin with https://"),
        ({"api_token": "x", "name": "n" * 201}, "Name: String should have at most 200 characters"),
    ],
)
async def test_what_cannot_be_right_about_a_company_is_said_without_what_was_entered(
    browser: httpx.AsyncClient, form: dict[str, str], said: str
) -> None:
    answer = await send(browser, "/connect/invoice-ninja", **form)
    assert answer.status_code == 422
    assert said in answer.text
    assert "s3cret" not in answer.text


async def test_a_company_is_connected_once(bare_world: World, browser: httpx.AsyncClient) -> None:
    form = {"base_url": f"{bare_world.ninja_url}/", "api_token": "sandbox-ninja-service-token"}
    made = await send(browser, "/connect/invoice-ninja", **form)
    assert made.headers["location"] == "/connect?done=1"
    assert "“Untitled Company” is connected" in (await browser.get("/connect?done=1")).text
    again = await send(browser, "/connect/invoice-ninja", **{**form, "base_url": bare_world.ninja_url})
    assert (again.status_code, "connected already" in again.text) == (409, True)
    assert len(await connections(bare_world)) == 1


async def test_webhooks_that_cannot_be_installed_are_shown_once_to_be_entered_by_hand(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    form = {"base_url": bare_world.ninja_url, "api_token": "sandbox-ninja-restricted-token"}
    page = (await send(browser, "/connect/invoice-ninja", **form)).text
    assert "could not be installed" in page
    assert page.count("/webhooks/invoice-ninja/") == 5
    assert "X-Crossledger-Secret" in page


async def test_a_bridge_is_made_between_a_location_and_a_company_and_nothing_else(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    await follow(browser, await agree(browser, LOCATION))
    await follow(browser, await agree(browser, "agency"))
    form = {"base_url": bare_world.ninja_url, "api_token": "sandbox-ninja-service-token"}
    await send(browser, "/connect/invoice-ninja", **form)
    ids = {row["account_id"]: str(row["id"]) for row in await connections(bare_world)}
    location, agency, company = ids[LOCATION], ids[COMPANY_ID], ids["sandbox-company-key"]
    for wrong, said in (
        ({"location": agency}, "is an agency"),
        ({"location": company}, "is a billing system, not a CRM"),
        ({"company": "99"}, "There is no connection 99"),
        ({"name": " "}, "give the bridge a name"),
        ({"location": ""}, "Choose a location"),
        ({"prefer": "me"}, "Choose a location"),
    ):
        asked = {"name": "Both", "location": location, "company": company, **wrong}
        answer = await send(browser, "/bridges", **asked)
        assert (answer.status_code, said in answer.text) == (422, True), wrong
    assert await bare_world.rows("bridges") == []
    asked = {"name": "Both", "location": location, "company": company, "prefer": "newest"}
    made = await send(browser, "/bridges", **asked)
    (row,) = await bare_world.rows("bridges")
    assert (made.headers["location"], row["settings"]["prefer"]) == (f"/bridges/{row['id']}?new=1", "newest")
    assert (await send(browser, "/bridges", **asked)).status_code == 409

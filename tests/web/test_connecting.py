"""Connecting in a browser's steps, over HTTP: consent and back, agencies, installations from the vendor's side."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from sqlalchemy import text

from app import installing
from app.commands.check import examine
from app.errors import Reconnect
from app.main import build
from app.providers.base import Access, Profile
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja.webhook import HANDLED
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.store import COMPANY_ID
from app.vault import digest
from tests.conftest import LOCATION, World, connect, until
from tests.people.test_sessions import AWAY
from tests.web.consent import agree, follow, log_in, send, token_of


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


async def test_the_scopes_of_tasks_are_asked_for_once_a_bridge_syncs_them(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    await connect(bare_world, task={"enabled": True})
    to_vendor = await browser.get("/oauth/highlevel/start")
    asked = parse_qs(urlsplit(to_vendor.headers["location"]).query)["scope"][0].split()
    assert {"locations/tasks.readonly", "users.readonly"} < set(asked)


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


async def test_a_check_does_not_claim_an_installation(bare_world: World, browser: httpx.AsyncClient) -> None:
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        await follow(stranger, back.copy_remove_param("state"))
    (row,) = await connections(bare_world)
    said: list[str] = []
    assert await examine(bare_world.service, said.append)
    assert "waits to be claimed" in said[-1]
    answer = await bare_world.admin.post(f"/api/v1/connections/{row['id']}/check")
    assert (answer.status_code, "waits to be claimed" in answer.json()["detail"]) == (409, True)
    (row,) = await connections(bare_world)
    assert row["state"] == "pending"


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


async def test_whoever_came_from_the_set_up_goes_on_there(bare_world: World, browser: httpx.AsyncClient) -> None:
    begun = "/oauth/highlevel/start?back=/start%3Fcursor%3D1"
    answer = await follow(browser, await agree(browser, LOCATION, begun))
    assert (answer.status_code, answer.headers["location"]) == (303, "/start?cursor=1")
    answer = await follow(browser, await agree(browser, "agency", begun))
    page = await browser.get(answer.headers["location"])
    assert 'name="back" value="/start?cursor=1"' in page.text
    form = {"csrf_token": token_of(page.text), "location": [], "back": "/start?cursor=1"}
    none = await browser.post(answer.headers["location"], data=form)
    assert (none.status_code, 'name="back" value="/start?cursor=1"' in none.text) == (422, True)
    picked = await browser.post(answer.headers["location"], data={**form, "location": ["sandboxLocation0002"]})
    assert picked.headers["location"] == "/start?cursor=1"
    back = (await agree(browser, LOCATION, begun)).copy_set_param("error", "access_denied")
    refused = await follow(browser, back)
    assert (refused.status_code, 'href="/start?cursor=1"' in refused.text) == (400, True)
    form = {"base_url": bare_world.ninja_url, "api_token": "sandbox-ninja-service-token"}
    company = await send(browser, "/connect/invoice-ninja?back=/start", **form)
    assert company.headers["location"] == "/start"


@pytest.mark.parametrize("away", AWAY)
async def test_nobody_is_sent_to_another_site_after_connecting(
    bare_world: World, browser: httpx.AsyncClient, away: str
) -> None:
    back = quote(away, safe="")
    answer = await follow(browser, await agree(browser, LOCATION, f"/oauth/highlevel/start?back={back}"))
    (row,) = await connections(bare_world)
    assert answer.headers["location"] == f"/connect?done={row['id']}"
    sealed = bare_world.service.installer.vault.seal({"visit": "x", "back": away})
    refused = await browser.get("/oauth/highlevel/callback", params={"error": "access_denied", "state": sealed})
    assert 'href="/connect"' in refused.text
    answer = await follow(browser, await agree(browser, "agency", f"/oauth/highlevel/start?back={back}"))
    here = answer.headers["location"]
    page = await browser.get(f"{here}?back={back}")
    assert 'name="back" value=""' in page.text
    form = {"csrf_token": token_of(page.text), "location": ["sandboxLocation0002"], "back": away}
    assert (await browser.post(here, data=form)).headers["location"] == "/connect"
    form = {"base_url": bare_world.ninja_url, "api_token": "sandbox-ninja-service-token"}
    company = await send(browser, f"/connect/invoice-ninja?back={back}", **form)
    assert company.headers["location"].startswith("/connect?done=")


async def test_to_agree_again_for_another_account_is_refused(bare_world: World, browser: httpx.AsyncClient) -> None:
    await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    back = await agree(browser, "sandboxLocation0002", f"/oauth/highlevel/start?connection_id={row['id']}")
    answer = await follow(browser, back)
    assert "another account" in answer.text
    assert len(await connections(bare_world)) == 1


async def test_issue_n8n_24073_what_the_vendor_says_is_shown_word_for_word_with_a_cure(
    browser: httpx.AsyncClient,
) -> None:
    path = "/oauth/highlevel/callback?error=access_denied&error_description=The%20user%20%3Cb%3Erefused%3C/b%3E"
    answer = await browser.get(path)
    assert answer.status_code == 400
    assert "The user &lt;b&gt;refused&lt;/b&gt;" in answer.text
    assert "Start again and agree" in answer.text


async def test_issue_n8n_34969_a_code_that_is_refused_is_shown_in_the_vendors_words(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    back = await agree(browser, LOCATION)
    said = {"statusCode": 400, "message": "The redirect URL of this app is another one"}
    await bare_world.fault(bare_world.highlevel, kind="status", status=400, path="^/oauth/token$", body=said)
    answer = await follow(browser, back)
    assert answer.status_code == 502
    assert "The redirect URL of this app is another one" in answer.text
    assert "client id, secret and redirect URL" in answer.text
    assert await connections(bare_world) == []


async def test_issue_activepieces_4910_the_page_of_consent_is_the_one_that_is_set(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    """White-label agencies have theirs on another domain; on HighLevel's own the app is not found."""
    to_vendor = await browser.get("/oauth/highlevel/start")
    assert to_vendor.headers["location"].startswith(f"{bare_world.highlevel_url}/v2/oauth/chooselocation?")


async def test_scopes_that_were_not_granted_are_named(bare_world: World, browser: httpx.AsyncClient) -> None:
    to_vendor = httpx.URL((await browser.get("/oauth/highlevel/start")).headers["location"])
    less = to_vendor.copy_set_param("scope", "contacts.readonly locations/customFields.readonly locations.readonly")
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        back = await elsewhere.get(less.copy_merge_params({"approve": LOCATION}))
    await follow(browser, httpx.URL(back.headers["location"]))
    (row,) = await connections(bare_world)
    assert row["facts"]["missing scopes"] == "contacts.write (create and update contacts)"
    assert "contacts.write" in (await browser.get("/connect")).text


# -- an account that a token was entered for before -------------------------------------------------------------------


async def entered(world: World) -> int:
    body = {
        "provider": "highlevel",
        "name": "By hand",
        "location_id": LOCATION,
        "private_token": "sandbox-highlevel-service-token",
        "base_url": world.highlevel_url,
    }
    return int((await world.admin.post("/api/v1/connections", json=body)).raise_for_status().json()["id"])


async def stored(world: World, statement: str) -> list[tuple[Any, ...]]:
    async with world.service.engine.begin() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def test_a_token_that_was_entered_is_kept_until_the_consent_is_proven(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    id_ = await entered(bare_world)
    before = await stored(bare_world, "SELECT sealed, auth, state FROM connections")
    back = await agree(browser, LOCATION)
    await bare_world.fault(bare_world.highlevel, kind="status", status=500, path="^/(locations|contacts)/", times=9)
    answer = await follow(browser, back)
    await bare_world.mend()
    assert answer.status_code == 502
    assert "keeps the token that it had" in answer.text
    assert await stored(bare_world, "SELECT sealed, auth, state FROM connections") == before
    assert (await bare_world.admin.post(f"/api/v1/connections/{id_}/check")).status_code == 200
    assert await bare_world.service.connections.guardian.due() == []

    await follow(browser, await agree(browser, LOCATION))
    assert await stored(bare_world, "SELECT id, sealed, auth, state FROM connections") == [(id_, "", "oauth", "active")]
    assert (await bare_world.admin.post(f"/api/v1/connections/{id_}/check")).status_code == 200


async def test_an_installation_by_a_stranger_takes_no_token_away(bare_world: World, browser: httpx.AsyncClient) -> None:
    """A refusal that passes by itself must still find the token, and the state in which it is tried again."""
    await entered(bare_world)
    await stored(bare_world, "UPDATE connections SET state = 'needs_reconnect' RETURNING id")
    before = await stored(bare_world, "SELECT sealed, auth, state FROM connections")
    back = await agree(browser, LOCATION)
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        answer = await follow(stranger, back.copy_remove_param("state"))
    assert "connected here already" in answer.text
    assert await stored(bare_world, "SELECT sealed, auth, state FROM connections") == before
    await follow(browser, await agree(browser, LOCATION))
    assert await stored(bare_world, "SELECT sealed, auth, state FROM connections") == [("", "oauth", "active")]


async def test_what_was_agreed_to_has_a_budget_at_once(bare_world: World, browser: httpx.AsyncClient) -> None:
    await bare_world.fault(bare_world.highlevel, kind="status", status=500, path="^/(locations|contacts)/", times=9)
    for _ in range(2):
        await follow(browser, await agree(browser, LOCATION))
    assert await stored(bare_world, "SELECT connection_id FROM budgets") == await stored(
        bare_world, "SELECT id FROM connections"
    )


# -- a connection that is lost ----------------------------------------------------------------------------------------


async def test_the_loss_of_a_connection_is_told_once_with_what_to_do(
    bare_world: World, browser: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    """However many jobs and processes hear of it."""
    await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    assert (row["refused_since"], row["remedy"]) == (None, "")
    await stored(bare_world, "UPDATE tokens SET expires_at = now() - interval '1 hour' RETURNING version")
    await bare_world.highlevel.post("/_control/uninstall", json={"locationId": LOCATION})

    ours = bare_world.service
    other = build(ours.settings, ours.engine.url.render_as_string(hide_password=False))
    capfd.readouterr()
    await asyncio.gather(*(each.connections.renew_tokens() for each in (ours, other) * 3))
    assert (await connections(bare_world))[0]["state"] == "needs_reconnect"
    for each in (ours, other):
        refusal = Reconnect("Invalid grant", row["id"])
        assert all(await asyncio.gather(*(each.connections.needs_reconnect(refusal) for _ in range(5))))
    said = "".join(capfd.readouterr())
    assert said.count("connection.needs_reconnect") == 1
    (lost,) = await connections(bare_world)
    assert lost["state"] == "needs_reconnect"
    assert "Invalid grant" in lost["state_reason"]
    assert lost["refused_since"] is not None
    assert "Agree again" in lost["remedy"]

    await ours.connections.look_again()
    (still,) = await connections(bare_world)
    assert still["refused_since"] == lost["refused_since"]
    page = (await browser.get("/connect")).text
    assert f"Since <time>{lost['refused_since'][:10]} {lost['refused_since'][11:19]} UTC</time>" in page
    assert "Invalid grant" in page
    assert f'href="/oauth/highlevel/start?connection_id={row["id"]}"' in page

    await follow(browser, await agree(browser, LOCATION, f"/oauth/highlevel/start?connection_id={row['id']}"))
    (well,) = await connections(bare_world)
    assert (well["state"], well["refused_since"], well["remedy"]) == ("active", None, "")
    assert "Since" not in (await browser.get("/connect")).text
    await other.client.aclose()
    await other.db.dispose()


async def test_an_agency_that_is_lost_can_be_agreed_to_again(bare_world: World, browser: httpx.AsyncClient) -> None:
    await follow(browser, await agree(browser, "agency"))
    (row,) = await connections(bare_world)
    await bare_world.service.connections.needs_reconnect(Reconnect("refused", row["id"]))
    page = (await browser.get("/connect")).text
    assert f'href="/oauth/highlevel/start?connection_id={row["id"]}"' in page
    await follow(browser, await agree(browser, "agency", f"/oauth/highlevel/start?connection_id={row['id']}"))
    (row,) = await connections(bare_world)
    assert row["state"] == "active"


async def test_what_is_sent_to_the_vendor_as_state_is_sealed(bare_world: World, browser: httpx.AsyncClient) -> None:
    to_vendor = httpx.URL((await browser.get("/oauth/highlevel/start")).headers["location"])
    nonce = bare_world.service.installer.vault.unseal(to_vendor.params["state"])["visit"]
    assert nonce not in str(to_vendor)
    assert await stored(bare_world, "SELECT digest FROM oauth_states") == [(digest(nonce),)]


async def test_a_check_that_ends_late_does_not_take_away_a_token_that_was_entered_meanwhile(
    bare_world: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await follow(browser, await agree(browser, LOCATION))
    (row,) = await connections(bare_world)
    probe = HighLevel.probe

    async def overtaken(self: HighLevel, access: Access, client: httpx.AsyncClient) -> Profile:
        monkeypatch.setattr(HighLevel, "probe", probe)
        profile = await probe(self, access, client)
        entered_now = {"private_token": "sandbox-highlevel-service-token"}
        (await bare_world.admin.post(f"/api/v1/connections/{row['id']}/check", json=entered_now)).raise_for_status()
        return profile

    monkeypatch.setattr(HighLevel, "probe", overtaken)
    await bare_world.service.connections.renew(row["id"])
    ((sealed, auth),) = await stored(bare_world, "SELECT sealed, auth FROM connections")
    assert (bool(sealed), auth) == (True, "entered")


async def test_each_consent_is_in_the_audit_log(bare_world: World, browser: httpx.AsyncClient) -> None:
    await follow(browser, await agree(browser, LOCATION))
    back = await agree(browser, "sandboxLocation0002")
    async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
        await follow(stranger, back.copy_remove_param("state"))
    noted = await stored(
        bare_world, "SELECT actor, action, thing FROM audit WHERE action LIKE 'connection.%' ORDER BY id"
    )
    assert noted == [
        ("owner@ours.example", "connection.agreed", "connection 1"),
        ("", "connection.pending", "connection 2"),
    ]


async def test_strangers_cannot_fill_the_list_of_those_that_wait(
    bare_world: World, browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "MOST_PENDING", 1)
    for choice, status in ((LOCATION, 200), ("sandboxLocation0002", 502)):
        back = await agree(browser, choice)
        async with httpx.AsyncClient(base_url=bare_world.url, trust_env=False) as stranger:
            assert (await follow(stranger, back.copy_remove_param("state"))).status_code == status
    assert len(await connections(bare_world)) == 1


async def test_work_waits_while_the_grant_is_invalid_and_goes_on_when_it_is_agreed_to_again(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    world = bare_world
    await follow(browser, await agree(browser, LOCATION))
    company = {"provider": "invoice_ninja", "name": "Company", "base_url": world.ninja_url, "install_webhooks": False}
    await world.admin.post("/api/v1/connections", json={**company, "api_token": "sandbox-ninja-service-token"})
    bridge = {"name": "Bridge", "crm_connection_id": 1, "billing_connection_id": 2, "live": True}
    (await world.admin.post("/api/v1/bridges", json=bridge)).raise_for_status()
    hook = {"url": f"{world.url}/webhooks/highlevel", "events": "all"}
    (await world.highlevel.post("/_control/webhooks", json=hook)).raise_for_status()

    world.service.connections.guardian._known.clear()
    await stored(world, "UPDATE tokens SET expires_at = now() - interval '1 hour' RETURNING version")
    await world.fault(world.highlevel, kind="status", status=400, body={"message": "Invalid grant"}, path="^/oauth/")
    contact = await world.add_contact(firstName="Ann", lastName="Lee", email="ann@lee.example")
    await until(lambda: world.rows("links", crm_id=contact, state="waiting"))
    (link,) = await world.rows("links", crm_id=contact)
    assert (link["problem"], link["tries"]) == ("reconnect", 0)
    (lost,) = [row for row in await connections(world) if row["provider"] == "highlevel"]
    assert (lost["state"], lost["refused_since"] is not None) == ("needs_reconnect", True)
    assert await world.clients() == []

    await world.mend()
    await follow(browser, await agree(browser, LOCATION, f"/oauth/highlevel/start?connection_id={lost['id']}"))
    await until(lambda: world.rows("links", crm_id=contact, state="ok"))
    assert len(await world.clients()) == 1


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
    assert "press “Reconnect” at it on the page Connections" in again.text
    wrong = await send(browser, "/connect/invoice-ninja", **{**form, "api_token": "not-one-of-theirs"})
    assert "Invoice Ninja refuses the API token: Invalid token" in wrong.text
    assert "Make a new token in Invoice Ninja (Settings, Account Management, API tokens), and paste it" in wrong.text
    assert len(await connections(bare_world)) == 1


async def test_webhooks_that_cannot_be_installed_are_shown_once_to_be_entered_by_hand(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    form = {"base_url": bare_world.ninja_url, "api_token": "sandbox-ninja-restricted-token"}
    page = (await send(browser, "/connect/invoice-ninja", **form)).text
    assert "could not be installed" in page
    assert page.count("/webhooks/invoice-ninja/") == len(HANDLED)
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
    asked = {"name": "Both", "location": location, "company": company, "prefer": "ask"}
    made = await send(browser, "/bridges", **asked)
    (row,) = await bare_world.rows("bridges")
    assert (made.headers["location"], row["settings"]["prefer"]) == (f"/bridges/{row['id']}/setup/objects", "ask")
    assert "each its own, until a person decides" in (await browser.get(f"/bridges/{row['id']}")).text
    assert (await send(browser, "/bridges", **asked)).status_code == 409
    assert (row["enabled"], row["live_since"]) == (False, None)
    assert "It is in dry run" in (await browser.get(f"/bridges/{row['id']}")).text
    await send(browser, f"/bridges/{row['id']}/live")
    (row,) = await bare_world.rows("bridges")
    assert row["enabled"]
    assert row["live_since"]
    assert "It is live" in (await browser.get(f"/bridges/{row['id']}")).text


async def test_of_many_connections_the_page_lists_the_newest_and_those_that_need_somebody(
    bare_world: World, browser: httpx.AsyncClient
) -> None:
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO connections (provider, name, account_id, state)"
                " SELECT p, p || ' no ' || n || '.', n, CASE n WHEN 3 THEN 'needs_reconnect' ELSE 'active' END"
                " FROM generate_series(1, 30) n, unnest(ARRAY['highlevel', 'invoice_ninja']) p ORDER BY n"
            )
        )
    shown = (await browser.get("/connect")).text
    for vendor in ("highlevel", "invoice_ninja"):
        listed = [n for n in range(1, 31) if f">{vendor} no {n}.<" in shown]
        assert listed == [3, *range(21, 31)]
    assert "38 more are connected" in shown

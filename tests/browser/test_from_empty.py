"""What a person does in a browser, from an empty database to accounts that are connected and kept in step."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.providers.invoice_ninja.webhook import HANDLED
from app.sandbox.highlevel.config import Config
from app.sandbox.processes import Simulator
from tests.browser.visitor import PASSWORD, Visitor, chromium, empty_site, expect, setup_link, visiting
from tests.flows.driver import ADMIN_TOKEN, LOCATION, SERVICE_TOKENS, Site

pytestmark = pytest.mark.timeout(300)

FIRST, SECOND, COMPANY = "Sandbox location 1", "Sandbox location 2", "Untitled Company"


async def test_from_an_empty_database_to_a_contact_that_came_across_and_back() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await expect(visitor.page.get_by_role("main")).to_contain_text("Nothing is connected yet.")
        await visitor.press("Log out")
        await visitor.sees("Log in")
        await visitor.log_in()

        await visitor.go_to_highlevel()
        await visitor.press(FIRST)
        await expect(visitor.page.get_by_role("status")).to_have_text(f"“{FIRST}” is connected.")
        await connect_by_token(visitor)
        await visitor.sees_row(FIRST, "location", "connected")
        await visitor.sees_row(COMPANY, site.simulators["ninja"].url, "connected", "installed")
        assert sorted(hook["event_id"] for hook in await webhooks(site)) == sorted(HANDLED)

        await visitor.follow("Make a bridge")
        await visitor.fill_in(name="Main street ↔ our company")
        await visitor.press("Start")
        await visitor.sees("Set up “Main street ↔ our company”")
        await visitor.open("/bridges/1")
        await visitor.sees("Main street ↔ our company")
        await expect(visitor.page.get_by_role("main")).to_contain_text(f"{site.url}/webhooks/highlevel")
        await expect(visitor.page.get_by_role("main")).to_contain_text("ContactDndUpdate")
        await expect(visitor.page.get_by_role("main")).not_to_contain_text("NoteCreate")
        async with site.admin() as admin:
            change = {"settings": {"note": {"enabled": True}, "product": {"enabled": True}}}
            (await admin.patch("/api/v1/bridges/1", json=change)).raise_for_status()
        await visitor.open("/bridges/1")
        await expect(visitor.page.get_by_role("main")).to_contain_text("ContactDndUpdate, NoteCreate")
        await visitor.sees_row("PriceDelete", f"{site.url}/webhooks/highlevel/PriceDelete")
        await visitor.press("Go live")
        await expect(visitor.page.get_by_role("main")).to_contain_text("It is live")
        await it_keeps_them_in_step(site)
        await visitor.follow("Overview")
        await visitor.sees_row("Main street", f"{FIRST} ↔ {COMPANY}", "live")
        in_step = (
            visitor.page.get_by_role("row").filter(has_text="Main street").get_by_role("link", name="1", exact=True)
        )
        await expect(in_step).to_be_visible()

        await visitor.open("/docs")
        await expect(visitor.page.get_by_text("Make a bridge")).to_be_visible()
        await visitor.open("/account")
        await visitor.press("Log out")
        await visitor.sees("Log in")
        await visitor.open("/connect")
        await visitor.sees("Log in")


async def test_an_agency_a_log_in_a_refusal_and_an_installation_from_the_marketplace() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()

        await visitor.go_to_highlevel()
        await visitor.press("Cancel")
        await visitor.is_told("HighLevel says: The user denied the request.", "Start again and agree")
        await highlevel_refuses_codes(site, "Invalid grant: authorization code has expired")
        await visitor.go_to_highlevel()
        await visitor.press(FIRST)
        await visitor.is_told("HighLevel answers 400: Invalid grant: authorization code has expired", "start again")
        (await site.highlevel.delete("/_control/faults")).raise_for_status()

        await visitor.go_to_highlevel()
        await visitor.press("The whole agency")
        await visitor.sees("Choose locations")
        await visitor.press("Connect the chosen locations")
        await visitor.is_told("Choose at least one location.")
        await visitor.page.get_by_label(SECOND).check()
        await visitor.press("Connect the chosen locations")
        await visitor.sees_row(SECOND, "location", "connected")
        await visitor.follow("Choose locations")
        await expect(visitor.page.get_by_label(f"{SECOND} (connected)")).to_be_disabled()

        await connect_by_log_in(visitor)
        async with visiting(browser, site) as stranger:
            await install_from_the_marketplace(stranger)
            await stranger.sees("The app is installed")
        await visitor.open("/connect")
        await visitor.press(f"Claim Location {LOCATION}")
        await expect(visitor.page.get_by_role("status")).to_have_text(f"“{FIRST}” is connected.")


async def test_what_was_not_begun_here_by_this_person_is_refused() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as owner:
        link = setup_link(site)
        await owner.become_owner()
        await owner.page.goto(link)
        await owner.is_told("This link has been used")

        await owner.go_to_highlevel()
        consent = owner.page.url
        async with visiting(browser, site) as other:
            await add_owner(site, "other@ours.example")
            await other.log_in("other@ours.example")
            await other.page.goto(consent)
            await other.press(FIRST)
            await other.is_told("was begun by somebody else")
            assert await accounts(site) == []
        await owner.press(FIRST)
        await owner.sees_row(FIRST, "connected")
        await owner.page.goto(next(url for url in owner.requests if "/callback?code=" in url))
        await owner.is_told("This request was answered already")

        async with visiting(browser, site) as stranger:
            await install_from_the_marketplace(stranger, SECOND)
        await press_on_another_site(owner, f"/connect/{await pending(site)}/claim")
        await owner.is_told("The form is too old or not ours")
        assert await accounts(site) == [(LOCATION, "active"), ("sandboxLocation0002", "pending")]


async def connect_by_token(visitor: Visitor) -> None:
    await visitor.follow("Connect Invoice Ninja")
    fields = {"token-base_url": visitor.site.simulators["ninja"].url, "token-api_token": "not-a-token"}
    await visitor.fill_in(**fields)
    await visitor.press("Connect with the token")
    await visitor.is_told("Invalid token")
    await visitor.fill_in(**{"token-api_token": SERVICE_TOKENS["ninja"]})
    await visitor.press("Connect with the token")
    await visitor.sees("Connect accounts")


async def connect_by_log_in(visitor: Visitor) -> None:
    """A wrong password, then one that opens two companies, of which one is chosen."""
    with Simulator.start("invoice-ninja", other_companies={"second-company": "Rossi Ceramiche"}) as ninja:
        await visitor.open("/connect/invoice-ninja")
        await visitor.fill_in(**{"login-base_url": ninja.url, "login-email": "admin@example.com"})
        await visitor.fill_in(**{"login-password": "not the password"})
        await visitor.press("Connect with the log-in")
        await visitor.is_told("These credentials do not match our records")
        for _ in range(2):
            await visitor.fill_in(**{"login-password": "sandbox-password"})
            if await visitor.page.get_by_label("Company").count():
                await visitor.page.get_by_label("Company").select_option("Rossi Ceramiche")
            await visitor.press("Connect with the log-in")
            await visitor.page.wait_for_load_state()
        await visitor.sees_row("Rossi Ceramiche", ninja.url, "connected", "installed")


async def it_keeps_them_in_step(site: Site) -> None:
    """The app's webhook is entered at HighLevel; those of Invoice Ninja are there."""
    await site.subscribe_highlevel()
    await site.add_contact(firstName="Jane", lastName="Doe", companyName="Acme", email="jane@acme.example")
    await site.at_rest()
    (client,) = await site.clients()
    assert client["contacts"][0]["email"] == "jane@acme.example"
    body = {**client, "city": "Portland"}
    (await site.ninja.put(f"/api/v1/clients/{client['id']}", json=body)).raise_for_status()
    await site.at_rest()
    (contact,) = await site.contacts()
    assert contact["city"] == "Portland"


async def install_from_the_marketplace(visitor: Visitor, location: str = FIRST) -> None:
    """As HighLevel's own link does: without a `state` of ours."""
    asked = {
        "response_type": "code",
        "client_id": Config().client_id,
        "redirect_uri": f"{visitor.site.url}/oauth/highlevel/callback",
        "scope": "contacts.readonly contacts.write locations/customFields.readonly locations.readonly",
    }
    await visitor.page.goto(f"{visitor.site.settings['highlevel_authorize_url']}?{urlencode(asked)}")
    await visitor.press(location)


async def press_on_another_site(visitor: Visitor, path: str) -> None:
    """A page of somebody else's on this machine: the same site to a browser, so that our cookie goes along."""
    elsewhere = f"{visitor.site.simulators['ninja'].url}/elsewhere"
    form = f'<form method="post" action="{visitor.site.url}{path}"><button>You have won</button></form>'
    await visitor.page.route(elsewhere, lambda route: route.fulfill(body=form, content_type="text/html"))
    await visitor.page.goto(elsewhere)
    await visitor.press("You have won")


async def highlevel_refuses_codes(site: Site, words: str) -> None:
    fault = {"kind": "status", "status": 400, "path": "^/oauth/token$", "body": {"message": words}}
    (await site.highlevel.post("/_control/faults", json=fault)).raise_for_status()


async def add_owner(site: Site, email: str) -> None:
    body = {"email": email, "password": PASSWORD, "role": "owner"}
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as admin:
        answer = await admin.post("/api/v1/users", json=body, headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
    answer.raise_for_status()


async def accounts(site: Site) -> list[tuple[Any, ...]]:
    return await site.rows("SELECT account_id, state FROM connections ORDER BY id")


async def pending(site: Site) -> int:
    ((id_,),) = await site.rows("SELECT id FROM connections WHERE state = 'pending'")
    return int(id_)


async def webhooks(site: Site) -> list[dict[str, Any]]:
    return list(
        (await site.ninja.get("/api/v1/webhooks", params={"per_page": "200"})).raise_for_status().json()["data"]
    )

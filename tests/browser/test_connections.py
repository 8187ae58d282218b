"""The page of connections: what it tells of each, and what its buttons do."""

import re

import pytest

from app.providers.invoice_ninja.webhook import HANDLED
from tests.browser.managing import OWNER, VIEWER, managed_site
from tests.browser.visitor import Locator, Visitor, chromium, empty_site, expect, visiting
from tests.flows.driver import SERVICE_TOKENS, Site

pytestmark = pytest.mark.timeout(200)

LOCATION_NAME = "Sandbox location 1"


async def test_connections_are_checked_given_webhooks_reconnected_and_disconnected() -> None:
    limits = {"highlevel_calls": "100", "highlevel_calls_per_day": "200000"}
    async with managed_site(**limits) as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(OWNER)
        await visitor.follow("Connections")
        location, company = card(visitor, "Location"), card(visitor, "Company")
        await expect(location).to_contain_text("connected")
        await expect(location).to_contain_text("of 200,000 today")
        await expect(location).to_contain_text("of 100 in 10 seconds")
        await expect(company).to_contain_text("none came yet")
        await expect(company).to_contain_text("hosting: own server")
        await expect(company).to_contain_text("<1 min ago")
        await what_came_and_is_left(visitor, site)
        await a_new_webhook_secret(visitor, site)

        await company.get_by_role("button", name="Look at them").click()
        await expect(company).to_contain_text(f"{len(HANDLED)} missing.")
        assert await installed_webhooks(site) == 0
        await company.get_by_role("button", name="Install them").click()
        await expect(company).to_contain_text(f"{len(HANDLED)} installed.")
        assert await installed_webhooks(site) == len(HANDLED)
        await company.get_by_role("button", name="Remove them", exact=True).click()
        await visitor.press("Remove them all")
        await expect(company).to_contain_text(f"{len(HANDLED)} taken away.")
        assert await installed_webhooks(site) == 0

        await reconnect(visitor, "not-a-token-of-theirs")
        refusal = company.get_by_role("alert")
        await expect(refusal).to_contain_text("Invoice Ninja refuses the API token: Invalid token")
        await expect(refusal).to_contain_text("Make a new token in Invoice Ninja")
        await reconnect(visitor, SERVICE_TOKENS["ninja"])
        await expect(visitor.page.get_by_text("“Company” answers, and is connected.")).to_be_visible()

        await company.get_by_role("button", name="Pause", exact=True).click()
        await company.get_by_label("Until").fill("2999-01-31T14:00")
        await visitor.press("Pause it")
        await expect(company).to_contain_text("paused with this connection until 2999-01-31 14:00 UTC by owner")
        await expect(location).to_contain_text("Bridge (paused)")
        await company.get_by_role("button", name="Resume").click()
        await expect(location).not_to_contain_text("(paused)")

        await company.get_by_role("button", name="Disconnect", exact=True).click()
        uses = visitor.page.get_by_role("dialog", name="Disconnect “Company”?")
        await uses.get_by_role("link", name="Bridge").click()
        await visitor.sees("Bridge")
        await visitor.press("Delete")
        await visitor.page.get_by_label("Type its name").fill("Bridge")
        await visitor.press("Delete it for good")
        await visitor.sees("Overview")
        await visitor.follow("Connections")
        await disconnect(visitor)
        await expect(company).to_have_count(0)
        await expect(location).to_have_count(1)
        async with site.admin() as admin:
            log = (await admin.get("/api/v1/audit", params={"action": "disconnect"})).json()["items"]
        assert [(each["actor"], each["outcome"]) for each in log] == [(OWNER, "done")]


async def test_a_refused_connection_says_so_and_a_check_brings_it_back() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        fault = {"kind": "status", "status": 401, "path": "/", "body": {"message": "Invalid JWT"}}
        (await site.highlevel.post("/_control/faults", json=fault)).raise_for_status()
        await visitor.log_in(OWNER)
        await visitor.open("/connections")
        location = card(visitor, "Location")
        await location.get_by_role("button", name="Check").click()
        await expect(location.locator(".state")).to_have_text("refused")
        await expect(location.locator(".warnings")).to_contain_text("Invalid JWT")
        trouble = visitor.page.get_by_role("region", name="Trouble")
        await expect(trouble).to_contain_text("HighLevel does not let Crossledger into “Location” any more")
        await trouble.get_by_role("link", name="Reconnect").click()
        await expect(card(visitor, "Company")).to_have_count(0)
        await visitor.page.get_by_label("Name or account").fill("comp")
        await visitor.press("Filter")
        await expect(visitor.page.get_by_role("main")).to_contain_text("No connection is like this.")
        await visitor.follow("Clear")
        (await site.highlevel.delete("/_control/faults")).raise_for_status()
        await location.get_by_role("button", name="Check").click()
        await expect(location.locator(".state")).to_have_text("connected")
        await expect(trouble).to_be_hidden()


async def test_a_location_that_was_agreed_to_shows_when_its_token_ends_and_is_agreed_to_again() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await visitor.open("/connections")
        await expect(visitor.page.get_by_role("main")).to_contain_text("Nothing is connected yet.")
        await visitor.go_to_highlevel()
        await visitor.press(LOCATION_NAME)
        await visitor.follow("Connections")
        location = card(visitor, LOCATION_NAME)
        ((expires,),) = await site.rows("SELECT expires_at AT TIME ZONE 'UTC' FROM tokens")
        await expect(location).to_contain_text(f"before it ends: {expires:%Y-%m-%d %H:%M:%S}")
        await location.get_by_role("link", name="Reconnect").click()
        await visitor.sees("Choose a location")


async def test_a_viewer_sees_connections_and_no_buttons() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(VIEWER)
        await visitor.open("/connections")
        await expect(card(visitor, "Company")).to_contain_text("connected")
        buttons = visitor.page.get_by_role("article").get_by_role("button")
        assert {(await each.inner_text()).split()[0] for each in await buttons.all()} <= {"Copy"}
        await expect(visitor.page.get_by_role("link", name="Connect", exact=True)).to_have_count(0)


async def what_came_and_is_left(visitor: Visitor, site: Site) -> None:
    """HighLevel's own count, and kinds that never came."""
    await site.subscribe_highlevel()
    for email in ("jane@acme.example", "joe@acme.example"):
        await site.add_contact(firstName="J", lastName="Doe", email=email)
        await site.at_rest()
    await visitor.open("/connections")
    location = card(visitor, "Location")
    await expect(location).to_contain_text(re.compile(r"the vendor itself said 199,\d{3} left of its day, at 20"))
    await location.get_by_text("By kind, of the last 500").click()
    kinds = location.get_by_role("listitem")
    await expect(kinds.filter(has_text="ContactCreate")).to_contain_text("20")
    await expect(kinds.filter(has_text="ContactDelete")).to_contain_text("never")


async def a_new_webhook_secret(visitor: Visitor, site: Site) -> None:
    location, before = card(visitor, "Location"), await secret_of_location(site)
    await location.get_by_role("button", name="New webhook secret").click()
    await visitor.press("Make a new one")
    await expect(location.get_by_role("status")).to_contain_text("/webhooks/highlevel/workflow/")
    await expect(location.get_by_role("button", name="Copy Its value")).to_be_visible()
    assert await secret_of_location(site) != before
    await visitor.open("/connections")
    await expect(location).not_to_contain_text("/webhooks/highlevel/workflow/")


async def secret_of_location(site: Site) -> str:
    ((digest,),) = await site.rows("SELECT webhook_secret_digest FROM connections WHERE provider = 'highlevel'")
    return str(digest)


def card(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("article", name=name, exact=True)


async def reconnect(visitor: Visitor, token: str) -> None:
    await card(visitor, "Company").get_by_role("button", name="Reconnect").click()
    await visitor.page.get_by_label("API token").fill(token)
    await visitor.press("Try it and keep it")


async def disconnect(visitor: Visitor) -> None:
    await card(visitor, "Company").get_by_role("button", name="Disconnect", exact=True).click()
    await visitor.press("Disconnect it")


async def installed_webhooks(site: Site) -> int:
    answer = await site.ninja.get("/api/v1/webhooks", params={"per_page": "200"})
    return sum(not each["is_deleted"] for each in answer.raise_for_status().json()["data"])

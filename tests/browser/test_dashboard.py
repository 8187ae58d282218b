"""The dashboard as people use it: what was done, what waits for them, and what they do about it."""

import re
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest

from tests.browser.test_home import sql
from tests.browser.visitor import Visitor, chromium, expect, visiting
from tests.flows.driver import LOCATION, Site, installed

pytestmark = pytest.mark.timeout(300)

PAGES = (
    "/",
    "/bridges/1",
    "/activity",
    "/activity/1",
    "/activity/99",
    "/deliveries",
    "/deliveries?bridge=1&state=done&from=2026-11-20T00:00",
    "/records",
    "/records?search=jane&doing=in_step",
    "/records/1",
    "/records/99",
    "/failing",
    "/failing/1.0123456789abcdef",
    "/decide",
    "/decide/1",
    "/runs",
    "/start",
    "/plans/99",
    "/bridges/1/setup/filters",
    "/bridges/1/setup/live",
    "/undo",
    "/undo?record=1",
    "/undo?bridge=1&since=2020-01-01T00:00:00",
    "/connections",
    "/duplicates",
    "/people",
    "/notifications",
    "/account",
    "/connect",
    "/sandbox",
    "/settings",
    "/bridges/1/mapping/contact",
    "/copy",
    "/copy?to=1&source=1",
)
BUILT_AHEAD = ("/account", "/connect", "/plans/99")
"""Pages, and refusals, that are no part of the dashboard."""
REFUSED = "HighLevel does not let Crossledger into “Location” any more"
REFUSAL = {"message": "The given data was invalid.", "errors": {"phone": ["This phone is none."]}}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """One pair in step, with webhooks on both sides; where both edit a field, a person decides."""
    async with installed(forks=True) as site:
        await site.serve()
        webhooks = await site.connect()
        await site.subscribe_highlevel()
        await site.subscribe_ninja(webhooks)
        async with site.admin() as admin:
            (await admin.patch("/api/v1/bridges/1", json={"settings": {"prefer": "ask"}})).raise_for_status()
        yield site


async def jane(site: Site) -> tuple[str, dict[str, Any]]:
    contact_id = await site.add_contact(firstName="Jane", lastName="Doe", email="jane@acme.example", city="York")
    await site.at_rest()
    (client,) = await site.clients()
    return contact_id, client


async def test_every_page_loads_in_any_light_and_on_a_telephone(site: Site) -> None:
    """Empty, and with records; nothing is wider than the screen, nobody is shut out, and the browser is content."""
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        for turn, state in enumerate((None, jane, in_trouble)):
            if state:
                await state(site)
            for nth, path in enumerate(PAGES):
                await visitor.open(path)
                if state is in_trouble and path not in BUILT_AHEAD:
                    await expect(visitor.page.get_by_role("main")).to_contain_text(REFUSED)
                heading = visitor.page.get_by_role("heading", level=1)
                await expect(heading).to_be_visible()
                assert await visitor.page.title() == f"{await heading.inner_text()} – Crossledger"
                for width, scheme in product((1280, 390), ("light", "dark")):
                    await visitor.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                    await visitor.page.set_viewport_size({"width": width, "height": 800})
                    # Each page in either look: they share all but colours and width.
                    if (width, scheme) == ((1280, "light"), (390, "dark"))[(turn + nth) % 2]:
                        await visitor.is_usable_by_everybody()
                    wide = await visitor.page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, (path, width, wide)


async def in_trouble(site: Site) -> None:
    """A record that waits for a decision, one that failed, and a vendor that lets nobody in."""
    for client in await site.clients():
        await both_move(site, client["id_number"] or client["custom_value4"], client)
    refuse = {"kind": "status", "status": 422, "method": "POST", "path": "/clients", "body": REFUSAL}
    (await site.ninja.post("/_control/faults", json=refuse)).raise_for_status()
    await site.add_contact(firstName="Joe", lastName="Roe", email="joe@acme.example")
    await site.at_rest()
    fault = {"kind": "status", "status": 401, "path": "/", "body": {"message": "Invalid JWT"}}
    (await site.highlevel.post("/_control/faults", json=fault)).raise_for_status()
    async with site.admin() as admin:
        assert (await admin.post("/api/v1/connections/1/check")).is_error


async def test_a_conflict_is_decided_and_a_record_undone(site: Site) -> None:
    contact_id, client = await jane(site)
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await both_move(site, contact_id, client)
        await visitor.open("/decide")
        await visitor.page.get_by_role("link", name="Jane Doe").click()
        await expect(visitor.page.get_by_role("row").filter(has_text="Invoice Ninja")).to_contain_text("Bath")
        await a_record_in_conflict_shows_what_both_have_now(visitor, contact_id, client)
        await visitor.press("Take HighLevel's")
        await expect(visitor.page.get_by_role("main")).to_contain_text("Nothing waits for a decision.")
        await site.at_rest()
        (client,) = await site.clients()
        assert client["city"] == "Leeds"

        await visitor.open("/activity?action=updated")
        await visitor.page.get_by_role("link", name="Jane Doe").first.click()
        await visitor.sees("Jane Doe")
        city = visitor.page.get_by_role("row", name="City Leeds")
        for side, writer in (("HighLevel", "somebody in HighLevel"), ("Invoice Ninja", "Crossledger")):
            cell = city.locator(f'[data-label^="{side}, when both"]')
            await expect(cell).to_contain_text(f"Leedsby {writer}, 20")
            await expect(cell).not_to_contain_text("now")
        times = city.get_by_role("button", name="2 times")
        await times.click()
        await expect(times).to_have_attribute("aria-expanded", "true")
        await expect(city.locator(".change")).to_have_text([re.compile("Bath→Leeds"), re.compile("empty→York")])
        await times.click()
        await expect(city.locator(".change")).to_have_count(0)
        await it_is_told_what_happened(site, visitor)
        await visitor.open("/activity?action=updated")
        await visitor.page.get_by_role("link", name="Undo", exact=True).first.click()
        await visitor.sees_row("City", "Bath", "restoring")
        await visitor.press("Undo it")
        await visitor.sees("Runs")
        await visitor.sees_row("undo", "done")
        (client,) = await site.clients()
        assert client["city"] == "Bath"
        await everything_since(visitor, site)


async def everything_since(visitor: Visitor, site: Site) -> None:
    """All that the bridge wrote is compared: a person has edited since. What is wrong about a span is said."""
    main = visitor.page.get_by_role("main")
    await visitor.open("/bridges/1")
    await visitor.follow("Undo a time span")
    await expect(visitor.page.get_by_label("Bridge")).to_have_value("1")
    await visitor.page.get_by_label("Since").fill("2020-01-02T00:00")
    await visitor.page.get_by_label("Until").fill("2020-01-01T00:00")
    await visitor.press("Show what it would take back")
    await expect(main).to_contain_text("`until` is a moment after `since`")
    await expect(visitor.page.get_by_label("Since")).to_have_value("2020-01-02T00:00")
    await visitor.page.get_by_label("Until").fill("")
    await visitor.press("Show what it would take back")
    await visitor.sees_row("archived", "Jane Doe", "changed since")
    await visitor.press("Undo it")
    await visitor.sees("Runs")
    await site.at_rest()
    (client,) = await site.clients()
    assert not client["archived_at"]
    assert await site.rows("SELECT options ->> 'first' IS NOT NULL FROM runs ORDER BY id DESC LIMIT 1") == [(True,)]


async def a_record_in_conflict_shows_what_both_have_now(
    visitor: Visitor, contact_id: str, client: dict[str, Any]
) -> None:
    await visitor.follow("The whole record")
    await visitor.sees("Jane Doe")
    city = visitor.page.get_by_role("row", name="City needs a decision")
    for side, now in (("HighLevel", "Leeds"), ("Invoice Ninja", "Bath")):
        cell = city.locator(f'[data-label="{side}, when both last agreed"]')
        await expect(cell).to_contain_text(re.compile(f"^Yorkby .*now {now}"))
    await expect(visitor.page.get_by_text("Empty on both sides: ")).to_contain_text("Phone")
    base = visitor.site.simulators["ninja"].url
    addresses = {
        "Open in HighLevel": f"https://app.gohighlevel.com/v2/location/{LOCATION}/contacts/detail/{contact_id}",
        "Open in Invoice Ninja": f"{base}/#/clients/{client['id']}",
    }
    for name, address in addresses.items():
        outside = visitor.page.get_by_role("link", name=name)
        await expect(outside).to_have_attribute("href", address)
        await expect(outside).to_have_attribute("target", "_blank")
        await expect(outside).to_have_attribute("rel", "noreferrer")
    await city.get_by_role("link", name="Decide").click()
    await visitor.sees("Decide about Jane Doe")


async def it_is_told_what_happened(site: Site, visitor: Visitor) -> None:
    """Events and what was done, by time; what does not fit one page is on the next."""
    happened = visitor.page.get_by_role("table", name="What happened")
    for words in ("created", "HighLevel toldContactUpdate", "conflict", "looked at"):
        await expect(happened.get_by_role("row").filter(has_text=words).first).to_be_visible()
    await sql(
        site,
        "INSERT INTO activities (bridge_id, link_id, object, action, cause)"
        " SELECT bridge_id, id, object, 'settled', 'number ' || n FROM links, generate_series(1, 51) n",
    )
    await visitor.page.reload()
    await expect(happened.locator("tbody > tr")).to_have_count(50)
    made = happened.locator("strong", has_text="created")
    await expect(made).to_have_count(0)
    await visitor.follow("Older")
    await expect(made).to_be_visible()
    await expect(happened.locator("tbody > tr").first).to_contain_text("number 1")
    await visitor.follow("Newest")
    await expect(happened.locator("tbody > tr").first).to_contain_text("number 51")
    await sql(site, "DELETE FROM activities WHERE action = 'settled'")


async def test_what_fails_is_grouped_and_tried_again(site: Site) -> None:
    contact_id, _ = await jane(site)
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        refuse = {"kind": "status", "status": 422, "method": "PUT", "path": "/clients", "body": REFUSAL}
        (await site.ninja.post("/_control/faults", json=refuse)).raise_for_status()
        await site.edit_contact(contact_id, city="Hull")
        await site.at_rest()
        await visitor.open("/failing")
        main = visitor.page.get_by_role("main")
        await expect(main).to_contain_text("This phone is none.")
        await visitor.press("Request and answer of the example")
        await expect(visitor.page.locator("pre").first).to_contain_text("Hull")
        await expect(main).to_contain_text("answered 422")
        await a_group_is_shown_as_a_list(site, visitor)
        (await site.ninja.delete("/_control/faults")).raise_for_status()
        await visitor.press("Try it again")
        await site.at_rest()
        await visitor.open("/failing")
        await expect(main).to_contain_text("Everything is in step.")
        (client,) = await site.clients()
        assert client["city"] == "Hull"
        await what_was_lost_is_looked_for(site, visitor, contact_id)
        await an_entry_has_an_address(visitor)


async def what_was_lost_is_looked_for(site: Site, visitor: Visitor, contact_id: str) -> None:
    """Nobody hears of these edits: they arrive because somebody looks again."""
    (await site.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})).raise_for_status()
    await visitor.open("/bridges/1")
    await visitor.follow("Deliveries")
    await visitor.sees("Deliveries")
    await visitor.page.get_by_label("State").select_option("failed")
    await visitor.press("Filter")
    rows = visitor.page.locator("tbody tr")
    await expect(rows).to_have_count(1)
    assert "state=failed" in visitor.page.url
    await visitor.sees_row("Jane Doe", "ContactUpdate", "failed after", "This phone is none.", "sent once", "Location")
    await site.edit_contact(contact_id, city="Ely")
    await visitor.press("Look again")
    await expect(visitor.page.get_by_text("Its record is looked at now, on both sides.")).to_be_visible()
    await site.at_rest()
    assert [each["city"] for each in await site.clients()] == ["Ely"]

    await site.edit_contact(contact_id, city="Wells")
    await visitor.press("Recover")
    dialog = visitor.page.get_by_role("dialog")
    await dialog.get_by_label("what has failed").check()
    await dialog.get_by_role("button", name="Look again").click()
    await visitor.sees("Runs")
    await visitor.sees_row("replay", "done", "1 of 1")
    assert [each["city"] for each in await site.clients()] == ["Wells"]
    ((options,),) = await site.rows("SELECT options FROM runs WHERE kind = 'replay'")
    assert options["state"] == "failed"
    await visitor.open("/deliveries?to=2020-01-01T00:00")
    await expect(visitor.page.get_by_role("main")).to_contain_text("Nothing like this arrived.")
    await visitor.page.get_by_role("link", name="Show all").click()
    await rows.first.get_by_role("link", name="Jane Doe").click()
    await visitor.sees("Jane Doe")


async def an_entry_has_an_address(visitor: Visitor) -> None:
    await visitor.open("/activity")
    await visitor.page.get_by_label("Name, e-mail or id").fill("jan")
    await visitor.page.get_by_text("More filters").click()
    await visitor.page.get_by_label("Written to").select_option("Invoice Ninja")
    await visitor.press("Filter")
    newest = visitor.page.locator("tbody tr").first
    await expect(newest).to_contain_text("in run")
    await expect(newest).to_contain_text("Wells")
    assert "search=jan" in visitor.page.url
    assert "side=billing" in visitor.page.url
    await newest.get_by_role("link", name="20").click()
    await visitor.sees("Updated: Jane Doe")
    await expect(visitor.page.locator("tbody tr")).to_have_count(1)
    await expect(visitor.page.get_by_role("main")).to_contain_text(
        "deliveries, and what was said to a vendor, for 90 days"
    )


async def a_group_is_shown_as_a_list(site: Site, visitor: Visitor) -> None:
    await expect(visitor.page.get_by_role("link", name="Show all")).to_have_count(0)
    more = (
        "INSERT INTO links (bridge_id, object, crm_id, state, problem, detail, name)"
        " SELECT bridge_id, object, 'more' || n, state, problem, detail, 'Twin ' || n FROM links,"
        " generate_series(1, 50) n WHERE state = 'failed'"
    )
    await sql(site, more)
    await visitor.open("/failing")
    await visitor.follow("Show all 51")
    rows = visitor.page.locator("tbody > tr")
    await expect(rows).to_have_count(50)
    await expect(rows.first).to_contain_text("Twin 50")
    await visitor.follow("Older")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Jane Doe")
    await expect(visitor.page.get_by_role("button", name="Try all of them again")).to_be_visible()
    await sql(site, "DELETE FROM links WHERE name LIKE 'Twin %'")
    await visitor.open("/failing")


async def test_who_is_logged_out_meanwhile_changes_nothing(site: Site) -> None:
    """The page is still open, and its buttons are there."""
    contact_id, client = await jane(site)
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await both_move(site, contact_id, client)
        await visitor.open("/decide/1")
        await site.rows("DELETE FROM sessions RETURNING id")
        await visitor.press("Take HighLevel's")
        await expect(visitor.page.get_by_text("You are logged out")).to_be_visible()
        await site.at_rest()
        assert await site.rows("SELECT decisions FROM links") == [({},)]
        assert await site.rows("SELECT count(*) FROM audit WHERE action = 'decide a conflict'") == [(0,)]


async def test_a_page_that_is_left_open_shows_nothing_more_after_the_log_out(site: Site) -> None:
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await visitor.open("/runs")
        await visitor.sees("Runs")
        await site.rows("DELETE FROM sessions RETURNING id")
        await visitor.sees("Log in")


async def both_move(site: Site, contact_id: str, client: dict[str, Any]) -> None:
    """Both sides edit one field while nobody is told."""
    lose = {"kind": "lose", "share": 1.0}
    (await site.ninja.post("/_control/webhook-faults", json=lose)).raise_for_status()
    path = f"/api/v1/clients/{client['id']}"
    (await site.ninja.put(path, json={**client, "city": "Bath"})).raise_for_status()
    await site.edit_contact(contact_id, city="Leeds")
    await site.at_rest()


async def test_without_a_log_in_there_is_nothing_to_see(site: Site) -> None:
    async with chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        await visitor.press("Log out")
        await visitor.sees("Log in")
        for path in PAGES:
            await visitor.open(path)
            await visitor.sees("Log in")

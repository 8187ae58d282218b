"""The page of a mapping: a pair is changed, tried while typing, saved, told as a version, and brought back."""

from typing import Any

import pytest

from tests.browser.managing import OWNER, VIEWER, managed_site
from tests.browser.visitor import Visitor, chromium, expect, visiting
from tests.flows.driver import Site

pytestmark = pytest.mark.timeout(300)

HERE = "/bridges/1/mapping/contact"
OPTIONS = "selector => [...document.querySelector(selector).list.options].map(option => option.value)"
AT_ONCE = "names => names.forEach(name => document.querySelector(`[aria-label='${name}']`).click())"


async def test_a_mapping_is_changed_tried_saved_and_brought_back() -> None:
    async with managed_site() as site, chromium() as browser:
        await site.subscribe_highlevel()
        await site.add_contact(firstName="Jane", lastName="Doe", email="jane@acme.example", city="York")
        await site.at_rest()
        async with visiting(browser, site) as visitor:
            page = visitor.page
            await visitor.log_in(OWNER)
            await visitor.open("/bridges/1")
            await visitor.follow("Mapping of contacts")
            await visitor.sees("Mapping of contacts")
            await page.evaluate(AT_ONCE, ["Change E-mail and E-mail", "Change City and City"])
            await expect(page.get_by_role("button", name="Close City and City")).to_be_visible()
            await expect(page.locator(".editor")).to_have_count(1)
            await page.get_by_label("Add a step").select_option("template")
            await expect(page.locator(".note.next")).to_contain_text("go one way only: a text cannot be taken apart")
            await expect(page.locator(".unsaved")).to_contain_text("cannot be saved yet: look at “City”")
            assert await page.evaluate("onbeforeunload !== null"), "whoever leaves is warned"
            line = page.locator(".chain input")
            await line.press("End")
            await line.press_sequentially(" of {first_name}", delay=40)
            await expect(page.locator(".trial ins")).to_have_text("York of Jane")
            await expect(line).to_have_value("{value} of {first_name}")
            await expect(page.locator(".map li:has(.editor) .told")).to_have_text("template “{value} of {first_name}”")
            await visitor.press("Let it go to Invoice Ninja only")
            await expect(page.locator(".note.next")).to_have_count(0)
            await page.get_by_label("Add a step").select_option("case")
            await expect(page.locator(".trial ins")).to_have_text("YORK OF JANE")

            await page.get_by_role("button", name="Take out State").click()
            await page.get_by_role("button", name="Take out Postal code").click()
            await visitor.press("Add all with the same name (2)")
            await expect(page.get_by_role("button", name="Take out State")).to_be_visible()
            await expect(page.get_by_role("button", name="Add all with the same name")).to_have_count(0)
            assert (await settings(site))["contact"]["fields"] is None, "nothing is switched on before it is saved"

            await visitor.press("Save …")
            dialog = page.get_by_role("dialog")
            await expect(dialog).to_contain_text("City → City: template “{value} of {first_name}”, then CAPITALS")
            await visitor.press("Save")
            await expect(page.locator(".note.done")).to_contain_text("Saved.")
            versions = page.locator(".versions > li")
            await expect(versions.first).to_contain_text("Version 2")
            await expect(versions.first).to_contain_text(f"by {OWNER}")
            await visitor.press("Bring version 1 back")
            await visitor.press("Bring it back")
            await expect(versions.first).to_contain_text("version 1 brought back")
            await expect(page.get_by_role("main")).to_contain_text("Version 3")
            assert [each["city"] for each in await site.clients()] == ["York"]

            for path in (f"{HERE}?saved=true", HERE):
                await visitor.open(path)
                await expect(page.get_by_role("button", name="Re-apply to 1 contact")).to_have_count(1)
            await visitor.press("Re-apply to 1 contact")
            await page.wait_for_url("**/plans/*")
            await expect(page.get_by_label("What the plan would do")).to_contain_text("1in step already")

            await visitor.open("/bridges/1/mapping/appointment")
            assert "Done" in await page.evaluate(OPTIONS, ".values input")
            await page.get_by_role("button", name="Change Status, by the table").click()
            await page.get_by_label("Add a step").select_option("table")
            await expect(page.get_by_label("Becomes, row 1")).to_be_visible()
            assert "Done" in await page.evaluate(OPTIONS, "[aria-label='Becomes, row 1']")

            for object_ in ("contact", "appointment", "opportunity", "task", "product", "invoice"):
                await page.set_viewport_size({"width": 390, "height": 800})
                await visitor.open(f"/bridges/1/mapping/{object_}")
                await expect(page.get_by_role("heading", level=1)).to_be_visible()
                assert await page.evaluate("document.documentElement.scrollWidth") <= 390, object_
            await what_is_required_is_told_in_the_set_up(visitor)
        async with visiting(browser, site) as visitor:
            lag = await visitor.lag()
            await visitor.log_in(OWNER)
            await visitor.open(HERE)
            await visitor.press("Change E-mail and E-mail")
            await expect(visitor.page.get_by_role("button", name="Close E-mail and E-mail")).to_be_visible()
            lag.on = True
            await visitor.press("Change City and City")
            await lag.holds("Close City and City")
            await visitor.press("Take out City and City")
            lag.end()
            await expect(visitor.page.locator(".unsaved")).to_be_visible()
            await expect(visitor.page.get_by_role("button", name="Take out City and City")).to_have_count(0)
        async with visiting(browser, site) as visitor:
            await visitor.log_in(VIEWER)
            await visitor.open(HERE)
            await visitor.sees("Mapping of contacts")
            await expect(visitor.page.get_by_role("main").get_by_role("button")).to_have_count(0)
            await expect(visitor.page.get_by_role("main").locator(":is(select, input):enabled")).to_have_count(0)


async def what_is_required_is_told_in_the_set_up(visitor: Visitor) -> None:
    """Where an object is on and a required field of it is mapped to nothing, before a plan is made."""
    wanted = await settings(visitor.site)
    wanted |= {"invoice": {"enabled": True}, "payment": {"enabled": True, "fields": []}}
    async with visitor.site.admin() as admin:
        (await admin.patch("/api/v1/bridges/1", json={"settings": wanted})).raise_for_status()
    await visitor.open("/bridges/1/setup/objects")
    await expect(visitor.page.get_by_role("link", name="Map the fields of")).to_have_count(3)
    await visitor.open("/bridges/1/setup/conflicts")
    await visitor.is_told("No payment can be made in Invoice Ninja without Amount")
    await visitor.follow("Map the fields of payments")
    await visitor.sees("Mapping of payments")
    await visitor.is_told("No payment can be made in Invoice Ninja without Amount")


async def settings(site: Site) -> dict[str, Any]:
    async with site.admin() as admin:
        return dict((await admin.get("/api/v1/bridges/1")).raise_for_status().json()["settings"])

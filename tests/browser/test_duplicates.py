"""The pages of duplicates: a search, records side by side, and what a person decides."""

import pytest

from tests.browser.managing import OWNER, VIEWER, managed_site
from tests.browser.visitor import Visitor, chromium, expect, visiting
from tests.flows.driver import Site

pytestmark = pytest.mark.timeout(200)

PASSWORD = "sandbox-password"


async def test_duplicates_are_searched_dismissed_reopened_and_merged_with_the_vendors_password() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        for city in ("York", "Leeds"):
            await client(site, "Rossi Ceramiche", city)
        await visitor.log_in(OWNER)
        await visitor.open("/duplicates")
        await expect(visitor.page.get_by_role("main")).to_contain_text("There was no search yet.")
        await visitor.press("Search for duplicates")
        await visitor.press("Search")
        await visitor.sees_row("Rossi Ceramiche, Anna", "the same e-mail address: anna@rossi.example", "open")
        await visitor.page.get_by_role("search").get_by_label("Side").select_option("HighLevel")
        await visitor.press("Filter")
        await expect(visitor.page.get_by_role("main")).to_contain_text("No duplicates like this were found.")
        await visitor.follow("Clear")

        await visitor.page.get_by_role("link", name="Rossi Ceramiche").click()
        await visitor.sees("Are these one?")
        await visitor.sees_row("City", "York", "Leeds")
        await visitor.press("These are not duplicates")
        await visitor.press("They may be one after all")
        await expect(visitor.page.get_by_role("main").locator(".state")).to_have_text("open")

        await merge(visitor, "not the password")
        await expect(visitor.page.locator(".note.wrong")).to_contain_text("Invalid Password")
        assert len(await site.clients()) == 2
        await visitor.press("Merge")
        await expect(visitor.page.get_by_label("Password of Invoice Ninja")).to_be_empty()
        await visitor.press("Cancel")
        await merge(visitor, PASSWORD)
        await expect(visitor.page.get_by_role("main").locator(".state")).to_have_text("merged")
        assert len(await site.clients()) == 1
        async with site.admin() as admin:
            log = (await admin.get("/api/v1/audit", params={"action": "merge duplicates"})).json()["items"]
        assert [(each["actor"], each["outcome"]) for each in log] == [(OWNER, "done"), (OWNER, "refused")]
        assert " into " in log[0]["detail"]


async def test_a_viewer_sees_duplicates_and_cannot_decide() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        for city in ("York", "Leeds"):
            await client(site, "Rossi Ceramiche", city)
        async with site.admin() as admin:
            (await admin.post("/api/v1/bridges/1/duplicates", json={})).raise_for_status()
        await visitor.log_in(VIEWER)
        await visitor.open("/duplicates")
        await visitor.page.get_by_role("link", name="Rossi Ceramiche").click()
        await visitor.sees_row("City", "York", "Leeds")
        await expect(visitor.page.get_by_role("main").get_by_role("button")).to_have_count(0)
        await visitor.open("/duplicates/999")
        await expect(visitor.page.get_by_role("main")).to_contain_text("There is no cluster 999 any more.")


async def merge(visitor: Visitor, password: str) -> None:
    await visitor.press("Merge")
    await visitor.page.get_by_label("Password of Invoice Ninja").fill(password)
    await visitor.press("Merge for good")


async def client(site: Site, name: str, city: str) -> None:
    contact = {"first_name": "Anna", "email": "anna@rossi.example"}
    body = {"name": name, "city": city, "contacts": [contact]}
    (await site.ninja.post("/api/v1/clients", json=body)).raise_for_status()

"""The page of people: users, API tokens and the audit log."""

import httpx
import pytest

from tests.browser.managing import OWNER, VIEWER, managed_site
from tests.browser.visitor import PASSWORD, Page, chromium, expect, visiting

pytestmark = pytest.mark.timeout(200)

NEW = "new@ours.example"


async def test_an_owner_adds_changes_and_removes_a_user_and_a_token_is_shown_once() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(OWNER)
        await visitor.page.get_by_text("More", exact=True).click()
        await visitor.follow("People")
        await visitor.sees("People")
        users = visitor.page.get_by_role("table", name="Users")

        await add(visitor.page, OWNER, PASSWORD)
        await expect(visitor.page.get_by_text("There is a user")).to_be_visible()
        await add(visitor.page, NEW, PASSWORD)
        row = users.get_by_role("row").filter(has_text=NEW)
        await expect(row.get_by_role("cell").first).to_have_text("viewer")
        await row.get_by_role("button", name="Change").click()
        await row.get_by_label("Role").select_option("operator: connects, decides, repairs")
        await row.get_by_role("button", name="Change it").click()
        await expect(row.get_by_role("cell").first).to_have_text("operator")
        await row.get_by_role("button", name="Remove", exact=True).click()
        await row.get_by_role("button", name="Remove them").click()
        await expect(row).to_have_count(0)
        mine = users.get_by_role("row").filter(has_text=OWNER)
        await mine.get_by_role("button", name="Remove", exact=True).click()
        await mine.get_by_role("button", name="Remove them").click()
        await expect(visitor.page.get_by_text("the last owner")).to_be_visible()
        await expect(mine).to_have_count(1)

        await visitor.press("Make a token")
        await visitor.page.get_by_role("dialog").get_by_label("Name").fill("nightly")
        await visitor.press("Make it")
        token = await visitor.page.locator(".note.done code").inner_text()
        async with httpx.AsyncClient(base_url=site.url, trust_env=False) as script:
            script.headers["Authorization"] = f"Bearer {token}"
            assert (await script.get("/api/v1/me")).json()["role"] == "viewer"
            await visitor.open("/people")
            listed = visitor.page.get_by_role("table", name="API tokens").get_by_role("row").filter(has_text="nightly")
            await expect(listed).to_contain_text(f"viewer{OWNER}")
            assert token not in await visitor.page.content()
            await visitor.press("Revoke")
            await visitor.press("Revoke it")
            await expect(listed).to_contain_text("revoked")
            assert (await script.get("/api/v1/me")).status_code == 401

        await visitor.page.get_by_label("What").fill("add a user")
        await visitor.press("Filter")
        log = visitor.page.get_by_role("table", name="Audit log")
        await expect(log.get_by_role("row")).to_have_count(3)
        await expect(log).to_contain_text(f"{NEW}, viewer")
        await expect(log).to_contain_text("refused")
        assert token not in await visitor.page.content()


async def test_people_are_for_owners_alone() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(VIEWER)
        await expect(visitor.page.get_by_role("link", name="People", exact=True)).to_have_count(0)
        await visitor.open("/people")
        await visitor.is_told("This needs the role owner; yours is viewer.")


async def test_who_has_no_account_sees_a_status_page_until_it_is_taken_away() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(OWNER)
        await visitor.open("/bridges/1")
        await visitor.press("Make a status page")
        await visitor.page.get_by_label("Heading").fill("Harbour Bakery")
        await visitor.press("Make it")
        address = await visitor.page.get_by_role("status").locator("code").inner_text()
        async with visiting(browser, site) as stranger:
            await stranger.page.goto(address)
            await stranger.sees("Harbour Bakery")
            await stranger.is_usable_by_everybody()
        await visitor.press("Remove it")
        await visitor.page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
        await expect(visitor.page.get_by_role("button", name="Make a status page")).to_be_visible()
        await visitor.page.goto(address)
        await visitor.sees("Nothing here")


async def add(page: Page, email: str, password: str) -> None:
    """Fills the dialog in, and sends it."""
    await page.get_by_role("button", name="Add a user", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("E-mail address").fill(email)
    await dialog.get_by_label("Password").fill(password)
    await dialog.get_by_role("button", name="Add", exact=True).click()


async def test_a_page_that_stayed_open_does_nothing_for_somebody_who_is_no_owner_any_more() -> None:
    async with managed_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.log_in(OWNER)
        await visitor.open("/people")
        await expect(visitor.page.get_by_role("table", name="Users")).to_contain_text(VIEWER)
        await site.rows("UPDATE users SET role = 'viewer' WHERE email = %s RETURNING id", OWNER)
        await add(visitor.page, NEW, PASSWORD)
        await expect(visitor.page.get_by_text("may not do this any more")).to_be_visible()
        assert await site.rows("SELECT email FROM users WHERE email = %s", NEW) == []

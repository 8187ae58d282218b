"""A newcomer without accounts: becomes the owner, presses one button, and watches what happens."""

import pytest

from tests.browser.visitor import Locator, Visitor, chromium, empty_site, expect, visiting

pytestmark = pytest.mark.timeout(240)


async def test_a_newcomer_tries_it_with_the_sandbox() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        page = visitor.page
        await visitor.become_owner()
        await visitor.press("Try it with the sandbox")
        await visitor.sees("Sandbox")
        main = page.get_by_role("main")
        await expect(main).to_contain_text("This is the sandbox.")
        for name in ("Amelia Hart", "Giulia Conti", "Luc Moreau"):
            await in_table(visitor, name, "in step")
        await expect(main).to_contain_text("Caught up: nothing waits")

        await move(visitor, "Amelia Hart", "HighLevel", to="Exeter")
        await in_table(visitor, "Amelia Hart", "in step")
        await expect(person(visitor, "Amelia Hart").get_by_text("Exeter")).to_have_count(2)

        group = page.get_by_role("group", name="Trouble in Invoice Ninja")
        await group.get_by_role("button", name="Down", exact=True).click()
        await expect(main).to_contain_text("Invoice Ninja is down")
        await move(visitor, "Jonas Weber", "HighLevel", to="Hamburg")
        await in_table(visitor, "Jonas Weber", "Berlin", "Hamburg", "trying again")
        await expect(main).to_contain_text("Invoice Ninja answers 503")
        await visitor.press("End the trouble now")
        await in_table(visitor, "Jonas Weber", "in step")
        await expect(main).to_contain_text("Caught up: nothing waits")

        await visitor.press("Add somebody")
        await page.get_by_label("First name").fill("Nora")
        await page.get_by_label("E-mail").fill("nora@new.example")
        await visitor.press("Add")
        await in_table(visitor, "Nora", "in step")
        await look_small(visitor)
        await visitor.open("/")
        await expect(main).to_contain_text("Set up: 0 of 9 done")
        await expect(main).to_contain_text("your own accounts are still to be connected")
        await page.get_by_role("link", name="Show it").click()
        await visitor.sees("Sandbox")
        await visitor.press("Take it away")
        await visitor.press("Take the sandbox away")
        await visitor.sees("Overview")
        await expect(page.get_by_role("button", name="Try it with the sandbox")).to_be_visible()


def person(visitor: Visitor, name: str) -> Locator:
    """Their row on both sides; what was done with them is listed further down."""
    return visitor.page.get_by_role("table", name="People of the sandbox").get_by_role("row").filter(has_text=name)


async def in_table(visitor: Visitor, name: str, *cells: str) -> None:
    # While their client is made it is there already, and nobody has said yet whose it is.
    await expect(person(visitor, name)).to_have_count(1)
    for each in cells:
        await expect(person(visitor, name)).to_contain_text(each)


async def move(visitor: Visitor, name: str, system: str, *, to: str) -> None:
    await visitor.press(f"Edit {name} in {system}")
    await visitor.page.get_by_label("City").fill(to)
    await visitor.press("Save")


async def look_small(visitor: Visitor) -> None:
    """On a telephone, all pages of the sandbox's and that of the settings; nothing is wider than the screen."""
    await visitor.page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/sandbox", "/settings", "/bridges/1", "/connections"):
        await visitor.open(path)
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, path
    await visitor.page.set_viewport_size({"width": 1280, "height": 800})

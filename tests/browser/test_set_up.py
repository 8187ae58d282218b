"""From two accounts to live, in the steps of the set-up, left in the middle and gone on with."""

from itertools import product

import pytest

from tests.browser.visitor import PASSWORD, Visitor, chromium, expect, visiting
from tests.flows.driver import LOCATION, SERVICE_TOKENS, Site, installed

pytestmark = pytest.mark.timeout(300)

STEPS = ("objects", "filters", "matching", "conflicts", "plan", "live")
VIEWER = "viewer@ours.example"


async def test_from_two_accounts_to_live_left_in_the_middle() -> None:
    async with installed() as site, chromium() as browser:
        await site.serve()
        await connect_the_company(site)
        for number in range(1, 13):
            tags = ["vip"] if number < 12 else []
            await site.add_contact(
                firstName="Jane", lastName=f"Doe {number}", email=f"j{number}@acme.example", tags=tags
            )
        async with visiting(browser, site) as visitor:
            await visitor.become_owner()
            await until_the_middle(visitor)
        async with visiting(browser, site) as visitor:
            await visitor.log_in()
            await visitor.follow("See how they are matched")
            await to_the_plan(visitor)
            await ten_first_and_live(visitor, site)
            await it_is_kept_in_step(visitor, site)
            await another_one_like_it(visitor, site)
            await every_step_fits_a_telephone(visitor)
        async with visiting(browser, site) as viewer:
            await somebody_who_only_looks(viewer, site)


async def until_the_middle(visitor: Visitor) -> None:
    main = visitor.page.get_by_role("main")
    await expect(main).to_contain_text("Set up: 1 of 9 done")
    await visitor.follow("Connect HighLevel")
    await visitor.sees("Set up")
    await expect(main).to_contain_text("First connect a HighLevel location, above.")
    await paste_a_token(visitor)
    await visitor.follow("Overview")
    await expect(main).to_contain_text("Set up: 2 of 9 done")
    await visitor.follow("Make a bridge between the two")
    await visitor.sees("Set up")
    await expect(visitor.page.get_by_role("textbox", name="Name As you will find")).to_have_value("Location ↔ Company")
    await visitor.press("Make the bridge")
    await visitor.sees("Set up “Location ↔ Company”")
    payments = visitor.page.get_by_role("article", name="payments").get_by_role("checkbox")
    await expect(payments).to_be_disabled()
    await visitor.page.get_by_role("article", name="invoices", exact=True).get_by_role("checkbox").check()
    await expect(payments).to_be_enabled()
    await visitor.page.get_by_role("article", name="invoices", exact=True).get_by_role("checkbox").uncheck()
    tasks = visitor.page.get_by_role("article", name="tasks")
    await expect(tasks.get_by_text("Its fields are mapped once this is saved.")).to_be_hidden()
    await tasks.get_by_role("checkbox").check()
    await expect(tasks.get_by_text("Its fields are mapped once this is saved.")).to_be_visible()
    await visitor.press("Save and go on")

    contacts = visitor.page.get_by_role("article", name="contacts")
    await expect(contacts).to_contain_text("not counted yet")
    await visitor.press("Read both sides now")
    await expect(contacts).to_contain_text("12 of 12 match")
    await contacts.get_by_role("button", name="Add a rule").click()
    await expect(main).to_contain_text("A rule is not whole")
    await contacts.get_by_label("Value").fill("vip")
    await expect(contacts).to_contain_text("11 of 12 match")
    await expect(contacts.get_by_label("Value")).to_have_value("vip")
    await visitor.press("Save and go on")
    await visitor.page.wait_for_url("**/setup/matching")
    await visitor.open("/bridges/1/setup/objects")
    await visitor.follow("Map the fields of tasks")
    await visitor.sees("Mapping of tasks")
    await visitor.follow("Go on with the set-up")
    await expect(main).to_contain_text("Nothing is: no two records of one side share")
    await visitor.follow("Overview")
    await expect(main).to_contain_text("Set up: 5 of 9 done")


async def paste_a_token(visitor: Visitor) -> None:
    """A wrong one first: the vendor's refusal stays on the page. The secret of its webhook is in the page once."""
    card = visitor.page.get_by_role("article", name="HighLevel")
    await card.get_by_text("Connect by logging in to HighLevel instead").click()
    await expect(card).to_contain_text("Standard, in use: https://marketplace.gohighlevel.com/v2/oauth/chooselocation")
    await expect(card).to_contain_text("White-label: https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation")
    scopes = card.get_by_text("contacts.readonly")
    assert ["oauth.readonly" in each for each in await scopes.all_inner_texts()] == [False, True]
    await card.get_by_role("button", name="Copy the redirect URL").click()
    await expect(card.get_by_role("button", name="Copied the redirect URL")).to_be_visible()
    await visitor.page.get_by_label("Location id").press("Control+V")
    await expect(visitor.page.get_by_label("Location id")).to_have_value(
        f"{visitor.site.url}/oauth/highlevel/callback"[:30]
    )
    await visitor.page.get_by_label("Location id").fill(LOCATION)
    await visitor.page.get_by_label("Private integration token").fill("pit-not-a-token")
    await visitor.press("Connect the location")
    refusal = visitor.page.get_by_role("alert")
    await expect(refusal).to_contain_text("HighLevel answers 401: Invalid token: access token is invalid")
    await expect(refusal).to_contain_text("Make a new token in HighLevel (Settings, Private Integrations)")
    await visitor.page.get_by_label("Private integration token").fill(SERVICE_TOKENS["highlevel"])
    await visitor.page.get_by_text("A name of your own, or another address").click()
    await visitor.page.get_by_label("Name").first.fill("Location")
    await visitor.press("Connect the location")
    await expect(visitor.page.get_by_role("main")).to_contain_text("Shown this once")
    await expect(visitor.page.get_by_role("main")).to_contain_text("/webhooks/highlevel/workflow/")
    await expect(refusal).to_have_count(0)
    await visitor.follow("I have copied them: go on")
    await expect(card.get_by_role("listitem").filter(has_text="equal to the cent")).to_be_hidden()
    await card.get_by_text("What you get").click()
    await expect(card.get_by_role("listitem").filter(has_text="equal to the cent")).to_be_visible()
    await expect(visitor.page.get_by_role("article", name="Invoice Ninja")).to_contain_text("webhooks: allowed")
    await expect(visitor.page.get_by_role("main")).not_to_contain_text("/webhooks/highlevel/workflow/")


async def to_the_plan(visitor: Visitor) -> None:
    main = visitor.page.get_by_role("main")
    await visitor.press("Save and go on")
    await winners(visitor)
    await expect(main).to_contain_text("The plan was made with other settings than the bridge has now")
    await expect(visitor.page.get_by_role("button", name="Try 10 first")).to_have_count(0)
    await visitor.press("Make it again")


async def winners(visitor: Visitor) -> None:
    """For all, and for single fields: these are added, changed and taken out again."""
    page = visitor.page
    await page.get_by_label("Invoice Ninja wins").check()
    await page.get_by_label("An empty value never overwrites").check()
    contacts = page.get_by_role("group", name="contacts")
    adding = contacts.get_by_label("Another winner for a field of contacts")
    await adding.select_option("email")
    await contacts.get_by_label("What stays of E-mail").select_option("ask")
    await adding.select_option("city")
    await expect(contacts.get_by_label("What stays of City")).to_have_value("crm")
    await contacts.get_by_role("button", name="Take E-mail out").click()
    await expect(contacts.get_by_label("What stays of E-mail")).to_have_count(0)
    await adding.select_option("email")
    await expect(contacts.get_by_label("What stays of E-mail")).to_have_value("crm")
    await contacts.get_by_role("button", name="Take City out").click()
    await expect(contacts.get_by_label("What stays of City")).to_have_count(0)
    await visitor.press("Save and go on")
    await page.wait_for_url("**/setup/plan*")
    await visitor.follow("Back")
    await expect(contacts.get_by_label("What stays of E-mail")).to_have_value("crm")
    await expect(page.get_by_label("An empty value never overwrites")).to_be_checked()
    await visitor.press("Save and go on")
    await page.wait_for_url("**/setup/plan*")


async def ten_first_and_live(visitor: Visitor, site: Site) -> None:
    tally = visitor.page.get_by_label("What the plan would do")
    await expect(tally).to_contain_text("11create")
    await visitor.sees_row("Doe 3", "j3@acme.example", "is made, with")
    async with visitor.page.expect_download() as downloading:
        await visitor.follow("Download as CSV")
    assert "j3@acme.example" in (await (await downloading.value).path()).read_text()
    assert await site.clients() == []
    await visitor.press("Try 10 first")
    await expect(visitor.page.get_by_role("button", name="Apply it")).to_be_visible()
    assert len(await site.clients()) == 10
    await expect(visitor.page.get_by_role("main")).to_contain_text("Look at them in both systems.")
    await visitor.follow("Go on")
    await expect(visitor.page.get_by_role("main")).to_contain_text("Of the plan, 1 record is not written yet")
    await visitor.press("Go live")
    await expect(visitor.page.get_by_role("status").first).to_contain_text("It is live")
    await site.at_rest()
    assert len(await site.clients()) == 11


async def it_is_kept_in_step(visitor: Visitor, site: Site) -> None:
    await site.subscribe_highlevel()
    await site.add_contact(firstName="Ann", lastName="Roe", email="ann@roe.example", tags=["vip"])
    await site.add_contact(firstName="Bob", lastName="Poe", email="bob@poe.example")
    await site.at_rest()
    emails = {each["contacts"][0]["email"] for each in await site.clients()}
    assert ("ann@roe.example" in emails, "bob@poe.example" in emails) == (True, False)
    await visitor.follow("Overview")
    await visitor.sees("Overview")
    await expect(visitor.page.get_by_role("main")).not_to_contain_text("Set up:")


async def another_one_like_it(visitor: Visitor, site: Site) -> None:
    """For another location, which is let in by the same token; its settings are those of the first bridge."""
    await site.rows(
        "INSERT INTO connections (provider, name, base_url, account_id, state, kind, auth, sealed, data)"
        " SELECT provider, 'Second', base_url, account_id || '2', state, kind, auth, sealed, data FROM connections"
        " WHERE provider = 'highlevel' RETURNING id"
    )
    await visitor.open("/start")
    await visitor.page.get_by_label("HighLevel location").select_option("Second")
    await visitor.page.get_by_label("Settings like those of").select_option("Location ↔ Company")
    await visitor.page.get_by_role("textbox", name="Name As you will find").fill("Second ↔ Company")
    await visitor.press("Make the bridge")
    await visitor.sees("Set up “Second ↔ Company”")
    await expect(visitor.page.get_by_role("article", name="tasks").get_by_role("checkbox")).to_be_checked()
    await visitor.follow("Which records")
    await expect(visitor.page.get_by_role("article", name="contacts").get_by_label("Value")).to_have_value("vip")


async def every_step_fits_a_telephone(visitor: Visitor) -> None:
    for path, scheme in product(
        (*(f"/bridges/1/setup/{step}" for step in STEPS), "/start", "/plans/2"), ("dark", "light")
    ):
        await visitor.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await visitor.page.set_viewport_size({"width": 390, "height": 800})
        await visitor.open(path)
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, path
    await visitor.open("/plans/99")
    await visitor.is_told("There is no plan 99.")


async def somebody_who_only_looks(viewer: Visitor, site: Site) -> None:
    async with site.admin() as admin:
        body = {"email": VIEWER, "password": PASSWORD, "role": "viewer"}
        (await admin.post("/api/v1/users", json=body)).raise_for_status()
    await viewer.log_in(VIEWER)
    for step in STEPS:
        await viewer.open(f"/bridges/1/setup/{step}")
        await viewer.sees("Set up “Location ↔ Company”")
        main = viewer.page.get_by_role("main")
        await expect(
            main.get_by_role("button").filter(has_not_text="Filter").filter(has_not_text="Copy")
        ).to_have_count(0)
        await expect(main.locator("input:enabled[type=checkbox], input:enabled[type=radio]")).to_have_count(0)


async def connect_the_company(site: Site) -> None:
    company = {"provider": "invoice_ninja", "name": "Company", "base_url": site.simulators["ninja"].url}
    async with site.admin() as admin:
        made = await admin.post("/api/v1/connections", json={**company, "api_token": SERVICE_TOKENS["ninja"]})
    made.raise_for_status()

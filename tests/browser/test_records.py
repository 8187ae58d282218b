"""From the overview's counts and money to lists of records by name, a list that rests while it is read, and settings
that are copied."""

import pytest

from tests.api.test_copying import TWIN
from tests.browser.test_home import row, shows, sql
from tests.browser.visitor import Visitor, chromium, expect, visiting
from tests.flows.driver import Site, installed

pytestmark = pytest.mark.timeout(300)

FILLED = (
    "INSERT INTO links (bridge_id, object, crm_id, billing_id, state, name, words, conflicts, synced_at)"
    " SELECT 1, 'contact', 'c' || n, 'b' || n, CASE WHEN n < 60 THEN 'ok' ELSE 'conflict' END, 'Person ' || n,"
    " 'person ' || n || ' acme example', CASE WHEN n < 60 THEN '[]' ELSE '[\"ambiguous\"]' END::jsonb, now()"
    " FROM generate_series(1, 61) n",
    "INSERT INTO amounts (link_id, bridge_id, object, currency, amount, open, day)"
    " SELECT id, 1, CASE WHEN id % 2 = 0 THEN 'invoice' ELSE 'payment' END, 'EUR', 1000.5,"
    " CASE WHEN id % 2 = 0 THEN 10.25 ELSE 0 END, current_date - (id % 20)::int FROM links",
    "INSERT INTO activities (bridge_id, link_id, object, crm_id, billing_id, action)"
    " SELECT 1, id, 'contact', crm_id, billing_id, 'created' FROM links",
)
DECIDED = (
    "INSERT INTO links (bridge_id, object, crm_id, state, name, conflicts)"
    " VALUES (1, 'contact', 'new', 'conflict', 'Somebody new', '[\"ambiguous\"]')"
)


async def test_counts_money_names_and_settings() -> None:
    async with installed(forks=True) as site, chromium() as browser, visiting(browser, site) as visitor:
        await site.serve()
        await site.connect(live=False)
        for n in ("1", "2"):
            await sql(site, *(each.replace(":n", f"'{n}'").replace(":settings", "'{}'") for each in TWIN))
        await sql(site, *FILLED)
        await visitor.become_owner()
        main = visitor.page.get_by_role("main")
        await shows(visitor, "Bridge", Unpaid="307.50 EUR", In_step="59", Decide="2")
        await expect(main).to_contain_text("Unpaid on all bridges together: 307.50 EUR")
        await expect(main).to_contain_text("Invoiced 30,015.00 EUR, paid 31,015.50 EUR in 30 days.")
        await row(visitor, "Bridge").get_by_role("link", name="59", exact=True).click()
        await visitor.sees("Records")
        await expect(visitor.page.locator("tbody tr")).to_have_count(50)
        await visitor.follow("Older")
        await expect(visitor.page.locator("tbody tr")).to_have_count(9)
        await visitor.page.get_by_label("Name, e-mail or id").fill("pers 41")
        await visitor.press("Filter")
        await expect(visitor.page.locator("tbody tr")).to_have_count(1)
        assert "search=pers+41" in visitor.page.url
        await visitor.follow("Person 41")
        await visitor.sees("Person 41")
        await visitor.open("/activity")
        await expect(visitor.page.get_by_role("link", name="Person 61", exact=True)).to_be_visible()
        await a_list_rests_while_somebody_is_at_work_on_it(site, visitor)
        await settings_are_copied(site, visitor)
        await visitor.page.set_viewport_size({"width": 390, "height": 800})
        for path in ("/", "/records", "/activity", "/decide", "/copy?to=2,3&source=1"):
            await visitor.open(path)
            await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
            assert await visitor.page.evaluate("document.documentElement.scrollWidth") <= 390, path


async def a_list_rests_while_somebody_is_at_work_on_it(site: Site, visitor: Visitor) -> None:
    """It comes every three seconds, and is another one each time: what is in its rows would be gone."""
    await visitor.open("/decide")
    works = (
        "const d = document.createElement('dialog'); at.append(d); d.showModal()",
        "const i = document.createElement('input'); at.append(i); i.focus()",
        "const i = document.createElement('input'); at.append(i); i.value = 'x';"
        " i.dispatchEvent(new Event('input', { bubbles: true }))",
        "const c = document.createElement('input'); c.type = 'checkbox'; at.append(c); c.click()",
        "getSelection().selectAllChildren(at)",
    )
    for work in works:
        await expect(visitor.page.get_by_role("link", name="Person 61")).to_be_visible()
        await visitor.page.evaluate(f"const at = document.querySelector('tbody td'); at.id = 'here'; {work}")
        await visitor.page.wait_for_timeout(4500)
        assert await visitor.page.locator("#here").count() == 1, work
        await visitor.page.evaluate(
            "getSelection().removeAllRanges(); document.querySelectorAll('#here > :is(dialog, input)')"
            ".forEach((each) => each.remove())"
        )
        await expect(visitor.page.locator("#here")).to_have_count(0)
    await sql(site, DECIDED)
    await expect(visitor.page.get_by_role("link", name="Somebody new")).to_be_visible()


async def settings_are_copied(site: Site, visitor: Visitor) -> None:
    async with site.admin() as admin:
        body = {"settings": {"prefer": "ask", "task": {"enabled": True}}}
        (await admin.patch("/api/v1/bridges/1", json=body)).raise_for_status()
    await visitor.open("/")
    await visitor.press("Copy settings to them")
    await expect(visitor.page.get_by_text("Choose bridges first.")).to_be_visible()
    for name in ("Twin 1", "Twin 2"):
        await visitor.page.get_by_label(f"Choose {name}").check()
    await visitor.press("Copy settings to them")
    await visitor.sees("Copy settings")
    await visitor.page.get_by_label("From").select_option("Bridge")
    await visitor.page.get_by_label("task", exact=True).uncheck()
    await visitor.press("Show what would change")
    await visitor.sees_row("Twin 1", "prefer", "crm", "ask")
    await expect(visitor.page.get_by_role("main")).not_to_contain_text("task.enabled")
    await visitor.press("Copy to 2 bridges")
    await visitor.sees("Overview")
    copied = await site.rows("SELECT settings ->> 'prefer', settings #>> '{task,enabled}' FROM bridges ORDER BY id")
    assert copied == [("ask", "true"), ("ask", "false"), ("ask", "false")]
    told = await site.rows(
        "SELECT outcome, thing LIKE 'bridges 2, 3 from bridge 1%' FROM audit WHERE action = 'copy settings'"
    )
    assert told == [("done", True)]

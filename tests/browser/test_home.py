"""The first page: what is left to set up, how bridges are doing while it is looked at, and acting on many of them."""

from typing import Any

import psycopg
import pytest

from tests.browser.visitor import PASSWORD, Browser, Visitor, chromium, empty_site, expect, visiting
from tests.flows.driver import Site, installed

pytestmark = pytest.mark.timeout(300)

# Of an agency: nobody can call these accounts, and nobody tries to.
AGENCY = (
    "INSERT INTO connections (provider, name, account_id, state)"
    " SELECT p, p || ' ' || n, 'a' || n, 'disabled' FROM generate_series(1, 4) n,"
    " unnest(ARRAY['highlevel', 'invoice_ninja']) p ORDER BY n, p",
    "UPDATE connections SET name = '<script>alert(1)</script>' WHERE id = 1",
    "INSERT INTO bridges (name, crm_connection_id, billing_connection_id, enabled, live_since)"
    " SELECT v.name, 2 * v.n - 1, 2 * v.n, v.enabled, CASE WHEN v.live THEN now() END"
    " FROM (VALUES (1, 'Leeds', true, true), (2, 'York', true, true), (3, 'Bath', false, true),"
    " (4, 'Ely', false, false)) AS v (n, name, enabled, live)",
    "INSERT INTO links (bridge_id, object, crm_id, state, conflicts) SELECT 1, 'contact', 'c' || n,"
    " CASE WHEN n < 6 THEN 'ok' WHEN n < 9 THEN 'failed' WHEN n = 9 THEN 'conflict' ELSE 'excluded' END,"
    " CASE WHEN n = 9 THEN '[\"ambiguous\"]' ELSE '[]' END::jsonb FROM generate_series(1, 11) n",
    "INSERT INTO links (bridge_id, object, crm_id, state) SELECT 1, 'task', 't' || n,"
    " CASE WHEN n < 3 THEN 'waiting_for_parent' ELSE 'pending' END FROM generate_series(1, 4) n",
    "INSERT INTO events (delivery, connection_id, bridge_id, kind, state, received_at, handled_at)"
    " SELECT 'd' || n, 1, 1, 'ContactUpdate', 'done', at, at + interval '2 s'"
    " FROM generate_series(9, 1, -1) n CROSS JOIN LATERAL (SELECT now() - n * interval '3 minutes') AS t (at)",
)


async def sql(site: Site, *statements: str) -> None:
    async with await psycopg.AsyncConnection.connect(site.database, autocommit=True) as connection:
        for statement in statements:
            await connection.execute(statement.encode())


def row(visitor: Visitor, name: str) -> Any:
    return visitor.page.get_by_role("row").filter(has=visitor.page.get_by_role("rowheader", name=name))


async def shows(visitor: Visitor, name: str, **cells: str) -> None:
    """By the head of the column, "_" for a space."""
    for head, words in cells.items():
        shown = row(visitor, name).locator(f'[data-label="{head.replace("_", " ")}"]')
        await expect(shown).to_contain_text(words)


async def test_a_newcomer_sees_what_is_left_and_where_to_begin() -> None:
    async with empty_site() as site, chromium() as browser, visiting(browser, site) as visitor:
        await visitor.become_owner()
        main = visitor.page.get_by_role("main")
        await expect(main).to_contain_text("Set up: 0 of 9 done")
        await expect(main).to_contain_text("There is no bridge yet.")
        await expect(main).to_contain_text("Nothing is connected yet.")
        await visitor.follow("Connect HighLevel")
        await visitor.sees("Set up")
        await expect(main).to_contain_text("No accounts at hand?")


async def test_bridges_are_looked_at_found_and_paused_together() -> None:
    async with installed(forks=True) as site, chromium() as browser:
        await site.serve()
        await sql(site, *AGENCY)
        async with visiting(browser, site) as visitor:
            await visitor.become_owner()
            assert await visitor.page.locator("tbody script").count() == 0
            await expect(row(visitor, "Leeds")).to_contain_text("<script>alert(1)</script> ↔ invoice_ninja 1")
            counts = {"In_step": "5", "Left_out": "2", "Waiting": "42 for their parent", "Failing": "3", "Decide": "1"}
            await shows(visitor, "Leeds", **counts, State="live, failing, to decide", Last_event=" min ago", Lag="–")
            await expect(row(visitor, "Leeds").locator(".state")).to_have_class("state bad")
            await expect(row(visitor, "York").locator(".state.good")).to_have_text("live")
            await shows(visitor, "Ely", State="dry run", In_step="0", Last_event="never")
            await expect(visitor.page.get_by_role("figure").filter(has_text="9 arrived")).to_be_visible()
            await expect(visitor.page.locator(".chart svg")).to_have_count(3)

            await it_stays_up_to_date(site, visitor)
            await many_are_paused_and_resumed(site, visitor)
            await everything_is_stopped_and_goes_on(site, visitor)
            await what_is_the_matter_is_said(site, visitor)

            await visitor.page.get_by_label("Name").fill("yor")
            await visitor.press("Filter")
            await expect(visitor.page.get_by_role("rowheader", name="Leeds")).to_have_count(0)
            await expect(row(visitor, "York")).to_be_visible()
            await visitor.open("/?standing=troubled")
            await expect(visitor.page.get_by_role("rowheader", name="Bath")).to_have_count(0)
            await row(visitor, "Leeds").get_by_role("link", name="3", exact=True).click()
            await visitor.sees("Records")
            assert visitor.page.url.endswith("/records?doing=failing&bridge=1")
            await expect(visitor.page.locator("tbody tr")).to_have_count(3)
        await who_may_only_look_is_offered_nothing_else(site, browser)


async def it_stays_up_to_date(site: Site, visitor: Visitor) -> None:
    """What is focused and what is chosen stay while the numbers change."""
    box = visitor.page.get_by_label("Choose York")
    await box.check()
    await expect(visitor.page.get_by_text("1 chosen")).to_be_visible()
    await sql(site, "INSERT INTO links (bridge_id, object, crm_id, state) VALUES (2, 'contact', 'new', 'failed')")
    await shows(visitor, "York", Failing="1")
    await expect(box).to_be_checked()
    await expect(box).to_be_focused()
    await visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    await sql(site, "UPDATE bridges SET name = 'Hull' WHERE name = 'York'")
    await expect(row(visitor, "Hull")).to_be_visible()
    await sql(site, "UPDATE bridges SET name = 'York' WHERE name = 'Hull'")
    await expect(row(visitor, "York")).to_be_visible()
    await box.uncheck()


async def many_are_paused_and_resumed(site: Site, visitor: Visitor) -> None:
    enabled = "SELECT name FROM bridges WHERE enabled ORDER BY name"
    await visitor.press("Pause")
    await expect(visitor.page.get_by_text("Choose bridges first.")).to_be_visible()
    await visitor.press("Choose all")
    await visitor.press("Pause")
    await expect(visitor.page.get_by_text("Paused: 2. 2 stay as they are.")).to_be_visible()
    await shows(visitor, "Leeds", State="paused")
    assert await site.rows(enabled) == []
    await visitor.press("Resume")
    await expect(visitor.page.get_by_text("Resumed: 3. 1 stay as they are.")).to_be_visible()
    await shows(visitor, "Bath", State="live")
    assert await site.rows(enabled) == [("Bath",), ("Leeds",), ("York",)]
    audited = "SELECT action, outcome, thing FROM audit WHERE action LIKE '%bridges' ORDER BY id"
    things = "bridges 1, 2, 3, 4"
    assert await site.rows(audited) == [("pause bridges", "done", things), ("resume bridges", "done", things)]


async def everything_is_stopped_and_goes_on(site: Site, visitor: Visitor) -> None:
    """Also on a bridge that the list does not show."""
    enabled = "SELECT name FROM bridges WHERE enabled ORDER BY name"
    await sql(site, "INSERT INTO runs (bridge_id, kind, options) VALUES (4, 'plan', '{}')")
    await visitor.open("/?name=Leeds")
    await visitor.press("Stop everything")
    await visitor.press("Stop all bridges")
    await expect(visitor.page.get_by_text("Stopped: 3 bridges. Cancelled: 1 run.")).to_be_visible()
    await shows(visitor, "Leeds", State="paused")
    assert await site.rows(enabled) == []
    assert await site.rows("SELECT state FROM runs") == [("cancelled",)]
    await visitor.press("Resume all that were stopped")
    await expect(visitor.page.get_by_text("3 bridges went on.")).to_be_visible()
    await expect(visitor.page.get_by_role("button", name="Resume all that were stopped")).to_have_count(0)
    assert await site.rows(enabled) == [("Bath",), ("Leeds",), ("York",)]


async def what_is_the_matter_is_said(site: Site, visitor: Visitor) -> None:
    await sql(
        site,
        "UPDATE connections SET state = 'needs_reconnect' WHERE id = 3",
        "DELETE FROM links WHERE bridge_id = 2",
        "INSERT INTO events (delivery, connection_id, bridge_id, kind, state, received_at)"
        " VALUES ('late', 5, 3, 'ContactUpdate', 'pending', now() - interval '1 hour')",
        "DELETE FROM bridges WHERE name = 'Ely'",
    )
    await visitor.open("/")
    await shows(visitor, "York", State="live, an account refused")
    await expect(row(visitor, "York").locator(".state")).to_have_class("state bad")
    await shows(visitor, "Bath", State="live, behind", Lag="1 h")
    await expect(row(visitor, "Bath").locator(".state")).to_have_class("state watch")
    await expect(visitor.page.get_by_text("1 connected location has no bridge. ")).to_be_visible()
    await visitor.follow("Set one up")
    await visitor.sees("Set up")
    await sql(
        site,
        "UPDATE connections SET state = 'disabled'",
        "DELETE FROM events WHERE state = 'pending'",
        "INSERT INTO links (bridge_id, object, crm_id, state) VALUES (2, 'contact', 'new', 'failed')",
    )
    await visitor.open("/")


async def who_may_only_look_is_offered_nothing_else(site: Site, browser: Browser) -> None:
    async with site.admin() as admin:
        body = {"email": "viewer@ours.example", "password": PASSWORD, "role": "viewer"}
        (await admin.post("/api/v1/users", json=body)).raise_for_status()
    async with visiting(browser, site) as viewer:
        await viewer.log_in("viewer@ours.example")
        await expect(row(viewer, "Leeds")).to_be_visible()
        await expect(viewer.page.get_by_role("checkbox")).to_have_count(0)
        for name in ("Choose all", "Pause", "Resume", "Stop everything"):
            await expect(viewer.page.get_by_role("button", name=name)).to_have_count(0)
        for path in ("/connect", "/bridges/new"):
            await expect(viewer.page.locator(f'a[href="{path}"], a[href^="{path}/"]')).to_have_count(0)


async def test_a_bridge_goes_live_is_paused_and_is_swept_from_its_page() -> None:
    async with installed(forks=True) as site, chromium() as browser, visiting(browser, site) as visitor:
        await site.serve()
        await site.connect(live=False)
        await visitor.become_owner()
        main = visitor.page.get_by_role("main")
        await expect(main).to_contain_text("Set up: 3 of 9 done")
        await row(visitor, "Bridge").get_by_role("link", name="Bridge").click()
        await visitor.sees("Bridge")
        await expect(main).to_contain_text("It is in dry run")
        await expect(visitor.page.get_by_role("row", name="contact ↔ client")).to_be_visible()
        await visitor.page.get_by_text("Fields of contacts: ").click()
        await expect(visitor.page.get_by_role("rowheader", name="First name")).to_be_visible()
        for label, told in (("Go live", "It is live"), ("Pause", "It is paused"), ("Resume", "It is live")):
            await visitor.press(label)
            await expect(main).to_contain_text(told)
        assert await site.rows("SELECT enabled, live_since IS NOT NULL FROM bridges") == [(True, True)]
        for label, kind in (("Sweep now", "sweep"), ("Make a plan", "plan")):
            await visitor.press(label)
            await visitor.sees("Runs")
            run = visitor.page.get_by_role("row").filter(has=visitor.page.get_by_text(kind, exact=True))
            await expect(run).to_contain_text("done")
            await visitor.open("/bridges/1")
            await expect(main).to_contain_text("0 in 30 days")
        await visitor.follow("Overview")
        await expect(row(visitor, "Bridge")).to_be_visible()
        await expect(main).not_to_contain_text("Set up:")
        await it_is_held_in_parts_and_for_a_while(site, visitor)
        await it_is_renamed_and_deleted(site, visitor)


async def it_is_held_in_parts_and_for_a_while(site: Site, visitor: Visitor) -> None:
    main = visitor.page.get_by_role("main")
    await visitor.open("/bridges/1")
    await visitor.press("Pause contacts")
    await expect(visitor.page.get_by_role("row", name="contact ↔ client")).to_contain_text("paused")
    await expect(main).to_contain_text("live, contacts paused")
    await visitor.press("Resume contacts")
    await expect(visitor.page.get_by_role("button", name="Pause contacts")).to_be_visible()

    await visitor.press("Pause until …")
    await visitor.page.locator("dialog[open] input[name=until]").fill("2999-01-31T14:00")
    await visitor.press("Pause it")
    await expect(main).to_contain_text("Paused until 2999-01-31 14:00 UTC by ")
    await visitor.open("/bridges/1")
    await visitor.press("Resume")
    await expect(main).to_contain_text("It is live")

    await sql(site, "INSERT INTO runs (bridge_id, kind, options, state) VALUES (1, 'plan', '{}', 'paused')")
    await visitor.press("Stop everything")
    await visitor.press("Stop it")
    await expect(main).to_contain_text("It is paused: nothing is written.")
    states = "SELECT enabled, (SELECT count(*) FROM runs WHERE state = 'cancelled') FROM bridges"
    assert await site.rows(states) == [(False, 1)]


async def it_is_renamed_and_deleted(site: Site, visitor: Visitor) -> None:
    await visitor.press("Rename")
    await visitor.page.get_by_label("Name", exact=True).fill("Rossi")
    await visitor.press("Rename it")
    await visitor.sees("Rossi")
    for typed in ("rosso", "Rossi"):
        await visitor.press("Delete")
        await visitor.page.get_by_label("Type its name").fill(typed)
        await visitor.press("Delete it for good")
        if typed == "rosso":
            await expect(visitor.page.get_by_text("That is not its name")).to_be_visible()
            assert await site.rows("SELECT name FROM bridges") == [("Rossi",)]
    await visitor.sees("Overview")
    assert await site.rows("SELECT (SELECT count(*) FROM bridges), count(*) FROM connections") == [(0, 2)]

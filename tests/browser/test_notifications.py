"""The page of notifications: alerts that are open, and the channels they are told through."""

import re

import pytest

from tests.browser.managing import OWNER, VIEWER, managed_site
from tests.browser.visitor import chromium, expect, visiting
from tests.notify.receiver import Receiver, receiving, verified

pytestmark = pytest.mark.timeout(240)


async def test_a_channel_is_added_tested_switched_and_deleted() -> None:
    async with (
        receiving(Receiver()) as receiver,
        managed_site() as site,
        chromium() as browser,
        visiting(browser, site) as visitor,
    ):
        page = visitor.page
        await visitor.log_in(OWNER)
        await visitor.open("/notifications")
        await expect(page.get_by_role("main")).to_contain_text("No alert is open.")
        await expect(page.get_by_role("main")).to_contain_text("There is no channel yet")

        await visitor.press("Add a webhook")
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Name").fill("Our pager")
        await dialog.get_by_label("Address").fill(receiver.url)
        await dialog.get_by_label("something waits for a decision").check()
        await visitor.press("Add it")
        secret = await page.locator(".note.done code").inner_text()
        await visitor.sees_row("Our pager", "127.0.0.1", "something waits for a decision", "never")
        assert receiver.url not in await page.content()
        await visitor.press("Test")
        await expect(page.get_by_text("The message was sent.")).to_be_visible()
        ((headers, body),) = receiver.told
        assert verified(headers, body, secret)

        receiver.status, receiver.answer = 410, "this address is gone"
        await visitor.press("Test")
        await expect(page.get_by_text(re.compile("The message did not arrive: .*410"))).to_be_visible()
        receiver.status, receiver.answer = 200, "ok"
        await visitor.press("Change")
        await dialog.get_by_label("Name").fill("Our second pager")
        await expect(dialog.get_by_label("something waits for a decision")).to_be_checked()
        await dialog.get_by_role("group", name="Of these bridges only").get_by_role("checkbox").check()
        await dialog.get_by_label("Daily summary").select_option("7")
        await visitor.press("Save")
        await visitor.sees_row("Our second pager", "a decision", "of “Bridge”", "daily summary at 7:00 (UTC)")
        await visitor.press("Change")
        await expect(dialog.get_by_label("Daily summary")).to_have_value("7")
        await visitor.press("Cancel")
        await visitor.press("New secret")
        await visitor.press("Make it")
        await expect(page.locator(".note.done code")).not_to_have_text(secret)
        secret = await page.locator(".note.done code").inner_text()
        await visitor.press("Test")
        await expect(page.get_by_role("row").filter(has_text="Our second pager")).not_to_contain_text("410")
        assert verified(*receiver.told[-1], secret), "the address was kept, and the secret is the new one"
        await visitor.press("Switch off")
        await visitor.sees_row("Our second pager", "switched off")
        await visitor.press("Delete")
        await visitor.press("Delete it")
        await expect(page.get_by_role("main")).to_contain_text("There is no channel yet")

        await visitor.press("Add e-mail")
        for label, value in (
            ("Name", "Office"), ("To", "a@ours.example, b@ours.example"), ("From", "us@ours.example"),
            ("Mail server", "mail.example"), ("User name", "us"), ("Password", "a-password-of-theirs"),
        ):  # fmt: skip
            await dialog.get_by_label(label).first.fill(value)
        await visitor.press("Add it")
        await visitor.sees_row("Office", "a@ours.example, b@ours.example through mail.example:587", "every kind")
        await visitor.press("Change")
        await dialog.get_by_label("To").first.fill("c@ours.example")
        await visitor.press("Save")
        await visitor.sees_row("Office", "c@ours.example through mail.example:587")
        await visitor.press("Change")
        await dialog.get_by_label("Mail server").fill("another.example")
        await visitor.press("Save")
        await expect(page.get_by_text("Enter the password again")).to_be_visible()
        assert "a-password-of-theirs" not in await page.content()


async def test_an_open_alert_says_what_to_do_and_a_viewer_has_no_buttons() -> None:
    # Without a worker, which would look whether the alert is still true, and it never was.
    async with managed_site("--no-worker") as site, chromium() as browser, visiting(browser, site) as visitor:
        await site.rows(
            "INSERT INTO alerts (kind, thing, thing_id, name, bridges, level, count, cure, since, told_at)"
            " VALUES ('budget', 'connection', 1, 'Location', '[1]', 90, 180000, '', now(), now()) RETURNING id"
        )
        await visitor.log_in(VIEWER)
        await visitor.open("/notifications")
        await expect(visitor.page.get_by_role("table", name="Open alerts")).to_contain_text("Location")
        await expect(visitor.page.get_by_role("table", name="Open alerts")).to_contain_text("still so")
        await expect(visitor.page.get_by_role("main").get_by_role("link", name="Connections")).to_have_count(1)
        await expect(visitor.page.get_by_role("main").get_by_role("button")).to_have_count(0)

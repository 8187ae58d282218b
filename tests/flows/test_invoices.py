"""Invoices and their mirrors, between the running service and both simulators."""

import pytest

from tests.conftest import World, connect, until
from tests.flows.invoicing import (
    VAT,
    WHERE,
    WORK,
    act,
    add,
    change,
    edit,
    enter,
    invoice_of,
    invoices,
    joined,
    links,
    mails,
    pair,
    press,
    theirs,
    transactions,
    writes,
)
from tests.flows.resting import rest, unhurried


@pytest.fixture
async def billed(bare_world: World) -> World:
    """As an owner who bills in HighLevel."""
    return await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True})


@pytest.fixture
async def shown(bare_world: World) -> World:
    """As an owner who bills on both sides."""
    return await joined(bare_world, invoice={"enabled": True, "direction": "both"})


async def test_an_invoice_is_mirrored_to_the_cent_with_lines_taxes_and_discount(billed: World) -> None:
    contact, client = await pair(billed)
    taxed = {**WORK, "taxes": [VAT]}
    discount = {"type": "percentage", "value": 5}
    invoice = await add(billed, contact, taxed, {**taxed, "name": "Travel"}, discount=discount)
    (made,) = await invoices(billed)
    there = await invoice_of(billed, invoice)
    assert (made["client_id"], made["amount"], made["custom_value4"]) == (client, there["total"], invoice)
    assert (made["number"], made["date"], made["due_date"]) == (there["invoiceNumber"], "2026-11-20", "2026-12-20")
    lines = [(each["product_key"], each["notes"], each["quantity"], each["cost"]) for each in made["line_items"]]
    assert lines == [("Work", "In May", 3, 49.99), ("Travel", "In May", 3, 49.99)]
    assert (made["discount"], made["is_amount_discount"], made["status_id"]) == (5, False, "1")
    assert [row["state"] for row in await links(billed)] == ["ok"]
    assert await mails(billed) == 0


async def test_taxes_that_would_be_a_cent_off_move_or_the_invoice_is_blocked_with_both_sums(billed: World) -> None:
    contact, _ = await pair(billed)
    small = {"name": "Bolt", "currency": "USD", "amount": 0.33, "qty": 1, "taxes": [VAT]}
    await add(billed, contact, small, small, small)
    await add(billed, contact, small, small, small, {**small, "amount": 1, "taxes": []})
    (made,) = await invoices(billed)
    assert (made["amount"], made["tax_name1"]) == (1.19, "VAT")
    (blocked,) = await links(billed, state="conflict")
    assert "HighLevel: 2.19 USD, Invoice Ninja: 2.20 USD" in blocked["detail"]
    assert blocked["problem"] == "conflict"


async def test_issue_invoiceninja_8283_a_client_billed_in_another_currency_is_a_conflict_and_nothing_is_made(
    billed: World,
) -> None:
    contact, _ = await pair(billed)
    await add(billed, contact, {**WORK, "currency": "EUR"}, currency="EUR")
    assert await invoices(billed) == []
    (blocked,) = await links(billed)
    assert blocked["state"] == "conflict"
    told = "it comes to 149.97 EUR, and the client in Invoice Ninja is billed in USD: nothing is converted"
    assert blocked["detail"] == told


async def test_sending_and_voiding_follow_and_nobody_is_written_to(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact)
    await act(billed, invoice, "send")
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"]) == ("2", 149.97)
    await act(billed, invoice, "void")
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"]) == ("5", 0)
    assert await mails(billed) == 0
    await press(billed, "email", made["id"])  # a person does: so it would have been seen
    assert await mails(billed) == 1


async def test_a_mirror_stays_a_draft_and_is_not_cancelled_where_that_is_set(bare_world: World) -> None:
    await joined(bare_world, invoice={"enabled": True, "mark_sent": False, "cancel_void": False})
    contact, _ = await pair(bare_world)
    invoice = await add(bare_world, contact)
    await act(bare_world, invoice, "send")
    await act(bare_world, invoice, "void")
    (made,) = await invoices(bare_world)
    assert made["status_id"] == "1"


async def test_where_drafts_take_no_part_an_invoice_is_made_when_it_is_sent(bare_world: World) -> None:
    await joined(bare_world, invoice={"enabled": True, "drafts": False})
    contact, _ = await pair(bare_world)
    invoice = await add(bare_world, contact)
    assert await invoices(bare_world) == []
    await act(bare_world, invoice, "send")
    (made,) = await invoices(bare_world)
    assert made["status_id"] == "2"


async def test_an_edit_follows_until_it_is_paid_then_it_is_a_conflict_with_both_sums(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact)
    await edit(billed, invoice, {**WORK, "qty": 4})
    (made,) = await invoices(billed)
    assert made["amount"] == 199.96
    await act(billed, invoice, "pay", amount=50)
    await edit(billed, invoice, {**WORK, "qty": 5})
    (made,) = await invoices(billed)
    assert (made["amount"], made["paid_to_date"]) == (199.96, 50)
    (row,) = await links(billed)
    assert (row["state"], row["problem"]) == ("conflict", "conflict")
    assert "249.95 USD in the CRM, 199.96 USD in billing" in row["detail"]
    await edit(billed, invoice, {**WORK, "qty": 4})  # taken back: in step again
    assert [row["state"] for row in await links(billed)] == ["ok"]


async def test_another_sum_in_the_mirror_is_a_conflict_with_both_sums_and_other_words_are_not(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact)
    (made,) = await invoices(billed)
    await change(billed, made["id"], notes="In June")
    assert [row["state"] for row in await links(billed)] == ["ok"]
    await change(billed, made["id"], cost=60)
    (row,) = await links(billed)
    assert row["state"] == "conflict"
    assert "149.97 USD in the CRM, 180.00 USD in billing" in row["detail"]
    assert (await invoice_of(billed, invoice))["total"] == 149.97


async def test_a_lost_answer_makes_no_second_invoice(billed: World) -> None:
    contact, _ = await pair(billed)
    await billed.fault(billed.ninja, kind="drop_after", method="POST", path="^/api/v1/invoices$", times=1)
    await add(billed, contact)
    await until(lambda: links(billed, state="ok"))
    assert len(await invoices(billed)) == 1


async def test_news_that_comes_twice_and_in_any_order_makes_one_mirror(billed: World) -> None:
    contact, _ = await pair(billed)
    for kind in ("duplicate", "reorder"):
        fault = {"kind": kind, "share": 1.0, "seconds": 0.3}
        for vendor in (billed.highlevel, billed.ninja):
            (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()
    invoice = await add(billed, contact)
    await edit(billed, invoice, {**WORK, "qty": 4})
    await act(billed, invoice, "send")
    (made,) = await invoices(billed)
    assert (made["amount"], made["status_id"]) == (199.96, "2")
    assert [row["state"] for row in await links(billed)] == ["ok"]


async def test_the_echo_of_a_mirror_writes_nothing(billed: World) -> None:
    contact, _ = await pair(billed)
    await unhurried(billed)
    await billed.forget_calls()
    await add(billed, contact)
    await until(lambda: billed.rows("events", kind="EVENT_CREATE_INVOICE", state="done"))
    await rest(billed)
    assert await writes(billed) == ["POST /api/v1/invoices"]
    calls = [each for vendor in (billed.highlevel, billed.ninja) for each in await billed.calls(vendor)]
    assert len(calls) <= 3 + 2  # the invoice, its client, the mirror; and both for the echo


async def test_a_number_that_is_taken_is_made_of_the_highlevel_id(billed: World) -> None:
    contact, client = await pair(billed)
    await enter(billed, client, number="1", cost=7)
    invoice = await add(billed, contact)
    assert {each["number"] for each in await invoices(billed)} == {"1", f"HL-{invoice}"}


async def test_the_same_invoice_entered_by_people_on_both_sides_is_one_and_not_charged_twice(billed: World) -> None:
    """Same client, number and sum: it is the partner, and none of its lines is touched."""
    contact, client = await pair(billed)
    mine = await enter(billed, client, number="1", cost=49.99, quantity=3)
    invoice = await add(billed, contact)
    (made,) = await invoices(billed)
    (row,) = await links(billed, state="ok")
    assert (row["crm_id"], row["billing_id"], made["id"]) == (invoice, mine, mine)
    assert made["line_items"][0]["product_key"] == ""


async def test_a_deleted_invoice_archives_its_mirror_and_destroys_nothing(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact)
    (await billed.highlevel.delete(f"/invoices/{invoice}", params=WHERE)).raise_for_status()
    await rest(billed)
    assert await invoices(billed) == []
    assert len(await invoices(billed, "archived")) == 1


async def test_a_mirror_that_is_deleted_leaves_the_invoice_alone_and_is_not_made_again(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact)
    (made,) = await invoices(billed)
    await press(billed, "delete", made["id"])
    await act(billed, invoice, "send")
    assert (await invoice_of(billed, invoice))["status"] == "sent"
    assert await invoices(billed) == []
    assert [row["state"] for row in await links(billed)] == ["unlinked"]


async def test_where_invoices_are_off_nothing_is_asked(bare_world: World) -> None:
    await joined(bare_world)
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    invoice = await add(bare_world, contact)
    await act(bare_world, invoice, "pay")
    assert [await bare_world.calls(vendor) for vendor in (bare_world.ninja, bare_world.highlevel)] == [[], []]


async def test_an_invoice_of_billing_is_left_there_unless_the_direction_is_set_so(billed: World) -> None:
    _, client = await pair(billed)
    await enter(billed, client, number="0001", cost=100)
    assert await theirs(billed) == []
    assert [row["problem"] for row in await links(billed)] == ["direction"]


async def test_an_invoice_of_billing_becomes_a_draft_there_and_its_edits_follow(shown: World) -> None:
    contact, client = await pair(shown)
    line = {"product_key": "Work", "cost": 50, "quantity": 2, "tax_name1": "VAT", "tax_rate1": 20}
    mine = await enter(shown, client, number="0001", **line)
    (made,) = await theirs(shown)
    assert (made["contactDetails"]["id"], made["invoiceNumber"], made["total"]) == (contact, "0001", 120)
    assert (made["status"], made["currency"], made["issueDate"][:10]) == ("draft", "USD", "2026-11-20")
    await change(shown, mine, cost=60)
    assert [each["total"] for each in await theirs(shown)] == [144]
    await press(shown, "mark_sent", mine)
    await press(shown, "cancel", mine)
    assert [each["status"] for each in await theirs(shown)] == ["void"]
    assert [row["state"] for row in await links(shown)] == ["ok"]
    assert await mails(shown) == 0
    assert await transactions(shown) == []


async def test_a_lost_answer_makes_no_second_draft_there(shown: World) -> None:
    """Nor does the event arrive that would tell of the first."""
    _, client = await pair(shown)
    (await shown.highlevel.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()
    await shown.fault(shown.highlevel, kind="drop_after", method="POST", path="^/invoices/$", times=1)
    await enter(shown, client, number="0001", cost=100)
    await until(lambda: links(shown, state="ok"))
    await rest(shown)
    assert len(await theirs(shown)) == len(await invoices(shown)) == 1


async def test_both_sides_bill_and_no_echo_makes_another_one(shown: World) -> None:
    contact, client = await pair(shown)
    await add(shown, contact)
    await enter(shown, client, number="0001", cost=100)
    await rest(shown)
    assert len(await theirs(shown)) == len(await invoices(shown)) == len(await links(shown, state="ok")) == 2


async def test_an_invoice_that_highlevel_cannot_hold_to_the_cent_is_a_conflict_with_both_sums(shown: World) -> None:
    _, client = await pair(shown)
    await enter(shown, client, number="0001", cost=100, discount=10, is_amount_discount=False)
    (row,) = await links(shown)
    assert (row["state"], await theirs(shown)) == ("conflict", [])
    assert "no discount on a single line (Invoice Ninja: 90.00 USD, HighLevel: 100.00 USD)" in row["detail"]


async def test_what_had_no_partner_is_mirrored_when_the_owner_chooses_so(bare_world: World) -> None:
    await joined(bare_world, invoice={"enabled": True, "mode": "payments_only"})
    contact, _ = await pair(bare_world)
    await add(bare_world, contact)
    assert ([row["problem"] for row in await links(bare_world)], await invoices(bare_world)) == (["unmatched"], [])
    settings = {"settings": {"invoice": {"enabled": True}}}
    (await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json=settings)).raise_for_status()
    await until(lambda: links(bare_world, state="ok"))
    assert len(await invoices(bare_world)) == 1


async def test_payments_without_invoices_are_refused(bare_world: World) -> None:
    with pytest.raises(AssertionError, match="payments belong to invoices"):
        await connect(bare_world, payment={"enabled": True})

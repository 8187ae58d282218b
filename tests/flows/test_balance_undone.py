"""What was paid or owed and is not any more: refunds, deleted payments, credits, invoices that were taken back."""

import pytest

from tests.conftest import World, connect
from tests.flows.test_balance import add_invoice, day, pay, refund, settled, standing
from tests.flows.test_notices import act, add, poll
from tests.flows.test_tasks import pair


@pytest.fixture
async def billed(bare_world: World) -> World:
    await connect(bare_world, balance={"enabled": True})
    return bare_world


async def test_issue_invoiceninja_1163_a_deleted_payment_counts_for_nothing_anywhere(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100)
    payment = await pay(billed, client, invoice["id"], 100)
    await settled(billed, contact, balance_due=0, lifetime_value=100, last_paid=day(0), tags={"paid"})
    await act(billed, "payments", "delete", payment["id"])
    now = await settled(billed, contact, balance_due=100, lifetime_value=0)
    assert now["tags"] == {"invoice-sent"}
    assert not now.get("last_paid")


async def test_of_a_payment_that_was_refunded_in_part_and_then_deleted_nothing_is_left(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100)
    payment = await pay(billed, client, invoice["id"], 100)
    await refund(billed, payment["id"], invoice["id"], 30)
    now = await settled(billed, contact, balance_due=30, lifetime_value=70)
    assert now["tags"] == {"invoice-sent", "partially-paid", "refunded"}
    await act(billed, "payments", "delete", payment["id"])
    now = await settled(billed, contact, balance_due=100, lifetime_value=0)
    assert now["tags"] == {"invoice-sent"}


async def test_issue_invoiceninja_10799_a_refund_of_what_no_invoice_had_lowers_the_value(
    billed: World,
) -> None:
    contact, client = await pair(billed)
    body = {"client_id": client, "amount": 80, "invoices": []}
    payment = (await billed.ninja.post("/api/v1/payments", json=body)).raise_for_status().json()["data"]
    await settled(billed, contact, lifetime_value=80, balance_due=0, tags={"paid"})
    body = {"id": payment["id"], "date": day(0), "amount": 30}
    (await billed.ninja.post("/api/v1/payments/refund", json=body)).raise_for_status()
    await settled(billed, contact, lifetime_value=50, balance_due=0)
    await act(billed, "payments", "delete", payment["id"])
    await settled(billed, contact, lifetime_value=0, balance_due=0, tags=set())


async def test_a_credit_is_no_payment_and_pays_no_invoice_until_it_is_applied(billed: World) -> None:
    contact, client = await pair(billed)
    await add_invoice(billed, client, 100)
    before = await settled(billed, contact, balance_due=100, lifetime_value=0)
    credit = await add(billed, "credits", client, 40)
    await act(billed, "credits", "mark_sent", credit["id"])
    await poll(billed)
    await billed.quiet()
    assert await standing(billed, contact) == before


@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_an_invoice_that_is_taken_back_is_not_owed(billed: World, end: str) -> None:
    contact, client = await pair(billed)
    kept = await add_invoice(billed, client, 7)
    invoice = await add_invoice(billed, client, 100, due_date=day(-10))
    await settled(billed, contact, balance_due=107, days_overdue=10, tags={"invoice-sent", "invoice-overdue"})
    await act(billed, "invoices", end, invoice["id"])
    await settled(billed, contact, balance_due=7, days_overdue=0, tags={"invoice-sent"})
    await act(billed, "invoices", "archive", kept["id"])
    await billed.quiet()
    assert (await standing(billed, contact))["balance_due"] == 7  # put away, and owed all the same


async def test_what_was_paid_of_a_cancelled_invoice_stays_paid(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100)
    await pay(billed, client, invoice["id"], 60)
    await settled(billed, contact, balance_due=40, lifetime_value=60)
    await act(billed, "invoices", "cancel", invoice["id"])
    await settled(billed, contact, balance_due=0, lifetime_value=60, last_paid=day(0), tags={"paid"})


async def test_a_deleted_payment_that_no_event_told_of_is_found_by_polling(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100)
    payment = await pay(billed, client, invoice["id"], 100)
    await settled(billed, contact, balance_due=0, lifetime_value=100)
    await billed.ninja.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await act(billed, "payments", "delete", payment["id"])
    await billed.quiet()
    assert (await standing(billed, contact))["lifetime_value"] == 100
    await poll(billed)
    await settled(billed, contact, balance_due=100, lifetime_value=0, tags={"invoice-sent"})

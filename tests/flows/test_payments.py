"""Payments that are recorded once on the other side, between the running service and both simulators."""

import pytest

from tests.conftest import World, until
from tests.flows.invoicing import (
    WORK,
    act,
    add,
    change,
    enter,
    invoice_of,
    invoices,
    joined,
    links,
    mails,
    pair,
    payments,
    press,
    take,
    theirs,
    today,
    transactions,
    writes,
)
from tests.flows.resting import rest, swept


@pytest.fixture
async def billed(bare_world: World) -> World:
    """As an owner who bills in HighLevel, and whose company writes a receipt for every payment."""
    company = (await bare_world.ninja.post("/api/v1/companies/current")).raise_for_status().json()["data"]
    receipts = {"settings": {**company["settings"], "client_manual_payment_notification": True}}
    (await bare_world.ninja.put(f"/api/v1/companies/{company['id']}", json=receipts)).raise_for_status()
    return await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True})


@pytest.fixture
async def both(bare_world: World) -> World:
    """As an owner who bills in HighLevel, and takes money on both sides."""
    return await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True, "direction": "both"})


async def sent(world: World) -> tuple[str, str, str]:
    """An invoice in HighLevel that was sent, its mirror and the client."""
    contact, client = await pair(world)
    invoice = await add(world, contact)
    await act(world, invoice, "send")
    (made,) = await invoices(world)
    return invoice, str(made["id"]), client


async def test_payments_are_recorded_once_each_and_their_echo_is_silent(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add(billed, contact)
    await billed.forget_calls()
    await act(billed, invoice, "pay", amount=49.97)
    assert sorted(set(await writes(billed))) == ["POST /api/v1/invoices/bulk", "POST /api/v1/payments"]
    assert (await writes(billed)).count("POST /api/v1/payments") == 1
    await act(billed, invoice, "pay")
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"], made["paid_to_date"]) == ("4", 0, 149.97)
    first, second = sorted(await payments(billed), key=lambda each: float(each["amount"]))
    assert (first["amount"], second["amount"], first["client_id"]) == (49.97, 100, client)
    references = {first["transaction_reference"], second["transaction_reference"]}
    assert {row["crm_id"] for row in await links(billed, "payment", state="ok")} == references
    assert len(await transactions(billed)) == 2
    assert await mails(billed) == 0


async def test_two_payments_of_one_sum_on_one_day_are_two(billed: World) -> None:
    invoice, _, _ = await sent(billed)
    await act(billed, invoice, "pay", amount=50)
    await act(billed, invoice, "pay", amount=50)
    assert [each["amount"] for each in await payments(billed)] == [50, 50]
    assert len(await links(billed, "payment", state="ok")) == 2


async def test_a_lost_answer_makes_no_second_payment(billed: World) -> None:
    invoice, _, _ = await sent(billed)
    await billed.fault(billed.ninja, kind="drop_after", method="POST", path="^/api/v1/payments$", times=1)
    await act(billed, invoice, "pay", amount=50)
    await until(lambda: links(billed, "payment", state="ok"))
    assert [each["amount"] for each in await payments(billed)] == [50]


async def test_news_that_comes_twice_and_in_any_order_is_one_payment(both: World) -> None:
    for kind in ("duplicate", "reorder"):
        fault = {"kind": kind, "share": 1.0, "seconds": 0.3}
        for vendor in (both.highlevel, both.ninja):
            (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()
    invoice, mirror, client = await sent(both)
    await act(both, invoice, "pay", amount=50)
    await take(both, client, mirror, 20)
    assert sorted(each["amount"] for each in await payments(both)) == [20, 50]
    assert sorted(each["amount"] for each in await transactions(both)) == [20, 50]


@pytest.mark.parametrize("days", [-1, 0, 1])
async def test_a_payment_that_both_sides_have_already_is_left_to_a_person(billed: World, days: int) -> None:
    """Entered by a person in Invoice Ninja on the same day, in whatever time zone: the same one, or another?"""
    invoice, mirror, client = await sent(billed)
    await take(billed, client, mirror, 50, date=await today(billed, days))
    await act(billed, invoice, "pay", amount=50)
    (row,) = await links(billed, "payment", state="conflict")
    assert "looks the same" in row["detail"]
    assert len(await payments(billed)) == 1


async def test_a_payment_of_the_same_sum_on_another_day_is_another(billed: World) -> None:
    invoice, mirror, client = await sent(billed)
    await take(billed, client, mirror, 50, date=await today(billed, -2))
    await act(billed, invoice, "pay", amount=50)
    await until(lambda: links(billed, "payment", state="ok"))
    assert len(await payments(billed)) == 2


async def test_more_than_is_owed_is_a_conflict_and_not_kept_as_a_credit(billed: World) -> None:
    invoice, mirror, client = await sent(billed)
    await take(billed, client, mirror, 120)
    await act(billed, invoice, "pay", amount=50)
    (row,) = await links(billed, "payment", state="conflict")
    assert row["detail"] == "50.00 USD were paid, and invoice 1 owes 29.97 USD in Invoice Ninja"
    assert len(await payments(billed)) == 1


async def test_a_client_that_is_billed_in_another_currency_by_now_is_a_conflict(billed: World) -> None:
    invoice, _, client = await sent(billed)
    euro = {"settings": {**(await billed.client(client))["settings"], "currency_id": "3"}}
    await billed.edit_client(client, **euro)
    await rest(billed)
    await act(billed, invoice, "pay", amount=50)
    (row,) = await links(billed, "payment", state="conflict")
    assert (
        row["detail"] == "50.00 USD were paid, and the client in Invoice Ninja is billed in EUR: nothing is converted"
    )
    assert await payments(billed) == []


async def test_a_payment_waits_for_an_invoice_that_is_blocked(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add(billed, contact, {**WORK, "currency": "EUR"}, currency="EUR")
    await act(billed, invoice, "pay", amount=50)
    assert [row["state"] for row in await links(billed, "payment")] == ["waiting_for_parent"]
    assert await payments(billed) == []


async def test_a_payment_of_billing_stays_there_unless_the_direction_is_set_so(billed: World) -> None:
    _, mirror, client = await sent(billed)
    await take(billed, client, mirror, 20)
    assert await transactions(billed) == []
    assert [row["problem"] for row in await links(billed, "payment")] == ["direction"]


async def test_a_payment_of_billing_is_recorded_there_once_and_its_echo_is_silent(both: World) -> None:
    invoice, mirror, client = await sent(both)
    await both.forget_calls()
    await take(both, client, mirror, 20)
    assert await writes(both) == [f"POST /invoices/{invoice}/record-payment"]
    there = await invoice_of(both, invoice)
    assert (there["amountPaid"], there["amountDue"], there["status"]) == (20, 129.97, "partially_paid")
    await take(both, client, mirror, 129.97)
    assert (await invoice_of(both, invoice))["status"] == "paid"
    assert sorted(each["amount"] for each in await transactions(both)) == [20, 129.97]
    assert len(await payments(both)) == len(await links(both, "payment", state="ok")) == 2
    assert await mails(both) == 0


async def test_a_lost_answer_makes_no_second_payment_there(both: World) -> None:
    """Nor does the event arrive that would tell of the first."""
    _, mirror, client = await sent(both)
    (await both.highlevel.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()
    await both.fault(both.highlevel, kind="drop_after", method="POST", path="record-payment$", times=1)
    await take(both, client, mirror, 20)
    await until(lambda: links(both, "payment", state="ok"))
    await rest(both)
    assert [each["amount"] for each in await transactions(both)] == [20]
    assert [each["amount"] for each in await payments(both)] == [20]


async def test_a_payment_that_highlevel_counts_and_does_not_show_yet_is_not_recorded_again(both: World) -> None:
    """The answer is lost, and its list of payments lags behind: it is waited for."""
    _, mirror, client = await sent(both)
    await both.fault(both.highlevel, kind="drop_after", method="POST", path="record-payment$", times=1)
    empty = {"kind": "status", "method": "GET", "path": "^/payments/transactions$", "status": 200}
    await both.fault(both.highlevel, **empty, body={"data": [], "totalCount": 0}, times=4)
    await take(both, client, mirror, 20)
    await until(lambda: links(both, "payment", state="ok"), 20)
    await rest(both)
    assert [each["amount"] for each in await transactions(both)] == [20]


async def test_an_event_that_was_lost_is_made_up_for_by_polling(both: World) -> None:
    _, mirror, client = await sent(both)
    (await both.ninja.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()
    await take(both, client, mirror, 20)
    assert await transactions(both) == []
    for _ in range(2):
        await swept(both)
        await rest(both)
    assert [each["amount"] for each in await transactions(both)] == [20]
    assert len(await both.rows("events", kind="sweep")) == 1


async def test_one_payment_of_two_invoices_is_two_there(both: World) -> None:
    contact, client = await pair(both)
    for _ in range(2):
        await act(both, await add(both, contact), "send")
    first, second = (str(each["id"]) for each in await invoices(both))
    parts = [{"invoice_id": first, "amount": 30}, {"invoice_id": second, "amount": 10}]
    await take(both, client, first, 40, invoices=parts)
    assert sorted(each["amount"] for each in await transactions(both)) == [10, 30]
    assert sorted(each["amountPaid"] for each in await theirs(both)) == [10, 30]


async def test_a_deleted_payment_is_told_and_nothing_is_destroyed_there(both: World) -> None:
    invoice, mirror, client = await sent(both)
    paid = await take(both, client, mirror, 20)
    await press(both, "delete", paid, "payments")
    assert [row["state"] for row in await links(both, "payment")] == ["unlinked"]
    assert (await invoice_of(both, invoice))["amountPaid"] == 20


async def test_a_refund_is_told_and_not_carried_over(both: World) -> None:
    invoice, mirror, client = await sent(both)
    paid = await take(both, client, mirror, 20)
    body = {"id": paid, "date": "2026-11-21", "amount": 5, "invoices": [{"invoice_id": mirror, "amount": 5}]}
    (await both.ninja.post("/api/v1/payments/refund", json=body)).raise_for_status()
    await rest(both)
    (row,) = await links(both, "payment")
    assert row["held"]["refunded"]["value"] == "5.00 USD"
    assert (await invoice_of(both, invoice))["amountPaid"] == 20


async def test_only_payments_go_to_the_invoice_of_the_same_number_and_sum(bare_world: World) -> None:
    settings = {"invoice": {"enabled": True, "mode": "payments_only"}, "payment": {"enabled": True}}
    world = await joined(bare_world, **settings)
    contact, client = await pair(world)
    await enter(world, client, number="1", cost=49.99, quantity=3)
    await enter(world, client, number="2", cost=150)  # another sum: not the one
    first, other = await add(world, contact), await add(world, contact)
    await act(world, first, "pay", amount=50)
    await act(world, other, "pay", amount=60)
    made, different = sorted(await invoices(world), key=lambda each: str(each["number"]))
    assert (made["paid_to_date"], made["line_items"][0]["product_key"]) == (50, "")
    assert different["paid_to_date"] == 0
    (apart,) = await links(world, crm_id=other)
    assert (apart["state"], apart["problem"]) == ("excluded", "unmatched")
    await change(world, different["id"], cost=49.99, quantity=3)  # from then on it is: found from there
    await until(lambda: links(world, crm_id=other, state="ok"))
    await rest(world)
    assert sorted(each["paid_to_date"] for each in await invoices(world)) == [50, 60]

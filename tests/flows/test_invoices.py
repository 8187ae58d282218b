"""Invoices of HighLevel and their mirrors in Invoice Ninja, between the running service and both simulators."""

from typing import Any

import pytest

from app.providers.highlevel.webhook import HANDLED, NAMELESS
from tests.conftest import LOCATION, World, connect, until

WHERE = {"altId": LOCATION, "altType": "location"}
VAT = {"_id": "vat20", "name": "VAT", "rate": 20}
WORK = {"name": "Work", "description": "In May", "currency": "USD", "amount": 49.99, "qty": 3}


@pytest.fixture
async def billed(bare_world: World) -> World:
    await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True})
    return bare_world


async def joined(world: World, **settings: Any) -> None:
    """Connected, and each event that does not name itself has its own address, as the README says."""
    await connect(world, **settings)
    url = f"{world.url}/webhooks/highlevel"
    own = {name: f"{url}/{name}" for name in NAMELESS & HANDLED.keys()}
    (await world.highlevel.post("/_control/webhooks", json={"url": url, "events": own})).raise_for_status()


async def pair(world: World, **client: Any) -> tuple[str, str]:
    fields = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+12125550147"}
    contact = await world.add_contact(**fields, **client)
    (made,) = await until(lambda: world.rows("links", object="contact", state="ok"), 20)
    await world.quiet()
    return contact, str(made["billing_id"])


async def add_invoice(world: World, contact: str, *items: dict[str, Any], **fields: Any) -> str:
    body = {
        **WHERE,
        "name": "May",
        "businessDetails": {"name": "Cranes Ltd"},
        "currency": "USD",
        "items": list(items or (WORK,)),
        "discount": {"type": "fixed", "value": 0},
        "contactDetails": {"id": contact, "name": "Ada", "email": "ada@example.com", "phoneNo": "+12125550147"},
        "issueDate": "2026-11-20",
        "dueDate": "2026-12-20",
        "sentTo": {"email": ["ada@example.com"]},
        "liveMode": True,
        **fields,
    }
    answer = await world.highlevel.post("/invoices/", json=body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["_id"])


async def act(world: World, invoice: str, deed: str, **body: Any) -> None:
    (await world.highlevel.post(f"/_control/invoices/{invoice}/{deed}", json=body)).raise_for_status()


async def enter(world: World, client: str, *, number: str, **line: Any) -> str:
    """An invoice that a person makes in Invoice Ninja."""
    body = {"client_id": client, "number": number, "date": "2026-11-20", "line_items": [{"quantity": 1, **line}]}
    answer = await world.ninja.post("/api/v1/invoices", json=body)
    return str(answer.raise_for_status().json()["data"]["id"])


async def edit(world: World, invoice: str, *items: dict[str, Any]) -> None:
    body = {**WHERE, "name": "May", "currency": "USD", "invoiceItems": list(items)}
    answer = await world.highlevel.put(f"/invoices/{invoice}", json={**body, **DATES})
    assert answer.status_code == 200, answer.text


DATES = {"issueDate": "2026-11-20", "dueDate": "2026-12-20"}


async def invoices(world: World, status: str = "active") -> list[dict[str, Any]]:
    answer = await world.ninja.get("/api/v1/invoices", params={"per_page": "500", "status": status})
    return list(answer.raise_for_status().json()["data"])


async def payments(world: World) -> list[dict[str, Any]]:
    answer = await world.ninja.get("/api/v1/payments", params={"per_page": "500", "status": "active"})
    return list(answer.raise_for_status().json()["data"])


async def links(world: World, object_: str = "invoice") -> list[dict[str, Any]]:
    return await world.rows("links", object=object_)


async def mails(world: World) -> int:
    """What customers would have got from either vendor."""
    there = (await world.highlevel.get("/_control/mails")).raise_for_status().json()
    here = (await world.ninja.get("/_control/state")).raise_for_status().json()
    return int(there["count"]) + len(here.get("emails", []))


async def test_an_invoice_is_mirrored_to_the_cent_with_lines_taxes_and_discount(billed: World) -> None:
    contact, client = await pair(billed)
    taxed = {**WORK, "taxes": [VAT]}
    invoice = await add_invoice(
        billed, contact, taxed, {**taxed, "name": "Travel"}, discount={"type": "percentage", "value": 5}
    )
    await billed.quiet()
    (made,) = await invoices(billed)
    here = (await billed.highlevel.get(f"/invoices/{invoice}", params=WHERE)).json()
    assert (made["client_id"], made["amount"], made["custom_value4"]) == (client, here["total"], invoice)
    assert (made["number"], made["date"], made["due_date"]) == (here["invoiceNumber"], "2026-11-20", "2026-12-20")
    lines = [(each["product_key"], each["notes"], each["quantity"], each["cost"]) for each in made["line_items"]]
    assert lines == [("Work", "In May", 3, 49.99), ("Travel", "In May", 3, 49.99)]
    assert (made["discount"], made["is_amount_discount"], made["status_id"]) == (5, False, "1")
    assert [row["state"] for row in await links(billed)] == ["ok"]
    assert await mails(billed) == 0


async def test_taxes_that_would_be_a_cent_off_move_or_the_invoice_is_blocked_with_both_sums(billed: World) -> None:
    contact, _ = await pair(billed)
    small = {"name": "Bolt", "currency": "USD", "amount": 0.33, "qty": 1, "taxes": [VAT]}
    await add_invoice(billed, contact, small, small, small)
    await add_invoice(billed, contact, small, small, small, {**small, "amount": 1, "taxes": []})
    await billed.quiet()
    (made,) = await invoices(billed)
    assert (made["amount"], made["tax_name1"]) == (1.19, "VAT")
    (blocked,) = await billed.rows("links", object="invoice", state="conflict")
    assert "HighLevel: 2.19 USD, Invoice Ninja: 2.20 USD" in blocked["detail"]
    assert blocked["problem"] == "conflict"


async def test_a_client_billed_in_another_currency_is_a_conflict_and_nothing_is_made(billed: World) -> None:
    contact, _ = await pair(billed)
    await add_invoice(billed, contact, {**WORK, "currency": "EUR"}, currency="EUR")
    await billed.quiet()
    assert await invoices(billed) == []
    (blocked,) = await links(billed)
    assert blocked["state"] == "conflict"
    told = "it comes to 149.97 EUR, and the client in Invoice Ninja is billed in USD: nothing is converted"
    assert blocked["detail"] == told


async def test_sending_and_voiding_follow_and_nobody_is_written_to(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    await act(billed, invoice, "send", action="send_manually")
    await billed.quiet()
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"]) == ("2", 149.97)
    await act(billed, invoice, "void")
    await billed.quiet()
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"]) == ("5", 0)
    assert await mails(billed) == 0


async def test_an_edit_follows_until_it_is_paid_then_it_is_held_with_both_sums(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    await edit(billed, invoice, {**WORK, "qty": 4})
    await billed.quiet()
    (made,) = await invoices(billed)
    assert made["amount"] == 199.96
    await act(billed, invoice, "pay", amount=50)
    await billed.quiet()
    await edit(billed, invoice, {**WORK, "qty": 5})
    await billed.quiet()
    (made,) = await invoices(billed)
    assert (made["amount"], made["paid_to_date"]) == (199.96, 50)
    (row,) = await links(billed)
    assert "249.95 USD in the CRM, 199.96 USD in billing" in row["held"]["document"]["reason"]


async def test_what_a_person_changes_in_the_mirror_is_shown_and_not_overlooked(billed: World) -> None:
    contact, _ = await pair(billed)
    await add_invoice(billed, contact)
    await billed.quiet()
    (made,) = await invoices(billed)
    line = {**made["line_items"][0], "cost": 60}
    await billed.ninja.put(f"/api/v1/invoices/{made['id']}", json={**made, "line_items": [line]})
    await billed.quiet()
    (row,) = await links(billed)
    assert "149.97 USD in the CRM, 180.00 USD in billing" in row["held"]["document"]["reason"]


async def test_a_lost_answer_makes_no_second_invoice(billed: World) -> None:
    contact, _ = await pair(billed)
    await billed.fault(billed.ninja, kind="drop_after", method="POST", path="^/api/v1/invoices$", times=1)
    await add_invoice(billed, contact)

    async def arrived() -> bool:
        return [row["state"] for row in await links(billed)] == ["ok"]

    await until(arrived)
    assert len(await invoices(billed)) == 1


async def test_a_number_that_is_taken_is_made_of_the_highlevel_id(billed: World) -> None:
    contact, client = await pair(billed)
    await enter(billed, client, number="1", cost=7)
    await billed.quiet()
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    assert {each["number"] for each in await invoices(billed)} == {"1", f"HL-{invoice}"}


async def test_the_same_invoice_entered_by_people_on_both_sides_is_one_and_not_charged_twice(billed: World) -> None:
    """Same client, number and sum: it is the partner, and none of its lines is touched."""
    contact, client = await pair(billed)
    mine = await enter(billed, client, number="1", cost=49.99, quantity=3)
    await billed.quiet()
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    (made,) = await invoices(billed)
    (row,) = await billed.rows("links", object="invoice", state="ok")
    assert (row["crm_id"], row["billing_id"], made["id"]) == (invoice, mine, mine)
    assert made["line_items"][0]["product_key"] == ""


async def test_payments_are_recorded_once_each_and_their_echo_is_silent(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    await billed.forget_calls()
    await act(billed, invoice, "pay", amount=49.97)
    await billed.quiet()
    writes = [each["path"] for each in await billed.calls(billed.ninja, "POST")]
    assert sorted(set(writes)) == ["/api/v1/invoices/bulk", "/api/v1/payments"]  # marked as sent, and paid
    assert writes.count("/api/v1/payments") == 1
    await act(billed, invoice, "pay")
    await until(lambda: _two(billed))
    await billed.quiet()
    (made,) = await invoices(billed)
    assert (made["status_id"], made["balance"], made["paid_to_date"]) == ("4", 0, 149.97)
    first, second = sorted(await payments(billed), key=lambda each: float(each["amount"]))
    assert (first["amount"], second["amount"], first["client_id"]) == (49.97, 100, client)
    assert {row["crm_id"] for row in await links(billed, "payment")} == {
        first["transaction_reference"],
        second["transaction_reference"],
    }
    assert await billed.calls(billed.highlevel, "POST") == []
    assert await mails(billed) == 0


async def _two(world: World) -> bool:
    return len(await payments(world)) == 2


async def test_a_lost_answer_makes_no_second_payment(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    await billed.fault(billed.ninja, kind="drop_after", method="POST", path="^/api/v1/payments$", times=1)
    await act(billed, invoice, "pay", amount=50)
    await until(lambda: billed.rows("links", object="payment", state="ok"))
    assert [each["amount"] for each in await payments(billed)] == [50]


async def test_a_payment_that_billing_has_already_is_not_recorded_again(billed: World) -> None:
    """Entered by a person in Invoice Ninja on the same day: the same one, or another? A person says."""
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    (made,) = await invoices(billed)
    await act(billed, invoice, "send", action="send_manually")
    await billed.quiet()
    today = (await billed.highlevel.get(f"/invoices/{invoice}", params=WHERE)).json()["updatedAt"][:10]
    body = {"client_id": client, "amount": 50, "date": today, "invoices": [{"invoice_id": made["id"], "amount": 50}]}
    (await billed.ninja.post("/api/v1/payments", json=body)).raise_for_status()
    await billed.quiet()
    await act(billed, invoice, "pay", amount=50)
    (row,) = await until(lambda: billed.rows("links", object="payment", state="conflict"))
    assert "looks the same" in row["detail"]
    assert len(await payments(billed)) == 1


async def test_more_than_is_owed_is_refused_with_a_sentence(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    (made,) = await invoices(billed)
    body = {"client_id": client, "amount": 120, "invoices": [{"invoice_id": made["id"], "amount": 120}]}
    (await billed.ninja.post("/api/v1/payments", json=body)).raise_for_status()
    await billed.quiet()
    await act(billed, invoice, "pay", amount=50)
    (row,) = await until(lambda: billed.rows("links", object="payment", state="conflict"))
    assert row["detail"] == "50.00 USD were paid, and invoice 1 owes 29.97 USD in Invoice Ninja"


async def test_only_payments_go_to_the_invoice_of_the_same_number_and_sum(bare_world: World) -> None:
    await joined(bare_world, invoice={"enabled": True, "mode": "payments_only"}, payment={"enabled": True})
    contact, client = await pair(bare_world)
    await enter(bare_world, client, number="1", cost=49.99, quantity=3)
    await bare_world.quiet()
    first = await add_invoice(bare_world, contact)
    other = await add_invoice(bare_world, contact)
    await bare_world.quiet()
    await act(bare_world, first, "pay", amount=50)
    await act(bare_world, other, "pay", amount=60)
    await until(lambda: bare_world.rows("links", object="payment", state="ok"))
    await bare_world.quiet()
    (made,) = await invoices(bare_world)
    assert (made["paid_to_date"], made["line_items"][0]["product_key"]) == (50, "")
    (apart,) = await bare_world.rows("links", object="invoice", crm_id=other)
    assert (apart["state"], apart["problem"]) == ("excluded", "unmatched")


async def test_a_deleted_invoice_archives_its_mirror(billed: World) -> None:
    contact, _ = await pair(billed)
    invoice = await add_invoice(billed, contact)
    await billed.quiet()
    (await billed.highlevel.delete(f"/invoices/{invoice}", params=WHERE)).raise_for_status()
    await billed.quiet()
    assert await invoices(billed) == []
    assert len(await invoices(billed, "archived")) == 1


async def test_where_invoices_are_off_nothing_is_asked(bare_world: World) -> None:
    await joined(bare_world)
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    invoice = await add_invoice(bare_world, contact)
    await act(bare_world, invoice, "pay")
    await bare_world.quiet()
    assert [await bare_world.calls(vendor) for vendor in (bare_world.ninja, bare_world.highlevel)] == [[], []]


async def test_a_new_invoice_costs_three_calls_and_its_echo_two(billed: World) -> None:
    contact, _ = await pair(billed)
    await billed.forget_calls()
    await add_invoice(billed, contact)
    await until(lambda: billed.rows("events", kind="EVENT_CREATE_INVOICE", state="done"))
    await billed.quiet()
    calls = [each for vendor in (billed.highlevel, billed.ninja) for each in await billed.calls(vendor)]
    assert len(calls) <= 3 + 2

"""What happens to documents and payments, told once each as a note of the contact, between the service and both."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.sync.records import Side
from app.sync.store import LinkRow, Store, Target
from tests.conftest import World, connect, until
from tests.flows.resting import swept, unhurried
from tests.flows.test_balance import add_invoice, day, pay, refund
from tests.flows.test_notes import activities
from tests.flows.test_tasks import pair


@pytest.fixture
async def noticed(bare_world: World) -> World:
    await connect(bare_world, notice={"enabled": True})
    return bare_world


async def add(world: World, path: str, client: str, amount: Any, **more: Any) -> Any:
    body = {"client_id": client, "line_items": [{"cost": amount, "quantity": 1}], **more}
    return (await world.ninja.post(f"/api/v1/{path}", json=body)).raise_for_status().json()["data"]


async def act(world: World, path: str, action: str, id_: str) -> None:
    (await world.ninja.post(f"/api/v1/{path}/bulk", json={"action": action, "ids": [id_]})).raise_for_status()


async def poll(world: World) -> None:
    await swept(world)


async def notes(world: World, contact: str) -> list[str]:
    answer = await world.highlevel.get(f"/contacts/{contact}/notes")
    return sorted(each["body"] for each in answer.raise_for_status().json()["notes"])


async def told(world: World, contact: str, *texts: str) -> None:
    """These notes and no others, also when nothing is left to do."""

    async def all_there() -> bool:
        return len(await notes(world, contact)) >= len(texts)

    await until(all_there, 20, f"never {len(texts)} notes")
    await world.quiet()
    assert await notes(world, contact) == sorted(texts)


async def test_each_step_of_an_invoice_is_one_note(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 100, due_date=day(30))
    number = invoice["number"]
    steps = [f"Invoice {number} over 100.00 USD was sent."]
    await told(noticed, contact, *steps)

    first = await pay(noticed, client, invoice["id"], 40)
    steps.append(f"Invoice {number} is partly paid: 60.00 of 100.00 USD are still open.")
    await told(noticed, contact, *steps)
    await pay(noticed, client, invoice["id"], 60)
    steps.append(f"Invoice {number} over 100.00 USD is paid.")
    await told(noticed, contact, *steps)

    await refund(noticed, first["id"], invoice["id"], 15)
    steps.append(f"Of payment {first['number']}, 15.00 USD were refunded.")
    steps.append(f"Invoice {number} is partly paid: 15.00 of 100.00 USD are still open.")
    await told(noticed, contact, *steps)
    assert "emails" not in (await noticed.ninja.get("/_control/state")).json()


async def test_an_invoice_that_is_viewed_through_its_link_is_found_by_polling_and_told_once(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 20)
    sent = f"Invoice {invoice['number']} over 20.00 USD was sent."
    await told(noticed, contact, sent)
    async with httpx.AsyncClient(trust_env=False) as customer:
        (await customer.get(invoice["invitations"][0]["link"])).raise_for_status()
        await poll(noticed)
        viewed = f"Invoice {invoice['number']} was viewed on {day(0)}."
        await told(noticed, contact, sent, viewed)
        (await customer.get(invoice["invitations"][0]["link"])).raise_for_status()
    await poll(noticed)
    await told(noticed, contact, sent, viewed)


async def test_an_invoice_that_gets_overdue_is_found_by_polling_and_told_once(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 20, due_date=day(3))
    sent = f"Invoice {invoice['number']} over 20.00 USD was sent."
    await told(noticed, contact, sent)
    await poll(noticed)
    await told(noticed, contact, sent)
    await noticed.ninja.put(f"/api/v1/invoices/{invoice['id']}", json={"due_date": day(-2)})
    for _ in range(2):
        await poll(noticed)
        overdue = f"Invoice {invoice['number']} is overdue since {day(-2)}: 20.00 USD are open."
        await told(noticed, contact, sent, overdue)


async def test_a_quote_is_sent_approved_or_expires(noticed: World) -> None:
    contact, client = await pair(noticed)
    quote = await add(noticed, "quotes", client, 70)
    await noticed.quiet()
    assert await notes(noticed, contact) == []  # a draft
    await act(noticed, "quotes", "mark_sent", quote["id"])
    await poll(noticed)  # no event tells of it
    sent = f"Quote {quote['number']} over 70.00 USD was sent."
    await told(noticed, contact, sent)
    await act(noticed, "quotes", "approve", quote["id"])
    approved = f"Quote {quote['number']} over 70.00 USD was approved."
    await told(noticed, contact, sent, approved)

    late = await add(noticed, "quotes", client, 5, due_date=day(-1))
    await act(noticed, "quotes", "mark_sent", late["id"])
    await poll(noticed)
    expired = [f"Quote {late['number']} over 5.00 USD was sent.", f"Quote {late['number']} expired on {day(-1)}."]
    await told(noticed, contact, sent, approved, *expired)


async def test_issue_admin_portal_695_a_credit_that_is_marked_as_sent_without_an_event_is_told(noticed: World) -> None:
    contact, client = await pair(noticed)
    credit = await add(noticed, "credits", client, 12.5)
    await poll(noticed)
    await noticed.quiet()
    assert await notes(noticed, contact) == []
    await act(noticed, "credits", "mark_sent", credit["id"])
    for _ in range(2):
        await poll(noticed)
        await told(noticed, contact, f"Credit {credit['number']} over 12.50 USD was made.")


async def test_a_cancelled_invoice_and_a_deleted_payment_are_told(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 30)
    sent = f"Invoice {invoice['number']} over 30.00 USD was sent."
    payment = await pay(noticed, client, invoice["id"], 10)
    partial = f"Invoice {invoice['number']} is partly paid: 20.00 of 30.00 USD are still open."
    await told(noticed, contact, sent, partial)
    await act(noticed, "payments", "delete", payment["id"])
    deleted = f"Payment {payment['number']} over 10.00 USD was deleted."
    await told(noticed, contact, sent, partial, deleted)
    await act(noticed, "invoices", "cancel", invoice["id"])
    await told(noticed, contact, sent, partial, deleted, f"Invoice {invoice['number']} was cancelled.")


async def test_the_owner_says_what_is_told_and_in_which_words(bare_world: World) -> None:
    thanks = "¡Gracias, {client}! {amount} {currency}, {date}"
    wording = {"invoice_sent": "", "invoice_paid": "", "payment_received": thanks}
    await connect(bare_world, notice={"enabled": True, "wording": wording})
    contact, client = await pair(bare_world)
    invoice = await add_invoice(bare_world, client, 80.5)
    payment = await pay(bare_world, client, invoice["id"], 80.5)
    await told(bare_world, contact, f"¡Gracias, Ada Lovelace! 80.50 USD, {payment['date']}")
    await poll(bare_world)
    await told(bare_world, contact, f"¡Gracias, Ada Lovelace! 80.50 USD, {payment['date']}")


@pytest.mark.parametrize("text", ["{nobody}", "{amount!r}", "{amount:>10}", "{", "x" * 1001])
async def test_a_wording_that_cannot_be_filled_in_is_refused(noticed: World, text: str) -> None:
    settings = {"notice": {"enabled": True, "wording": {"invoice_sent": text}}}
    answer = await noticed.admin.patch(f"/api/v1/bridges/{noticed.bridge_id}", json={"settings": settings})
    assert answer.status_code in (400, 422), answer.text


async def test_doubled_and_reordered_news_and_the_same_by_polling_are_one_note_each(noticed: World) -> None:
    contact, client = await pair(noticed)
    for fault in ({"kind": "duplicate", "share": 1.0}, {"kind": "reorder", "share": 0.5}):
        (await noticed.ninja.post("/_control/webhook-faults", json=fault)).raise_for_status()
    texts = []
    for amount in range(1, 5):
        invoice = await add_invoice(noticed, client, amount)
        await poll(noticed)
        await pay(noticed, client, invoice["id"], amount)
        texts.append(f"Invoice {invoice['number']} over {amount}.00 USD was sent.")
        texts.append(f"Invoice {invoice['number']} over {amount}.00 USD is paid.")
    await poll(noticed)
    await told(noticed, contact, *texts)
    await poll(noticed)
    await told(noticed, contact, *texts)


async def test_what_an_event_told_of_is_not_told_again_after_an_edit(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 9)
    sent = f"Invoice {invoice['number']} over 9.00 USD was sent."
    await told(noticed, contact, sent)
    (note,) = (await noticed.highlevel.get(f"/contacts/{contact}/notes")).json()["notes"]
    await noticed.highlevel.put(f"/contacts/{contact}/notes/{note['id']}", json={"body": "mine now"})
    dearer = {"line_items": [{"cost": 11, "quantity": 1}]}
    await noticed.ninja.put(f"/api/v1/invoices/{invoice['id']}", json=dearer)
    await noticed.quiet()
    await poll(noticed)
    await told(noticed, contact, "mine now")


async def test_a_note_whose_answer_is_lost_is_not_written_again(noticed: World) -> None:
    contact, client = await pair(noticed)
    await noticed.fault(
        noticed.highlevel, kind="drop_after", method="POST", path=f"^/contacts/{contact}/notes$", times=1
    )
    invoice = await add_invoice(noticed, client, 33)
    await until(lambda: noticed.rows("links", object="notice", state="ok"), 20)
    await told(noticed, contact, f"Invoice {invoice['number']} over 33.00 USD was sent.")
    written = [each["path"] for each in await noticed.calls(noticed.highlevel, "POST")]
    assert written.count(f"/contacts/{contact}/notes") == 1


async def next_second() -> None:
    """Vendors count in whole seconds."""
    now = datetime.now(UTC).replace(microsecond=0)

    async def is_over() -> bool:
        return datetime.now(UTC).replace(microsecond=0) > now

    await until(is_over)


async def test_what_was_there_before_is_not_told(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    old = await add_invoice(bare_world, client, 50, due_date=day(-5))
    await pay(bare_world, client, old["id"], 20)
    await bare_world.quiet()
    await next_second()
    settings = {"notice": {"enabled": True}}
    await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"settings": settings})
    await poll(bare_world)
    await bare_world.ninja.put(f"/api/v1/invoices/{old['id']}", json={"public_notes": "edited"})
    await bare_world.quiet()
    assert await notes(bare_world, contact) == []
    await pay(bare_world, client, old["id"], 30)
    await poll(bare_world)
    await told(bare_world, contact, f"Invoice {old['number']} over 50.00 USD is paid.")


async def test_switched_off_nothing_is_asked_and_nothing_is_written(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    await bare_world.forget_calls()
    invoice = await add_invoice(bare_world, client, 50, due_date=day(-5))
    await pay(bare_world, client, invoice["id"], 20)
    await bare_world.quiet()
    await poll(bare_world)
    await bare_world.quiet()
    assert await notes(bare_world, contact) == []
    assert [*await bare_world.calls(bare_world.ninja), *await bare_world.calls(bare_world.highlevel)] == []
    assert await bare_world.rows("links", object="notice") == []


async def test_a_notice_waits_until_its_client_has_a_contact(noticed: World) -> None:
    await noticed.fault(noticed.highlevel, kind="status", status=503, method="POST", path="^/contacts/$", times=3)
    made = await noticed.add_client(name="Late", contacts=[{"first_name": "Lata", "email": "lata@example.com"}])
    invoice = await add_invoice(noticed, made["id"], 44)
    waiting = await until(lambda: noticed.rows("links", object="notice", state="waiting_for_parent"))
    assert waiting[0]["tries"] == 0
    (link,) = await until(lambda: noticed.rows("links", object="contact", state="ok"), 20)
    await told(noticed, link["crm_id"], f"Invoice {invoice['number']} over 44.00 USD was sent.")


async def test_a_notice_costs_two_calls_and_a_quiet_round_of_polling_six(noticed: World) -> None:
    contact, client = await pair(noticed)
    invoice = await add_invoice(noticed, client, 44)
    sent = f"Invoice {invoice['number']} over 44.00 USD was sent."
    await told(noticed, contact, sent)
    await unhurried(noticed)
    await noticed.forget_calls()
    await pay(noticed, client, invoice["id"], 44)
    await told(noticed, contact, sent, f"Invoice {invoice['number']} over 44.00 USD is paid.")
    calls = [*await noticed.calls(noticed.ninja), *await noticed.calls(noticed.highlevel)]
    asked = [f"GET /api/v1/invoices/{invoice['id']}", f"POST /contacts/{contact}/notes"]
    assert [f"{each['method']} {each['path']}" for each in calls] == asked
    await noticed.forget_calls()
    await poll(noticed)
    await noticed.quiet()
    paths = [each["path"].rpartition("/")[2] for each in await noticed.calls(noticed.ninja)]
    assert paths == ["invoices", "invoices", "quotes", "quotes", "credits", "payments"]
    assert await noticed.calls(noticed.highlevel) == []


@pytest.mark.parametrize("lost", [False, True], ids=["answered", "lost"])
async def test_a_notice_does_not_come_back_as_a_note_of_the_client(bare_world: World, lost: bool) -> None:
    await connect(bare_world, notice={"enabled": True}, note={"enabled": True})
    contact, client = await pair(bare_world)
    path = f"^/contacts/{contact}/notes$"
    if lost:
        await bare_world.fault(bare_world.highlevel, kind="drop_after", method="POST", path=path, times=1)
    invoice = await add_invoice(bare_world, client, 33)
    sent = f"Invoice {invoice['number']} over 33.00 USD was sent."
    await told(bare_world, contact, sent)
    await bare_world.highlevel.post(f"/contacts/{contact}/notes", json={"body": "A person's own."})
    await until(lambda: bare_world.rows("links", object="note", state="ok"), 20)
    await bare_world.quiet()
    assert await activities(bare_world, client) == ["A person's own."]
    excluded = await bare_world.rows("links", object="note", state="excluded")
    assert [each["problem"] for each in excluded] == ["apart"]
    assert len(await bare_world.rows("links", object="notice", state="ok")) == 1


async def test_a_notice_settled_in_the_moment_of_asking_does_not_come_back_either(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note's job finds nothing of it yet, and is heard again only once the notice's job has ended."""
    await connect(bare_world, notice={"enabled": True}, note={"enabled": True})
    contact, client = await pair(bare_world)
    find = Store.find

    async def find_and_dawdle(self: Store, target: Target, side: Side, external_id: str) -> Any:
        found = await find(self, target, side, external_id)
        if target.object == "notice" and target.side is Side.CRM and found is None:
            await until(lambda: bare_world.rows("links", object="notice", state="ok"))
        return found

    monkeypatch.setattr(Store, "find", find_and_dawdle)
    path = f"^/contacts/{contact}/notes$"
    await bare_world.fault(bare_world.highlevel, kind="drop_after", method="POST", path=path, times=1)
    invoice = await add_invoice(bare_world, client, 33)
    await told(bare_world, contact, f"Invoice {invoice['number']} over 33.00 USD was sent.")
    (note,) = await until(lambda: bare_world.rows("links", object="note", state="excluded"))
    assert note["problem"] == "apart"
    assert await activities(bare_world, client) == []


async def claim_late(self: Store, target: Target, claim: Any = Store.claim) -> LinkRow | None:
    """As if the row were 70 s older than it is."""
    link: LinkRow | None = await claim(self, target)
    return replace(link, created_at=link.created_at - timedelta(seconds=70)) if link else None


async def test_while_an_outage_lasts_nobody_knows_whose_a_note_is(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the notice's create is lost, and for minutes the vendor says nothing of it."""
    await connect(bare_world, notice={"enabled": True}, note={"enabled": True})
    contact, client = await pair(bare_world)
    monkeypatch.setattr(Store, "claim", claim_late)
    path = f"^/contacts/{contact}/notes$"
    await bare_world.fault(bare_world.highlevel, kind="drop_after", method="POST", path=path, times=1)
    await bare_world.fault(bare_world.highlevel, kind="status", status=503, method="GET", path=path)
    await add_invoice(bare_world, client, 33)
    await until(lambda: bare_world.rows("links", object="note"))
    await asyncio.sleep(1)
    assert await activities(bare_world, client) == []
    await bare_world.highlevel.delete("/_control/faults")
    await until(lambda: bare_world.rows("links", object="note", state="excluded"))
    assert await activities(bare_world, client) == []

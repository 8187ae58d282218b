"""From an opportunity that is won to the invoice, and from its payment back to the contact."""

from decimal import Decimal
from typing import Any

from app.sandbox.stage import LOCATION
from app.sandbox.story import Story, expect

PIPELINE = "sandboxPipeline0001"
VALUE = Decimal("1200.50")
DRAFT = "1"


async def won(story: Story) -> list[str]:
    body = {"pipelineId": PIPELINE, "locationId": LOCATION, "contactId": story.contact_id, "name": "New rose beds"}
    path, start = "/opportunities/", {**body, "status": "open", "monetaryValue": float(VALUE)}
    made = (await story.stage.highlevel.post(path, json=start)).raise_for_status().json()["opportunity"]
    await story.at_rest()
    expect(not await _invoices(story), "there is an invoice before the opportunity is won")
    story.begin()
    (await story.stage.highlevel.put(f"{path}{made['id']}", json={"status": "won"})).raise_for_status()
    await story.arrival(lambda: _invoices(story), "no invoice was made")
    await story.at_rest()
    invoice, *more = await _invoices(story)
    expect(not more, f"{1 + len(more)} invoices instead of one")
    story.invoice = invoice
    expect(invoice["status_id"] == DRAFT, "the invoice is no draft")
    expect(invoice["number"] == f"HL-{made['id']}", f"the invoice has the number {invoice['number']}")
    expect(_money(invoice["amount"]) == VALUE, f"the invoice is over {invoice['amount']}")
    (line,) = invoice["line_items"]
    expect(not await story.mails(), "Invoice Ninja sent an e-mail")
    return [
        f"draft {invoice['number']} “{line['notes']}” over {VALUE}, due {invoice['due_date']}; there was none before",
        "Invoice Ninja sent no e-mail to anybody",
    ]


async def paid(story: Story) -> list[str]:
    expect(story.invoice, "there is no invoice to be paid")
    sent = {"action": "mark_sent", "ids": [story.invoice["id"]]}
    (await story.stage.ninja.post("/api/v1/invoices/bulk", json=sent)).raise_for_status()
    owes = {"Balance due": VALUE, "Lifetime value": Decimal(0)}
    await story.arrival(lambda: _stands(story, owes, "invoice-sent"), "HighLevel does not say what is due")
    await story.at_rest()
    story.begin()
    part = {"invoice_id": story.invoice["id"], "amount": float(VALUE)}
    body = {"client_id": story.client_id, "amount": float(VALUE), "invoices": [part]}
    (await story.stage.ninja.post("/api/v1/payments", json=body)).raise_for_status()
    has_paid = {"Balance due": Decimal(0), "Lifetime value": VALUE}
    await story.arrival(lambda: _stands(story, has_paid, "paid"), "HighLevel does not say that it was paid")
    note = await story.arrival(lambda: _note(story, "paid"), "no note tells of the payment")
    expect(note.startswith(f"Invoice {story.invoice['number']} over {VALUE} "), f"the note says “{note}”")
    await story.at_rest()
    tags = (await story.contact(story.contact_id))["tags"]
    notes = await story.client_notes()
    expect(len(notes) == 1, f"our own note came back to Invoice Ninja: {notes}")
    expect("paid" in tags and "invoice-sent" not in tags, f"the contact has the tags {', '.join(tags)}")
    expect(not await story.mails(), "Invoice Ninja sent an e-mail")
    return [
        f"the contact has a note, “{note}”",
        f"its tags are {', '.join(tags)}; balance due {VALUE} -> 0, lifetime value 0 -> {VALUE}",
    ]


async def _invoices(story: Story) -> list[dict[str, Any]]:
    answer = await story.stage.ninja.get("/api/v1/invoices", params={"client_id": story.client_id, "per_page": "100"})
    return list(answer.raise_for_status().json()["data"])


async def _stands(story: Story, amounts: dict[str, Decimal], tag: str) -> bool:
    """Whether the contact's custom fields of these names have these amounts, and the tag is on it."""
    query = {"model": "contact"}
    answer = await story.stage.highlevel.get(f"/locations/{LOCATION}/customFields", params=query)
    names = {each["id"]: each["name"] for each in answer.raise_for_status().json()["customFields"]}
    contact = await story.contact(story.contact_id)
    there = {names[each["id"]]: each["value"] for each in contact["customFields"]}
    return tag in contact["tags"] and {name: _money(there.get(name)) for name in amounts} == amounts


async def _note(story: Story, word: str) -> str:
    answer = await story.stage.highlevel.get(f"/contacts/{story.contact_id}/notes")
    bodies = [str(each["body"]) for each in answer.raise_for_status().json()["notes"]]
    return next((each for each in bodies if f" {word}." in each), "")


def _money(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))

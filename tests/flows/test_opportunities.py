"""Opportunities that become quotes and draft invoices, between the running service and both simulators."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import rest, unhurried

PIPELINE = "sandboxPipeline0001"
ASKED, OFFERED, AGREED = (f"sandboxStage0001{place}" for place in range(3))
QUOTED = [{"status": "won", "make": "invoice"}, {"pipeline": "orders", "stage": "offered", "make": "quote"}]
OUTCOMES = [
    {"when": "quote_approved", "stage": "Agreed"},
    {"when": "invoice_sent", "stage": "Agreed"},
    {"when": "invoice_paid", "status": "won"},
]


async def connected(world: World, **settings: Any) -> World:
    await connect(world, opportunity={"enabled": True, **settings})
    return world


@pytest.fixture
async def deals(bare_world: World) -> World:
    """As an owner who quotes at a stage and invoices what is won."""
    return await connected(bare_world, rules=QUOTED, outcomes=OUTCOMES, item="Order: {name}")


async def pair(world: World, **fields: Any) -> tuple[str, str]:
    contact = await world.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.com", **fields)
    (made,) = await until(lambda: world.rows("links", object="contact", state="ok"), 20)
    await rest(world)
    return contact, str(made["billing_id"])


async def add(world: World, contact: str, **fields: Any) -> str:
    body = {"pipelineId": PIPELINE, "locationId": LOCATION, "contactId": contact, "name": "Garden", "status": "open"}
    answer = await world.highlevel.post("/opportunities/", json={**body, "monetaryValue": 1200.5, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["opportunity"]["id"])


async def change(world: World, opportunity: str, **fields: Any) -> None:
    (await world.highlevel.put(f"/opportunities/{opportunity}", json=fields)).raise_for_status()


async def opportunity_of(world: World, id_: str) -> dict[str, Any]:
    return dict((await world.highlevel.get(f"/opportunities/{id_}")).raise_for_status().json()["opportunity"])


async def papers(world: World, path: str, status: str = "active") -> list[dict[str, Any]]:
    answer = await world.ninja.get(f"/api/v1/{path}", params={"per_page": "500", "status": status})
    return list(answer.raise_for_status().json()["data"])


async def act(world: World, path: str, action: str, id_: str) -> None:
    """As a person does with a button."""
    body = {"action": action, "ids": [id_]}
    (await world.ninja.post(f"/api/v1/{path}/bulk", json=body)).raise_for_status()


async def pay(world: World, invoice: Mapping[str, Any], amount: float) -> None:
    part = {"invoice_id": invoice["id"], "amount": amount}
    body = {"client_id": invoice["client_id"], "amount": amount, "date": "2026-11-21", "invoices": [part]}
    (await world.ninja.post("/api/v1/payments", json=body)).raise_for_status()


async def link(world: World) -> dict[str, Any]:
    (row,) = await world.rows("links", object="opportunity")
    return row


async def calls(world: World) -> list[str]:
    asked = [each for vendor in (world.highlevel, world.ninja) for each in await world.calls(vendor)]
    return [f"{each['method']} {each['path']}" for each in asked]


async def emails(world: World) -> list[Any]:
    return list((await world.ninja.get("/_control/state")).json().get("emails", ()))


async def test_an_opportunity_that_is_won_becomes_a_draft_invoice_and_its_payment_comes_back(deals: World) -> None:
    contact, client = await pair(deals)
    id_ = await add(deals, contact)
    await rest(deals)
    assert await papers(deals, "invoices") == await papers(deals, "quotes") == []
    assert (await link(deals))["state"] == "excluded"

    await change(deals, id_, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    assert (made["client_id"], made["status_id"], made["number"]) == (client, "1", f"HL-{id_}")
    assert (made["amount"], made["is_amount_discount"]) == (1200.5, False)
    assert [each["notes"] for each in made["line_items"]] == ["Order: Garden"]
    assert (await link(deals))["billing_id"] == f"invoice/{made['id']}"

    await change(deals, id_, status="open")  # a person's own decision, until it is paid
    await act(deals, "invoices", "mark_sent", made["id"])
    await rest(deals)
    there = await opportunity_of(deals, id_)
    assert (there["status"], there["pipelineStageId"]) == ("open", AGREED)
    await pay(deals, made, 1200.5)
    await rest(deals)
    assert (await opportunity_of(deals, id_))["status"] == "won"
    assert await emails(deals) == []


async def test_the_due_date_is_so_many_days_from_today(bare_world: World) -> None:
    await connected(bare_world, due_days=30)
    contact, _ = await pair(bare_world)
    await add(bare_world, contact, status="won")
    await rest(bare_world)
    (made,) = await papers(bare_world, "invoices")
    day, due = (made[name] for name in ("date", "due_date"))
    assert (date.fromisoformat(due) - date.fromisoformat(day)).days == 30


async def test_a_stage_makes_a_quote_and_its_approval_moves_the_opportunity_on(deals: World) -> None:
    contact, client = await pair(deals)
    id_ = await add(deals, contact, pipelineStageId=OFFERED)
    await rest(deals)
    (quote,) = await papers(deals, "quotes")
    assert (quote["client_id"], quote["status_id"], quote["number"]) == (client, "1", f"HL-{id_}")
    await act(deals, "quotes", "approve", quote["id"])
    await rest(deals)
    there = await opportunity_of(deals, id_)
    assert (there["status"], there["pipelineStageId"]) == ("open", AGREED)


async def test_a_quote_that_is_converted_is_its_invoice_from_then_on(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, pipelineStageId=OFFERED)
    await rest(deals)
    (quote,) = await papers(deals, "quotes")
    await act(deals, "quotes", "convert_to_invoice", quote["id"])
    await rest(deals)
    (invoice,) = await papers(deals, "invoices")
    assert (await link(deals))["billing_id"] == f"invoice/{invoice['id']}"
    await pay(deals, invoice, 1200.5)
    await rest(deals)
    assert (await opportunity_of(deals, id_))["status"] == "won"
    assert len(await deals.rows("links", object="opportunity")) == 1


async def test_winning_what_was_quoted_converts_the_quote_and_makes_no_second_paper(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, pipelineStageId=OFFERED)
    await rest(deals)
    await change(deals, id_, status="won")
    await rest(deals)
    (quote,) = await papers(deals, "quotes")
    (invoice,) = await papers(deals, "invoices")
    assert (quote["status_id"], quote["invoice_id"], invoice["status_id"]) == ("4", invoice["id"], "1")
    assert (await link(deals))["billing_id"] == f"invoice/{invoice['id']}"


@pytest.mark.parametrize("status", ["lost", "abandoned"])
async def test_a_lost_opportunity_archives_its_quote_and_a_reopened_one_brings_it_back(
    deals: World, status: str
) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, pipelineStageId=OFFERED)
    await rest(deals)
    await change(deals, id_, status=status)
    await rest(deals)
    assert (await papers(deals, "quotes"), len(await papers(deals, "quotes", "archived"))) == ([], 1)
    await change(deals, id_, status="open")
    await rest(deals)
    assert len(await papers(deals, "quotes")) == 1
    assert (await opportunity_of(deals, id_))["status"] == "open"


async def test_a_lost_opportunity_never_puts_away_an_invoice_that_was_sent(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (invoice,) = await papers(deals, "invoices")
    await act(deals, "invoices", "mark_sent", invoice["id"])
    await rest(deals)
    await change(deals, id_, status="lost")
    await rest(deals)
    (invoice,) = await papers(deals, "invoices")
    assert invoice["archived_at"] == 0
    assert (await link(deals))["held"]["live"]["reason"] == "an invoice that was sent is not put away"


@pytest.mark.parametrize(("archive_drafts", "left"), [(True, 0), (False, 1)])
async def test_a_draft_invoice_of_a_lost_opportunity_is_archived_by_the_setting(
    bare_world: World, archive_drafts: bool, left: int
) -> None:
    await connected(bare_world, archive_drafts=archive_drafts)
    contact, _ = await pair(bare_world)
    id_ = await add(bare_world, contact, status="won")
    await rest(bare_world)
    await change(bare_world, id_, status="lost")
    await rest(bare_world)
    assert len(await papers(bare_world, "invoices")) == left


async def test_a_new_value_and_name_go_to_the_draft_and_nothing_else_of_it_changes(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    whole = {**made, "public_notes": "By hand", "due_date": "2027-01-31"}
    (await deals.ninja.put(f"/api/v1/invoices/{made['id']}", json=whole)).raise_for_status()
    await change(deals, id_, monetaryValue=900, name="Garden, smaller")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    assert (made["amount"], made["line_items"][0]["notes"]) == (900, "Order: Garden, smaller")
    assert (made["public_notes"], made["due_date"], made["date"]) == ("By hand", "2027-01-31", whole["date"])


EDITS = {
    "another cost": [{"notes": "Order: Garden", "quantity": 1, "cost": 1000}],
    "a second line": [{"notes": "Order: Garden", "quantity": 1, "cost": 1200.5}, {"notes": "Ride", "cost": 9}],
    "another quantity": [{"notes": "Order: Garden", "quantity": 2, "cost": 600.25}],
}


@pytest.mark.parametrize("edit", EDITS)
async def test_lines_that_people_have_edited_are_never_overwritten(deals: World, edit: str) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    lines = {"line_items": EDITS[edit]}
    (await deals.ninja.put(f"/api/v1/invoices/{made['id']}", json={**made, **lines})).raise_for_status()
    await rest(deals)
    (before,) = await papers(deals, "invoices")
    for amount in (900, 950):
        await change(deals, id_, monetaryValue=amount)
        await rest(deals)
    (after,) = await papers(deals, "invoices")
    assert after["line_items"] == before["line_items"]
    row = await link(deals)
    assert (row["state"], row["held"]["amount"]["value"]) == ("ok", "950")
    assert "by hand" in row["held"]["amount"]["reason"]


async def test_a_sent_invoice_keeps_its_amount(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    await act(deals, "invoices", "mark_sent", made["id"])
    await rest(deals)
    await change(deals, id_, monetaryValue=1)
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    assert made["amount"] == 1200.5
    assert (await link(deals))["held"]["amount"]["reason"] == "it is sent already"


async def test_a_client_of_another_currency_is_a_conflict_and_nothing_is_made(deals: World) -> None:
    contact, client = await pair(deals)
    await deals.edit_client(client, settings={"currency_id": "3"})
    await add(deals, contact, status="won")
    (row,) = await until(lambda: deals.rows("links", object="opportunity", state="conflict"))
    assert row["detail"] == "the opportunity is worth 1200.5 USD, and its client is charged in EUR"
    await rest(deals)
    assert await papers(deals, "invoices") == []

    await deals.edit_client(client, settings={"currency_id": "1"})
    await rest(deals)
    (await deals.admin.post(f"/api/v1/jobs/{row['id']}/retry")).raise_for_status()
    await until(lambda: deals.rows("links", object="opportunity", state="ok"))
    assert len(await papers(deals, "invoices")) == 1


async def test_a_value_finer_than_a_coin_is_refused_and_nothing_is_made(deals: World) -> None:
    contact, _ = await pair(deals)
    await add(deals, contact, status="won", monetaryValue=10.005)
    (row,) = await until(lambda: deals.rows("links", object="opportunity", state="failed"))
    assert "finer than the currency's smallest coin" in row["detail"]
    assert await papers(deals, "invoices") == []


async def test_without_a_value_nothing_is_charged(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won", monetaryValue=0)
    await rest(deals)
    assert (await link(deals))["detail"] == "It has no value to charge."
    await change(deals, id_, monetaryValue=5)
    await rest(deals)
    assert [each["amount"] for each in await papers(deals, "invoices")] == [5]


async def test_a_lost_answer_makes_no_second_invoice(deals: World) -> None:
    contact, _ = await pair(deals)
    await deals.fault(deals.ninja, kind="drop_after", method="POST", path="^/api/v1/invoices$", times=1)
    await add(deals, contact, status="won")
    await until(lambda: deals.rows("links", object="opportunity", state="ok"))
    await rest(deals)
    assert len(await papers(deals, "invoices")) == 1


async def test_a_number_that_is_taken_is_the_invoice_that_was_made_before(deals: World) -> None:
    """As after a bridge was deleted and made again."""
    contact, client = await pair(deals)
    id_ = await add(deals, contact)
    await rest(deals)
    body = {"client_id": client, "number": f"HL-{id_}", "line_items": [{"notes": "Before", "quantity": 1, "cost": 7}]}
    (await deals.ninja.post("/api/v1/invoices", json=body)).raise_for_status()
    await change(deals, id_, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    row = await link(deals)
    assert (row["state"], row["billing_id"]) == ("ok", f"invoice/{made['id']}")
    assert made["amount"] == 7  # a first meeting overwrites no money
    assert row["held"]["amount"]["value"] == "1200.5"


async def test_doubled_and_reordered_deliveries_make_one_invoice(deals: World) -> None:
    contact, _ = await pair(deals)
    for kind in ("duplicate", "reorder"):
        await deals.highlevel.post("/_control/webhook-faults", json={"kind": kind, "share": 1.0})
    id_ = await add(deals, contact)
    await change(deals, id_, status="won")
    await change(deals, id_, monetaryValue=8)
    await until(lambda: deals.rows("links", object="opportunity", state="ok"))
    await rest(deals)
    await deals.highlevel.delete("/_control/webhook-faults")
    assert [each["amount"] for each in await papers(deals, "invoices")] == [8]


async def test_an_opportunity_waits_for_the_contact_that_it_belongs_to(deals: World) -> None:
    fault = {"kind": "status", "status": 503, "method": "POST", "path": "^/api/v1/clients$", "times": 2}
    await deals.fault(deals.ninja, **fault)
    contact = await deals.add_contact(firstName="Ada", email="ada@example.com")
    await add(deals, contact, status="won")
    (waiting,) = await until(lambda: deals.rows("links", object="opportunity", state="waiting_for_parent"))
    assert waiting["tries"] == 0
    await until(lambda: deals.rows("links", object="opportunity", state="ok"), 20)
    assert len(await papers(deals, "invoices")) == 1


async def test_a_deleted_opportunity_archives_its_draft_and_leaves_a_sent_invoice(deals: World) -> None:
    contact, _ = await pair(deals)
    first, second = [await add(deals, contact, status="won", name=name) for name in ("First", "Second")]
    await rest(deals)
    made = {each["number"]: each for each in await papers(deals, "invoices")}
    await act(deals, "invoices", "mark_sent", made[f"HL-{second}"]["id"])
    await rest(deals)
    for id_ in (first, second):
        (await deals.highlevel.delete(f"/opportunities/{id_}")).raise_for_status()
    await rest(deals)
    assert [each["number"] for each in await papers(deals, "invoices")] == [f"HL-{second}"]
    problems = {row["crm_id"]: row["problem"] for row in await deals.rows("links", object="opportunity")}
    assert problems == {first: "crm_gone_archived", second: "crm_gone"}


async def test_an_invoice_deleted_in_billing_is_not_made_again(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    (await deals.ninja.delete(f"/api/v1/invoices/{made['id']}")).raise_for_status()
    await rest(deals)
    await change(deals, id_, monetaryValue=3)
    await rest(deals)
    assert await papers(deals, "invoices") == []
    assert ((await link(deals))["state"], (await link(deals))["problem"]) == ("unlinked", "billing_gone")


async def test_other_invoices_and_quotes_cost_nothing(deals: World) -> None:
    _, client = await pair(deals)
    body = {"client_id": client, "line_items": [{"notes": "Own", "quantity": 1, "cost": 3}]}
    made = (await deals.ninja.post("/api/v1/invoices", json=body)).raise_for_status().json()["data"]
    await deals.forget_calls()
    await act(deals, "invoices", "mark_sent", made["id"])
    await pay(deals, made, 3)
    await until(lambda: deals.rows("events", kind="EVENT_CREATE_PAYMENT", state="done"))
    await rest(deals)
    assert await calls(deals) == []
    assert await deals.rows("links", object="opportunity") == []


async def test_a_change_and_its_echo_cost_no_more_than_they_must(deals: World) -> None:
    contact, client = await pair(deals)
    await unhurried(deals)
    await deals.forget_calls()
    id_ = await add(deals, contact, status="won")
    await until(lambda: deals.rows("links", object="opportunity", state="ok"))
    await rest(deals)
    asked = await calls(deals)
    assert [each for each in asked if not each.startswith("GET")] == ["POST /api/v1/invoices"]
    assert asked.count(f"GET /api/v1/clients/{client}") == 1
    assert len(asked) == 3 + 2  # and its echo
    await deals.forget_calls()
    await change(deals, id_, monetaryValue=900)
    await until(lambda: deals.rows("events", kind="EVENT_UPDATE_INVOICE", state="done"))
    await rest(deals)
    asked = await calls(deals)
    assert [each for each in asked if not each.startswith("GET")] == [
        f"PUT /api/v1/invoices/{(await papers(deals, 'invoices'))[0]['id']}"
    ]


async def test_a_stage_that_is_not_there_is_told_and_the_status_goes_all_the_same(bare_world: World) -> None:
    await connected(bare_world, outcomes=[{"when": "invoice_paid", "status": "won", "stage": "Nowhere"}],
                    rules=[{"stage": "Asked", "make": "invoice"}])  # fmt: skip
    contact, _ = await pair(bare_world)
    id_ = await add(bare_world, contact)
    await rest(bare_world)
    (made,) = await papers(bare_world, "invoices")
    await pay(bare_world, made, 1200.5)
    await rest(bare_world)
    there = await opportunity_of(bare_world, id_)
    assert (there["status"], there["pipelineStageId"]) == ("won", ASKED)
    assert (await link(bare_world))["held"]["stage"]["reason"] == "the pipeline “Orders” has no stage “Nowhere”"


async def test_a_part_payment_is_not_taken_for_all_of_it(deals: World) -> None:
    contact, _ = await pair(deals)
    id_ = await add(deals, contact, status="won")
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    await change(deals, id_, status="open")
    await pay(deals, made, 1)
    await rest(deals)
    assert (await opportunity_of(deals, id_))["status"] == "open"


@pytest.mark.parametrize("name", ["x" * 300, "عرض 🌱 <b>bold</b>", "{name}"])
async def test_odd_names_arrive_as_they_are(deals: World, name: str) -> None:
    contact, _ = await pair(deals)
    await add(deals, contact, status="won", name=name)
    await rest(deals)
    (made,) = await papers(deals, "invoices")
    assert made["line_items"][0]["notes"] == f"Order: {name}"


async def test_where_opportunities_are_off_nothing_is_asked(bare_world: World) -> None:
    await connect(bare_world)
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    await add(bare_world, contact, status="won")
    await rest(bare_world)
    (event,) = await bare_world.rows("events", kind="OpportunityCreate")
    assert (event["state"], event["outcome"]) == ("ignored", "opportunities are switched off on this bridge")
    assert await calls(bare_world) == []


async def test_where_nothing_goes_to_billing_nothing_is_made(bare_world: World) -> None:
    await connected(bare_world, direction="to_crm")
    contact, _ = await pair(bare_world)
    await add(bare_world, contact, status="won")
    await rest(bare_world)
    assert await papers(bare_world, "invoices") == []
    assert (await link(bare_world))["problem"] == "direction"

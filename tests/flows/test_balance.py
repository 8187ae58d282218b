"""What a client owes and has paid, as fields and tags of its contact, between the service and both simulators."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import swept
from tests.flows.test_tasks import pair

FIELDS = {
    "Balance due": "balance_due",
    "Lifetime value": "lifetime_value",
    "Days overdue": "days_overdue",
    "Last paid": "last_paid",
    "Portal link": "portal_link",
}


@pytest.fixture
async def billed(bare_world: World) -> World:
    await connect(bare_world, balance={"enabled": True})
    return bare_world


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


async def add_invoice(world: World, client: str, amount: Any = 100, *, flags: str = "mark_sent", **more: Any) -> Any:
    body = {"client_id": client, "line_items": [{"cost": amount, "quantity": 1}], **more}
    query = {flags: "true"} if flags else {}
    return (await world.ninja.post("/api/v1/invoices", json=body, params=query)).raise_for_status().json()["data"]


async def pay(world: World, client: str, invoice: str, amount: float) -> Any:
    body = {"client_id": client, "amount": amount, "invoices": [{"invoice_id": invoice, "amount": amount}]}
    return (await world.ninja.post("/api/v1/payments", json=body)).raise_for_status().json()["data"]


async def refund(world: World, payment: str, invoice: str, amount: float) -> None:
    body = {"id": payment, "date": day(0), "invoices": [{"invoice_id": invoice, "amount": amount}]}
    (await world.ninja.post("/api/v1/payments/refund", json=body)).raise_for_status()


async def definitions(world: World) -> list[dict[str, Any]]:
    answer = await world.highlevel.get(f"/locations/{LOCATION}/customFields", params={"model": "contact"})
    return list(answer.raise_for_status().json()["customFields"])


async def standing(world: World, contact: str) -> dict[str, Any]:
    """The contact's fields of the balance by their names, and its tags."""
    names = {each["id"]: FIELDS[each["name"]] for each in await definitions(world) if each["name"] in FIELDS}
    found = await world.contact(contact)
    values = {names[each["id"]]: each["value"] for each in found["customFields"] if names.get(each["id"])}
    return {**values, "tags": set(found["tags"])}


async def settled(world: World, contact: str, **wanted: Any) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        now = await standing(world, contact)
        return now if all(now.get(name) == value for name, value in wanted.items()) else None

    await until(reached, 20, f"never {wanted}")
    await world.quiet()
    return await standing(world, contact)


async def test_an_invoice_its_payments_and_a_refund_are_followed(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100.5, due_date=day(-10))
    now = await settled(billed, contact, balance_due=100.5)
    assert (now["lifetime_value"], now["days_overdue"]) == (0, 10)
    assert now["tags"] == {"invoice-sent", "invoice-overdue"}
    person = (await billed.client(client))["contacts"][0]
    assert now["portal_link"] == person["link"]
    assert {each["name"]: each["dataType"] for each in await definitions(billed)}["Balance due"] == "MONETORY"

    first = await pay(billed, client, invoice["id"], 40.25)
    now = await settled(billed, contact, balance_due=60.25, lifetime_value=40.25)
    assert now["tags"] == {"invoice-sent", "invoice-overdue", "partially-paid"}
    await pay(billed, client, invoice["id"], 60.25)
    now = await settled(billed, contact, balance_due=0, lifetime_value=100.5)
    assert (now["tags"], now["days_overdue"], now["last_paid"]) == ({"paid"}, 0, day(0))

    await refund(billed, first["id"], invoice["id"], 40.25)
    now = await settled(billed, contact, balance_due=40.25, lifetime_value=60.25)
    assert now["tags"] == {"invoice-sent", "invoice-overdue", "partially-paid", "refunded"}
    assert "emails" not in (await billed.ninja.get("/_control/state")).json()


async def test_a_change_costs_three_calls_and_its_echo_writes_nothing(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 100)
    await pay(billed, client, invoice["id"], 10)
    await settled(billed, contact, balance_due=90, lifetime_value=10)
    await billed.forget_calls()
    await pay(billed, client, invoice["id"], 20)
    await settled(billed, contact, balance_due=70, lifetime_value=30)
    ninja, highlevel = await billed.calls(billed.ninja), await billed.calls(billed.highlevel)
    assert [each["path"] for each in ninja if "invoices" in each["path"]] == ["/api/v1/invoices"]
    assert [each["method"] for each in [*ninja, *highlevel] if each["method"] != "GET"] == ["PUT"]
    assert len(ninja) + len(highlevel) <= 3 + 2  # the echo: two reads of the contact's pair


async def test_tags_cost_one_call_each_way_and_nobody_elses_is_touched(billed: World) -> None:
    contact, client = await pair(billed)
    await billed.highlevel.post(f"/contacts/{contact}/tags", json={"tags": ["vip", "newsletter"]})
    invoice = await add_invoice(billed, client, 50)
    await settled(billed, contact, balance_due=50)
    await billed.forget_calls()
    await pay(billed, client, invoice["id"], 50)
    now = await settled(billed, contact, balance_due=0, tags={"vip", "newsletter", "paid"})
    assert now["lifetime_value"] == 50
    calls = await billed.calls(billed.highlevel)
    assert sorted(each["method"] for each in calls if each["path"].endswith("/tags")) == ["DELETE", "POST"]


async def test_missing_custom_fields_are_made_once_whoever_needs_them_first(billed: World) -> None:
    clients = [
        await billed.add_client(name=f"Client {n}", contacts=[{"first_name": f"C{n}", "email": f"c{n}@example.com"}])
        for n in range(6)
    ]
    for each in clients:
        await add_invoice(billed, each["id"], 10)

    async def all_there() -> bool:
        links = await billed.rows("links", object="balance", state="ok")
        return len(links) == len(clients)

    await until(all_there, 30)
    await billed.quiet()
    names = [each["name"] for each in await definitions(billed)]
    assert [names.count(name) for name in FIELDS] == [1] * len(FIELDS)


async def test_a_field_that_is_there_is_used_by_its_name_or_key(bare_world: World) -> None:
    for name in ("Owes", "Worth"):
        body = {"name": name, "dataType": "TEXT", "model": "contact"}
        (await bare_world.highlevel.post(f"/locations/{LOCATION}/customFields", json=body)).raise_for_status()
    off = {"days_overdue": "", "last_paid": "", "portal_link": ""}
    tags = dict.fromkeys(("sent", "viewed", "overdue", "partial", "paid", "refunded"), "") | {"overdue": "Late"}
    names = {"balance_due": "owes", "lifetime_value": "contact.worth", **off}
    await connect(bare_world, balance={"enabled": True, "custom_fields": names, "tags": tags})
    contact, client = await pair(bare_world)
    before = await definitions(bare_world)
    await add_invoice(bare_world, client, 12.5, due_date=day(-3))

    async def written() -> bool:
        found = await bare_world.contact(contact)
        return found["tags"] == ["late"] and [each["value"] for each in found["customFields"]] == ["12.50", "0.00"]

    await until(written, 20)
    assert await definitions(bare_world) == before


async def lose_webhooks(world: World) -> None:
    hooks = (await world.ninja.get("/api/v1/webhooks", params={"per_page": "200"})).json()["data"]
    for each in hooks:
        await world.ninja.delete(f"/api/v1/webhooks/{each['id']}")


async def test_what_no_event_told_of_is_found_by_polling_with_few_calls(billed: World) -> None:
    contact, client = await pair(billed)
    invoice = await add_invoice(billed, client, 80)
    await settled(billed, contact, balance_due=80)
    await lose_webhooks(billed)
    await billed.ninja.put(f"/api/v1/invoices/{invoice['id']}", json={"due_date": day(-4)})
    await swept(billed)
    now = await settled(billed, contact, days_overdue=4)
    assert "invoice-overdue" in now["tags"]

    await pay(billed, client, invoice["id"], 80)
    await swept(billed)
    await settled(billed, contact, balance_due=0, days_overdue=0, tags={"paid"})
    await billed.forget_calls()
    await swept(billed)
    await billed.quiet()
    paths = [each["path"] for each in await billed.calls(billed.ninja)]
    assert paths == ["/api/v1/invoices", "/api/v1/clients"]
    assert await billed.calls(billed.highlevel) == []


async def test_switched_on_later_it_reaches_the_pairs_that_are_there(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    invoice = await add_invoice(bare_world, client, 30)
    await pay(bare_world, client, invoice["id"], 30)
    await bare_world.quiet()
    assert [each["path"] for each in await bare_world.calls(bare_world.ninja) if "invoices" in each["path"]] == []
    assert (await standing(bare_world, contact))["tags"] == set()
    settings = {"balance": {"enabled": True}}
    await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"settings": settings})
    await swept(bare_world)
    now = await settled(bare_world, contact, lifetime_value=30, balance_due=0)
    assert now["tags"] == {"paid"}


async def test_the_balance_of_a_client_waits_for_its_contact(billed: World) -> None:
    await billed.fault(billed.highlevel, kind="status", status=503, method="POST", path="^/contacts/$", times=3)
    made = await billed.add_client(name="Late", contacts=[{"first_name": "Lata", "email": "lata@example.com"}])
    await add_invoice(billed, made["id"], 44)
    waiting = await until(lambda: billed.rows("links", object="balance", state="waiting_for_parent"))
    assert waiting[0]["tries"] == 0
    (link,) = await until(lambda: billed.rows("links", object="balance", state="ok"), 20)
    assert link["billing_id"] == made["id"]
    await settled(billed, link["crm_id"], balance_due=44)


async def test_a_lost_answer_ends_in_the_same_fields_and_tags(billed: World) -> None:
    contact, client = await pair(billed)
    await billed.fault(billed.highlevel, kind="drop_after", method="PUT", path=f"^/contacts/{contact}$", times=1)
    await billed.fault(billed.highlevel, kind="drop_after", method="POST", path=f"^/contacts/{contact}/tags$", times=1)
    await billed.fault(billed.highlevel, kind="drop_after", method="POST", path="customFields$", times=1)
    await add_invoice(billed, client, 21)
    await settled(billed, contact, balance_due=21, tags={"invoice-sent"})
    names = [each["name"] for each in await definitions(billed)]
    assert [names.count(name) for name in FIELDS] == [1] * len(FIELDS)


async def test_a_contact_that_goes_takes_no_client_with_it_and_a_new_one_gets_the_balance(bare_world: World) -> None:
    await connect(bare_world, balance={"enabled": True}, contact={"crm_deleted": "keep"})
    contact, client = await pair(bare_world)
    await add_invoice(bare_world, client, 15)
    await settled(bare_world, contact, balance_due=15)
    await bare_world.highlevel.delete(f"/contacts/{contact}")
    await bare_world.quiet()
    await add_invoice(bare_world, client, 5)
    await bare_world.quiet()
    assert (await bare_world.client(client))["archived_at"] == 0
    (link,) = await bare_world.rows("links", object="balance")
    assert (link["state"], link["crm_id"]) == ("waiting_for_parent", None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": {"sent": "Money", "paid": "money"}},
        {"custom_fields": {"balance_due": "Sum", "lifetime_value": "sum"}},
        {"direction": "to_billing", "tags": 5},
    ],
)
async def test_settings_that_cannot_work_are_refused(billed: World, wrong: dict[str, Any]) -> None:
    settings = {"balance": {"enabled": True, **wrong}}
    answer = await billed.admin.patch(f"/api/v1/bridges/{billed.bridge_id}", json={"settings": settings})
    assert answer.status_code in (400, 422), answer.text

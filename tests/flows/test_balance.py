"""What a client owes and has paid, as custom fields and tags of its contact."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
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
    names = {each["id"]: FIELDS.get(each["name"]) for each in await definitions(world)}
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

"""Businesses and their contacts, both ways, between the running service and both simulators."""

from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until


@pytest.fixture
async def grouped(bare_world: World) -> World:
    """A bridge with businesses and tasks switched on; a move between businesses is told."""
    await connect(bare_world, business={"enabled": True}, task={"enabled": True})
    await bare_world.highlevel.post("/_control/settings", json={"business_move_is_told": True})
    records = {
        f"Record{what}": f"{bare_world.url}/webhooks/highlevel/Record{what}" for what in ("Create", "Update", "Delete")
    }
    told = (await bare_world.highlevel.get("/_control/webhooks")).json()["webhooks"]
    url = f"{bare_world.url}/webhooks/highlevel"
    await bare_world.highlevel.post("/_control/webhooks", json={"url": url, "events": {**told, **records}})
    return bare_world


async def add_business(world: World, name: str = "Acme", **fields: Any) -> str:
    body = {"name": name, "locationId": LOCATION, **fields}
    answer = await world.highlevel.post("/businesses/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["buiseness"]["id"])


async def join(world: World, business: str | None, *contacts: str) -> None:
    for contact in contacts:
        body = {"businessId": business}
        (await world.highlevel.patch(f"/_control/contacts/{contact}", json=body)).raise_for_status()


async def ada_and_bob(world: World, business: str) -> tuple[str, str]:
    """Two contacts of a business, in step."""
    ada = await world.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.com", phone="+14155550101")
    bob = await world.add_contact(firstName="Bob", lastName="Byte", email="bob@example.com")
    await join(world, business, ada, bob)
    await world.quiet()
    return ada, bob


async def company(world: World, name: str = "Acme") -> dict[str, Any]:
    (found,) = [each for each in await world.clients("active,archived") if each["name"] == name]
    return found


def emails(client: dict[str, Any]) -> list[str]:
    return sorted(each["email"] for each in client["contacts"])


async def links(world: World, object_: str = "contact") -> dict[str, dict[str, Any]]:
    return {row["crm_id"]: row for row in await world.rows("links", object=object_) if row["crm_id"]}


async def business_of(world: World, contact: str) -> str:
    return str((await world.contact(contact)).get("businessId") or "")


async def test_a_business_with_two_contacts_becomes_one_client_with_two(grouped: World) -> None:
    acme = await add_business(grouped, phone="+14155550100", website="https://acme.example", city="Berlin", country="DE")
    await grouped.quiet()
    ada, bob = await ada_and_bob(grouped, acme)
    client = await company(grouped)
    assert emails(client) == ["ada@example.com", "bob@example.com"]
    assert (client["phone"], client["website"], client["city"]) == ("+14155550100", "https://acme.example", "Berlin")
    rows = await links(grouped)
    ids = {each["email"]: each["id"] for each in client["contacts"]}
    assert rows[ada]["billing_id"] == f"{client['id']}/{ids['ada@example.com']}"
    assert rows[bob]["billing_id"] == f"{client['id']}/{ids['bob@example.com']}"
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert (await links(grouped, "business"))[acme]["billing_id"] == client["id"]

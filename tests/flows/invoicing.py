"""The hands of people on both sides, as far as they bill: invoices, payments, and what customers would have got."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.providers.highlevel.events import HANDLED, NAMELESS
from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import rest

WHERE = {"altId": LOCATION, "altType": "location"}
DATES = {"issueDate": "2026-11-20", "dueDate": "2026-12-20"}
VAT = {"_id": "vat20", "name": "VAT", "rate": 20}
WORK = {"name": "Work", "description": "In May", "currency": "USD", "amount": 49.99, "qty": 3}


async def joined(world: World, **settings: Any) -> World:
    """Connected, and each event that does not name itself has its own address, as the README says."""
    await connect(world, **settings)
    url = f"{world.url}/webhooks/highlevel"
    own = {name: f"{url}/{name}" for name in NAMELESS & HANDLED.keys()}
    (await world.highlevel.post("/_control/webhooks", json={"url": url, "events": own})).raise_for_status()
    return world


async def pair(world: World, **fields: Any) -> tuple[str, str]:
    """A contact and its client."""
    person = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com", "phone": "+12125550147"}
    contact = await world.add_contact(**{**person, **fields})
    (made,) = await until(lambda: world.rows("links", object="contact", state="ok", crm_id=contact), 20)
    await rest(world)
    return contact, str(made["billing_id"])


async def add(world: World, contact: str, *items: Mapping[str, Any], **fields: Any) -> str:
    """An invoice in HighLevel; returns its id when all has come to rest."""
    body = {
        **WHERE,
        **DATES,
        "name": "May",
        "businessDetails": {"name": "Cranes Ltd"},
        "currency": "USD",
        "items": list(items or (WORK,)),
        "discount": {"type": "fixed", "value": 0},
        "contactDetails": {"id": contact, "name": "Ada", "email": "ada@example.com", "phoneNo": "+12125550147"},
        "sentTo": {"email": ["ada@example.com"]},
        "liveMode": True,
        **fields,
    }
    answer = await world.highlevel.post("/invoices/", json=body)
    assert answer.status_code == 200, answer.text
    await rest(world)
    return str(answer.json()["_id"])


async def edit(world: World, invoice: str, *items: Mapping[str, Any]) -> None:
    body = {**WHERE, **DATES, "name": "May", "currency": "USD", "invoiceItems": list(items)}
    answer = await world.highlevel.put(f"/invoices/{invoice}", json=body)
    assert answer.status_code == 200, answer.text
    await rest(world)


async def act(world: World, invoice: str, deed: str, **body: Any) -> None:
    """`pay`, `send` or `void` in HighLevel. Its own e-mails are not ours: an invoice is sent by hand."""
    body = {"action": "send_manually", **body} if deed == "send" else body
    (await world.highlevel.post(f"/_control/invoices/{invoice}/{deed}", json=body)).raise_for_status()
    await rest(world)


async def invoice_of(world: World, invoice: str) -> dict[str, Any]:
    return dict((await world.highlevel.get(f"/invoices/{invoice}", params=WHERE)).raise_for_status().json())


async def today(world: World, days: int = 0) -> str:
    """Or so many days later. Of the location, which says on which day its payments were: it may not be ours."""
    place = (await world.highlevel.get(f"/locations/{LOCATION}")).raise_for_status().json()["location"]
    return (datetime.now(ZoneInfo(place["timezone"])).date() + timedelta(days)).isoformat()


async def theirs(world: World) -> list[dict[str, Any]]:
    """All invoices of HighLevel."""
    answer = await world.highlevel.get("/invoices/", params={**WHERE, "limit": "100", "offset": "0"})
    return list(answer.raise_for_status().json()["invoices"])


async def transactions(world: World) -> list[dict[str, Any]]:
    answer = await world.highlevel.get("/payments/transactions", params={**WHERE, "limit": "100", "offset": "0"})
    return list(answer.raise_for_status().json()["data"])


async def enter(world: World, client: str, *, number: str, **line: Any) -> str:
    """An invoice that a person makes in Invoice Ninja."""
    body = {"client_id": client, "number": number, "date": "2026-11-20", "line_items": [{"quantity": 1, **line}]}
    answer = await world.ninja.post("/api/v1/invoices", json=body)
    await rest(world)
    return str(answer.raise_for_status().json()["data"]["id"])


async def change(world: World, id_: str, **line: Any) -> None:
    """The first line of an invoice in Invoice Ninja."""
    (found,) = [each for each in await invoices(world) if each["id"] == id_]
    items = [{**found["line_items"][0], **line}, *found["line_items"][1:]]
    answer = await world.ninja.put(f"/api/v1/invoices/{id_}", json={**found, "line_items": items})
    answer.raise_for_status()
    await rest(world)


async def press(world: World, action: str, id_: str, path: str = "invoices") -> None:
    """As a person does with a button in Invoice Ninja."""
    body = {"action": action, "ids": [id_]}
    (await world.ninja.post(f"/api/v1/{path}/bulk", json=body)).raise_for_status()
    await rest(world)


async def take(world: World, client: str, invoice: str, amount: float, **fields: Any) -> str:
    """A payment that a person enters in Invoice Ninja, without a receipt."""
    part = {"invoice_id": invoice, "amount": amount}
    body = {"client_id": client, "amount": amount, "date": "2026-11-21", "invoices": [part], **fields}
    answer = await world.ninja.post("/api/v1/payments?email_receipt=false", json=body)
    assert answer.status_code == 200, answer.text
    await rest(world)
    return str(answer.json()["data"]["id"])


async def invoices(world: World, status: str = "active") -> list[dict[str, Any]]:
    return await _listed(world, "invoices", status)


async def payments(world: World, status: str = "active") -> list[dict[str, Any]]:
    return await _listed(world, "payments", status)


async def _listed(world: World, path: str, status: str) -> list[dict[str, Any]]:
    answer = await world.ninja.get(f"/api/v1/{path}", params={"per_page": "500", "status": status})
    return list(answer.raise_for_status().json()["data"])


async def links(world: World, object_: str = "invoice", **like: Any) -> list[dict[str, Any]]:
    return await world.rows("links", object=object_, **like)


async def mails(world: World) -> int:
    """What customers would have got from either vendor."""
    there = (await world.highlevel.get("/_control/mails")).raise_for_status().json()
    here = (await world.ninja.get("/_control/state")).raise_for_status().json()
    return int(there["count"]) + len(here.get("emails", ()))


async def writes(world: World) -> list[str]:
    """What the service wrote to either vendor since the last `forget_calls`."""
    asked = [each for vendor in (world.highlevel, world.ninja) for each in await world.calls(vendor)]
    return [f"{each['method']} {each['path']}" for each in asked if each["method"] != "GET"]

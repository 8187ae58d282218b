"""Contacts and clients: what happens to one person who is in both systems."""

import asyncio
import time
from typing import Any

from app.sandbox.stage import LOCATION, until
from app.sandbox.story import PATIENCE, Story, expect


async def created(story: Story) -> list[str]:
    story.contact_id = await story.add_contact(
        firstName="Jane", lastName="Doe", companyName="Acme Garden Design", email="jane@acme.example",
        phone="+442079460018", address1="1 Elm Row", city="London", postalCode="N1 1AA", country="GB",
    )  # fmt: skip
    found = await story.arrival(lambda: story.clients_with("jane@acme.example"), "no client was made")
    expect(len(found) == 1, f"{len(found)} clients instead of one")
    story.client_id = found[0]["id"]
    expect(found[0]["name"] == "Acme Garden Design", f"the client is called {found[0]['name']!r}")
    expect(found[0]["country_id"] == "826", "the country did not arrive")
    return [
        f"contact {story.contact_id} is client {found[0]['number']} “{found[0]['name']}”, {found[0]['city']}",
        f"its {found[0]['contacts'][0]['email']} and {found[0]['contacts'][0]['phone']} are the client's contact",
    ]


async def both_edit(story: Story) -> list[str]:
    await asyncio.gather(
        story.edit_contact(phone="+442079460099"), story.edit_client(address1="22 Oak Lane", vat_number="GB123456789")
    )

    async def settled() -> bool:
        client, contact = await story.client(), await story.contact(story.contact_id)
        return client["contacts"][0]["phone"] == "+442079460099" and contact.get("address1") == "22 Oak Lane"

    await story.arrival(settled, "an edit was lost")
    client = await story.client()
    expect(client["address1"] == "22 Oak Lane", "the edit in Invoice Ninja was overwritten")
    return [
        "HighLevel's new phone is in Invoice Ninja, Invoice Ninja's new address is in HighLevel",
        f"and what nobody mapped is untouched: currency {client['settings'].get('currency_id')}",
    ]


async def echo(story: Story) -> list[str]:
    before, events = await story.writes(), len(await story.events())
    story.started = time.perf_counter()
    await story.edit_contact(city="Cambridge")
    await story.arrival(lambda: _city(story, "Cambridge"), "the edit did not arrive")
    await story.at_rest()
    written, heard = await story.writes() - before, len(await story.events()) - events
    expect(written == 1, f"{written} writes instead of one")
    return [f"one edit: {heard} events, those of our own write among them; 1 write, and nothing after it"]


async def _city(story: Story, city: str) -> bool:
    return bool((await story.client())["city"] == city)


async def twice(story: Story) -> list[str]:
    body = {"kind": "duplicate", "share": 1.0}
    (await story.stage.highlevel.post("/_control/webhook-faults", json=body)).raise_for_status()
    await story.add_contact(firstName="Ravi", lastName="Shah", email="ravi@shah.example")
    await story.arrival(lambda: story.clients_with("ravi@shah.example"), "no client was made")
    await story.at_rest()
    await story.stage.highlevel.delete("/_control/webhook-faults")
    found = await story.clients_with("ravi@shah.example")
    expect(len(found) == 1, f"{len(found)} clients instead of one")
    heard = max(event["deliveries"] for event in (await story.events())[:5])
    expect(heard >= 2, "the webhook did not come twice")
    return [f"the webhook came {heard} times; there is one client, “{found[0]['display_name']}”"]


async def other_way(story: Story) -> list[str]:
    person = {"first_name": "Mia", "last_name": "Rossi", "email": "mia@rossi.example", "phone": "+390612345678"}
    body = {"name": "Rossi Ceramiche", "country_id": "380", "contacts": [person]}
    (await story.stage.ninja.post("/api/v1/clients", json=body)).raise_for_status()
    query = {"locationId": LOCATION, "email": "mia@rossi.example"}

    async def found() -> Any:
        answer = await story.stage.highlevel.get("/contacts/search/duplicate", params=query)
        return answer.json()["contact"]

    contact = await story.arrival(found, "no contact was made")
    expect(contact.get("companyName") == "Rossi Ceramiche", "the company did not arrive")
    return [f"client “Rossi Ceramiche” is contact {contact['id']}, {contact['firstName']} {contact['lastName']}"]


async def vendor_down(story: Story) -> list[str]:
    fault = {"kind": "status", "status": 500, "path": "^/api/v1/clients"}
    (await story.stage.ninja.post("/_control/faults", json=fault)).raise_for_status()
    # The people at Invoice Ninja see errors as well now; the edit is made in HighLevel.
    await story.edit_contact(city="Edinburgh")

    async def waiting() -> Any:
        return (await story.stage.admin.get("/api/v1/jobs", params={"state": "retrying"})).json()["items"]

    jobs = await until(waiting, PATIENCE)
    expect(jobs, "the failure is not visible")
    await asyncio.sleep(1)
    await story.stage.ninja.delete("/_control/faults")
    story.started = time.perf_counter()
    await story.arrival(lambda: _city(story, "Edinburgh"), "the change was lost")
    return [f"meanwhile it was visible: “{jobs[0]['detail']}”", "when Invoice Ninja was well again the change arrived"]

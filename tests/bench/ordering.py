"""Quick updates end with the last value; twins entered on both sides at once end as one pair."""

import asyncio
from typing import Any

from tests.bench.report import Row
from tests.flows.driver import Site, installed

RUNS = 20
UPDATES = 20


async def measure() -> list[Row]:
    async with installed(poll_interval="0.05") as site:
        await site.serve()
        await site.subscribe_ninja(await site.connect())
        await site.subscribe_highlevel()
        twins = [await _twins_are_one_pair(site, number) for number in range(RUNS)]
        ordered = [await _last_value_wins(site, number) for number in range(RUNS)]
        fault = {"kind": "reorder", "share": 0.4, "seconds": 0.1}
        (await site.highlevel.post("/_control/webhook-faults", json=fault)).raise_for_status()
        shuffled = [await _last_value_wins(site, RUNS + number) for number in range(RUNS)]
    return [
        _row(f"{UPDATES} quick updates end with the last value", ordered),
        _row("... with deliveries out of order", shuffled),
        _row("twins created on both sides at once end as one pair", twins),
    ]


def _row(what: str, runs: list[bool]) -> Row:
    return Row(what=what, measured=f"{sum(runs)} of {len(runs)}", target=f"{RUNS} of {RUNS}", met=all(runs))


async def _last_value_wins(site: Site, number: int) -> bool:
    contact = await site.add_contact(firstName="Jane", lastName=f"Doe {number}", email=f"order{number}@bench.example")
    for step in range(UPDATES):
        await site.edit_contact(contact, address1=f"{step + 1} Elm Row")
    await site.at_rest()
    partners = [client for client in await site.clients() if client["custom_value4"] == contact]
    return [client["address1"] for client in partners] == [f"{UPDATES} Elm Row"]


async def _twins_are_one_pair(site: Site, number: int) -> bool:
    email = f"twin{number}@bench.example"
    body = {"name": f"Jane Twin {number}", "contacts": [{"first_name": "Jane", "last_name": "Twin", "email": email}]}
    answer, contact = await asyncio.gather(
        site.ninja.post("/api/v1/clients", json=body),
        site.add_contact(firstName="Jane", lastName=f"Twin {number}", email=email),
    )
    answer.raise_for_status()
    await site.at_rest()
    clients = [client for client in await site.clients() if _email(client) == email]
    contacts = [each for each in await site.contacts() if each["email"] == email]
    links = await site.rows(
        "SELECT billing_id FROM links WHERE state = 'ok' AND crm_id = %s AND billing_id IS NOT NULL", contact
    )
    return len(clients) == len(contacts) == len(links) == 1 and links[0][0] == clients[0]["id"]


def _email(client: dict[str, Any]) -> str:
    return str(client["contacts"][0]["email"])

"""From a webhook's POST to the write that arrives at the other vendor, at 20 a second."""

import asyncio
import time
from typing import Any

import httpx

from tests.bench.report import Row, at, ms
from tests.flows.driver import Postman, Site, installed

RATE = 20
SECONDS = 30
CONTACTS = 200


async def measure() -> list[Row]:
    async with installed() as site:
        await site.serve()
        await site.subscribe_ninja(await site.connect())
        created = await _created(site)
        await site.at_rest()
        return [*_rows("created", created), *_rows("updated", await _updated(site))]


def _rows(what: str, seconds: list[float]) -> list[Row]:
    middle, slow = at(0.5, seconds), at(0.99, seconds)
    title = f"POST to vendor write, {RATE}/s, {len(seconds)} {what}"
    return [
        Row(what=f"{title}: median", measured=ms(middle), target="<= 30 ms", met=middle <= 0.03),
        Row(what=f"{title}: p99", measured=ms(slow), target="<= 120 ms", met=slow <= 0.12),
    ]


async def _created(site: Site) -> list[float]:
    """New contacts. The clients' slot says whose write was whose: the n-th POST made the n-th client."""
    posted = await _paced(site, range(CONTACTS), lambda number: _add(site, number))
    await site.at_rest()
    arrived = [call["at"] for call in await site.calls(site.ninja) if _is(call, "POST", "/api/v1/clients")]
    clients = sorted(await site.clients(), key=lambda client: int(client["number"]))
    pairs = zip(clients, arrived, strict=True)
    return [moment - posted[client["custom_value4"]][0] for client, moment in pairs]


async def _updated(site: Site) -> list[float]:
    """Every contact is edited three times in the 30 seconds, ten seconds apart."""
    ids = {client["custom_value4"]: client["id"] for client in await site.clients()}
    await site.forget_calls()
    numbers = [number % CONTACTS for number in range(RATE * SECONDS)]
    contacts = sorted(ids)
    posted = await _paced(site, numbers, lambda number: _edit(site, contacts[number]))
    await site.at_rest()
    arrived: dict[str, list[float]] = {}
    for call in await site.calls(site.ninja):
        if call["method"] == "PUT":
            arrived.setdefault(call["path"].rpartition("/")[2], []).append(call["at"])
    seconds = []
    for contact, sent in posted.items():
        seconds += [moment - at for at, moment in zip(sent, arrived[ids[contact]], strict=True)]
    return seconds


async def _paced(site: Site, numbers: Any, change: Any) -> dict[str, list[float]]:
    """One change and its webhook every 1/RATE s; returns when each contact's webhooks were posted."""
    posted: dict[str, list[float]] = {}
    postman = Postman()
    began = time.perf_counter()
    async with (
        httpx.AsyncClient(base_url=site.url, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):

        async def one(number: int) -> None:
            contact = await change(number)
            headers, body = postman.delivery(contact)
            posted.setdefault(contact, []).append(time.time())
            (await client.post("/webhooks/highlevel", headers=headers, content=body)).raise_for_status()

        for position, number in enumerate(numbers):
            await asyncio.sleep(max(0, began + position / RATE - time.perf_counter()))
            group.create_task(one(number))
    return posted


async def _add(site: Site, number: int) -> str:
    return await site.add_contact(firstName="Jane", lastName=f"Doe {number}", email=f"jane{number}@bench.example")


async def _edit(site: Site, contact: str) -> str:
    await site.edit_contact(contact, address1=f"{time.perf_counter_ns()} Elm Row")
    return contact


def _is(call: dict[str, Any], method: str, path: str) -> bool:
    return bool(call["method"] == method and call["path"] == path)

"""Undo of a wrong field map over thousands of records: all of it goes back, but what people have changed since."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.bench.drain import AT_ONCE
from tests.bench.report import Row, load
from tests.flows.driver import ADMIN_TOKEN, Running, Site, installed

RECORDS, BY_HAND, EARLY = 5_000, 50, 1_000
FLAT = 20
"""MB between the first thousand records and the last."""
WRONG = [
    {"crm": "email", "billing": "email"},
    {"crm": "last_name", "billing": "last_name"},
    {"crm": "last_name", "billing": "city", "direction": "to_billing"},
]


async def measure() -> list[Row]:
    async with installed() as site:
        service = await site.serve()
        await site.subscribe_ninja(await site.connect())
        contacts = await _made(site)
        authorized = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with httpx.AsyncClient(base_url=site.url, headers=authorized, timeout=60, trust_env=False) as admin:
            before = datetime.now(UTC).isoformat()
            await _mapped_wrong(site, admin, contacts)
            edited = await _edited(site)
            await site.forget_calls()
            run, early, late = await _undone(admin, service, before)
        await site.at_rest(600)
        return await _rows(site, run, edited, early, late)


async def _made(site: Site) -> list[str]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def add(number: int) -> str:
        async with slots:
            who = {"firstName": "Jane", "lastName": f"Doe {number}", "email": f"jane{number}@undo.example"}
            return await site.add_contact(**who, city=f"Town {number}")

    contacts = list(await asyncio.gather(*(add(number) for number in range(RECORDS))))
    await load(site, "webhook", RECORDS, contacts=contacts)
    await site.at_rest(900)
    return contacts


async def _mapped_wrong(site: Site, admin: httpx.AsyncClient, contacts: list[str]) -> None:
    body = {"settings": {"contact": {"fields": WRONG}}}
    (await admin.patch("/api/v1/bridges/1", json=body)).raise_for_status()
    await load(site, "webhook", RECORDS, contacts=contacts)
    await site.at_rest(900)
    right = [client for client in await site.clients() if not client["city"].startswith("Doe ")]
    if right:
        raise RuntimeError(f"{len(right)} clients were not overwritten")


async def _edited(site: Site) -> set[str]:
    """Clients that somebody has moved since."""
    some = (await site.clients())[:BY_HAND]
    for client in some:
        whole = (await site.ninja.get(f"/api/v1/clients/{client['id']}")).json()["data"]
        (await site.ninja.put(f"/api/v1/clients/{client['id']}", json={**whole, "city": "By hand"})).raise_for_status()
    await site.at_rest(600)
    return {str(client["id"]) for client in some}


async def _undone(admin: httpx.AsyncClient, service: Running, since: str) -> tuple[dict[str, Any], float, float]:
    """The run at its end, and the memory of the service in MB after the first thousand records, and then."""
    begun = await admin.post("/api/v1/undo", json={"bridge_id": 1, "since": since})
    run: dict[str, Any] = begun.raise_for_status().json()
    early = 0.0
    while run["state"] == "running":
        await asyncio.sleep(0.2)
        run = (await admin.get(f"/api/v1/runs/{run['id']}")).raise_for_status().json()
        if not early and run["done"] >= EARLY:
            early = _memory(service)
    return run, early, _memory(service)


def _memory(service: Running) -> float:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def _rows(site: Site, run: dict[str, Any], edited: set[str], early: float, late: float) -> list[Row]:
    clients = await site.clients()
    wrong = [c for c in clients if c["city"] != ("By hand" if c["id"] in edited else _town(c))]
    listed = await site.rows("SELECT billing_id FROM undo_items WHERE outcome = 'changed_since'")
    exact = not wrong and {each[0] for each in listed} == edited and len(clients) == RECORDS
    writes = [call for call in await site.calls(site.highlevel) if call["method"] in ("PUT", "DELETE")]
    told = f"{run['counts'].get('restored', 0):,} restored, {len(wrong)} wrong; {len(listed)} edits since, all listed"
    return [
        Row(what=f"undo of {RECORDS:,} records", measured=told, target="0 wrong", met=exact and run["state"] == "done"),
        Row(what="... records a second", measured=f"{run['rate']:,.0f}/s"),
        Row(what="... writes of its echo", measured=f"{len(writes)}", target="0", met=not writes),
        Row(
            what=f"... memory after {EARLY:,} and after {RECORDS:,} records",
            measured=f"{early:.0f} and {late:.0f} MB",
            target=f"+- {FLAT} MB",
            met=late - early <= FLAT,
        ),
    ]


def _town(client: dict[str, Any]) -> str:
    return str(client["contacts"][0]["last_name"]).replace("Doe ", "Town ")

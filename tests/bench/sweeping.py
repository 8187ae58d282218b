"""A third of all webhooks is dropped while people edit both sides: what one sweep repairs, and what it reports."""

import asyncio
import time
from typing import Any

import httpx

from tests.bench.report import Row
from tests.flows.driver import ADMIN_TOKEN, LOCATION, Site, installed
from tests.flows.losing import People, differences, injected

SECONDS = 600
PEOPLE = 200
PACE = 5.0
"""Edits a second."""


async def measure(seconds: float = SECONDS) -> list[Row]:
    async with installed(sweep_grace="0") as site:
        await site.serve()
        await site.subscribe_ninja(await site.connect())
        await site.subscribe_highlevel()
        people = People(site.highlevel, site.ninja, LOCATION)
        for _ in range(PEOPLE):
            await people.act(new=1)
        await site.at_rest(120)
        await site.forget_calls()
        await people.lose()
        edits = await _edit(people, seconds)
        await people.stop_losing()
        await site.at_rest(120)
        lost = await injected(site.highlevel, site.ninja)
        before = len(await differences(site.highlevel, site.ninja, await _pairs(site)))
        began = time.perf_counter()
        run = await _sweep(site)
        took = time.perf_counter() - began
        await site.at_rest(120)
        left = await differences(site.highlevel, site.ninja, await _pairs(site))
        reported = sum(row[0] for row in await site.rows("SELECT missed FROM missed_events"))
    said = f"{edits:,} edits in {seconds / 60:.0f} min"
    return [
        Row(
            what=f"sweep after 30 % loss, {said}: differences before, after one sweep",
            measured=f"{before}, {len(left)} ({run['done']} records read in {took:.1f} s)",
            target="0",
            met=not left,
        ),
        Row(
            what="... missed events injected, reported",
            measured=f"{len(lost)}, {reported}",
            target="equal",
            met=len(lost) == reported > 0,
        ),
    ]


async def _edit(people: People, seconds: float) -> int:
    edits, until = 0, time.perf_counter() + seconds
    while (now := time.perf_counter()) < until:
        if edits % 20 == 0:
            await people.refresh()
        await people.act(new=0.02)
        edits += 1
        await asyncio.sleep(max(0.0, 1 / PACE - (time.perf_counter() - now)))
    return edits


async def _sweep(site: Site) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=site.url, headers=headers, timeout=30, trust_env=False) as admin:
        run = (await admin.post("/api/v1/bridges/1/sweep")).raise_for_status().json()
        while not run["ended_at"]:
            await asyncio.sleep(0.1)
            run = (await admin.get(f"/api/v1/runs/{run['id']}")).raise_for_status().json()
    if run["state"] != "done":
        raise RuntimeError(run["detail"])
    return dict(run)


async def _pairs(site: Site) -> dict[str, str]:
    return dict(await site.rows("SELECT crm_id, billing_id FROM links WHERE crm_id IS NOT NULL AND billing_id <> ''"))

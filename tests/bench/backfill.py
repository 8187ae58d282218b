"""A plan over many contacts, and its backfill: how fast, within the vendor's limit, in how much memory, and killed.

`tests/planning/test_killed.py` runs the short version of the last.
"""

import asyncio
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench.killing import QUICK
from tests.bench.latency import RATE
from tests.bench.report import Row, at, ms
from tests.flows.driver import Postman, Running, Site, installed

CONTACTS = 10_000
MANY = 50_000
CALLS, INTERVAL = 100, 2
"""HighLevel's limit, five times as fast, so that ten thousand contacts take four minutes and not eighteen."""
ROUNDS = 20
AT_ONCE = 24


async def measure() -> list[Row]:
    return [*await _fast(), *await _limited(), *await _flat(), await _killed()]


async def seed(site: Site, count: int, *, first: int = 0) -> None:
    """Contacts as an agency has them, made by people."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with slots:
            await site.add_contact(
                firstName="Jane", lastName=f"Doe {number}", email=f"jane{number}@acme.example", city="York"
            )

    await asyncio.gather(*(one(number) for number in range(first, first + count)))


async def begun(site: Site, path: str, **body: Any) -> int:
    async with site.admin() as admin:
        answer = await admin.post(f"/api/v1/{path}", json=body)
        if answer.is_error:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
        return int(answer.json()["id"])


async def ended(site: Site, run_id: int, seconds: float) -> dict[str, Any]:
    """The run when it is done. The service may be away for a while."""
    deadline = time.perf_counter() + seconds
    run: dict[str, Any] = {}
    async with site.admin() as admin:
        while time.perf_counter() < deadline:
            try:
                run = (await admin.get(f"/api/v1/runs/{run_id}")).json()
            except httpx.HTTPError:
                run = {}
            if run.get("state") not in (None, "running"):
                break
            await asyncio.sleep(0.1)
    if run.get("state") != "done":
        raise AssertionError(f"after {seconds:.0f} s the run is {run}")
    return run


async def planned(site: Site, seconds: float = 600) -> dict[str, Any]:
    return await ended(site, await begun(site, "bridges/1/plan"), seconds)


async def _fast() -> list[Row]:
    async with installed() as site:
        service = await site.serve()
        await site.connect(live=False)
        await seed(site, CONTACTS)
        plan = await planned(site)
        began = time.perf_counter()
        run = await ended(site, await begun(site, f"plans/{plan['id']}/apply"), 900)
        seconds = time.perf_counter() - began
        made = len(await site.clients())
        service.stop()
    rate = CONTACTS / seconds
    return [
        Row(what=f"plan of {CONTACTS:,} contacts", measured=f"{plan['worked']:.0f} s"),
        Row(
            what=f"backfill of {CONTACTS:,} contacts, no limits",
            measured=f"{rate:.0f} records/s ({made:,} made, {run['counts']})",
            target=">= 100/s",
            met=rate >= 100 and made == CONTACTS,
        ),
    ]


async def _limited() -> list[Row]:
    """Where the limit decides, and not the machine."""
    async with installed(highlevel_calls=str(CALLS), highlevel_interval=str(INTERVAL)) as site:
        service = await site.serve()
        await site.connect(live=False)
        await seed(site, CONTACTS)
        limits = {"burst_limit": CALLS, "burst_seconds": INTERVAL}
        (await site.highlevel.post("/_control/settings", json=limits)).raise_for_status()
        plan = await planned(site)
        await site.forget_calls()
        began = time.perf_counter()
        await ended(site, await begun(site, f"plans/{plan['id']}/apply"), 900)
        seconds = time.perf_counter() - began
        calls = await site.calls(site.highlevel)
        refused = sum(call["status"] == 429 for call in calls)
        service.stop()
    allowed = (len(calls) / CALLS - 1) * INTERVAL  # the first hundred may all leave at once
    ratio = seconds / allowed
    return [
        Row(
            what=f"backfill of {CONTACTS:,} contacts at {CALLS} calls of HighLevel's per {INTERVAL} s",
            measured=f"{seconds:.0f} s = {ratio:.2f} x what {len(calls):,} calls need; {refused} answered 429",
            target="<= 1.1 x",
            met=ratio <= 1.1,
        )
    ]


async def _flat() -> list[Row]:
    """One service takes a thousand, then fifty thousand; live events go on meanwhile."""
    async with installed() as site:
        service = await site.serve()
        await site.connect(live=True)
        await seed(site, 1_000)
        small = await _largest(site, service, await planned(site))
        await seed(site, MANY, first=1_000)
        watch = asyncio.create_task(_largest(site, service, await planned(site, 1800)))
        await asyncio.sleep(5)
        waits = await _live(site)
        large = await watch
        service.stop()
    return [
        Row(
            what=f"memory of `serve` in a backfill of {MANY:,} over one of 1,000",
            measured=f"{large - small:+.0f} MB ({small:.0f}, {large:.0f})",
            target="within 20 MB",
            met=abs(large - small) <= 20,
        ),
        Row(
            what=f"POST to vendor write of live events at {RATE}/s meanwhile: median, p99",
            measured=f"{ms(at(0.5, waits))}, {ms(at(0.99, waits))}",
        ),
    ]


async def _largest(site: Site, service: Running, plan: dict[str, Any]) -> float:
    run_id = await begun(site, f"plans/{plan['id']}/apply")
    task = asyncio.create_task(ended(site, run_id, 3600))
    most = 0.0
    while not task.done():
        most = max(most, _memory(service.pid))
        await asyncio.sleep(0.5)
    await task
    return most


def _memory(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


async def _live(site: Site, seconds: int = 20) -> list[float]:
    """New contacts with their webhooks; how long each took to be a client."""
    postman, posted = Postman(), dict[str, float]()
    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=site.url, trust_env=False) as client:
        for number in range(RATE * seconds):
            await asyncio.sleep(max(0, began + number / RATE - time.perf_counter()))
            contact = await site.add_contact(firstName="Live", lastName=f"{number}", email=f"live{number}@acme.example")
            headers, body = postman.delivery(contact)
            posted[contact] = time.time()
            (await client.post("/webhooks/highlevel", headers=headers, content=body)).raise_for_status()
    await asyncio.sleep(3)
    made = {each["custom_value4"]: each["number"] for each in await site.clients()}
    order = [call["at"] for call in await site.calls(site.ninja) if _makes(call)]
    arrived = {contact: order[int(number) - 1] for contact, number in made.items() if contact in posted}
    return [arrived[contact] - sent for contact, sent in posted.items()]


def _makes(call: dict[str, Any]) -> bool:
    return (call["method"], call["path"]) == ("POST", "/api/v1/clients")


@dataclass
class Outcome:
    """What was found after the last kill. All but the counts should be empty."""

    kills: int = 0
    people: int = 0
    twice: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unlinked: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.twice or self.missing or self.unlinked)


async def survived(*, rounds: int, people: int, seed_: int = 1, longest: float = 2.0) -> Outcome:
    """A plan is made and applied while the service is killed `rounds` times, at random moments."""
    chance = random.Random(seed_)
    async with installed(forks=False, **QUICK) as site:
        service = await site.serve()
        await site.connect(live=False)
        await seed(site, people)
        plan_id = await begun(site, "bridges/1/plan")
        service = await _again(site, service, chance, longest)
        plan = await ended(site, plan_id, 240)
        run_id = await begun(site, f"plans/{plan['id']}/apply")
        for _ in range(rounds - 1):
            service = await _again(site, service, chance, longest)
        await ended(site, run_id, 600)
        return await _judged(site, rounds)


async def _again(site: Site, service: Running, chance: random.Random, longest: float) -> Running:
    await asyncio.sleep(chance.uniform(0.1, longest))
    service.kill()
    return await site.serve()


async def _judged(site: Site, rounds: int) -> Outcome:
    contacts = {each["id"]: each["email"] for each in await site.contacts()}
    made = Counter(client["contacts"][0]["email"] for client in await site.clients("active,archived"))
    links = await site.rows("SELECT crm_id, billing_id FROM links WHERE state = 'ok'")
    paired = {crm for crm, billing in links if crm and billing}
    return Outcome(
        kills=rounds,
        people=len(contacts),
        twice=[email for email, count in made.items() if count > 1],
        missing=[email for email in contacts.values() if email not in made],
        unlinked=sorted(contacts.keys() - paired),
    )


async def _killed() -> Row:
    found = await survived(rounds=ROUNDS, people=2_000)
    return Row(
        what=f"kill -9 of the service in a plan and its backfill, {ROUNDS} times",
        measured=f"{found.people:,} contacts: {len(found.missing)} missing, {len(found.twice)} twice,"
        f" {len(found.unlinked)} without their link",
        target="0",
        met=found.clean,
    )

"""kill -9 at random moments under load: every acknowledged event is handled, nobody is there twice.

`tests/flows/test_kill.py` runs the short version.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.bench.report import Row
from tests.flows.driver import Running, Site, installed

ROUNDS = 20
EDITS = 60
"""At most, between two kills: on a slow machine a start takes longer, and what waits meanwhile would grow with it."""
QUICK = {"stalled_after": "2", "poll_interval": "0.05", "retry_first": "0.3", "claim_seconds": "5"}
"""So that a test does not take minutes: the defaults are 30 s until a worker is taken for dead."""

_HANDLED = """
    SELECT split_part(delivery, ':', 4), state FROM events WHERE delivery LIKE 'delivery:%'
"""


@dataclass
class Outcome:
    """What was found when all was quiet again. Everything but the counts should be empty."""

    kills: int = 0
    acked: int = 0
    people: int = 0
    settled_in: float = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    refused_with_5xx: int = 0

    @property
    def clean(self) -> bool:
        return not (self.lost or self.twice or self.alone or self.differing or self.refused_with_5xx)


async def measure() -> list[Row]:
    rows = []
    for fleet, what in ((False, "the service (one process)"), (True, "a worker (fleet of two)")):
        outcome = await survived(rounds=ROUNDS, fleet=fleet)
        measured = (
            f"{outcome.acked:,} acked, {len(outcome.lost)} lost; {outcome.people} people, {len(outcome.twice)} twice,"
            f" {len(outcome.alone)} without a partner, {len(outcome.differing)} different;"
            f" at rest after {outcome.settled_in:.0f} s"
        )
        rows.append(Row(what=f"kill -9 of {what}, {ROUNDS} times", measured=measured, target="0", met=outcome.clean))
    return rows


async def survived(
    *, rounds: int, fleet: bool, seed: int = 1, longest: float = 2.0, forks: bool = False, **settings: str
) -> Outcome:
    """Kill and restart `rounds` times under load, then wait for rest and look."""
    chance = random.Random(seed)
    async with installed(forks=forks, **{**QUICK, **settings}) as site:
        victims = await _started(site, fleet=fleet)
        await _prepared(site)
        town = Town(site, chance)
        living = asyncio.create_task(town.live())
        for number in range(rounds):
            town.left = EDITS
            await asyncio.sleep(chance.uniform(0.2, longest))
            position = number % len(victims)
            victims[position].kill()
            victims[position] = await _replacement(site, fleet=fleet)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        outcome = Outcome(kills=rounds, settled_in=await site.at_rest(240))
        await _judge(site, outcome)
        return outcome


async def _started(site: Site, *, fleet: bool) -> list[Running]:
    if not fleet:
        return [await site.serve()]
    await site.serve("--no-worker")
    return [site.work(), site.work()]


async def _replacement(site: Site, *, fleet: bool) -> Running:
    return site.work() if fleet else await site.serve()


async def _prepared(site: Site) -> None:
    """HighLevel sends every other event twice and repeats what was not taken, soon and for long."""
    await site.subscribe_ninja(await site.connect())
    await site.subscribe_highlevel()
    settings = {"retry_waits": [0.3, 0.3, *[1.0] * 200], "allow_duplicate_contact": True}
    (await site.highlevel.post("/_control/settings", json=settings)).raise_for_status()
    (await site.highlevel.post("/_control/webhook-faults", json={"kind": "duplicate", "share": 0.5})).raise_for_status()


@dataclass
class Town:
    """People who create and edit contacts all the time, and do not notice what happens to the service."""

    site: Site
    chance: random.Random
    contacts: list[str] = field(default_factory=list)
    left: int = 0
    """Edits that they will make yet."""

    async def live(self) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(0, 0.06))
            if not self.left:
                continue
            self.left -= 1
            number = len(self.contacts)
            if not self.contacts or self.chance.random() < 0.5:
                self.contacts.append(
                    await self.site.add_contact(
                        firstName="Jane", lastName=f"Doe {number}", email=f"jane{number}@kill.example"
                    )
                )
            else:
                contact = self.chance.choice(self.contacts)
                await self.site.edit_contact(contact, address1=f"{self.chance.randrange(10**6)} Elm Row")


async def _judge(site: Site, outcome: Outcome) -> None:
    deliveries = (await site.highlevel.get("/_control/deliveries")).json()["deliveries"]
    acked = {each["body"]["webhookId"] for each in deliveries if each["status"] == 202}
    states: dict[str, str] = dict(await site.rows(_HANDLED))
    outcome.acked = len(acked)
    outcome.lost = [f"{each}: {states.get(each, 'not stored')}" for each in acked if states.get(each) != "done"]
    outcome.refused_with_5xx = sum(isinstance(each["status"], int) and each["status"] >= 500 for each in deliveries)
    contacts, clients = await site.contacts(), await site.clients("active,archived,deleted")
    outcome.people = len(contacts)
    emails = [contact["email"] for contact in contacts] + [f"client {_email(client)}" for client in clients]
    slots = [client["custom_value4"] for client in clients]
    outcome.twice = [name for name, count in Counter([*emails, *slots]).items() if count > 1]
    partners = {client["custom_value4"]: client for client in clients}
    outcome.alone = [contact["id"] for contact in contacts if contact["id"] not in partners]
    outcome.differing = [
        contact["id"]
        for contact in contacts
        if contact["id"] in partners and not _agree(contact, partners[contact["id"]])
    ]


def _email(client: dict[str, Any]) -> str:
    return str(client["contacts"][0]["email"])


def _agree(contact: dict[str, Any], client: dict[str, Any]) -> bool:
    return bool(contact["email"] == _email(client) and (contact.get("address1") or "") == client["address1"])

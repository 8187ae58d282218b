"""How fast one worker process gets through a backlog, and how many vendor calls each kind of work costs."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.bench.report import Row, load
from tests.flows.driver import Running, Site, installed

CONTACTS = 1_500
AT_ONCE = 16

Call = dict[str, Any]


async def measure() -> list[Row]:
    """The three rounds work on the same contacts: created, then edited, then announced again though nothing changed."""
    async with installed() as site:
        await site.serve("--no-worker")
        await site.connect()
        contacts = await _many(site, lambda number: _add(site, number))
        created = await _drained(site, contacts)
        await _many(site, lambda number: _edit(site, contacts[number]))
        updated = await _drained(site, contacts)
        echoed = await _drained(site, contacts)
        return [*_rows("created", created, 3), *_rows("updated", updated, 3), *_rows("nothing to do (echo)", echoed, 2)]


async def _drained(site: Site, contacts: list[str]) -> list[Call]:
    """Queue an event for every contact while no worker runs, then let one work; returns its calls."""
    await load(site, "webhook", CONTACTS, contacts=contacts)
    await site.forget_calls()
    worker: Running = site.work()
    await site.at_rest(300)
    worker.stop()
    calls = [{**call, "vendor": name} for name, vendor in _vendors(site) for call in await site.calls(vendor)]
    return sorted(calls, key=lambda call: call["at"])


def _vendors(site: Site) -> Any:
    return zip(("HighLevel", "Invoice Ninja"), site.vendors, strict=True)


def _rows(what: str, calls: list[Call], most: int) -> list[Row]:
    writes = [call for call in calls if _writes(call)]
    each = len(calls) / CONTACTS
    kinds = Counter(f"{call['method']} {call['vendor']}" for call in calls)
    told = ", ".join(f"{count / CONTACTS:.2f} {name}" for name, count in kinds.most_common())
    rows = [Row(what=f"vendor calls, {what}", measured=f"{each:.2f} ({told})", target=f"<= {most}", met=each <= most)]
    if most == 2:
        return [*rows, Row(what=f"writes, {what}", measured=f"{len(writes)}", target="0", met=not writes)]
    rate = (len(writes) - 1) / (writes[-1]["at"] - writes[0]["at"])
    first = Row(
        what=f"drained by one worker process, {len(writes):,} {what}",
        measured=f"{rate:,.0f}/s",
        target=">= 150/s",
        met=rate >= 150,
    )
    return [first, *rows]


def _writes(call: Call) -> bool:
    return call["method"] == "PUT" or (call["method"] == "POST" and not call["path"].endswith("/search"))


async def _many(site: Site, change: Callable[[int], Any]) -> list[str]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> str:
        async with slots:
            return str(await change(number))

    return list(await asyncio.gather(*(one(number) for number in range(CONTACTS))))


async def _add(site: Site, number: int) -> str:
    return await site.add_contact(firstName="Jane", lastName=f"Doe {number}", email=f"jane{number}@drain.example")


async def _edit(site: Site, contact: str) -> str:
    await site.edit_contact(contact, address1=f"{contact} Elm Row")
    return contact

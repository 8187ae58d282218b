"""A pair that is being thought of, on real records: what each would become. Nothing is written."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from app.connections import Connections
from app.directory import BridgeView
from app.errors import Rejected
from app.planning.items import title_of
from app.providers.base import BEGINNING
from app.sync.carrying import carried, filled
from app.sync.fieldmap import Rule
from app.sync.records import Presence, Record, Side

SHOWN = 5
POOL = 60
"""Records that are read, so that those with a value can be chosen from them."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One record. `refused`: why nothing would be written, "" where it would; `note`: what was done to fit it in."""

    id: str
    title: str
    before: str
    after: str
    note: str = ""
    refused: str = ""


async def pool(connections: Connections, bridge: BridgeView, object_: str, side: Side) -> tuple[Record, ...]:
    """The first records as the account lists them now: one page. Raises what the vendor's answer means."""
    records = connections.open(bridge, side).records(object_, bridge.settings.of(object_))
    found: list[Record] = []
    async with aclosing(records.each(BEGINNING)) as listed:  # type: ignore[type-var]
        async for record in listed:
            if record.presence is Presence.ACTIVE and not record.aside:
                found.append(record)
            if len(found) == POOL:
                break
    return tuple(found)


def tried(rule: Rule, records: Sequence[Record]) -> tuple[Trial, ...]:
    """`records`: of the side that values come from. Those with a value come first: the others show little."""
    values = sorted(records, key=lambda record: not filled(rule, rule.origin, record.values))
    return tuple(_tried(rule, record) for record in values[:SHOWN])


def _tried(rule: Rule, record: Record) -> Trial:
    target = rule.origin.other
    made = carried(rule, target, record.values)
    before = record.values.get(rule.spec(rule.origin).name, "")
    if made.refused:
        return Trial(record.id, title_of(record), before, "", refused=made.refused)
    note = made.note if "shortened" in made.note else ""
    return Trial(record.id, title_of(record), before, made.value, note=note)


def none_there(records: Sequence[Record], called: str) -> None:
    """Raises Rejected: there is nothing to try it on."""
    if not records:
        raise Rejected(f"There is no {called} yet to try it on.")

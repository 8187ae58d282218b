"""Changes that no event tells of: every record is read, and compared with what was last agreed.

HighLevel tells that a task was made, completed or deleted, but not that it was edited, and a task shows no time of its
last change. A page of a hundred costs one call, so this is cheaper than looking at each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.directory import BridgeView, is_active
from app.errors import CrossledgerError, Reconnect
from app.models import Event
from app.models.event import EventState
from app.queue import Priority, RecordJob, defer, transact
from app.sync.fieldmap import Rule, resolve
from app.sync.merge import differs
from app.sync.objects import OBJECTS
from app.sync.records import Record, Side
from app.sync.statements import COLUMN

log = structlog.get_logger()

BATCH = 100
UNSEEN = 500
"""Parts that are looked at for the first time in one round."""
OVERLAP = timedelta(hours=1)
"""How far a reading goes back behind the one before: clocks differ, and a record may show up late."""

# With the parent's id where the pair is a part of it. A pair of parents that was cut has no parts to move.
_KNOWN = {
    side: text(
        f"SELECT l.{column}, CASE WHEN l.state <> 'waiting_for_parent' THEN l.base_{side.value} END,"  # noqa: S608
        f" coalesce(p.{column}, '') FROM links l"
        " LEFT JOIN links p ON p.bridge_id = l.bridge_id AND p.object = :parent AND p.state <> 'unlinked'"
        " AND strpos(l.billing_id, '/') > 0 AND p.billing_id = split_part(l.billing_id, '/', 1)"
        f" WHERE l.bridge_id = :bridge_id AND l.object = :object AND l.{column} = ANY(:ids)"
    )
    for side, column in COLUMN.items()
}
_UNSEEN = {
    side: text(f"""
        SELECT p.{column} FROM links p
         WHERE p.bridge_id = :bridge_id AND p.object = :parent AND p.state = 'ok'
           AND p.crm_id IS NOT NULL AND p.billing_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM links c
                 WHERE c.bridge_id = p.bridge_id AND c.object = :object AND c.{column} = p.{column})
         ORDER BY p.id LIMIT :most
    """)  # noqa: S608 -- columns of ours
    for side, column in COLUMN.items()
}


@dataclass(frozen=True, slots=True)
class Poller:
    connections: Connections
    _read: dict[tuple[int, Side, str], datetime] = field(default_factory=dict, repr=False)
    """When each was last read to its end; lost with the process, so the first reading goes back to the bridge's day."""

    async def poll_all(self) -> None:
        """Every bridge, side and object with silent changes. One that fails does not hold up the others."""
        for bridge in await self.connections.directory.bridges():
            for side in Side:
                provider = self.connections.provider(bridge.connection(side).provider)
                on = {
                    name for name in bridge.settings.objects() if bridge.settings.of(name).direction.reaches(side.other)
                }
                parts = {name for name in provider.polled_parts if OBJECTS[name].parent in bridge.settings.objects()}
                for object_ in sorted((provider.polled | parts) & on):
                    await self._poll_or_say(bridge, side, object_)

    async def _poll_or_say(self, bridge: BridgeView, side: Side, object_: str) -> None:
        if not all(is_active(bridge.connection(each)) for each in Side):
            return
        try:
            found = await self.poll(bridge, side, object_)
        except Reconnect as refused:
            await self.connections.needs_reconnect(refused, bridge.connection(side))
        except CrossledgerError as failure:
            log.warning("poll.stopped", bridge=bridge.id, object=object_, reason=str(failure))
        else:
            log.info("poll.done", bridge=bridge.id, object=object_, side=side.value, changed=found)

    async def poll(self, bridge: BridgeView, side: Side, object_: str) -> int:
        """Queue what has changed, or has never been seen; returns how many. Raises what the vendor's answer means."""
        settings = bridge.settings.of(object_)
        records = {each: self.connections.open(bridge, each).records(object_, settings) for each in Side}
        rules, _ = resolve(settings.pairs(), records[Side.CRM].fields(), records[Side.BILLING].fields())
        started, key = datetime.now(UTC), (bridge.id, side, object_)
        found, batch = await self._unseen_parts(bridge, side, object_), list[Record]()
        async for record in records[side].each(self._read.get(key, bridge.created_at)):
            batch.append(record)
            if len(batch) >= BATCH:
                found += await self._compare(bridge, side, object_, rules, batch)
                batch = []
        found += await self._compare(bridge, side, object_, rules, batch)
        self._read[key] = max(bridge.created_at, started - OVERLAP)
        return found

    async def _unseen_parts(self, bridge: BridgeView, side: Side, object_: str) -> int:
        """Queue what every pair of the parent has, where it was never looked at. No vendor is asked."""
        if not OBJECTS[object_].of_every_parent:
            return 0
        values = {"bridge_id": bridge.id, "object": object_, "parent": OBJECTS[object_].parent, "most": UNSEEN}
        async with self.connections.engine.connect() as connection:
            ids = list((await connection.execute(_UNSEEN[side], values)).scalars())
        if ids:
            await self._store(bridge, side, object_, ids)
        return len(ids)

    async def _compare(
        self, bridge: BridgeView, side: Side, object_: str, rules: Sequence[Rule], batch: Sequence[Record]
    ) -> int:
        async with self.connections.engine.connect() as connection:
            values = {"bridge_id": bridge.id, "object": object_, "ids": [each.id for each in batch]}
            rows = await connection.execute(_KNOWN[side], {**values, "parent": OBJECTS[object_].parent})
            known = {id_: (base, parent) for id_, base, parent in rows}
        parts = OBJECTS[object_].part
        news = [each.id for each in batch if _is_news(rules, side, each, parts, *known.get(each.id, (None, None)))]
        if news:
            await self._store(bridge, side, object_, news)
        return len(news)

    async def _store(self, bridge: BridgeView, side: Side, object_: str, ids: Sequence[str]) -> None:
        """A change found by polling is an event like those that are told."""
        shared = {"bridge_id": bridge.id, "object": object_, "side": side.value}
        view = bridge.connection(side)
        rows = [
            {
                **shared,
                "delivery": f"poll:{uuid4()}",
                "connection_id": view.id,
                "provider": view.provider,
                "kind": "poll",
                "external_id": id_,
                "state": EventState.PENDING.value,
            }
            for id_ in ids
        ]
        jobs = [
            RecordJob(bridge_id=bridge.id, object=object_, side=side, external_id=id_, priority=Priority.FLOOD)
            for id_ in ids
        ]

        async def stored(connection: AsyncConnection) -> int:
            await connection.execute(insert(Event), rows)
            return await defer(connection, jobs)

        await transact(self.connections.engine, stored)


def _is_news(
    rules: Sequence[Rule],
    side: Side,
    record: Record,
    parts: bool,
    base: Mapping[str, str] | None,
    parent: str | None,
) -> bool:
    """`parent` None: never seen. Without any base the record is on its way."""
    if parent is None:
        return True
    return base is not None and ((parts and parent != record.parent) or differs(rules, side, record.values, base))

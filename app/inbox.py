"""The way in: an event is stored together with its job before the sender hears "accepted".

A committer takes whatever waits and stores it in one statement, so that the cost of a commit is shared by everything
that arrived during the last one. One of them: a second one would only halve the batches.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
import structlog
from psycopg.errors import DeadlockDetected

from app.db import Database
from app.directory import BridgeView, ConnectionView, Directory
from app.models.connection import ConnectionState
from app.models.event import EventState
from app.providers.base import APP, Event, Verdict
from app.queue import DEFER_JOBS, Priority, RecordJob
from app.sync.objects import OBJECTS
from app.sync.records import Side
from app.sync.values import storable

log = structlog.get_logger()

BATCH = 200
WAITING_ROOM = 5_000
PATIENCE = 8.0
TRIES = 8
"""How often a batch is stored anew that met another one's jobs or a settling job's events."""
FLOOD = 300
"""Events of one bridge within ten seconds that are still treated as live ones."""

# One statement stores a batch: the events, and a job for each record that has news and none that waits.
# A delivery known by its content only is news again when it comes again: it is pending anew, under a new id, so that
# no job that looked before this moment can answer it.
_AGAIN = "(excluded.state = 'pending' AND starts_with(excluded.delivery, 'content:'))"
_STORE = f"""
    WITH arrived AS (
        SELECT * FROM jsonb_to_recordset(CAST(%s AS jsonb))
            AS r(delivery text, connection_id bigint, bridge_id bigint, provider text, side text, kind text,
                 object text, external_id text, state text, outcome text,
                 priority integer, lock text, once text, args jsonb)
    ), stored AS (
        INSERT INTO events AS e (delivery, connection_id, bridge_id, provider, side, kind, object, external_id, state,
                                 outcome)
        SELECT delivery, connection_id, bridge_id, provider, side, kind, object, external_id, state, outcome
          FROM arrived ORDER BY delivery
        ON CONFLICT (delivery) DO UPDATE SET deliveries = e.deliveries + 1,
            id = CASE WHEN {_AGAIN} THEN excluded.id ELSE e.id END,
            state = CASE WHEN {_AGAIN} THEN excluded.state ELSE e.state END,
            outcome = CASE WHEN {_AGAIN} THEN '' ELSE e.outcome END,
            received_at = CASE WHEN {_AGAIN} THEN excluded.received_at ELSE e.received_at END,
            handled_at = CASE WHEN {_AGAIN} THEN NULL ELSE e.handled_at END
        RETURNING delivery, (xmax = 0 OR starts_with(delivery, 'content:')) AS news
    ), jobs AS (
        SELECT DISTINCT ON (once) once, lock, priority, args, NULL::timestamptz AS at
          FROM arrived JOIN stored USING (delivery) WHERE news AND once IS NOT NULL ORDER BY once, priority DESC
    ){DEFER_JOBS}
"""  # noqa: S608 -- constants of ours


class Full(Exception):
    """Cannot be stored now: the sender is asked to come back."""


class Batch:
    """What one statement stores. Whoever brought some of its rows waits until it is `over`."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.over = asyncio.Event()
        self.failure = ""
        self._patience = asyncio.get_running_loop().call_later(PATIENCE, self.end, "TimeoutError")

    def end(self, failure: str = "") -> None:
        """Answer all who wait. Once they have given up, what is stored after all is not told."""
        self._patience.cancel()
        if not self.over.is_set():
            self.failure = failure
            self.over.set()


@dataclass(slots=True)
class Inbox:
    db: Database
    directory: Directory
    _line: asyncio.Queue[Batch] = field(default_factory=asyncio.Queue)
    _open: Batch | None = None
    _waiting: int = 0
    _committer: asyncio.Task[None] | None = None
    _connection: psycopg.AsyncConnection[Any] | None = None
    _floods: dict[int, tuple[int, int]] = field(default_factory=dict)

    def start(self) -> None:
        self._committer = asyncio.create_task(self._commit_for_ever())

    async def stop(self) -> None:
        if self._committer is not None:
            self._committer.cancel()
            await asyncio.gather(self._committer, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()

    async def accept(self, provider: str, event: Event, connections: Sequence[ConnectionView]) -> None:
        """Returns when the event is durable. Raises Full when it cannot be, now."""
        batch = self._join(await self._rows(provider, event, connections))
        await batch.over.wait()
        if batch.failure:
            raise Full(batch.failure)

    def _join(self, rows: Sequence[dict[str, Any]]) -> Batch:
        """The last batch in the line takes them while it has room; all rows of a delivery are in one."""
        if self._waiting + len(rows) > WAITING_ROOM:
            raise Full("too much is waiting")
        if self._open is None or len(self._open.rows) >= BATCH or self._open.over.is_set():
            self._open = Batch()
            self._line.put_nowait(self._open)
        self._open.rows += rows
        self._waiting += len(rows)
        return self._open

    async def _rows(self, provider: str, event: Event, connections: Sequence[ConnectionView]) -> list[dict[str, Any]]:
        """One row per bridge that the event concerns; a single one where it concerns none, or the app itself."""
        if event.object == APP and event.verdict is Verdict.HANDLED:
            return [_row(provider, event, None)]
        if not connections:
            return [_row(provider, event, None, ignored="unknown account")]
        rows: list[dict[str, Any]] = []
        for connection in connections:
            if connection.state == ConnectionState.DISABLED:
                rows.append(_row(provider, event, connection, ignored="the connection is disabled"))
                continue
            bridges = await self.directory.bridges_of(connection.id)
            if not bridges:
                rows.append(_row(provider, event, connection, ignored="no bridge uses this account"))
            for bridge, side in bridges:
                news = _of_bridge(event, bridge)
                if event.verdict is not Verdict.HANDLED or not news:
                    off = f"{OBJECTS[event.object].plural} are switched off on this bridge" if event.object else ""
                    rows.append(_row(provider, event, connection, bridge, side, ignored=off))
                for each in news:
                    row = _row(provider, each, connection, bridge, side)
                    rows.append(row | _job(each, bridge, side, self._priority(bridge.id)))
        return rows

    def _priority(self, bridge_id: int) -> Priority:
        """A bridge that floods yields to the others; within a bridge nothing changes."""
        window = int(time.monotonic() // 10)
        since, count = self._floods.get(bridge_id, (window, 0))
        count = count + 1 if since == window else 1
        self._floods[bridge_id] = (window, count)
        return Priority.LIVE if count <= FLOOD else Priority.FLOOD

    async def _commit_for_ever(self) -> None:
        while True:
            batch = await self._line.get()
            self._waiting -= len(batch.rows)
            if batch is self._open:
                self._open = None
            batch.end(await self._commit(batch.rows))

    async def _commit(self, rows: Sequence[dict[str, Any]]) -> str:
        """Why it could not be stored, "" where it was. A batch that fails must not end the committer."""
        failure = ""
        for _ in range(TRIES):
            try:
                await self._store(rows)
            except Exception as error:  # noqa: BLE001 -- as above
                failure = str(error).partition("\n")[0] or type(error).__name__
                if not _is_collision(error):
                    break
                await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 -- not in step with another process
            else:
                return ""
        log.warning("inbox.cannot_store", error=failure, events=len(rows))
        return failure

    async def _store(self, rows: Sequence[dict[str, Any]]) -> None:
        distinct = {row["delivery"]: row for row in rows}
        if self._connection is None or self._connection.closed:
            self._connection = await self.db.connect()
        await self._connection.execute(_STORE, (json.dumps(list(distinct.values())),), prepare=True)


def _of_bridge(event: Event, bridge: BridgeView) -> list[Event]:
    """The event, once for each record that it is news of and that the bridge syncs."""
    if event.verdict is not Verdict.HANDLED:
        return []
    said = [event] if bridge.settings.of(event.object).enabled else []
    for object_, external_id in event.also:
        if bridge.settings.of(object_).enabled:
            delivery_id = f"{event.delivery_id}:{object_}:{external_id}"
            said.append(replace(event, delivery_id=delivery_id, object=object_, external_id=external_id))
    return said


def _is_collision(error: Exception) -> bool:
    """Another process queued the same record in this instant, or a job answered the same events in another order."""
    return isinstance(error, psycopg.IntegrityError | DeadlockDetected)


_STATES = {
    Verdict.HANDLED: EventState.PENDING,
    Verdict.IGNORED: EventState.IGNORED,
    Verdict.UNKNOWN: EventState.UNKNOWN,
}


def _row(
    provider: str,
    event: Event,
    connection: ConnectionView | None,
    bridge: BridgeView | None = None,
    side: Side | None = None,
    *,
    ignored: str = "",
) -> dict[str, Any]:
    state = EventState.IGNORED if ignored else _STATES[event.verdict]
    prefix = "content" if event.by_content else "delivery"
    account = f"{connection.id if connection else 0}:{bridge.id if bridge else 0}"
    # One text that cannot be stored would refuse the whole batch.
    return {
        "delivery": storable(f"{prefix}:{account}:{event.delivery_id}"),
        "connection_id": connection.id if connection else None,
        "bridge_id": bridge.id if bridge else None,
        "provider": provider,
        "side": side.value if side else "",
        "kind": storable(event.kind),
        "object": event.object,
        "external_id": storable(event.external_id),
        "state": state.value,
        "outcome": storable("" if state is EventState.PENDING else ignored or event.reason),
    }


def _job(event: Event, bridge: BridgeView, side: Side, priority: Priority) -> dict[str, Any]:
    return RecordJob(
        bridge_id=bridge.id,
        object=event.object,
        side=side,
        external_id=storable(event.external_id),
        priority=priority,
    ).row()

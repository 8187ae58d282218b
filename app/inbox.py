"""The way in: an event is stored together with its job before the sender hears "accepted".

Two committers take whatever waits and store it in one transaction each, so that the cost of a commit is shared by
everything that arrived during the last one (about 2,000 durable acknowledgements a second on two cores).
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.directory import BridgeView, ConnectionView, Directory
from app.models.connection import ConnectionState
from app.models.event import EventState
from app.providers.base import Event, Verdict
from app.queue import Priority, RecordJob, defer
from app.sync.records import Side
from app.sync.values import storable

log = structlog.get_logger()

COMMITTERS = 2
BATCH = 200
WAITING_ROOM = 5_000
PATIENCE = 8.0
TRIES = 8
"""How often a batch is stored anew that met another one's jobs or a settling job's events."""
FLOOD = 300
"""Events of one bridge within ten seconds that are still treated as live ones."""

# A delivery known by its content only is news again when it comes again: it is pending anew, under a new id, so
# that no job that looked before this moment can answer it.
_STORE = text("""
    INSERT INTO events (delivery, connection_id, bridge_id, provider, side, kind, object, external_id, state, outcome)
    SELECT r.delivery, r.connection_id, r.bridge_id, r.provider, r.side, r.kind, r.object, r.external_id, r.state,
           r.outcome
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(delivery text, connection_id bigint, bridge_id bigint, provider text, side text, kind text, object text,
             external_id text, state text, outcome text)
     ORDER BY r.delivery
    ON CONFLICT (delivery) DO UPDATE SET deliveries = events.deliveries + 1
    RETURNING id, delivery, (xmax = 0) AS fresh
""")
_AGAIN = text("""
    UPDATE events SET id = DEFAULT, state = 'pending', outcome = '', received_at = now(), handled_at = NULL
     WHERE delivery = ANY(:deliveries)
""")


class Full(Exception):
    """Cannot be stored now: the sender is asked to come back."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row to store, with the job it causes (none for what is ignored)."""

    row: dict[str, Any]
    job: RecordJob | None
    again: bool


@dataclass(slots=True)
class Inbox:
    engine: AsyncEngine
    directory: Directory
    _waiting: asyncio.Queue[tuple[Arrival, asyncio.Future[None]]] = field(
        default_factory=lambda: asyncio.Queue(WAITING_ROOM)
    )
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _floods: dict[int, tuple[int, int]] = field(default_factory=dict)

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._commit_for_ever(), name=f"committer-{n}") for n in range(COMMITTERS)]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self, provider: str, event: Event, connections: Sequence[ConnectionView]) -> None:
        """Returns when the event is durable. Raises Full when it cannot be, now."""
        arrivals = await self._arrivals(provider, event, connections)
        loop = asyncio.get_running_loop()
        stored = [loop.create_future() for _ in arrivals]
        try:
            for arrival, future in zip(arrivals, stored, strict=True):
                self._waiting.put_nowait((arrival, future))
            await asyncio.wait_for(asyncio.gather(*stored), PATIENCE)
        except (asyncio.QueueFull, TimeoutError, SQLAlchemyError) as error:
            raise Full(str(error) or type(error).__name__) from error

    async def _arrivals(self, provider: str, event: Event, connections: Sequence[ConnectionView]) -> list[Arrival]:
        """One row per bridge that the event concerns; a single ignored one where it concerns none."""
        if not connections:
            return [_arrival(provider, event, None, None, ignored="unknown account")]
        arrivals: list[Arrival] = []
        for connection in connections:
            if connection.state == ConnectionState.DISABLED:
                arrivals.append(_arrival(provider, event, connection, None, ignored="the connection is disabled"))
                continue
            bridges = await self.directory.bridges_of(connection.id)
            if not bridges:
                arrivals.append(_arrival(provider, event, connection, None, ignored="no bridge uses this account"))
            for bridge, side in bridges:
                arrivals.append(
                    _arrival(provider, event, connection, (bridge, side), priority=self._priority(bridge.id))
                )
        return arrivals

    def _priority(self, bridge_id: int) -> Priority:
        """A bridge that floods yields to the others; within a bridge nothing changes."""
        window = int(time.monotonic() // 10)
        since, count = self._floods.get(bridge_id, (window, 0))
        count = count + 1 if since == window else 1
        self._floods[bridge_id] = (window, count)
        return Priority.LIVE if count <= FLOOD else Priority.FLOOD

    async def _commit_for_ever(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            failure = await self._commit([arrival for arrival, _ in batch])
            for _, future in batch:
                if future.done():
                    continue  # its sender gave up waiting
                if failure is None:
                    future.set_result(None)
                else:
                    future.set_exception(failure)

    async def _commit(self, arrivals: Sequence[Arrival]) -> SQLAlchemyError | None:
        failure: SQLAlchemyError | None = None
        for _ in range(TRIES):
            try:
                await self._store(arrivals)
            except IntegrityError as error:  # another process queued the same record in this instant
                failure = error
            except SQLAlchemyError as error:
                if _is_deadlock(error):  # a job answered the same events in another order
                    failure = error
                    continue
                log.warning("inbox.cannot_store", error=str(error).splitlines()[0], events=len(arrivals))
                return error
            else:
                return None
            await asyncio.sleep(random.uniform(0, 0.02))  # noqa: S311 -- not in step with the other
        log.warning("inbox.cannot_store", error=str(failure).splitlines()[0], events=len(arrivals))
        return failure

    async def _store(self, arrivals: Sequence[Arrival]) -> None:
        distinct = {arrival.row["delivery"]: arrival for arrival in arrivals}
        async with self.engine.begin() as connection:
            rows = json.dumps([arrival.row for arrival in distinct.values()])
            stored = (await connection.execute(_STORE, {"rows": rows})).all()
            known = {row.delivery for row in stored if not row.fresh}
            again = sorted(delivery for delivery in known if distinct[delivery].again)
            if again:
                await connection.execute(_AGAIN, {"deliveries": again})
            await defer(
                connection,
                [a.job for name, a in distinct.items() if a.job and (name not in known or a.again)],
            )


def _is_deadlock(error: SQLAlchemyError) -> bool:
    return isinstance(error, DBAPIError) and isinstance(error.orig, DeadlockDetected)


def _arrival(
    provider: str,
    event: Event,
    connection: ConnectionView | None,
    place: tuple[BridgeView, Side] | None,
    *,
    ignored: str = "",
    priority: Priority = Priority.LIVE,
) -> Arrival:
    states = {Verdict.IGNORED: EventState.IGNORED, Verdict.UNKNOWN: EventState.UNKNOWN}
    state = EventState.IGNORED if ignored else states.get(event.verdict, EventState.PENDING)
    bridge, side = place or (None, None)
    prefix = "content" if event.by_content else "delivery"
    row = {
        "delivery": f"{prefix}:{connection.id if connection else 0}:{bridge.id if bridge else 0}:{event.delivery_id}",
        "connection_id": connection.id if connection else None,
        "bridge_id": bridge.id if bridge else None,
        "provider": provider,
        "side": side.value if side else "",
        "kind": event.kind,
        "object": event.object,
        "external_id": event.external_id,
        "state": state.value,
        "outcome": "" if state is EventState.PENDING else ignored or event.reason,
    }
    job = None
    if state is EventState.PENDING and bridge is not None and side is not None:
        job = RecordJob(
            bridge_id=bridge.id, object=event.object, side=side, external_id=event.external_id, priority=priority
        )
    # One text that cannot be stored would refuse the whole batch.
    row = {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
    return Arrival(row, job, again=event.by_content and job is not None)

"""What sweeps keep in PostgreSQL: how far each object was read, what was found, and how many events were missed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.directory import ConnectionView
from app.models import Event
from app.models.event import EventState
from app.queue import Priority, RecordJob, defer
from app.sweep.knowledge import Of
from app.sweep.readings import Scope

KIND = "sweep"
"""The kind of the events that a sweep makes. The delivery of one that was missed begins with "missed:"."""

_BEGAN = {
    scope: text(
        f"INSERT INTO sweeps (bridge_id, {', '.join(columns)})"  # noqa: S608 -- columns of ours
        f" VALUES (:bridge_id, {', '.join(['now()'] * len(columns))}) ON CONFLICT (bridge_id) DO UPDATE SET"
        f" {', '.join(f'{column} = now()' for column in columns)}"
    )
    for scope, columns in {
        Scope.SILENT: ("silent_at",),
        Scope.CHANGED: ("silent_at", "changed_at"),
        Scope.FULL: ("silent_at", "changed_at", "full_at"),
    }.items()
}
# An object that was switched on later begins where the last sweep before that had been.
_MET = text("""
    INSERT INTO cursors (bridge_id, side, object, begun_at)
    SELECT b.id, m.side, m.object,
           coalesce((SELECT max(c.read_to) FROM cursors c WHERE c.bridge_id = b.id), b.created_at)
      FROM bridges b, unnest(CAST(:sides AS text[]), CAST(:objects AS text[])) AS m(side, object)
     WHERE b.id = :bridge_id
    ON CONFLICT DO NOTHING
""")
_CURSOR = text("""
    SELECT begun_at, read_to FROM cursors WHERE bridge_id = :bridge_id AND side = :side AND object = :object
""")
_READ = text("""
    UPDATE cursors SET read_to = :read_to, compared_at = coalesce(:compared_at, compared_at), problem = ''
     WHERE bridge_id = :bridge_id AND side = :side AND object = :object
""")
_STOPPED = text("""
    UPDATE cursors SET problem = :problem WHERE bridge_id = :bridge_id AND side = :side AND object = :object
""")
_MISSED = text("""
    INSERT INTO missed_events AS m (bridge_id, day, side, object, missed, last_at)
    VALUES (:bridge_id, (now() AT TIME ZONE 'UTC')::date, :side, :object, :missed, now())
    ON CONFLICT (bridge_id, day, side, object) DO UPDATE SET missed = m.missed + excluded.missed, last_at = now()
""")
_FOUND = text("""
    SELECT side, external_id FROM events
     WHERE state = 'pending' AND bridge_id = :bridge_id AND object = :object AND kind = 'sweep'
       AND received_at >= (SELECT created_at FROM runs WHERE id = :run_id)
""")
# Kept before the events are forgotten. Those of earlier days may still be repaired today.
_REPAIRED = text("""
    UPDATE missed_events m SET repaired = greatest(m.repaired, (
        SELECT count(*) FROM events e
         WHERE e.connection_id = :connection_id AND e.kind = 'sweep' AND e.state = 'done'
           AND starts_with(e.delivery, 'missed:') AND e.bridge_id = m.bridge_id AND e.object = m.object
           AND e.received_at >= m.day::timestamp AT TIME ZONE 'UTC'
           AND e.received_at < (m.day + 1)::timestamp AT TIME ZONE 'UTC'))
     WHERE m.bridge_id = :bridge_id AND m.side = :side AND m.repaired < m.missed
       AND m.day >= (now() AT TIME ZONE 'UTC')::date - 7
""")


@dataclass(frozen=True, slots=True)
class Cursor:
    begun_at: datetime
    read_to: datetime | None


async def began(connection: AsyncConnection, bridge_id: int, scope: Scope, all_: Sequence[Of]) -> None:
    """A sweep begins. `all_`: whatever is read of the bridge by any sweep."""
    sides, objects = [each.side.value for each in all_], [each.object for each in all_]
    await connection.execute(_MET, {"bridge_id": bridge_id, "sides": sides, "objects": objects})
    await connection.execute(_BEGAN[scope], {"bridge_id": bridge_id})


async def cursor(connection: AsyncConnection, of: Of) -> Cursor:
    return Cursor(*(await connection.execute(_CURSOR, of.values())).one())


async def read(connection: AsyncConnection, of: Of, read_to: datetime, *, whole: bool) -> None:
    """A reading came to its end. `whole`: of everything."""
    await connection.execute(_READ, of.values(read_to=read_to, compared_at=read_to if whole else None))


async def stopped(connection: AsyncConnection, of: Of, problem: str) -> None:
    await connection.execute(_STOPPED, of.values(problem=problem[:1000]))


async def found(
    connection: AsyncConnection, of: Of, view: ConnectionView, *, news: Iterable[str], missed: Sequence[str]
) -> None:
    """What a sweep found is an event like those that are told; `release` gives it its job."""
    ids = {**dict.fromkeys(news, KIND), **dict.fromkeys(missed, "missed")}
    await connection.execute(insert(Event), [_event(of, view, id_, word) for id_, word in ids.items()])
    if missed:
        await connection.execute(_MISSED, of.values(missed=len(missed)))


async def release(connection: AsyncConnection, bridge_id: int, object_: str, run_id: int) -> None:
    """Queue what this run has found of an object, at low priority.

    Only when both sides were read: the job for one would repair the other before it is counted.
    """
    values = {"bridge_id": bridge_id, "object": object_, "run_id": run_id}
    jobs = [
        RecordJob(
            bridge_id=bridge_id, object=object_, side=side, external_id=id_, priority=Priority.FLOOD, run_id=run_id
        )
        for side, id_ in await connection.execute(_FOUND, values)
    ]
    await defer(connection, jobs)


async def note_repaired(connection: AsyncConnection, bridge_id: int, side: str, connection_id: int) -> None:
    await connection.execute(_REPAIRED, {"bridge_id": bridge_id, "side": side, "connection_id": connection_id})


def _event(of: Of, view: ConnectionView, external_id: str, word: str) -> dict[str, Any]:
    return {
        "delivery": f"{word}:{uuid4()}",
        "connection_id": view.id,
        "bridge_id": of.bridge_id,
        "provider": view.provider,
        "side": of.side.value,
        "kind": KIND,
        "object": of.object,
        "external_id": external_id,
        "state": EventState.PENDING.value,
    }

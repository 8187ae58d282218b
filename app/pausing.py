"""Pauses. What changes meanwhile is kept as events that wait, and caught up with when the pause is over.

A bridge is held by each that has paused it, and goes on by itself when the last of them lets go:

source       | what was paused
bridge       | this bridge
connection/5 | a connection, and so all its bridges
everything   | all bridges at once
object/task  | one object of the bridge, which itself goes on

A person who lets the bridge itself go on ends all of them but those of single objects.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import RowMapping, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.models import Bridge, Pause
from app.queue import transact
from app.sync.resuming import resume
from app.sync.store import Target

BRIDGE, EVERYTHING = "bridge", "everything"
_OBJECT = "object/"

# Of a bridge `b`, in SQL: whether this object of it is paused.
HELD = f"""(NOT b.enabled AND b.live_since IS NOT NULL OR EXISTS (
    SELECT 1 FROM pauses p WHERE p.bridge_id = b.id AND p.source = '{_OBJECT}' || {{object}}))"""  # noqa: S608 -- constants of this module, as below
_WHOLE = f"NOT starts_with(p.source, '{_OBJECT}')"
_ANY = f"EXISTS (SELECT 1 FROM pauses p WHERE p.bridge_id = b.id AND {_WHOLE})"  # noqa: S608
_PAUSE = text(f"""
    WITH live AS (
        SELECT b.id, b.enabled FROM bridges b
         WHERE b.id = ANY(:ids) AND (b.enabled OR b.live_since IS NOT NULL AND (:source = '{BRIDGE}' OR {_ANY}))
         ORDER BY b.id FOR NO KEY UPDATE
    ), held AS (
        INSERT INTO pauses (bridge_id, source, ends_at, actor)
        SELECT id, :source, CAST(:ends_at AS timestamptz), :actor FROM live
        ON CONFLICT (bridge_id, source)
            DO UPDATE SET ends_at = excluded.ends_at, actor = excluded.actor, begun_at = now()
    )
    UPDATE bridges b SET enabled = false FROM live WHERE b.id = live.id AND live.enabled RETURNING b.id
""")  # noqa: S608
_PAUSE_OBJECT = text("""
    INSERT INTO pauses (bridge_id, source, ends_at, actor) VALUES (:bridge_id, :source, :ends_at, :actor)
    ON CONFLICT (bridge_id, source) DO UPDATE SET ends_at = excluded.ends_at, actor = excluded.actor, begun_at = now()
""")
# Nobody pauses a bridge between what is found of its pauses and what follows from it.
_LOCK = "SELECT b.id FROM bridges b WHERE EXISTS (SELECT 1 FROM pauses p WHERE p.bridge_id = b.id AND {which})"
_END = "DELETE FROM pauses p WHERE {which} RETURNING p.bridge_id, p.source"
_GO_ON = text(f"""
    UPDATE bridges b SET enabled = true
     WHERE b.id = ANY(:ids) AND NOT b.enabled AND b.live_since IS NOT NULL AND NOT {_ANY} RETURNING b.id
""")  # noqa: S608
_HELD_BY = text(
    "SELECT count(*) AS bridges, min(actor) AS actor, min(begun_at) AS since FROM pauses WHERE source = :source"
)
_BILLING = text("SELECT DISTINCT billing_connection_id FROM bridges WHERE id = ANY(:ids)")
# Of no vendor's, as what a sweep finds; an event that waits already is enough.
_HOLD = text("""
    INSERT INTO events (delivery, connection_id, bridge_id, provider, side, kind, object, external_id, state)
    SELECT :delivery, c.id, b.id, c.provider, CAST(:side AS text), 'poll', CAST(:object AS text),
           CAST(:external_id AS text), 'pending'
      FROM bridges b
      JOIN connections c
        ON c.id = CASE CAST(:side AS text) WHEN 'crm' THEN b.crm_connection_id ELSE b.billing_connection_id END
     WHERE b.id = :bridge_id AND NOT EXISTS (
           SELECT 1 FROM events e WHERE e.state = 'pending' AND e.bridge_id = :bridge_id AND e.object = :object
              AND e.side = :side AND e.external_id = :external_id)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who pauses, and until when: None is until somebody ends it."""

    actor: str
    until: datetime | None = None


def connection_source(connection_id: int) -> str:
    return f"connection/{connection_id}"


def object_source(name: str) -> str:
    return _OBJECT + name


def object_of(source: str) -> str:
    """The name of the object that was paused; "" where it was something else."""
    return source.removeprefix(_OBJECT) if source.startswith(_OBJECT) else ""


async def pause(connection: AsyncConnection, ids: Sequence[int], source: str, by: By) -> int:
    """Bridges in dry run stay as they are. Returns how many were live."""
    values = {"ids": list(ids), "source": source, "ends_at": by.until, "actor": by.actor}
    return len((await connection.execute(_PAUSE, values)).all())


async def pause_object(connection: AsyncConnection, bridge_id: int, name: str, by: By) -> None:
    values = {"bridge_id": bridge_id, "source": object_source(name), "ends_at": by.until, "actor": by.actor}
    await connection.execute(_PAUSE_OBJECT, values)


async def end(engine: AsyncEngine, source: str, bridge_id: int | None = None) -> list[int]:
    """What was paused as this goes on, of one bridge or of all; returns the bridges that go on by it."""
    which, values = "p.source = :source", {"source": source, "bridge_id": bridge_id}
    if bridge_id is not None:
        which += " AND p.bridge_id = :bridge_id"
    return await transact(engine, partial(_end, which=which, values=values))


async def resume_due(engine: AsyncEngine) -> list[int]:
    """Those whose time has come go on; once, whoever asks, and not while somebody else holds them."""
    return await transact(engine, partial(_end, which="p.ends_at <= now()", values={}))


async def resume_bridges(engine: AsyncEngine, ids: Sequence[int]) -> list[int]:
    """A person wants them to go on, whoever has paused them. Those in dry run stay as they are."""
    which = f"p.bridge_id = ANY(:ids) AND {_WHOLE}"
    return await transact(engine, partial(_end, which=which, values={"ids": list(ids)}, more=ids))


async def _end(
    connection: AsyncConnection, *, which: str, values: Mapping[str, Any], more: Sequence[int] = ()
) -> list[int]:
    """`more`: bridges that go on, whether or not it is known who has paused them."""
    await connection.execute(text(f"{_LOCK.format(which=which)} ORDER BY b.id FOR NO KEY UPDATE"), values)
    ended = (await connection.execute(text(_END.format(which=which)), values)).all()
    ids = {bridge_id for bridge_id, source in ended if not source.startswith(_OBJECT)}.union(more)
    gone_on = list((await connection.scalars(_GO_ON, {"ids": sorted(ids)})).all())
    objects = [bridge_id for bridge_id, source in ended if source.startswith(_OBJECT)]
    for connection_id in (await connection.scalars(_BILLING, {"ids": [*gone_on, *objects]})).all():
        await resume(connection, connection_id=connection_id)
    return gone_on


async def hold(engine: AsyncEngine, target: Target) -> None:
    """A record whose bridge or object is paused: an event that waits brings it back afterwards."""
    values = {
        "delivery": f"held:{uuid4()}",
        "bridge_id": target.bridge_id,
        "object": target.object,
        "side": target.side.value,
        "external_id": target.external_id,
    }
    async with engine.begin() as connection:
        await connection.execute(_HOLD, values)


async def pauses_of(engine: AsyncEngine, ids: Sequence[int] | None = None) -> dict[int, list[Pause]]:
    """By bridge, the oldest first; of `ids`, or of all, only those that have any."""
    found: dict[int, list[Pause]] = {}
    asked = select(Pause).order_by(col(Pause.begun_at), col(Pause.source))
    if ids is not None:
        asked = asked.where(col(Pause.bridge_id).in_(ids))
    async with AsyncSession(engine) as session:
        for row in (await session.scalars(asked)).all():
            found.setdefault(row.bridge_id, []).append(row)
    return found


async def paused_objects(session: AsyncSession) -> dict[int, frozenset[str]]:
    """By bridge."""
    found: dict[int, frozenset[str]] = {}
    asked = select(col(Pause.bridge_id), col(Pause.source)).where(col(Pause.source).startswith(_OBJECT))
    for bridge_id, source in await session.execute(asked):
        found[bridge_id] = found.get(bridge_id, frozenset()) | {source.removeprefix(_OBJECT)}
    return found


async def held_by(engine: AsyncEngine, source: str) -> RowMapping | None:
    """How many `bridges`, by which `actor` and `since` when; None where there are none."""
    async with engine.connect() as connection:
        row = (await connection.execute(_HELD_BY, {"source": source})).mappings().one()
    return row if row["bridges"] else None


async def bridges_of(connection: AsyncConnection, connection_id: int) -> list[int]:
    used = (col(Bridge.crm_connection_id) == connection_id) | (col(Bridge.billing_connection_id) == connection_id)
    return [id_ for id_ in (await connection.scalars(select(col(Bridge.id)).where(used))).all() if id_ is not None]

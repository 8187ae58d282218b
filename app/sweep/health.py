"""How a bridge is doing, as its sweeps and deliveries tell: for people."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.directory import BridgeView, Directory
from app.errors import Gone
from app.models import Connection, Cursor, Run
from app.models.run import RunKind
from app.sweep.readings import Scope
from app.sync.records import Side

DAYS = 30
SILENT = timedelta(hours=1)
"""No delivery for so long, while sweeps found changes, is said."""

_SCOPE = col(Run.options)["scope"].astext
_AMONG = 5000

_MISSED = text("""
    SELECT m.day, m.side, m.object, m.missed, m.last_at, c.provider, greatest(m.repaired, (
            SELECT count(*) FROM events e
             WHERE e.connection_id = c.id AND e.kind = 'sweep' AND e.state = 'done'
               AND starts_with(e.delivery, 'missed:') AND e.bridge_id = m.bridge_id AND e.object = m.object
               AND e.received_at >= m.day::timestamp AT TIME ZONE 'UTC'
               AND e.received_at < (m.day + 1)::timestamp AT TIME ZONE 'UTC')) AS repaired
      FROM missed_events m
      JOIN bridges b ON b.id = m.bridge_id
      JOIN connections c ON c.id = CASE m.side WHEN 'crm' THEN b.crm_connection_id ELSE b.billing_connection_id END
     WHERE m.bridge_id = :bridge_id AND m.day > (now() AT TIME ZONE 'UTC')::date - CAST(:days AS integer)
     ORDER BY m.day DESC, m.side, m.object
""")
# The newest of each kind, among the last: a connection may have millions.
_HEARD = text("""
    SELECT c.id, last.kind, max(last.received_at) FROM unnest(CAST(:ids AS bigint[])) AS c(id), LATERAL (
        SELECT kind, received_at FROM events WHERE connection_id = c.id AND kind NOT IN ('poll', 'sweep')
         ORDER BY id DESC LIMIT :among) AS last
     GROUP BY c.id, last.kind ORDER BY c.id, last.kind
""")
_MISSED_SINCE = text("""
    SELECT count(*) FROM events WHERE connection_id = :connection_id AND kind = 'sweep' AND bridge_id = :bridge_id
       AND starts_with(delivery, 'missed:') AND received_at > coalesce(CAST(:since AS timestamptz), '-infinity')
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Changes of one day and object that no event had told of, and how many of them are in step by now."""

    day: date
    provider: str
    side: str
    object: str
    missed: int
    repaired: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a connection delivered last. `missed_since`: changes that sweeps found after its last delivery.

    `said`: the silence, in a sentence; "" where there is none.
    """

    connection_id: int
    provider: str
    side: Side
    last_at: datetime | None
    kinds: Sequence[tuple[str, datetime]]
    missed_since: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`webhooks`: of each connection, why its webhooks are not in order; "": they are."""

    last_sweep: Run | None
    last_full: Run | None
    readings: Sequence[Cursor]
    missed: Sequence[Missed]
    heard: Sequence[Heard]
    webhooks: Mapping[int, str]


async def health_of(engine: AsyncEngine, directory: Directory, bridge_id: int, now: datetime) -> Health:
    """Raises Gone."""
    bridge = await directory.bridge(bridge_id)
    if bridge is None:
        raise Gone(f"There is no bridge {bridge_id}.")
    cursors = select(Cursor).where(col(Cursor.bridge_id) == bridge_id)
    sweeps = select(Run).where(col(Run.bridge_id) == bridge_id, col(Run.kind) == RunKind.SWEEP.value)
    last = sweeps.order_by(col(Run.id).desc()).limit(1)
    async with AsyncSession(engine) as session:
        rows = [await session.get_one(Connection, bridge.connection(side).id) for side in Side]
        connection = await session.connection()
        return Health(
            last_sweep=(await session.scalars(last)).first(),
            last_full=(await session.scalars(last.where(Scope.FULL.value == _SCOPE))).first(),
            readings=(await session.scalars(cursors.order_by(col(Cursor.object), col(Cursor.side)))).all(),
            missed=await missed(connection, bridge_id),
            heard=await heard(connection, bridge, now),
            webhooks={row.id or 0: row.webhooks_problem for row in rows},
        )


async def missed(connection: AsyncConnection, bridge_id: int) -> list[Missed]:
    """Of the last 30 days, newest first."""
    rows = await connection.execute(_MISSED, {"bridge_id": bridge_id, "days": DAYS})
    return [Missed(**row) for row in rows.mappings()]


async def heard(connection: AsyncConnection, bridge: BridgeView, now: datetime) -> list[Heard]:
    """Of both sides."""
    return [await _heard(connection, bridge, side, now) for side in Side]


async def last_heard(
    connection: AsyncConnection, ids: Iterable[int], *, among: int
) -> Mapping[int, Sequence[tuple[str, datetime]]]:
    """By connection: the kinds of so many of its latest events, each with when it last came."""
    found: dict[int, list[tuple[str, datetime]]] = {id_: [] for id_ in ids}
    for id_, kind, at in await connection.execute(_HEARD, {"ids": list(found), "among": among}):
        found[id_].append((kind, at))
    return found


async def _heard(connection: AsyncConnection, bridge: BridgeView, side: Side, now: datetime) -> Heard:
    view = bridge.connection(side)
    kinds = (await last_heard(connection, [view.id], among=_AMONG))[view.id]
    last_at = max((at for _, at in kinds), default=None)
    values = {"connection_id": view.id, "bridge_id": bridge.id, "since": last_at}
    since = int(await connection.scalar(_MISSED_SINCE, values) or 0)
    return Heard(
        connection_id=view.id,
        provider=view.provider,
        side=side,
        last_at=last_at,
        kinds=kinds,
        missed_since=since,
        said=_silence(last_at, since, now),
    )


def _silence(last_at: datetime | None, missed_since: int, now: datetime) -> str:
    if not missed_since:
        return ""
    found = f"sweeps found {missed_since} change{'s' if missed_since > 1 else ''}"
    if last_at is None:
        return f"No delivery so far, while {found}: look at the webhooks."
    if now - last_at < SILENT:
        return ""
    return f"No delivery for {(now - last_at) // timedelta(hours=1)} h, while {found}: look at the webhooks."

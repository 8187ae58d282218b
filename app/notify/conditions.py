"""Which conditions hold now: a few questions that cost the same however many records and events there are.

Where it cannot be said at the moment whether a condition still holds, as of a connection that is refused and so tells
of nothing, it is given with level 0: what is open stays open.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, TextClause, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col

from app.models import Bridge, Connection
from app.models.alert import AlertKind, Thing
from app.models.connection import ConnectionState
from app.notify.messages import Condition
from app.settings import Settings

LEVELS = (100, 90, 70, 50)
"""Of a budget, in per cent."""
_USUAL, _USUAL_DAYS = 10, 7
"""A connection usually sends where its last so many deliveries came within so many days."""

_BRIDGES = (
    "ARRAY(SELECT b.id FROM bridges b WHERE b.crm_connection_id = c.id OR b.billing_connection_id = c.id ORDER BY b.id)"
    " AS bridges"
)
_TROUBLED = text("""
    SELECT b.id, b.name,
           (SELECT count(*) FROM links l WHERE l.bridge_id = b.id AND l.state = 'failed') AS failed,
           (SELECT count(*) FROM links l WHERE l.bridge_id = b.id AND l.state = 'conflict') AS conflicts
      FROM bridges b WHERE b.enabled
""")
_HEARD = (
    "SELECT e.received_at FROM events e"
    " WHERE e.connection_id = c.id AND e.kind NOT IN ('poll', 'sweep') ORDER BY e.id DESC"
)
_SILENT = text(f"""
    SELECT c.id, c.name, {_BRIDGES},
           floor(coalesce(extract(epoch FROM now() - last.received_at), 0) / 3600)::int AS count,
           (c.state = 'active' AND usual.received_at > last.received_at - make_interval(days => {_USUAL_DAYS})) IS TRUE
               AS sure
      FROM connections c
      LEFT JOIN LATERAL ({_HEARD} LIMIT 1) last ON true
      LEFT JOIN LATERAL ({_HEARD} OFFSET {_USUAL - 1} LIMIT 1) usual ON true
     WHERE c.state IN ('active', 'needs_reconnect')
       AND EXISTS (SELECT 1 FROM bridges b
                    WHERE b.enabled AND (b.crm_connection_id = c.id OR b.billing_connection_id = c.id))
       AND (last.received_at < now() - make_interval(secs => :seconds) OR last.received_at IS NULL)
""")  # noqa: S608 -- constants of this module
_UNSUBSCRIBED = text(f"""
    SELECT c.id, c.name, {_BRIDGES}, c.state = 'active' AS sure FROM connections c
     WHERE c.webhooks_managed AND c.webhooks_problem <> '' AND c.state IN ('active', 'needs_reconnect')
""")  # noqa: S608 -- as above
_SPENT = text(f"""
    SELECT c.id, c.name, {_BRIDGES}, s.day_calls AS count FROM budgets s JOIN connections c ON c.id = s.connection_id
     WHERE c.provider = 'highlevel' AND s.day = (now() AT TIME ZONE 'UTC')::date AND s.day_calls >= :least
""")  # noqa: S608 -- as above


@dataclass(frozen=True, slots=True)
class Thresholds:
    """0: that condition is not looked for."""

    failures: int
    silent_hours: float
    calls_per_day: int

    @classmethod
    def of(cls, settings: Settings) -> "Thresholds":
        return cls(settings.alert_failures, settings.alert_silent_hours, settings.highlevel_calls_per_day)


async def conditions(connection: AsyncConnection, limits: Thresholds) -> list[Condition]:
    found = [*await _refused(connection), *await _troubled(connection, limits.failures)]
    for row in await _rows(connection, _UNSUBSCRIBED):
        found.append(_of_connection(AlertKind.WEBHOOKS, row, level=int(row["sure"])))
    if limits.silent_hours:
        for row in await _rows(connection, _SILENT, seconds=limits.silent_hours * 3600):
            found.append(_of_connection(AlertKind.SILENCE, row, level=int(row["sure"]), count=row["count"]))
    if per_day := limits.calls_per_day:
        for row in await _rows(connection, _SPENT, least=per_day * LEVELS[-1] / 100):
            level = next(level for level in LEVELS if row["count"] * 100 >= per_day * level)
            found.append(_of_connection(AlertKind.BUDGET, row, level=level, count=row["count"]))
    return found


async def _refused(connection: AsyncConnection) -> list[Condition]:
    bridges = select(col(Bridge.id), col(Bridge.crm_connection_id), col(Bridge.billing_connection_id))
    rows = (await connection.execute(bridges.order_by(col(Bridge.id)))).all()
    refused = select(Connection).where(col(Connection.state) == ConnectionState.NEEDS_RECONNECT.value)
    return [
        Condition(
            kind=AlertKind.RECONNECT,
            thing=Thing.CONNECTION,
            thing_id=row.id or 0,
            name=row.name,
            bridges=tuple(id_ or 0 for id_, *pair in rows if row.id in pair),
            cure=row.remedy,
        )
        for row in await AsyncSession(connection).scalars(refused)
    ]


async def _troubled(connection: AsyncConnection, threshold: int) -> list[Condition]:
    """Failures end at half of what they begin at: a count that goes up and down by one is no news each time."""
    found = []
    for row in await _rows(connection, _TROUBLED):
        id_ = row["id"]
        here: dict[str, Any] = {"thing": Thing.BRIDGE, "thing_id": id_, "name": row["name"], "bridges": (id_,)}
        if threshold and row["failed"] * 2 > threshold:
            begins = row["failed"] > threshold
            found.append(Condition(kind=AlertKind.FAILURES, level=int(begins), count=row["failed"], **here))
        if row["conflicts"]:
            found.append(Condition(kind=AlertKind.CONFLICT, count=row["conflicts"], **here))
    return found


async def _rows(connection: AsyncConnection, statement: TextClause, **values: object) -> Sequence[RowMapping]:
    return (await connection.execute(statement, values)).mappings().all()


def _of_connection(kind: AlertKind, row: RowMapping, *, level: int, count: int = 0) -> Condition:
    return Condition(
        kind=kind,
        thing=Thing.CONNECTION,
        thing_id=row["id"],
        name=row["name"],
        bridges=tuple(row["bridges"]),
        level=level,
        count=count,
    )

"""One budget per connection, shared by every worker on every machine, kept in PostgreSQL.

An exact sliding window: in any interval no more calls leave than the vendor allows, and all of them may leave at
once. Reads stop a little short of the end, so that a job that has read can still write. A job that must wait takes a
place in a line, so that a thousand waiting jobs do not all come back in the same second.

Work in the background stops earlier, so that live events always find a share that is theirs. It is done by a few who
come back by themselves, and takes no place in the line.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from app.db import Database
from app.errors import Wait

_READ_SHARE = 0.97
_BACKGROUND_SHARE = 0.94
_CALLS_PER_JOB = 2
_MANY = 1_000_000

_TAKE = text("""
    UPDATE budgets SET
        recent = (SELECT coalesce(array_agg(t), '{}') FROM unnest(recent) t
                   WHERE t > clock_timestamp() - make_interval(secs => :interval)) || clock_timestamp(),
        day = (clock_timestamp() AT TIME ZONE 'UTC')::date,
        day_calls = CASE WHEN day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN day_calls + 1 ELSE 1 END,
        told_left = CASE WHEN told_at >= CAST(:told_at AS timestamptz) THEN told_left
                         ELSE coalesce(CAST(:told_left AS integer), told_left) END,
        told_at = greatest(told_at, CAST(:told_at AS timestamptz))
     WHERE connection_id = :connection
       AND (SELECT count(*) FROM unnest(recent) t
             WHERE t > clock_timestamp() - make_interval(secs => :interval)) < :calls
       AND (blocked_until IS NULL OR blocked_until <= clock_timestamp())
       AND (:per_day = 0 OR day IS DISTINCT FROM (clock_timestamp() AT TIME ZONE 'UTC')::date OR day_calls < :per_day)
    RETURNING day_calls
""")
_QUEUE_UP = text("""
    UPDATE budgets SET line = make_interval(secs => :spacing) + greatest(
        line,
        clock_timestamp(),
        blocked_until,
        (SELECT min(t) + make_interval(secs => :interval) FROM unnest(recent) t
          WHERE t > clock_timestamp() - make_interval(secs => :interval)),
        CASE WHEN :per_day > 0 AND day_calls >= :per_day AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date
             THEN (day + 1)::timestamp AT TIME ZONE 'UTC' END)
     WHERE connection_id = :connection
    RETURNING extract(epoch FROM line - clock_timestamp())
""")
# The moment when so many of the recent calls are over that there is room for one.
_ROOM = text("""
    SELECT extract(epoch FROM greatest(
        blocked_until,
        (SELECT t + make_interval(secs => :interval) FROM unnest(recent) t
          WHERE t > clock_timestamp() - make_interval(secs => :interval) ORDER BY t DESC OFFSET :calls - 1 LIMIT 1),
        CASE WHEN :per_day > 0 AND day_calls >= :per_day AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date
             THEN (day + 1)::timestamp AT TIME ZONE 'UTC' END,
        clock_timestamp()) - clock_timestamp())
      FROM budgets WHERE connection_id = :connection
""")
_BLOCK = text("""
    UPDATE budgets SET blocked_until = greatest(blocked_until, clock_timestamp() + make_interval(secs => :seconds))
     WHERE connection_id = :connection
""")


_SPENT = text("""
    SELECT b.connection_id AS id, b.blocked_until AS closed_until, b.told_left, b.told_at,
           (SELECT count(*) FROM unnest(b.recent) t
             WHERE t > clock_timestamp() - make_interval(secs => w.seconds)) AS recent,
           CASE WHEN b.day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN b.day_calls ELSE 0 END AS today
      FROM unnest(CAST(:ids AS bigint[]), CAST(:seconds AS double precision[])) AS w(id, seconds)
      JOIN budgets b ON b.connection_id = w.id
""")
_OPEN = text("INSERT INTO budgets (connection_id) VALUES (:connection) ON CONFLICT DO NOTHING")


@dataclass(frozen=True, slots=True)
class Limit:
    """`calls` per `interval` seconds and `per_day` (UTC days); 0: no limit."""

    calls: int = 0
    interval: float = 1
    per_day: int = 0

    @property
    def exists(self) -> bool:
        return bool(self.calls or self.per_day)


UNLIMITED = Limit()


@dataclass(frozen=True, slots=True)
class Spent:
    """What has left of a budget: `recent` calls in the interval, `today` in this UTC day. None may leave before
    `closed_until`. `told_left`: what the vendor itself said to be left of its day, at `told_at`.
    """

    limit: Limit
    recent: int = 0
    today: int = 0
    closed_until: datetime | None = None
    told_left: int | None = None
    told_at: datetime | None = None


class Budgets:
    """The gates of all connections. `limits` says what a provider's connections may spend."""

    def __init__(self, db: Database, limits: Mapping[str, Limit]) -> None:
        self._db = db
        self._limits = limits
        # What this process was told by a vendor; shared through the database where the connection has a budget.
        self._closed_until: dict[int, float] = {}
        # Written with the connection's next call, so that it costs no statement.
        self._told: dict[int, tuple[int, datetime]] = {}

    def gate(self, connection_id: int, provider: str, *, background: bool = False) -> "Gatekeeper":
        return Gatekeeper(self, connection_id, self._limits.get(provider, UNLIMITED), background)

    async def spent(self, providers: Mapping[int, str]) -> Mapping[int, Spent]:
        """By the ids of connections, whose providers are given. Those without a limit are left out."""
        limits = {id_: self._limits.get(provider, UNLIMITED) for id_, provider in providers.items()}
        limits = {id_: limit for id_, limit in limits.items() if limit.exists}
        values = {"ids": list(limits), "seconds": [float(limit.interval) for limit in limits.values()]}
        async with self._db.single.connect() as connection:
            rows = (await connection.execute(_SPENT, values)).all()
        known = {
            row.id: Spent(limits[row.id], row.recent, row.today, row.closed_until, row.told_left, row.told_at)
            for row in rows
        }
        return {id_: known.get(id_, Spent(limit)) for id_, limit in limits.items()}

    async def take(self, connection_id: int, limit: Limit, *, writes: bool, background: bool = False) -> None:
        seconds = self._closed_until.get(connection_id, 0) - time.monotonic()
        if seconds > 0:
            raise Wait(seconds, "budget")
        if not limit.exists:
            return
        told_left, told_at = self._told.get(connection_id, (None, None))
        calls = limit.calls or _MANY
        share = _BACKGROUND_SHARE if background else 1 if writes else _READ_SHARE
        values = {
            "connection": connection_id,
            "interval": limit.interval if limit.calls else 0,  # where only days are counted, no times are kept
            "calls": max(1, int(calls * share)),
            "per_day": limit.per_day,
            "told_left": told_left,
            "told_at": told_at,
        }
        async with self._db.single.connect() as connection:
            if (await connection.execute(_TAKE, values)).first() is not None:
                return
            spacing = _CALLS_PER_JOB * limit.interval / calls
            wait = await connection.scalar(_ROOM if background else _QUEUE_UP, {**values, "spacing": spacing})
            if wait is None:
                await connection.execute(_OPEN, values)
                return
        raise Wait(max(0.05, float(wait)), "budget")

    def heard(self, connection_id: int, left_today: int) -> None:
        """What the vendor says to be left of its day."""
        self._told[connection_id] = left_today, datetime.now(UTC)

    async def close(self, connection_id: int, limit: Limit, seconds: float) -> None:
        self._closed_until[connection_id] = time.monotonic() + seconds
        if limit.exists:
            async with self._db.single.connect() as connection:
                await connection.execute(_BLOCK, {"connection": connection_id, "seconds": seconds})


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """The gate of one connection (`app.providers.base.Gate`)."""

    budgets: Budgets
    connection_id: int
    limit: Limit
    background: bool = False

    async def pass_(self, *, writes: bool) -> None:
        await self.budgets.take(self.connection_id, self.limit, writes=writes, background=self.background)

    async def close(self, seconds: float) -> None:
        await self.budgets.close(self.connection_id, self.limit, seconds)

    def heard(self, left_today: int) -> None:
        self.budgets.heard(self.connection_id, left_today)

"""One budget per connection, shared by every worker on every machine, kept in PostgreSQL.

An exact sliding window: in any interval no more calls leave than the vendor allows, and all of them may leave at
once. Reads stop a tenth short of the end, so that a job that has read can still write. A job that must wait takes a
place in a line, so that a thousand waiting jobs do not all come back in the same second.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from app.db import Database
from app.errors import Wait

_READ_SHARE = 0.9
_CALLS_PER_JOB = 2
_MANY = 1_000_000

_TAKE = text("""
    UPDATE budgets SET
        recent = (SELECT coalesce(array_agg(t), '{}') FROM unnest(recent) t
                   WHERE t > clock_timestamp() - make_interval(secs => :interval)) || clock_timestamp(),
        day = (clock_timestamp() AT TIME ZONE 'UTC')::date,
        day_calls = CASE WHEN day = (clock_timestamp() AT TIME ZONE 'UTC')::date THEN day_calls + 1 ELSE 1 END
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
_BLOCK = text("""
    UPDATE budgets SET blocked_until = greatest(blocked_until, clock_timestamp() + make_interval(secs => :seconds))
     WHERE connection_id = :connection
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


class Budgets:
    """The gates of all connections. `limits` says what a provider's connections may spend."""

    def __init__(self, db: Database, limits: Mapping[str, Limit]) -> None:
        self._db = db
        self._limits = limits
        # What this process was told by a vendor; shared through the database where the connection has a budget.
        self._closed_until: dict[int, float] = {}

    def gate(self, connection_id: int, provider: str) -> "Gatekeeper":
        return Gatekeeper(self, connection_id, self._limits.get(provider, UNLIMITED))

    async def take(self, connection_id: int, limit: Limit, *, writes: bool) -> None:
        seconds = self._closed_until.get(connection_id, 0) - time.monotonic()
        if seconds > 0:
            raise Wait(seconds, "budget")
        if not limit.exists:
            return
        calls = limit.calls or _MANY
        values = {
            "connection": connection_id,
            "interval": limit.interval if limit.calls else 0,  # where only days are counted, no times are kept
            "calls": calls if writes else max(1, int(calls * _READ_SHARE)),
            "per_day": limit.per_day,
        }
        async with self._db.single.connect() as connection:
            if (await connection.execute(_TAKE, values)).first() is not None:
                return
            spacing = _CALLS_PER_JOB * limit.interval / calls
            wait = await connection.scalar(_QUEUE_UP, {**values, "spacing": spacing})
            if wait is None:
                await connection.execute(_OPEN, values)
                return
        raise Wait(max(0.05, float(wait)), "budget")

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

    async def pass_(self, *, writes: bool) -> None:
        await self.budgets.take(self.connection_id, self.limit, writes=writes)

    async def close(self, seconds: float) -> None:
        await self.budgets.close(self.connection_id, self.limit, seconds)

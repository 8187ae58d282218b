"""The job engine (procrastinate): how a job is put into the queue, inside a transaction of ours.

priority |
   0     | live events
  -1     | live events of a bridge that floods
  -3     | a run: long work on a bridge
  -5     | a job that had to wait (a budget, a busy pair)
 -10     | a job that failed and tries again: never before fresh news of the same record
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, Self, TypeVar

import procrastinate
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db import conninfo
from app.sync.records import Side

T = TypeVar("T")

SYNC = "sync_record"
RUN = "work_on_run"
CARE = "care"
QUEUE = "sync"
_TRIES = 5

# With thousands of waiting jobs and statistics from an empty table PostgreSQL sorts the whole backlog for each fetch
# (444 ms a job); without these two it walks the priority index (0.13 ms) whatever the statistics say.
_PLANNER = "-c enable_sort=off -c enable_bitmapscan=off"
# Fetching and finishing need no flush to disk each: what a crash of PostgreSQL takes back is done again, harmlessly.
_RELAXED = "-c synchronous_commit=off"


class Priority(IntEnum):
    LIVE = 0
    FLOOD = -1
    RUN = -3
    WAITED = -5
    RETRY = -10


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordJob:
    """Work for one record. At most one such job waits per `once`, and one runs per record at a time.

    `run_id`: the run that it is part of.
    """

    bridge_id: int
    object: str
    side: str
    external_id: str
    reason: str = "event"
    priority: Priority = Priority.LIVE
    at: datetime | None = None
    run_id: int | None = None

    @classmethod
    def asked(
        cls,
        bridge_id: int,
        object_: str,
        crm_id: str | None,
        billing_id: str | None,
        priority: Priority = Priority.LIVE,
    ) -> Self:
        """Somebody asked for this record, or decided something about it; named by the ids of its link."""
        return cls(
            bridge_id=bridge_id,
            object=object_,
            side=Side.CRM if crm_id else Side.BILLING,
            external_id=crm_id or billing_id or "",
            reason="asked",
            priority=priority,
        )

    @property
    def lock(self) -> str:
        return f"{self.bridge_id}/{self.object}/{self.side}/{self.external_id}"

    @property
    def once(self) -> str:
        """Jobs for now and jobs for later are kept apart: news must not wait for an old retry's time."""
        when = "now" if self.at is None else "later" if self.priority is Priority.RETRY else "soon"
        return f"{when}/{self.lock}"

    def row(self) -> dict[str, Any]:
        return {
            "priority": int(self.priority),
            "lock": self.lock,
            "once": self.once,
            "at": self.at.isoformat() if self.at else None,
            "args": {
                "bridge_id": self.bridge_id,
                "object_": self.object,
                "side": self.side,
                "external_id": self.external_id,
                "reason": self.reason,
                **({"run_id": self.run_id} if self.run_id else {}),
            },
        }


# The end of a statement that has named its work as `jobs` (once, lock, priority, args, at), one row for each `once`:
# queues what does not wait already, and says how much that was.
# FOR SHARE: a worker cannot take a waiting job before we commit, so it will see the events that are stored with this.
DEFER_JOBS = f"""
    , waiting AS (
        SELECT queueing_lock FROM procrastinate_jobs
         WHERE status = 'todo' AND queueing_lock = ANY (ARRAY(SELECT once FROM jobs)) FOR SHARE
    )
    SELECT coalesce(cardinality(procrastinate_defer_jobs_v1(array_agg(
               ROW('{QUEUE}', '{SYNC}', priority, lock, once, args, at)::procrastinate_job_to_defer_v1 ORDER BY once
           ))), 0)
      FROM jobs WHERE once NOT IN (SELECT queueing_lock FROM waiting)
"""  # noqa: S608 -- constants of this module
_DEFER = text(f"""
    WITH jobs AS (
        SELECT * FROM jsonb_to_recordset(CAST(:jobs AS jsonb))
            AS j(priority integer, lock text, once text, args jsonb, at timestamptz)
    ){DEFER_JOBS}
""")  # noqa: S608 -- constants of this module
# A job for later that waits already comes at the earlier of the two times: what has to wait a moment must not wait for
# an old retry's hour.
_SOONER = text("""
    UPDATE procrastinate_jobs q SET scheduled_at = j.at, priority = greatest(q.priority, j.priority)
      FROM jsonb_to_recordset(CAST(:jobs AS jsonb)) AS j(priority integer, once text, at timestamptz)
     WHERE q.status = 'todo' AND q.queueing_lock = j.once AND j.at < q.scheduled_at
""")


async def defer(connection: AsyncConnection, jobs: Sequence[RecordJob]) -> int:
    """Queue the jobs that are not waiting already; returns how many. Belongs to the caller's transaction.

    Two processes that queue the same record in the same instant: one gets an IntegrityError and has to try again, see
    `transact`.
    """
    if not jobs:
        return 0
    wanted = {job.once: job for job in jobs}
    # In one order everywhere: two transactions that wait for each other's rows would be a deadlock.
    rows = [wanted[once].row() for once in sorted(wanted)]
    if later := [row for row in rows if row["at"]]:
        await connection.execute(_SOONER, {"jobs": json.dumps(later)})
    return int(await connection.scalar(_DEFER, {"jobs": json.dumps(rows)}) or 0)


_DEFER_RUN = text(f"""
    SELECT procrastinate_defer_jobs_v1(ARRAY[
        ROW('{CARE}', '{RUN}', :priority, :once, :once, CAST(:args AS jsonb), :at)::procrastinate_job_to_defer_v1])
     WHERE NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = :once)
""")  # noqa: S608 -- constants of this module


async def defer_run(connection: AsyncConnection, run_id: int, *, at: datetime | None = None) -> None:
    """Queue the work on a run, if it does not wait there. One job works on it at a time."""
    values = {"priority": int(Priority.RUN), "once": f"run/{run_id}", "args": json.dumps({"run_id": run_id}), "at": at}
    await connection.execute(_DEFER_RUN, values)


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in a transaction, again where a webhook queued one of its records in the same instant."""
    for _ in range(_TRIES - 1):
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except IntegrityError:
            continue
    async with engine.begin() as connection:
        return await work(connection)


def make_app(url: str) -> procrastinate.App:
    """The engine's own connections, with the planner settings above."""
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo(url),
        min_size=2,
        max_size=8,
        kwargs={"options": f"{_PLANNER} {_RELAXED}"},
        configure=_without_transactions,
    )
    return procrastinate.App(connector=connector)


async def _without_transactions(connection: psycopg.AsyncConnection[Any]) -> None:
    """Every statement of the engine is one by itself: no BEGIN and COMMIT around each."""
    await connection.set_autocommit(True)

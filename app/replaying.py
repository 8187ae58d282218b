"""Replay of a window: every record that its events named is looked at again, by the usual jobs, behind live events.

An event carries no data: both accounts are read as they are now. The run queues some hundred records at a time, waits
until they are looked at, and ends when all are.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Rejected
from app.models.event import EventState
from app.models.run import RunKind
from app.queue import SYNC, Priority, RecordJob, defer, transact
from app.retrying import require_enabled
from app.runs import Progress, Runs, RunView
from app.sync.records import Side

PAGE = 100
MOST_WAITING = 300
LOOK = 0.25
"""Seconds between two looks at the queue."""

_OF_WINDOW = """
    {e}.bridge_id = :bridge_id AND {e}.received_at >= :since AND {e}.received_at < :until AND {e}.external_id <> ''
    AND {e}.object <> '' AND {e}.side <> '' AND (CAST(:object AS text) IS NULL OR {e}.object = :object)
    AND (CAST(:side AS text) IS NULL OR {e}.side = :side) AND (CAST(:state AS text) IS NULL OR {e}.state = :state)
"""
# One pass over the window: later pages go by the ids that it finds.
_BOUNDS = text(f"""
    SELECT min(id), max(id), count(DISTINCT (object, side, external_id)) FROM events e WHERE {_OF_WINDOW.format(e="e")}
""")  # noqa: S608 -- constants of this module
# Each record once, at its first event.
_PAGE = text(f"""
    SELECT e.id, e.object, e.side, e.external_id FROM events e
     WHERE e.id > :after AND e.id <= :last AND {_OF_WINDOW.format(e="e")} AND NOT EXISTS (
        SELECT 1 FROM events f WHERE f.external_id = e.external_id AND f.id < e.id AND f.id >= :first
           AND f.object = e.object AND f.side = e.side AND {_OF_WINDOW.format(e="f")})
     ORDER BY e.id LIMIT :limit
""")  # noqa: S608 -- as above
# What waits for a vendor's hour is no reason to go on waiting here.
_WAITING = text(f"""
    SELECT count(*) FROM procrastinate_jobs
     WHERE task_name = '{SYNC}' AND status IN ('todo', 'doing')
       AND args @> jsonb_build_object('run_id', CAST(:run AS bigint))
       AND (scheduled_at IS NULL OR scheduled_at < now() + interval '10 seconds')
""")  # noqa: S608 -- as above
_CAME_OF = text("SELECT action, count(*) FROM activities WHERE run_id = :run GROUP BY action")


class Window(BaseModel):
    """The options of a run: events received from `since` until `until`, before it."""

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime
    until: AwareDatetime
    object: str | None = None
    side: Side | None = None
    state: EventState | None = None

    def options(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    def values(self, bridge_id: int) -> dict[str, Any]:
        return {**self.model_dump(), "bridge_id": bridge_id}


async def begin(runs: Runs, bridge_id: int, window: Window, actor: str) -> int:
    """Returns the run. Raises Gone, Rejected, and OutOfDate where the bridge is switched off."""
    if window.until <= window.since:
        raise Rejected("A window ends after it begins.")
    await require_enabled(runs.engine, bridge_id)
    return await runs.begin(bridge_id, RunKind.REPLAY, window.options(), actor)


@dataclass(frozen=True, slots=True)
class Replaying:
    engine: AsyncEngine

    async def work(self, run: RunView, progress: Progress) -> None:
        window = Window.model_validate(run.options).values(run.bridge_id)
        position = dict(run.position) or await self._begin(window, progress)
        while page := await self._page(window, position):
            await self._until(run, progress, MOST_WAITING - PAGE)
            added = await transact(self.engine, partial(defer, jobs=[_job(run, row) for row in page]))
            position["after"] = page[-1]["id"]
            await progress.checkpoint(position=position, done=len(page), counts={"queued": added})
        await self._until(run, progress, 0)
        if not position.get("told"):
            await progress.checkpoint(position={**position, "told": True}, counts=await self._came_of(run))

    async def _begin(self, window: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
        async with self.engine.connect() as connection:
            first, last, records = (await connection.execute(_BOUNDS, window)).one()
        position = {"first": first or 0, "last": last or 0, "after": (first or 1) - 1}
        await progress.checkpoint(position=position, total=records)
        return position

    async def _page(self, window: Mapping[str, Any], position: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        async with self.engine.connect() as connection:
            rows = await connection.execute(_PAGE, {**window, **position, "limit": PAGE})
            return [dict(row) for row in rows.mappings()]

    async def _until(self, run: RunView, progress: Progress, most: int) -> None:
        """Wait until at most so many of its records wait. Ends where the run was paused."""
        while True:
            async with self.engine.connect() as connection:
                if int(await connection.scalar(_WAITING, {"run": run.id}) or 0) <= most:
                    return
            await progress.checkpoint()
            await asyncio.sleep(LOOK)

    async def _came_of(self, run: RunView) -> dict[str, int]:
        """By what was done. A record that was in step has no activity."""
        async with self.engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(_CAME_OF, {"run": run.id})}


def _job(run: RunView, row: Mapping[str, Any]) -> RecordJob:
    """News of no person: what was undone is not asked for by a window."""
    return RecordJob(
        bridge_id=run.bridge_id,
        object=row["object"],
        side=row["side"],
        external_id=row["external_id"],
        reason="window",
        priority=Priority.FLOOD,
        run_id=run.id,
    )

"""Runs: long work on a bridge, in small steps that survive a stop of the process.

A run is a row, and a job that works on it. The work tells its progress at checkpoints; there it also learns that it
was paused, cancelled, or taken over, and ends. Killed anywhere, it goes on from its last checkpoint.

ended by                | then
its end                 | done
a person                | paused or cancelled, at the next checkpoint
the process stopping    | goes on at once, elsewhere or after the start
a vendor in trouble     | goes on after 5, 10, 20 ... s; it never gives up by itself
refused credentials     | goes on when the connection works again: looked at each minute
a refusal, a bug        | failed, with the reason; it can be resumed
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.connections import Connections
from app.errors import CrossledgerError, Gone, Reconnect, Rejected, Retry, Wait
from app.models.run import RunKind, RunState
from app.queue import defer_run
from app.redaction import internal_error

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0
UNTIL_RECONNECTED = 60.0
LOOK_UP = 2.0
"""Seconds in which a run that waits notices that it is to stop."""

_BEGIN = text("""
    INSERT INTO runs (bridge_id, kind, options, actor)
    SELECT id, :kind, CAST(:options AS jsonb), :actor FROM bridges WHERE id = :bridge_id RETURNING id
""")
_TAKE = text("""
    UPDATE runs SET claim = :claim, beat_at = clock_timestamp() WHERE id = :id AND state = 'running'
    RETURNING id, bridge_id, kind, options, position, total, done, claim
""")
# Seconds are counted between two checkpoints of one job, so that the time of a pause or an outage is none of work.
_CHECKPOINT = text("""
    UPDATE runs SET
        position = coalesce(CAST(:position AS jsonb), position),
        total = coalesce(:total, total),
        done = done + :done,
        counts = counts || (SELECT coalesce(jsonb_object_agg(key, value::integer + coalesce((counts ->> key)::integer, 0)), '{}')
                              FROM jsonb_each_text(CAST(:counts AS jsonb))),
        worked = worked + extract(epoch FROM clock_timestamp() - beat_at),
        beat_at = clock_timestamp(), detail = '', tries = 0
     WHERE id = :id AND claim = :claim AND state = 'running'
    RETURNING id
""")  # noqa: E501
_LATER = text("""
    UPDATE runs SET detail = :detail, tries = tries + 1 WHERE id = :id AND claim = :claim AND state = 'running'
    RETURNING tries
""")
_END = text("""
    UPDATE runs SET state = :state, detail = :detail, ended_at = now()
     WHERE id = :id AND claim = :claim AND state = 'running' RETURNING id
""")
_SET = text("""
    UPDATE runs SET state = :state, claim = '', ended_at = CASE WHEN :ended THEN now() END,
        detail = CASE WHEN :state = 'running' THEN '' ELSE detail END
     WHERE id = :id AND state = ANY(:from) RETURNING id
""")
_STATE = text("SELECT state FROM runs WHERE id = :id")
_FORGOTTEN = text("""
    SELECT id FROM runs WHERE state = 'running' AND NOT EXISTS (
        SELECT 1 FROM procrastinate_jobs j WHERE j.status IN ('todo', 'doing') AND j.lock = 'run/' || runs.id)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run as the job that works on it has it. `position` is empty at the beginning."""

    id: int
    bridge_id: int
    kind: str
    options: Mapping[str, Any]
    position: Mapping[str, Any]
    total: int
    done: int
    claim: str


class Interrupted(Exception):
    """The work ends here: the run was paused, cancelled or taken over, or the process is stopping."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the work on a run tells of itself."""

    engine: AsyncEngine
    run: RunView
    stopping: asyncio.Event

    async def checkpoint(
        self,
        connection: AsyncConnection | None = None,
        *,
        position: Mapping[str, Any] | None = None,
        done: int = 0,
        total: int | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        """Keep how far it is: `done` and `counts` are added. Raises Interrupted where it must not go on.

        `connection`: what was done so far is kept with it, in one transaction, or neither.
        """
        values = {
            "id": self.run.id,
            "claim": self.run.claim,
            "position": None if position is None else json.dumps(position),
            "total": total,
            "done": done,
            "counts": json.dumps(counts or {}),
        }
        if connection is not None:
            kept = await connection.scalar(_CHECKPOINT, values)
        else:
            async with self.engine.begin() as own:
                kept = await own.scalar(_CHECKPOINT, values)
        if kept is None:
            raise Interrupted
        if self.stopping.is_set() and connection is None:
            raise Interrupted

    async def rest(self, seconds: float) -> None:
        """Wait, for example for a budget. Raises Interrupted as `checkpoint` does, and soon."""
        while seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), min(seconds, LOOK_UP))
            await self.checkpoint()
            seconds -= LOOK_UP


Work = Callable[[RunView, Progress], Awaitable[None]]


@dataclass(slots=True)
class Runs:
    """`works`: what is done in a run of each kind."""

    engine: AsyncEngine
    connections: Connections
    works: Mapping[RunKind, Work] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def begin(self, bridge_id: int, kind: RunKind, options: Mapping[str, Any], actor: str) -> int:
        """Start a run; returns its id. Raises Gone, and Rejected where one of its kind is under way."""
        values = {"bridge_id": bridge_id, "kind": kind.value, "options": json.dumps(options), "actor": actor}
        try:
            async with self.engine.begin() as connection:
                run_id = await connection.scalar(_BEGIN, values)
                if run_id is None:
                    raise Gone(f"There is no bridge {bridge_id}.")
                await defer_run(connection, run_id)
        except IntegrityError as error:
            raise Rejected(
                f"A {kind} of this bridge is under way: wait until it ends, resume it, or cancel it."
            ) from error
        return int(run_id)

    async def pause(self, run_id: int) -> None:
        """Raises Gone, Rejected where it is not running."""
        await self._set(run_id, RunState.PAUSED, (RunState.RUNNING,))

    async def resume(self, run_id: int) -> None:
        """Raises Gone, Rejected where it was neither paused nor has failed."""
        await self._set(run_id, RunState.RUNNING, (RunState.PAUSED, RunState.FAILED))

    async def cancel(self, run_id: int) -> None:
        """What was done so far stays. Raises Gone, Rejected where it has ended."""
        await self._set(run_id, RunState.CANCELLED, (RunState.RUNNING, RunState.PAUSED, RunState.FAILED))

    async def _set(self, run_id: int, state: RunState, before: tuple[RunState, ...]) -> None:
        ended = state is RunState.CANCELLED
        values = {"id": run_id, "state": state.value, "from": [each.value for each in before], "ended": ended}
        try:
            async with self.engine.begin() as connection:
                if await connection.scalar(_SET, values) is None:
                    now = await connection.scalar(_STATE, {"id": run_id})
                    raise Rejected(f"It is {now}.") if now else Gone(f"There is no run {run_id}.")
                if state is RunState.RUNNING:
                    await defer_run(connection, run_id)
        except IntegrityError as error:
            raise Rejected("Another run of this kind is under way on this bridge.") from error

    async def work(self, run_id: int, claim: str) -> None:
        """Work on it until it ends or is interrupted. Raises only when our own database fails."""
        async with self.engine.begin() as connection:
            row = (await connection.execute(_TAKE, {"id": run_id, "claim": claim})).mappings().first()
        if row is None:
            return  # paused or cancelled before its job came
        run = RunView(**row)
        bridge = await self.connections.directory.bridge(run.bridge_id)
        used = {each.id: each for each in (bridge.crm, bridge.billing)} if bridge else {}
        try:
            await self.works[RunKind(run.kind)](run, Progress(self.engine, run, self.stopping))
        except Interrupted:
            if self.stopping.is_set():
                await self._later(run, "", 0)
        except SQLAlchemyError:
            raise
        except Wait as wait:
            await self._later(run, str(wait), wait.seconds)
        except Retry as trouble:
            await self._later(run, str(trouble), trouble.after)
        except Reconnect as refused:
            await self.connections.needs_reconnect(refused, used.get(refused.connection))
            await self._later(run, str(refused), UNTIL_RECONNECTED)
        except CrossledgerError as failure:
            await self._end(run, RunState.FAILED, str(failure))
        except Exception as bug:
            log.exception("run.bug", run=run.id)
            await self._end(run, RunState.FAILED, internal_error(bug))
        else:
            await self._end(run, RunState.DONE, "")

    async def _later(self, run: RunView, why: str, seconds: float | None) -> None:
        """`seconds`: None where only the number of tries says how long to wait."""
        async with self.engine.begin() as connection:
            tries = await connection.scalar(_LATER, {"id": run.id, "claim": run.claim, "detail": why})
            if tries is not None:
                pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries - 1, 10)) if seconds is None else seconds
                await defer_run(connection, run.id, at=datetime.now(UTC) + timedelta(seconds=pause))
        if why:
            log.info("run.waits", run=run.id, reason=why)

    async def _end(self, run: RunView, state: RunState, detail: str) -> None:
        values = {"id": run.id, "claim": run.claim, "state": state.value, "detail": detail[:1000]}
        async with self.engine.begin() as connection:
            await connection.execute(_END, values)
        log.info("run.ended", run=run.id, kind=run.kind, state=state.value, reason=detail)

    async def rescue(self) -> None:
        """A run that is running has a job, whatever happened to the one that it had."""
        async with self.engine.begin() as connection:
            for run_id in (await connection.execute(_FORGOTTEN)).scalars().all():
                await defer_run(connection, run_id)

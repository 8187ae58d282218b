"""The work on a sweep: its readings one after the other, each of which fails by itself.

A reading that the vendor disturbs is tried again after the others; what fails then, or is refused, is said at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import groupby

import structlog

from app.connections import Connections
from app.directory import BridgeView
from app.errors import CrossledgerError, Reconnect, Rejected, Retry, Wait
from app.queue import transact
from app.runs import Progress, RunView
from app.sweep import book
from app.sweep.knowledge import Of
from app.sweep.reading import OneReading
from app.sweep.readings import Reading, Scope, readings
from app.sync.records import Side

log = structlog.get_logger()

TRIES = 3


@dataclass(slots=True)
class Place:
    """How far a sweep is: keys of readings. `problems`: why some did not come to their end, for good."""

    done: list[str]
    tries: dict[str, int]
    problems: dict[str, str] = field(default_factory=dict)

    def left(self, wanted: Sequence[Reading]) -> list[Reading]:
        return [each for each in wanted if each.key not in self.done and each.key not in self.problems]

    def disturbed(self, reading: Reading, failure: Retry) -> Retry | None:
        """The failure, where it is to be tried again."""
        self.tries[reading.key] = self.tries.get(reading.key, 0) + 1
        if self.tries[reading.key] < TRIES:
            return failure
        self.problems[reading.key] = str(failure)
        return None


@dataclass(frozen=True, slots=True)
class Sweeper:
    connections: Connections
    grace: timedelta

    async def work(self, run: RunView, progress: Progress) -> None:
        """`run.options`: the `scope`, and whether it was `scheduled`. `run.position`: readings that are done, and how
        often others were tried. Raises Rejected where a reading did not come to its end."""
        scope = Scope(run.options["scope"])
        bridge = await self._bridge(run.bridge_id)
        if not run.position:
            await self._begin(bridge, scope)
        place = Place(list(run.position.get("done", ())), dict(run.position.get("tries", {})))
        while left := place.left(readings(bridge, self.connections.providers, scope)):
            trouble: Retry | None = None
            for object_, both in groupby(left, lambda reading: reading.object):
                try:
                    for reading in both:
                        trouble = await self._try(run, progress, bridge, reading, place) or trouble
                finally:
                    await self._release(bridge, object_, run)
            if trouble is not None:
                raise trouble
        await self._note_repaired(bridge)
        if place.problems:
            told = "; ".join(f"{name}: {problem}" for name, problem in place.problems.items())
            raise Rejected(f"Not read to the end: {told}")

    async def _try(
        self, run: RunView, progress: Progress, bridge: BridgeView, reading: Reading, place: Place
    ) -> Retry | None:
        """One reading, and what came of it. Returns what it is to be tried again for."""
        trouble: Retry | None = None
        try:
            await OneReading(
                connections=self.connections,
                progress=progress,
                bridge=bridge,
                reading=reading,
                scope=Scope(run.options["scope"]),
                grace=self.grace,
                leave_young=bool(run.options.get("scheduled")) and reading.told,
            ).read()
        except (Wait, Reconnect):
            raise
        except Retry as failure:
            trouble = place.disturbed(reading, failure)
        except CrossledgerError as failure:
            place.problems[reading.key] = str(failure)
        else:
            place.done.append(reading.key)
        if problem := place.problems.get(reading.key):
            log.warning("sweep.not_read", bridge=bridge.id, reading=reading.key, reason=problem)
            async with self.connections.engine.begin() as connection:
                await book.stopped(connection, Of(bridge.id, reading.side, reading.object), problem)
        await progress.checkpoint(position={"done": place.done, "tries": place.tries})
        return trouble

    async def _release(self, bridge: BridgeView, object_: str, run: RunView) -> None:
        await transact(
            self.connections.engine,
            partial(book.release, bridge_id=bridge.id, object_=object_, run_id=run.id),
        )

    async def _bridge(self, bridge_id: int) -> BridgeView:
        bridge = await self.connections.directory.bridge(bridge_id)
        if bridge is None or not bridge.enabled:
            raise Rejected("The bridge is switched off.")
        bridge.require_connections()
        return bridge

    async def _begin(self, bridge: BridgeView, scope: Scope) -> None:
        everything = {
            reading.key: Of(bridge.id, reading.side, reading.object)
            for each in Scope
            for reading in readings(bridge, self.connections.providers, each)
        }
        await self._note_repaired(bridge)
        async with self.connections.engine.begin() as connection:
            await book.began(connection, bridge.id, scope, list(everything.values()))

    async def _note_repaired(self, bridge: BridgeView) -> None:
        async with self.connections.engine.begin() as connection:
            for side in Side:
                await book.note_repaired(connection, bridge.id, side.value, bridge.connection(side).id)

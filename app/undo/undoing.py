"""The run of an undo over all its pairs, and the preview of one, which writes nothing."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.directory import BridgeView, Directory
from app.errors import Wait
from app.models.run import RunKind
from app.runs import Progress, Runs, RunView
from app.sync.store import LinkRow
from app.sync.work import BUSY
from app.undo.comparing import Finding
from app.undo.reverting import Reverting
from app.undo.scope import Scope
from app.undo.store import UndoStore

PAGE = 100
AT_ONCE = 4
SHOWN = 20
"""Links that a preview reads from the vendors."""
PATIENCE = 60
"""How often a record that a job works on is asked for again, before the run waits as a whole."""

_NO_LINK = "its record is not known any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value of a preview, with its pair."""

    link: LinkRow
    object: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """`records` and `activities`: how many it is about. `counts`: of what was looked at, by outcome."""

    bridge_id: int
    scope: Scope
    records: int
    activities: int
    looked_at: int
    counts: Mapping[str, int]
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Undoing:
    directory: Directory
    reverting: Reverting
    store: UndoStore

    async def preview(self, bridge_id: int, scope: Scope) -> Preview:
        """What an undo would do, as far as its newest records tell. Raises as reading a record does."""
        bridge = await self.directory.one(bridge_id)
        records, activities = await self.store.size(bridge_id, scope)
        links = await self.store.links(bridge_id, scope, below=None, limit=SHOWN)
        slots = asyncio.Semaphore(AT_ONCE)

        async def look(link_id: int) -> list[Shown]:
            async with slots:
                seen = await self.reverting.preview(bridge, scope, link_id)
            if seen is None:
                return []
            link, object_, found = seen
            return [Shown(link=link, object=object_, finding=each) for each in found]

        rows = [row for each in await asyncio.gather(*(look(link_id) for link_id in links)) for row in each]
        return Preview(
            bridge_id=bridge_id,
            scope=scope,
            records=records,
            activities=activities,
            looked_at=len(links),
            counts=Counter(row.finding.outcome.value for row in rows),
            shown=tuple(rows),
        )

    async def begin(self, runs: Runs, bridge_id: int, scope: Scope, actor: str) -> int:
        """Start the run; its id. Raises Gone, and Rejected where another undo of the bridge is under way."""
        return await runs.begin(bridge_id, RunKind.UNDO, scope.options(), actor)

    async def work(self, run: RunView, progress: Progress) -> None:
        """A few at once, with a checkpoint after them. Those that were interrupted are looked at again: what is done

        with is not done again.
        """
        scope = Scope.model_validate(run.options)
        below = run.position.get("below")
        if below is None:
            await self._list_unknown(run, scope, progress)
        while links := await self.store.links(run.bridge_id, scope, below=below, limit=PAGE):
            for start in range(0, len(links), AT_ONCE):
                some = links[start : start + AT_ONCE]
                await self._some(run, scope, some)
                counts = await self.store.counts(run.id, some)
                await progress.checkpoint(position={"below": some[-1]}, done=len(some), counts=counts)
            below = links[-1]

    async def _list_unknown(self, run: RunView, scope: Scope, progress: Progress) -> None:
        records, _ = await self.store.size(run.bridge_id, scope)
        async with self.store.db.engine.begin() as connection:
            lost = await self.store.unknown(connection, run.id, run.bridge_id, scope, _NO_LINK)
            counts = {"cannot": lost} if lost else None
            above = {"below": 2**63 - 1}
            await progress.checkpoint(connection, position=above, total=records, counts=counts)

    async def _some(self, run: RunView, scope: Scope, links: Sequence[int]) -> None:
        """Each of them ends before the run does: what was written is settled, whatever becomes of the others."""
        finished = await self.store.finished(run.id, links)
        bridge = await self._ready(run.bridge_id)
        waiting = [self._one(bridge, scope, run, link_id) for link_id in links if link_id not in finished]
        for end in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(end, BaseException):
                raise end

    async def _one(self, bridge: BridgeView, scope: Scope, run: RunView, link_id: int) -> None:
        for _ in range(PATIENCE):
            try:
                return await self.reverting.undo(bridge, scope, run.id, link_id)
            except Wait as wait:
                if wait.seconds > BUSY:
                    raise
                await asyncio.sleep(wait.seconds)
        raise Wait(1, "a record of it is being looked at")

    async def _ready(self, bridge_id: int) -> BridgeView:
        """Also one that is switched off: whoever stops a bridge that does wrong undoes it afterwards."""
        bridge = await self.directory.one(bridge_id)
        bridge.require_connections()
        return bridge

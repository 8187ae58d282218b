"""When sweeps begin by themselves. One that is due begins with the widest scope that is due.

Bridges are spread: in each minute no more begin than are due in a minute on the average, the most overdue first.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlmodel import col

from app.connections import Connections
from app.directory import BridgeView
from app.errors import Gone, Rejected
from app.models import Sweep
from app.models.run import RunKind
from app.runs import Runs
from app.sweep.readings import Scope, readings

log = structlog.get_logger()

SILENT_MINUTES = 5
"""Objects with changes that no event tells of are read at least so often."""
_SWEEPS = select(col(Sweep.bridge_id), col(Sweep.silent_at), col(Sweep.changed_at), col(Sweep.full_at))


@dataclass(frozen=True, slots=True)
class Due:
    bridge_id: int
    scope: Scope
    since: datetime


@dataclass(frozen=True, slots=True)
class Schedule:
    connections: Connections
    runs: Runs

    async def begin_due(self) -> None:
        """Called each minute. A bridge whose sweep is under way has none begun."""
        bridges = [each for each in await self.connections.directory.bridges() if not each.obstacle]
        begun = await self._begun()
        now = datetime.now(UTC)
        due = [found for each in bridges if (found := self.due(each, begun.get(each.id, {}), now))]
        for each in sorted(due, key=lambda each: each.since)[: self._most(bridges)]:
            try:
                await self.runs.begin(each.bridge_id, RunKind.SWEEP, {"scope": each.scope, "scheduled": True}, "")
            except (Rejected, Gone) as refusal:
                log.debug("sweep.not_begun", bridge=each.bridge_id, reason=str(refusal))

    def due(self, bridge: BridgeView, begun: Mapping[Scope, datetime], now: datetime) -> Due | None:
        """The widest scope whose time has come; a bridge that was never swept counts from when it was made."""
        for scope in reversed(Scope):
            every = self._every(bridge).get(scope)
            since = begun.get(scope, bridge.created_at) + every if every else None
            if since is not None and since <= now:
                return Due(bridge.id, scope, since)
        return None

    def _every(self, bridge: BridgeView) -> dict[Scope, timedelta]:
        minutes = bridge.settings.sweep_minutes
        every = {
            Scope.CHANGED: timedelta(minutes=minutes),
            Scope.FULL: timedelta(hours=bridge.settings.full_compare_hours),
        }
        if readings(bridge, self.connections.providers, Scope.SILENT):
            every[Scope.SILENT] = timedelta(minutes=min(SILENT_MINUTES, minutes))
        return every

    def _most(self, bridges: list[BridgeView]) -> int:
        return math.ceil(sum(timedelta(minutes=1) / min(self._every(each).values()) for each in bridges))

    async def _begun(self) -> dict[int, dict[Scope, datetime]]:
        async with self.connections.engine.connect() as connection:
            rows = (await connection.execute(_SWEEPS)).all()
        return {bridge: {scope: at for scope, at in zip(Scope, times, strict=True) if at} for bridge, *times in rows}

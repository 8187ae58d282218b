"""Asking for a plan, and for it to be applied: what the API and the command line have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app import pausing
from app.directory import Directory
from app.errors import Gone, OutOfDate, Rejected
from app.models import Bridge, PlanItem, Run
from app.models.plan import ItemState
from app.models.run import RunKind, RunState
from app.planning.items import WRITING
from app.runs import Runs
from app.sync.policy import BridgeSettings


@dataclass(frozen=True, slots=True)
class Plans:
    """Every method raises Gone for what is not there, and Rejected or OutOfDate with the reason."""

    engine: AsyncEngine
    runs: Runs
    directory: Directory

    async def make(
        self,
        bridge_id: int,
        actor: str,
        *,
        settings: BridgeSettings | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> int:
        """Begin to make one; returns its run. `settings`: to try in place of the bridge's. `start`, `end`: only what
        events of this time have named."""
        async with AsyncSession(self.engine) as session:
            bridge = await session.get(Bridge, bridge_id)
        if bridge is None:
            raise Gone(f"There is no bridge {bridge_id}.")
        options: dict[str, Any] = {"with": bridge.settings}
        if settings:
            options["settings"] = settings.model_dump(mode="json")
        if start:
            options |= {"start": start.isoformat(), "end": (end or datetime.now(UTC)).isoformat()}
        return await self.runs.begin(bridge_id, RunKind.PLAN, options, actor)

    async def apply(
        self,
        plan_id: int,
        actor: str,
        *,
        items: Sequence[int] | None = None,
        first: int | None = None,
        changed: bool = False,
        go_live: bool = False,
    ) -> int:
        """Begin to do what a plan says; returns the run. `items`: only these. `first`: only so many."""
        async with AsyncSession(self.engine) as session:
            plan = await session.get(Run, plan_id)
            bridge = await session.get(Bridge, plan.bridge_id) if plan else None
        if plan is None or bridge is None or plan.kind != RunKind.PLAN:
            raise Gone(f"There is no plan {plan_id}.")
        if plan.state != RunState.DONE:
            raise Rejected(f"The plan is {plan.state}: it can be applied when it is done.")
        if out_of_date := why_not(plan, bridge.settings):
            raise OutOfDate(out_of_date)
        if first and items is None:
            items = await self._first(plan_id, first)
        options = {"plan": plan_id, "items": items, "changed": changed}
        run_id = await self.runs.begin(plan.bridge_id, RunKind.BACKFILL, options, actor)
        if go_live and not bridge.enabled:
            await self._go_live(plan.bridge_id)
        return run_id

    async def _go_live(self, bridge_id: int) -> None:
        since = func.coalesce(col(Bridge.live_since), func.now())
        async with self.engine.begin() as connection:
            await connection.execute(update(Bridge).where(col(Bridge.id) == bridge_id).values(live_since=since))
        await pausing.resume_bridges(self.engine, [bridge_id])
        await self.directory.refresh()

    async def _first(self, plan_id: int, most: int) -> list[int]:
        """Those that write something: parents come before their children."""
        first = (
            select(col(PlanItem.id))
            .where(col(PlanItem.run_id) == plan_id, col(PlanItem.state) == ItemState.PLANNED.value)
            .where(col(PlanItem.action).in_([each.value for each in WRITING]))
            .order_by(col(PlanItem.id))
            .limit(most)
        )
        async with AsyncSession(self.engine) as session:
            return [id_ for id_ in (await session.scalars(first)).all() if id_ is not None]


def why_not(plan: Run, settings: Mapping[str, Any]) -> str:
    """Why a plan cannot be applied to a bridge with these settings, once it is made; "" where it can."""
    if "settings" in plan.options or plan.options.get("with") != settings:
        return "The plan was made with other settings than the bridge has now: make a new one."
    return ""

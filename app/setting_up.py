"""The set-up of a bridge: its steps, which of them are done, and which one comes next.

The plan and being live are seen from the runs and the bridge; what only a person can say is right is kept
(`app.models.set_up`). So a set-up goes on where it was left, by whomever, in whatever browser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Gone
from app.models.run import RunState


class Step(StrEnum):
    """In their order."""

    OBJECTS = "objects"
    FILTERS = "filters"
    MATCHING = "matching"
    CONFLICTS = "conflicts"
    PLAN = "plan"
    LIVE = "live"


SAID = (Step.OBJECTS, Step.FILTERS, Step.MATCHING, Step.CONFLICTS)
"""Those that are done when a person says so."""

# A plan of a span of time, or of settings to try, is none that a bridge goes live with.
_SET_UPS = """
    SELECT b.id AS bridge_id, b.name, b.enabled, b.enabled OR b.live_since IS NOT NULL AS live, said.steps AS said,
           plan.id AS plan_id, plan.state AS plan_state, coalesce(plan.current, false) AS plan_is_current
      FROM bridges b
      CROSS JOIN LATERAL (
          SELECT coalesce(array_agg(s.step), '{{}}') AS steps FROM set_up_steps s WHERE s.bridge_id = b.id) said
      LEFT JOIN LATERAL (
          SELECT r.id, r.state, r.options -> 'with' = b.settings AS current FROM runs r
           WHERE r.bridge_id = b.id AND r.kind = 'plan' AND r.state <> 'cancelled'
             AND NOT jsonb_exists_any(r.options, ARRAY['start', 'settings'])
           ORDER BY r.id DESC LIMIT 1) plan ON true
     WHERE {which} ORDER BY b.id DESC LIMIT :most
"""
_OF_ONE = text(_SET_UPS.format(which="b.id = :bridge"))
_OPEN = text(_SET_UPS.format(which="NOT b.enabled AND b.live_since IS NULL AND b.id < :below"))
_SAY = text("""
    INSERT INTO set_up_steps (bridge_id, step, actor) SELECT id, :step, :actor FROM bridges WHERE id = :bridge
    ON CONFLICT (bridge_id, step) DO UPDATE SET actor = excluded.actor, done_at = now() RETURNING bridge_id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """`plan_id`: its last whole plan. `plan_is_current`: whether that was made with the settings of now."""

    bridge_id: int
    name: str
    enabled: bool
    live: bool
    said: Sequence[str]
    plan_id: int | None
    plan_state: str | None
    plan_is_current: bool

    @property
    def id(self) -> int:
        return self.bridge_id

    @property
    def steps(self) -> Mapping[Step, bool]:
        """Whether each is done. Who went live by another way has no step left."""
        planned = self.plan_state == RunState.DONE and self.plan_is_current
        done = {step: step in self.said for step in SAID} | {Step.PLAN: planned, Step.LIVE: self.live}
        return dict.fromkeys(Step, True) if self.live else done

    @property
    def next(self) -> Step | None:
        """The first that is not done; None where all are."""
        return next((step for step, done in self.steps.items() if not done), None)


async def set_up_of(engine: AsyncEngine, bridge_id: int) -> SetUp:
    """Raises Gone."""
    found = await _asked(engine, _OF_ONE, {"bridge": bridge_id, "most": 1})
    if not found:
        raise Gone(f"There is no bridge {bridge_id}.")
    return found[0]


async def open_set_ups(engine: AsyncEngine, most: int, below: int) -> list[SetUp]:
    """Of bridges that were never live, newest first. `below`: only those with a smaller id."""
    return await _asked(engine, _OPEN, {"most": most, "below": below})


async def say_done(engine: AsyncEngine, bridge_id: int, step: Step, actor: str) -> None:
    """A step of `SAID` is done; of the others it is seen. Raises Gone."""
    if step not in SAID:
        return
    async with engine.begin() as connection:
        if await connection.scalar(_SAY, {"bridge": bridge_id, "step": step.value, "actor": actor}) is None:
            raise Gone(f"There is no bridge {bridge_id}.")


async def _asked(engine: AsyncEngine, statement: Any, values: Mapping[str, Any]) -> list[SetUp]:
    async with engine.connect() as connection:
        return [SetUp(**row) for row in (await connection.execute(statement, values)).mappings()]

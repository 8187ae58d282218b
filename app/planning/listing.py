"""What a plan says, for people: counted, listed, and as the rows of a table."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.errors import Gone
from app.models import PlanItem, Run
from app.models.plan import Action, ItemState
from app.models.run import RunKind

_AT_ONCE = 1_000

COLUMNS = (
    "item",
    "object",
    "action",
    "state",
    "title",
    "crm_id",
    "billing_id",
    "field",
    "side",
    "before",
    "after",
    "why",
)


async def plan_of(engine: AsyncEngine, plan_id: int) -> Run:
    """Its run. Raises Gone."""
    async with AsyncSession(engine) as session:
        run = await session.get(Run, plan_id)
    if run is None or run.kind != RunKind.PLAN:
        raise Gone(f"There is no plan {plan_id}.")
    return run


async def counted(engine: AsyncEngine, plan_id: int) -> dict[Action, dict[ItemState, int]]:
    """How many of each action, by what became of them."""
    statement = (
        select(col(PlanItem.action), col(PlanItem.state), func.count())
        .where(col(PlanItem.run_id) == plan_id)
        .group_by(col(PlanItem.action), col(PlanItem.state))
        .order_by(col(PlanItem.action), col(PlanItem.state))
    )
    items: dict[Action, dict[ItemState, int]] = {}
    async with engine.connect() as connection:
        for action, state, count in await connection.execute(statement):
            items.setdefault(Action(action), {})[ItemState(state)] = count
    return items


async def items_of(
    engine: AsyncEngine,
    plan_id: int,
    *,
    action: Action | None = None,
    state: ItemState | None = None,
    object_: str | None = None,
) -> AsyncIterator[PlanItem]:
    """In its order. A thousand are read at a time, so that a plan of any size needs no memory."""
    wanted = ((col(PlanItem.action), action), (col(PlanItem.state), state), (col(PlanItem.object), object_))
    only = [col(PlanItem.run_id) == plan_id, *(column == value for column, value in wanted if value is not None)]
    after: int | None = 0
    while after is not None:
        some = select(PlanItem).where(*only, col(PlanItem.id) > after).order_by(col(PlanItem.id)).limit(_AT_ONCE)
        async with AsyncSession(engine) as session:
            rows = (await session.scalars(some)).all()
        for row in rows:
            yield row
        after = rows[-1].id if rows else None


def rows_of(item: PlanItem) -> list[tuple[Any, ...]]:
    """Below COLUMNS: one for each field, or one where there is none."""
    named = (item.id, item.object, item.action, item.state, item.title, item.crm_id, item.billing_id)
    if not item.changes:
        return [(*named, "", "", "", "", item.detail)]
    return [
        (
            *named,
            each["field"],
            each.get("side"),
            each.get("before"),
            each.get("after") or each.get("held"),
            each.get("why") or each.get("note"),
        )
        for each in item.changes
    ]

"""What became of each value of an undo, as the rows of a table."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.errors import Gone
from app.models import Run, UndoItem
from app.models.run import RunKind
from app.models.undo import UndoOutcome

_AT_ONCE = 500

COLUMNS = ("link_id", "object", "crm_id", "billing_id", "side", "field", "now", "wrote", "back", "outcome", "reason")


async def require_undo(engine: AsyncEngine, run_id: int) -> None:
    """Raises Gone where the run is no undo."""
    async with AsyncSession(engine) as session:
        run = await session.get(Run, run_id)
    if run is None or run.kind != RunKind.UNDO:
        raise Gone(f"There is no undo {run_id}.")


async def values_of(
    engine: AsyncEngine, run_id: int, outcome: UndoOutcome | None = None
) -> AsyncIterator[Mapping[str, Any]]:
    """By COLUMNS, oldest first."""
    columns = [col(UndoItem.id), *(col(getattr(UndoItem, name)) for name in COLUMNS)]
    only = [col(UndoItem.run_id) == run_id, *([col(UndoItem.outcome) == outcome] if outcome else [])]
    after: int | None = 0
    while after is not None:
        some = select(*columns).where(col(UndoItem.id) > after, *only).order_by(col(UndoItem.id)).limit(_AT_ONCE)
        async with engine.connect() as connection:
            rows = (await connection.execute(some)).mappings().all()
        for row in rows:
            yield {name: row[name] for name in COLUMNS}
        after = rows[-1]["id"] if rows else None

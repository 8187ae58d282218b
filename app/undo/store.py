"""What an undo reads and writes in our own database, each in one short statement or transaction."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, literal, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.db import Database
from app.models import Activity, UndoItem
from app.models.undo import UndoOutcome
from app.sync import statements
from app.sync.merge import Base
from app.sync.statements import CLAIM_LINK, SHOW_LINK
from app.sync.store import LinkRow, Settlement, Target, settled
from app.undo.comparing import Finding
from app.undo.folding import Done
from app.undo.scope import Scope

_RELEASE = text("UPDATE links SET claimed_until = NULL WHERE id = :id AND claim = :claim")
_AGREE = text("""
    UPDATE links SET base_crm = CAST(:crm AS jsonb), base_billing = CAST(:billing AS jsonb)
     WHERE id = :id AND claim = :claim RETURNING id
""")


class ClaimLost(Exception):
    """Another job owns the link by now: nothing was stored."""


@dataclass(frozen=True, slots=True)
class UndoStore:
    db: Database
    claim_seconds: float

    async def size(self, bridge_id: int, scope: Scope) -> tuple[int, int]:
        """How many links it is about, and how many activities."""
        counted = select(func.count(func.distinct(col(Activity.link_id))), func.count()).where(*scope.of(bridge_id))
        async with self.db.engine.connect() as connection:
            links, activities = (await connection.execute(counted)).one()
        return int(links), int(activities)

    async def links(self, bridge_id: int, scope: Scope, *, below: int | None, limit: int) -> list[int]:
        """The next ones, newest first: what was made for a record goes before the record."""
        id_ = col(Activity.link_id)
        only = [*scope.of(bridge_id), id_.is_not(None), *([id_ < below] if below is not None else [])]
        statement = select(id_).where(*only).distinct().order_by(id_.desc()).limit(limit)
        async with self.db.engine.connect() as connection:
            return [id_ for id_ in (await connection.execute(statement)).scalars() if id_ is not None]

    async def done(self, link_id: int, *only: Any) -> list[Done]:
        """Activities of one link, newest first."""
        columns = (col(Activity.id), col(Activity.action), col(Activity.changes))
        statement = select(*columns).where(col(Activity.link_id) == link_id, *only).order_by(col(Activity.id).desc())
        async with self.db.engine.connect() as connection:
            return [Done(id=i or 0, action=a, changes=c) for i, a, c in await connection.execute(statement)]

    async def claim(self, link_id: int, claim: str) -> tuple[LinkRow, str] | None:
        """Own the link; with its object. None: another job owns it now, or it is not there any more."""
        values = {"id": link_id, "claim": claim, "seconds": self.claim_seconds}
        return await self._link(CLAIM_LINK, values)

    async def show(self, link_id: int) -> tuple[LinkRow, str] | None:
        return await self._link(SHOW_LINK, {"id": link_id})

    async def _link(self, statement: Any, values: Mapping[str, Any]) -> tuple[LinkRow, str] | None:
        async with self.db.single.connect() as connection:
            row = (await connection.execute(statement, values)).mappings().first()
        if row is None:
            return None
        return LinkRow(**{name: value for name, value in row.items() if name != "object"}), row["object"]

    async def release(self, link_id: int, claim: str) -> None:
        async with self.db.single.connect() as connection:
            await connection.execute(_RELEASE, {"id": link_id, "claim": claim})

    async def items(self, run_id: int, link_id: int) -> list[UndoItem]:
        rows = select(UndoItem).where(col(UndoItem.run_id) == run_id, col(UndoItem.link_id) == link_id)
        async with self.db.engine.connect() as connection:
            return [UndoItem(**row) for row in (await connection.execute(rows)).mappings()]

    async def finished(self, run_id: int, links: Sequence[int]) -> set[int]:
        """Those of these links that the run is done with."""
        item = UndoItem
        statement = (
            select(col(item.link_id))
            .where(col(item.run_id) == run_id, col(item.link_id).in_(links))
            .group_by(col(item.link_id))
            .having(func.bool_and(col(item.outcome) != UndoOutcome.RESTORING.value))
        )
        async with self.db.engine.connect() as connection:
            return {id_ for id_ in (await connection.execute(statement)).scalars() if id_ is not None}

    async def counts(self, run_id: int, links: Sequence[int]) -> dict[str, int]:
        """What came of the values of these links, by outcome."""
        statement = (
            select(col(UndoItem.outcome), func.count())
            .where(col(UndoItem.run_id) == run_id, col(UndoItem.link_id).in_(links))
            .group_by(col(UndoItem.outcome))
        )
        async with self.db.engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}

    async def intend(self, target: Target, link: LinkRow, findings: Iterable[Finding], base: Base | None) -> None:
        """Before anything is written: what is to be written, and that both sides agree on it then.

        So an event that our own write causes leads to nothing, also where we are killed in between. Raises ClaimLost.
        """
        agreed = base or Base(link.base_crm or {}, link.base_billing or {})
        bases = {"crm": json.dumps(dict(agreed.crm)), "billing": json.dumps(dict(agreed.billing))}
        async with self.db.engine.begin() as connection:
            if link.base_crm is not None:
                row = await connection.execute(_AGREE, {**bases, "id": link.id, "claim": target.claim})
                if row.first() is None:
                    raise ClaimLost
            await _keep(connection, target, link, findings, again=False)

    async def settle(self, target: Target, link: LinkRow, findings: Iterable[Finding], end: Settlement) -> None:
        """All of it or nothing: the link, the activity, and what became of each value. Raises ClaimLost."""
        statement = statements.settle(tuple(end.link), end.activity is not None, False)
        async with self.db.engine.begin() as connection:
            if (await connection.execute(statement, settled(target, link, end))).first() is None:
                raise ClaimLost
            await _keep(connection, target, link, findings, again=True)

    async def unknown(self, connection: AsyncConnection, run_id: int, bridge_id: int, scope: Scope, reason: str) -> int:
        """List what was done to records whose link is not there any more; returns how many."""
        told = {"outcome": UndoOutcome.CANNOT.value, "reason": reason}
        same = ("object", "crm_id", "billing_id")
        lost = select(
            literal(run_id), *(literal(each) for each in told.values()), *(col(getattr(Activity, n)) for n in same)
        ).where(
            *scope.of(bridge_id),
            col(Activity.link_id).is_(None),
            func.jsonb_array_length(col(Activity.changes)) > 0,
        )
        kept = insert(UndoItem).from_select(["run_id", *told, *same], lost).returning(col(UndoItem.id)).cte()
        return int(await connection.scalar(select(func.count()).select_from(kept)) or 0)


async def _keep(
    connection: AsyncConnection, target: Target, link: LinkRow, findings: Iterable[Finding], *, again: bool
) -> None:
    """`again`: what was kept before is told how it ended; else it stays as it is."""
    rows = [_row(target, link, each) for each in findings]
    if not rows:
        return
    statement = insert(UndoItem).values(rows)
    if again:
        told = {name: statement.excluded[name] for name in ("outcome", "reason", "now")}
        kept = statement.on_conflict_do_update(constraint="undo_items_once", set_=told)
    else:
        kept = statement.on_conflict_do_nothing(constraint="undo_items_once")
    await connection.execute(kept)


def _row(target: Target, link: LinkRow, finding: Finding) -> dict[str, Any]:
    wish = finding.wish
    return {
        "run_id": target.run_id,
        "link_id": link.id,
        "object": target.object,
        "crm_id": link.crm_id or "",
        "billing_id": link.billing_id or "",
        "side": wish.side.value,
        "field": wish.field,
        "name": wish.name,
        "now": finding.now,
        "wrote": wish.wrote[-1],
        "back": finding.back,
        "outcome": finding.outcome.value,
        "reason": finding.reason,
    }


def restored(finding: Finding) -> bool:
    """Whether something was written, or done, for it."""
    return finding.outcome is UndoOutcome.RESTORED and finding.write is not None


def restoring(finding: Finding) -> bool:
    return finding.outcome is UndoOutcome.RESTORING

"""A pair is made: the rows that its two records had by themselves make room."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.models import Link
from app.models.link import LinkState
from app.sync.statements import COLUMN

if TYPE_CHECKING:
    from app.sync.store import LinkRow, Target


async def take_over(connection: AsyncConnection, target: "Target", link: "LinkRow", columns: Mapping[str, Any]) -> None:
    """Where the link now gets its partner's id, the partner's own lonely or cut row makes room."""
    for side, column in COLUMN.items():
        external_id = columns.get(column)
        if external_id and external_id != link.id_on(side):
            await connection.execute(
                delete(Link).where(
                    col(Link.bridge_id) == target.bridge_id,
                    col(Link.object) == target.object,
                    col(getattr(Link, column)) == external_id,
                    or_(col(getattr(Link, COLUMN[side.other])).is_(None), col(Link.state) == LinkState.UNLINKED.value),
                    col(Link.id) != link.id,
                )
            )

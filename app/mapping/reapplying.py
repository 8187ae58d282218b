"""How many pairs a changed mapping would be applied to."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from app.models import Link
from app.models.link import LinkState


async def linked(engine: AsyncEngine, bridge_id: int, object_: str) -> int:
    """Those with both records, that are kept in step."""
    pairs = select(func.count()).where(
        col(Link.bridge_id) == bridge_id,
        col(Link.object) == object_,
        col(Link.crm_id).is_not(None),
        col(Link.billing_id).is_not(None),
        col(Link.state) != LinkState.UNLINKED.value,
    )
    async with engine.connect() as connection:
        return await connection.scalar(pairs) or 0

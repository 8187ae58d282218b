"""Webhooks that the service installs at the vendor by itself: what would change, do it, take them away."""

from collections.abc import Sequence

from fastapi import APIRouter

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id
from app.api.problems import problems
from app.api.reading import one
from app.api.schemas import WebhookChangeOut, WebhooksOut
from app.models import Connection
from app.providers.hooks import Change

router = APIRouter(prefix="/connections", tags=["connections"], route_class=Bounded)

_URL = "/{connection_id}/webhooks"


@router.get(_URL, summary="Show what installing the webhooks would do", responses=problems(404, 503))
async def look_at_webhooks(desk: AtDesk, connection_id: Id) -> WebhooksOut:
    """Asks the vendor and changes nothing. HighLevel's are set by hand: that is answered 422, with the reason."""
    await one(desk.engine, Connection, connection_id)
    return await _shown(desk, connection_id, await desk.subscriptions.look(connection_id))


@router.post(f"{_URL}/install", summary="Install the webhooks", responses=problems(404, 503))
async def install_webhooks(desk: AtDesk, connection_id: Id) -> WebhooksOut:
    """From now on they are looked at every hour, and put in order. `changes` are what was done."""
    await one(desk.engine, Connection, connection_id)
    return await _shown(desk, connection_id, await desk.subscriptions.install(connection_id))


@router.delete(_URL, summary="Remove the webhooks", responses=problems(404, 503))
async def remove_webhooks(desk: AtDesk, connection_id: Id) -> WebhooksOut:
    """Only ours, and they stay away. `changes` are what was done."""
    await one(desk.engine, Connection, connection_id)
    return await _shown(desk, connection_id, await desk.subscriptions.remove(connection_id))


async def _shown(desk: Desk, connection_id: int, changes: Sequence[Change]) -> WebhooksOut:
    row = await one(desk.engine, Connection, connection_id)
    return WebhooksOut(
        managed=row.webhooks_managed,
        checked_at=row.webhooks_checked_at,
        problem=row.webhooks_problem or desk.subscriptions.obstacle(row),
        public_url=desk.public_url,
        changes=[WebhookChangeOut.model_validate(change) for change in changes],
    )

"""Events: what the vendors told us, and what became of it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app import retrying
from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Word
from app.api.problems import problems
from app.api.reading import Paging, Since, Until, equal, one, page, within
from app.api.schemas import EventOut, Page, Queued
from app.models import Event, Link
from app.models.event import HEARD, EventState
from app.sync.records import Side

router = APIRouter(prefix="/events", tags=["events"], route_class=Bounded)


@router.get("", summary="List events")
async def list_events(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    connection_id: Annotated[
        Id | None, Query(description="Webhooks of this connection: nothing that was found by looking there")
    ] = None,
    state: EventState | None = None,
    external_id: Word | None = None,
    kind: Word | None = None,
    since: Since = None,
    until: Until = None,
) -> Page[EventOut]:
    """Newest first. `external_id` is the vendor's id of the record. `from` and `to`: when it was received."""
    only: list[ColumnElement[bool]] = equal(
        (col(Event.bridge_id), bridge_id),
        (col(Event.connection_id), connection_id),
        (col(Event.state), state),
        (col(Event.external_id), external_id),
        (col(Event.kind), kind),
    )
    if connection_id is not None:
        only.append(HEARD)
    found = await page(desk.engine, Event, EventOut, part, *only, *within(col(Event.received_at), since, until))
    await _name(desk, found.items)
    return found


@router.get("/{event_id}", summary="Show an event", responses=problems(404))
async def show_event(desk: AtDesk, event_id: Id) -> EventOut:
    """One delivery, or one change found by polling."""
    found = EventOut.model_validate(await one(desk.engine, Event, event_id))
    await _name(desk, [found])
    return found


@router.post("/{event_id}/replay", status_code=202, summary="Look at its record again", responses=problems(404, 409))
async def replay_event(desk: AtDesk, event_id: Id) -> Queued:
    """An event carries no data: both accounts are read as they are now, and brought in step."""
    _, queued = await retrying.replay_event(desk.engine, event_id)
    return Queued(queued=queued)


async def _name(desk: Desk, found: Sequence[EventOut]) -> None:
    """Their records' links, and what people call them."""
    event, sides = aliased(Event), {side: aliased(Link) for side in Side}
    ids = {side: col(link.crm_id if side is Side.CRM else link.billing_id) for side, link in sides.items()}
    wanted = select(
        col(event.id),
        func.coalesce(*(col(link.id) for link in sides.values())),
        func.coalesce(*(col(link.name) for link in sides.values())),
    ).where(col(event.id).in_([each.id for each in found]))
    for side, link in sides.items():
        same = (col(link.bridge_id) == col(event.bridge_id), col(link.object) == col(event.object))
        wanted = wanted.outerjoin(link, and_(*same, ids[side] == col(event.external_id), col(event.side) == side.value))
    async with desk.engine.connect() as connection:
        known = {row[0]: row[1:] for row in await connection.execute(wanted)}
    for each in found:
        each.link_id, name = known.get(each.id, (None, None))
        each.name = name or ""

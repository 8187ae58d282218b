"""Events: what the vendors told us, and what became of it."""

from fastapi import APIRouter
from sqlmodel import col

from app import retrying
from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Word
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import EventOut, Page, Queued
from app.models import Event
from app.models.event import EventState

router = APIRouter(prefix="/events", tags=["events"], route_class=Bounded)


@router.get("", summary="List events")
async def list_events(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    state: EventState | None = None,
    external_id: Word | None = None,
    kind: Word | None = None,
) -> Page[EventOut]:
    """Newest first. `external_id` is the vendor's id of the record."""
    only = equal(
        (col(Event.bridge_id), bridge_id),
        (col(Event.state), state),
        (col(Event.external_id), external_id),
        (col(Event.kind), kind),
    )
    return await page(desk.engine, Event, EventOut, part, *only)


@router.get("/{event_id}", summary="Show an event", responses=problems(404))
async def show_event(desk: AtDesk, event_id: Id) -> EventOut:
    """One delivery, or one change found by polling."""
    return EventOut.model_validate(await one(desk.engine, Event, event_id))


@router.post("/{event_id}/replay", status_code=202, summary="Look at its record again", responses=problems(404, 409))
async def replay_event(desk: AtDesk, event_id: Id) -> Queued:
    """An event carries no data: both accounts are read as they are now, and brought in step."""
    _, queued = await retrying.replay_event(desk.engine, event_id)
    return Queued(queued=queued)

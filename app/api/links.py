"""Links: which record belongs to which."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import col

from app import leaving, retrying
from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment, Word
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import LinkOut, Out, Page, Queued
from app.models import Link
from app.models.link import LinkState
from app.sync.records import Side
from app.undo.history import Writer, history_of

router = APIRouter(prefix="/links", tags=["links"], route_class=Bounded)


@router.get("", summary="List links")
async def list_links(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    state: LinkState | None = None,
    crm_id: Word | None = None,
    billing_id: Word | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
) -> Page[LinkOut]:
    """Newest first. `crm_id` and `billing_id` are the vendors' ids."""
    only = equal(
        (col(Link.bridge_id), bridge_id),
        (col(Link.state), state),
        (col(Link.crm_id), crm_id),
        (col(Link.billing_id), billing_id),
        (col(Link.object), object_),
    )
    return await page(desk.engine, Link, LinkOut, part, *only)


@router.get("/{link_id}", summary="Show a link", responses=problems(404))
async def show_link(desk: AtDesk, link_id: Id) -> LinkOut:
    """With what both sides last agreed on, and what could not be written."""
    return LinkOut.model_validate(await one(desk.engine, Link, link_id))


@router.post("/{link_id}/sync", status_code=202, summary="Sync a record now", responses=problems(404, 409))
async def sync_now(desk: AtDesk, link_id: Id) -> Queued:
    """Both sides are read and brought in step, whether or not anything is known to have changed."""
    return Queued(queued=await retrying.sync_one(desk.engine, link_id))


@router.post("/{link_id}/exclude", summary="Leave a record out", responses=problems(404, 409))
async def exclude_link(desk: AtDesk, who: Caller, link_id: Id) -> LinkOut:
    """At once, and until it is included again: nothing is read, written or deleted for it on either side."""
    await leaving.exclude(desk.connections, link_id, who.name)
    return await show_link(desk, link_id)


@router.post("/{link_id}/include", status_code=202, summary="Take a record in again", responses=problems(404, 409))
async def include_link(desk: AtDesk, link_id: Id) -> Queued:
    """What was left out goes on from where it was."""
    return Queued(queued=await leaving.include(desk.connections, link_id))


@router.post("/{link_id}/unlink", status_code=202, summary="Cut a pair", responses=problems(404, 409))
async def unlink(desk: AtDesk, who: Caller, link_id: Id) -> Queued:
    """Both records stay, and neither is synced any more, until a person makes them one again."""
    return Queued(queued=await leaving.unlink(desk.connections, link_id, who.name))


@router.post("/{link_id}/relink", status_code=202, summary="Make a cut pair one again", responses=problems(404, 409))
async def relink(desk: AtDesk, who: Caller, link_id: Id) -> Queued:
    """A pair that a person has cut. Where both have changed since, the bridge's rule for conflicts decides."""
    return Queued(queued=await leaving.relink(desk.connections, link_id, who.name))


class WriteOut(Out):
    """One value that Crossledger wrote."""

    activity_id: int
    run_id: int | None
    event_id: int | None
    at: Moment
    action: str
    cause: str = Field(description="The kind of event that led to it")
    before: str
    after: str
    why: str


class FieldHistoryOut(Out):
    """One field of one side."""

    field: str = Field(description="As the activities call it")
    side: Side
    name: str = Field(description="What this side calls it")
    writer: Writer = Field(description="Who wrote there last, as far as is known: Crossledger, or somebody there")
    at: Moment = Field(description="When that was known")
    writes: list[WriteOut] = Field(description="Newest first")


class HistoryOut(BaseModel):
    fields: list[FieldHistoryOut]


@router.get("/{link_id}/history", summary="Show who wrote what", responses=problems(404))
async def show_history(desk: AtDesk, link_id: Id) -> HistoryOut:
    """Per field and side: every value that Crossledger wrote, with what was there before, and who wrote last."""
    told = await history_of(desk.engine, link_id)
    return HistoryOut(fields=[FieldHistoryOut.model_validate(each) for each in told])

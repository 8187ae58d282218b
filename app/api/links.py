"""Links: which record belongs to which."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlmodel import col

from app import leaving, retrying
from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Moment, Word
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import ActivityOut, EventOut, LinkOut, Out, Page, Queued
from app.models import Link
from app.models.link import LinkState
from app.providers.sandboxed import ADDRESSES
from app.sync.records import Side
from app.timeline import NEWEST, Below, timeline
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


class LinkShown(LinkOut):
    """Addresses are empty where no page of it is known, and in the sandbox, whose vendors have none."""

    crm_url: str = Field("", description="Where people see its record in the CRM's own app")
    billing_url: str = ""


@router.get("/{link_id}", summary="Show a link", responses=problems(404))
async def show_link(desk: AtDesk, link_id: Id) -> LinkShown:
    """With what both sides last agreed on, and what could not be written."""
    link = await one(desk.engine, Link, link_id)
    return LinkShown.model_validate(link).model_copy(update=await _addresses(desk, link))


async def _addresses(desk: Desk, link: Link) -> dict[str, str]:
    bridge = await desk.connections.directory.bridge(link.bridge_id)
    found = {}
    for side, id_ in ((Side.CRM, link.crm_id), (Side.BILLING, link.billing_id)):
        account = bridge.connection(side) if bridge else None
        if account and account.base_url not in ADDRESSES.values():
            provider = desk.connections.providers[account.provider]
            found[f"{side}_url"] = provider.page(account.base_url, account.account_id, link.object, id_ or "")
    return found


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


class HappenedOut(Out):
    """One of the two: what a vendor told, or what was done."""

    at: Moment
    event: EventOut | None
    activity: ActivityOut | None


Onwards = Annotated[str | None, Query(pattern=r"^\d{1,18}-\d{1,18}$", description="`next_cursor` of the page before")]


@router.get("/{link_id}/timeline", summary="Show what happened to a record", responses=problems(404))
async def show_timeline(
    desk: AtDesk,
    link_id: Id,
    limit: Annotated[int, Query(ge=1, le=500, description="Rows per page")] = 50,
    cursor: Onwards = None,
) -> Page[HappenedOut]:
    """What its vendors told and what was done, newest first. Events are kept for a time, activities for good."""
    link = await one(desk.engine, Link, link_id)
    below = Below(*map(int, cursor.split("-"))) if cursor else NEWEST
    found, more = await timeline(desk.engine, link, limit=limit, below=below)
    items = [HappenedOut.model_validate(each) for each in found]
    for each in items:
        if each.activity:
            each.activity.name = link.name
    return Page(items=items, next_cursor=f"{more.activity}-{more.event}" if more else None)

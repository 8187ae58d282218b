"""Activities: what was done, field by field."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.api.desk import AtDesk, Desk
from app.api.fields import MAX_ID, Id, Word
from app.api.problems import problems, unknown
from app.api.reading import Paging, Since, Until, equal, one, page, within
from app.api.records import names_of
from app.api.schemas import ActivityOut, Out, Page
from app.api.spreadsheet import exported, lines, sheet
from app.listing import found_by
from app.models import Activity, FailedExchange, Link
from app.models.activity import WROTE
from app.sync.records import Side

COLUMNS = (
    "activity", "at", "bridge", "object", "crm id", "billing id", "what", "cause", "run", "field", "side", "before",
    "after", "why",
)  # fmt: skip
_AT_ONCE = 1000

router = APIRouter(prefix="/activities", tags=["activities"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Which:
    """What is asked for of the log. What is None is not."""

    bridge_id: Id | None = None
    link_id: Id | None = None
    run_id: Id | None = None
    action: Word | None = None
    object: Word | None = None
    record: Annotated[Word | None, Query(description="Of the pair that has it, by either vendor's id")] = None
    search: Annotated[
        Word | None,
        Query(description="Of pairs with these words in a name or an e-mail, of each at least the beginning"),
    ] = None
    cause: Annotated[Word | None, Query(description="The kind of event that led to it")] = None
    side: Annotated[Side | None, Query(description="What wrote to this side")] = None
    since: Since = None
    until: Until = None

    async def only(self, engine: AsyncEngine) -> list[ColumnElement[bool]]:
        only = equal(
            (col(Activity.bridge_id), self.bridge_id),
            (col(Activity.link_id), self.link_id),
            (col(Activity.run_id), self.run_id),
            (col(Activity.action), self.action),
            (col(Activity.object), self.object),
            (col(Activity.cause), self.cause),
        )
        if self.record is not None:
            pairs = select(col(Link.id)).where(
                or_(col(Link.crm_id) == self.record, col(Link.billing_id) == self.record)
            )
            only.append(col(Activity.link_id).in_(pairs))
        if self.search is not None:
            only.append(await found_by(engine, self.search, col(Activity.link_id)))
        if self.side is not None:
            only.append(WROTE[self.side])
        return [*only, *within(col(Activity.at), self.since, self.until)]


Wanted = Annotated[Which, Depends()]


@router.get("", summary="List activities")
async def list_activities(desk: AtDesk, part: Paging, which: Wanted) -> Page[ActivityOut]:
    """Newest first. An attempt that changed nothing leaves none."""
    found = await page(desk.engine, Activity, ActivityOut, part, *await which.only(desk.engine))
    await _name(desk, found.items)
    return found


@router.get(
    "/export",
    summary="Export activities",
    response_class=StreamingResponse,
    responses=exported("All that fit"),
)
async def export_activities(desk: AtDesk, which: Wanted, form: Literal["csv", "json"] = "csv") -> StreamingResponse:
    """Newest first, with the filters of the list: CSV with a row for each field, or a JSON object in each line."""
    found = _each(desk, await which.only(desk.engine))
    if form == "csv":
        return sheet("activities.csv", COLUMNS, (row async for each in found for row in rows_of(each)))
    return lines("activities.jsonl", (each.model_dump(mode="json") async for each in found))


async def _each(desk: Desk, only: Sequence[ColumnElement[bool]]) -> AsyncIterator[ActivityOut]:
    """A thousand are read at a time, so that a log of any length needs no memory."""
    below: int | None = MAX_ID
    while below is not None:
        id_ = col(Activity.id)
        some = select(Activity).where(*only, id_ < below).order_by(id_.desc()).limit(_AT_ONCE)
        async with AsyncSession(desk.engine) as session:
            rows = (await session.scalars(some)).all()
        found = [ActivityOut.model_validate(row) for row in rows]
        await _name(desk, found)
        for each in found:
            yield each
        below = rows[-1].id if rows else None


async def _name(desk: Desk, found: Sequence[ActivityOut]) -> None:
    """What people call the records."""
    names = await names_of(desk, [each.link_id for each in found])
    for each in found:
        each.name = names.get(each.link_id or 0, "")


def rows_of(activity: ActivityOut) -> list[tuple[Any, ...]]:
    """Below COLUMNS: one for each field, or one where there is none."""
    named = (
        activity.id, activity.at.isoformat(timespec="seconds"), activity.bridge_id, activity.object, activity.crm_id,
        activity.billing_id, activity.action, activity.cause, activity.run_id,
    )  # fmt: skip
    if not activity.changes:
        return [(*named, "", "", "", "", activity.detail)]
    return [
        (*named, each.field, each.side, each.before, each.after or each.held, each.why or each.note or activity.detail)
        for each in activity.changes
    ]


@router.get("/{activity_id}", summary="Show an activity", responses=problems(404))
async def show_activity(desk: AtDesk, activity_id: Id) -> ActivityOut:
    """What one attempt changed, per field and side."""
    found = ActivityOut.model_validate(await one(desk.engine, Activity, activity_id))
    await _name(desk, [found])
    return found


class ExchangeOut(Out):
    """The call that an attempt failed at. Without headers and secrets, and cut where it is long."""

    method: str
    url: str
    request: str
    status: int | None = Field(description="Null: no answer came")
    answer: str


@router.get("/{activity_id}/exchange", summary="Show what was said to the vendor", responses=problems(404))
async def show_exchange(desk: AtDesk, activity_id: Id) -> ExchangeOut:
    """Of an attempt that failed: the last request and its answer. 404 where it failed at something else."""
    async with AsyncSession(desk.engine) as session:
        found = await session.get(FailedExchange, activity_id)
    if found is None:
        raise unknown("exchange of activity", activity_id)
    return ExchangeOut.model_validate(found.exchange)

"""Undo: what was written is taken back, where nobody has changed it since."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment, Word
from app.api.guard import Caller
from app.api.problems import Responses, problems
from app.api.reading import Paging, equal, one, page
from app.api.records import names_of
from app.api.requests import In
from app.api.runs import RunOut
from app.api.schemas import Out, Page
from app.api.spreadsheet import MEDIA_TYPE, sheet
from app.models import Run, UndoItem
from app.models.undo import UndoOutcome
from app.sync.records import Side
from app.undo.listing import COLUMNS, require_undo, values_of
from app.undo.scope import Scope, scope_of
from app.undo.undoing import Preview

router = APIRouter(prefix="/undo", tags=["undo"], route_class=Bounded)

_CSV: Responses = {200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "All of them"}}
_RECORD = "`record` stands for the record as a whole: that it was made, put away or brought back"


class UndoIn(In):
    """What to take back: one activity, one record, one run, or all that a bridge did in a time."""

    activity_id: Id | None = None
    link_id: Id | None = None
    run_id: Id | None = None
    bridge_id: Id | None = Field(None, description="With `since`")
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(None, description="With `since`; left out: until now")
    object: Word | None = Field(None, description="Only this object, for example `contact`")
    side: Side | None = Field(None, description="Only what was written there")
    fields: list[Word] | None = Field(
        None, min_length=1, max_length=200, description=f"Only these, as the activities call them. {_RECORD}"
    )

    @model_validator(mode="after")
    def _one_scope(self) -> Self:
        given = [self.activity_id, self.link_id, self.run_id, self.bridge_id]
        if sum(each is not None for each in given) != 1:
            raise ValueError("name one of `activity_id`, `link_id`, `run_id`, and `bridge_id` with `since`")
        if (self.bridge_id is None) != (self.since is None):
            raise ValueError("`bridge_id` goes with `since`")
        if self.until is not None and (self.since is None or self.until <= self.since):
            raise ValueError("`until` is a moment after `since`")
        return self

    async def scope(self, engine: AsyncEngine) -> tuple[int, Scope]:
        given = self.model_dump(exclude={"object"})
        return await scope_of(engine, object_=self.object, **given)


class ValueOut(Out):
    """One value of one side."""

    link_id: int | None
    object: str
    name: str = Field("", description="What people call the record")
    crm_id: str
    billing_id: str
    side: str = Field(description="`crm` or `billing`; empty: all that was done to a record nobody knows any more")
    field: str = Field(description=_RECORD[0].upper() + _RECORD[1:])
    now: str = Field(description="What was found there")
    wrote: str = Field(description="What our last write had left")
    back: str = Field(description="What it was before, and is to be again")
    outcome: UndoOutcome = Field(description="restoring: it will be written")
    reason: str = Field(description="Why it was, or will be, left as it is")


class UndoItemOut(ValueOut):
    id: int
    at: Moment


class PreviewOut(Out):
    """What an undo would do. Nothing was written."""

    bridge_id: int
    records: int = Field(description="Pairs that it is about")
    activities: int
    looked_at: int = Field(description="Of these pairs, so many were read at both vendors just now, the newest")
    counts: dict[str, int] = Field(description="What would become of the values of those, by outcome")
    items: list[ValueOut]


@router.post("/preview", summary="Show what an undo would do", responses=problems(400, 404, 413, 503))
async def preview_undo(desk: AtDesk, what: UndoIn) -> PreviewOut:
    """Reads the newest of its records at both vendors, compares, and writes nothing."""
    found = shown(await desk.undoing.preview(*await what.scope(desk.engine)))
    names = await names_of(desk, [each.link_id for each in found.items])
    for each in found.items:
        each.name = names.get(each.link_id or 0, "")
    return found


@router.post("", status_code=202, summary="Undo", responses=problems(400, 404, 413))
async def begin_undo(desk: AtDesk, who: Caller, what: UndoIn) -> RunOut:
    """Begins a run. Each value is compared first: what somebody has changed since is left, and listed.

    What is done after this moment is not touched. An undo can be undone: name its run.
    """
    run_id = await desk.undoing.begin(desk.runs, *await what.scope(desk.engine), who.name)
    return RunOut.model_validate(await one(desk.engine, Run, run_id))


@router.get("/{run_id}/items", summary="List what became of each value", responses=problems(404))
async def list_items(desk: AtDesk, part: Paging, run_id: Id, outcome: UndoOutcome | None = None) -> Page[UndoItemOut]:
    """Newest first. `changed_since` are the values that a person, or a later sync, has changed: they were left."""
    await require_undo(desk.engine, run_id)
    only = equal((col(UndoItem.outcome), outcome))
    return await page(desk.engine, UndoItem, UndoItemOut, part, col(UndoItem.run_id) == run_id, *only)


@router.get(
    "/{run_id}/items.csv",
    summary="Export what became of each value",
    response_class=StreamingResponse,
    responses={**_CSV, **problems(404)},
)
async def export_items(
    desk: AtDesk, run_id: Id, outcome: Annotated[UndoOutcome | None, Query()] = None
) -> StreamingResponse:
    """All of them as CSV, oldest first. Texts that a spreadsheet would take for a formula begin with an apostrophe."""
    await require_undo(desk.engine, run_id)
    values = values_of(desk.engine, run_id, outcome)
    return sheet(f"undo-{run_id}.csv", COLUMNS, (tuple(each.values()) async for each in values))


def shown(preview: Preview) -> PreviewOut:
    """A preview as it is answered."""
    return PreviewOut(
        bridge_id=preview.bridge_id,
        records=preview.records,
        activities=preview.activities,
        looked_at=preview.looked_at,
        counts=dict(preview.counts),
        items=[
            ValueOut(
                link_id=row.link.id,
                object=row.object,
                crm_id=row.link.crm_id or "",
                billing_id=row.link.billing_id or "",
                side=row.finding.wish.side,
                field=row.finding.wish.field,
                now=row.finding.now,
                wrote=row.finding.wish.wrote[-1],
                back=row.finding.back,
                outcome=row.finding.outcome,
                reason=row.finding.reason,
            )
            for row in preview.shown
        ],
    )

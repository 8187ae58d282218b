"""Plans: what would be done with each record, before anything is; and doing it."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field, model_validator
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment
from app.api.guard import Caller
from app.api.problems import Responses, problems
from app.api.reading import Paging, equal, one, page
from app.api.requests import In
from app.api.runs import RunOut
from app.api.schemas import CandidateOut, ChangeOut, Out, Page
from app.api.spreadsheet import MEDIA_TYPE, sheet
from app.models import Bridge, PlanItem, Run
from app.models.plan import Action, ItemState
from app.planning.listing import COLUMNS, counted, items_of, plan_of, rows_of
from app.planning.plans import Plans, why_not
from app.planning.snapshots import Snapshots
from app.sync.policy import BridgeSettings
from app.sync.records import Side

router = APIRouter(tags=["plans"], route_class=Bounded)

_MOST_KEYS = 500
_LINES = "application/x-ndjson"
_TEXT = {"schema": {"type": "string"}}
_EXPORT: Responses = {200: {"content": {MEDIA_TYPE: _TEXT, _LINES: _TEXT}, "description": "All of it"}}


class PlanIn(In):
    """Nothing given: both sides are read completely, with the bridge's settings."""

    settings: BridgeSettings | None = Field(None, description="To try in place of the bridge's; cannot be applied")
    start: AwareDatetime | None = Field(None, description="Only records that events from this moment on have named")
    end: AwareDatetime | None = Field(None, description="... and before this one; left out: now")

    @model_validator(mode="after")
    def _a_window(self) -> "PlanIn":
        if self.end and not self.start:
            raise ValueError("`end` goes with `start`")
        return self


class ApplyIn(In):
    """Nothing given: everything that the plan would write."""

    items: list[Id] | None = Field(None, max_length=10_000, description="Only these; “try ten first”")
    first: int | None = Field(None, ge=1, le=10_000, description="Only so many, the first ones")
    changed: bool = Field(False, description="Also what was planned anew because it had changed")
    go_live: bool = Field(False, description="From now on, events keep both sides in step as well")


class EffectOut(BaseModel):
    side: Side
    verb: str
    values: dict[str, str]


class PlanItemOut(Out):
    id: int
    object: str
    side: Side = Field(description="Where the record is that was looked at")
    crm_id: str | None
    billing_id: str | None = Field(description="`new-...`: to be made")
    title: str
    action: Action
    state: ItemState
    problem: str
    detail: str
    changes: list[ChangeOut]
    effects: list[EffectOut] = Field(description="The writes, one by one")
    candidates: list[CandidateOut]
    done_at: Moment | None


class NamedOut(Out):
    id: str
    name: str = Field(description="What people call it, as it was read for the plan; empty: it has no name")
    link_id: int | None = Field(description="Its link; null: it has none yet")


class SharedOut(Out):
    """A match key that several records of one side have."""

    side: Side
    object: str
    kind: str = Field(description="email, slot (the other side's id), or identity (a business's name, a product's key)")
    key: str
    records: int
    ids: list[str]
    named: list[NamedOut] = Field(default=[], description="The first five of them; of a plan none")


class PlanOut(RunOut):
    items: dict[Action, dict[ItemState, int]] = Field(description="How many of each, by what became of them")
    shared_keys: list[SharedOut] = Field(description="What is ambiguous before anything starts")
    unread: dict[str, str] = Field(description="What cannot be listed at a vendor, and why; it is synced by events")
    refused: str = Field(description="Why it cannot be applied, in a sentence; empty: it can")


@router.post("/bridges/{bridge_id}/plan", status_code=202, summary="Make a plan", responses=problems(400, 404, 413))
async def make_plan(desk: AtDesk, who: Caller, bridge_id: Id, wanted: PlanIn) -> RunOut:
    """Both sides are read, and nothing is written. See how far it is under GET /runs/{run_id}."""
    plans = Plans(desk.engine, desk.runs, desk.connections.directory)
    run_id = await plans.make(bridge_id, who.name, settings=wanted.settings, start=wanted.start, end=wanted.end)
    return RunOut.model_validate(await one(desk.engine, Run, run_id))


@router.get("/plans/{run_id}", summary="Show a plan", responses=problems(404))
async def show_plan(desk: AtDesk, run_id: Id) -> PlanOut:
    """How much it would do of what, and which match keys are not unique."""
    run = await plan_of(desk.engine, run_id)
    shared = await Snapshots(desk.engine, run_id).shared(_MOST_KEYS)
    return PlanOut(
        **dict(RunOut.model_validate(run)),
        items=await counted(desk.engine, run_id),
        shared_keys=[SharedOut.model_validate(each) for each in shared],
        unread=run.position.get("unread", {}),
        refused=why_not(run, (await one(desk.engine, Bridge, run.bridge_id)).settings),
    )


@router.get("/plans/{run_id}/items", summary="List what a plan would do", responses=problems(404))
async def list_items(
    desk: AtDesk,
    part: Paging,
    run_id: Id,
    action: Action | None = None,
    state: ItemState | None = None,
    object_: Annotated[str | None, Query(alias="object", max_length=50)] = None,
) -> Page[PlanItemOut]:
    """Each record with its fields before and after. The last ones first."""
    await plan_of(desk.engine, run_id)
    only = equal(
        (col(PlanItem.run_id), run_id),
        (col(PlanItem.action), action),
        (col(PlanItem.state), state),
        (col(PlanItem.object), object_),
    )
    return await page(desk.engine, PlanItem, PlanItemOut, part, *only)


@router.get(
    "/plans/{run_id}/export",
    summary="Export a plan",
    response_class=StreamingResponse,
    responses={**_EXPORT, **problems(404)},
)
async def export_plan(desk: AtDesk, run_id: Id, form: Literal["csv", "json"] = "csv") -> StreamingResponse:
    """All of it: CSV with a row for each field, or a JSON object in each line."""
    await plan_of(desk.engine, run_id)
    items = items_of(desk.engine, run_id)
    if form == "csv":
        return sheet(f"plan-{run_id}.csv", COLUMNS, (row async for each in items for row in rows_of(each)))
    shown = (json_line(each) async for each in items)
    headers = {"Content-Disposition": f'attachment; filename="plan-{run_id}.jsonl"'}
    return StreamingResponse(shown, media_type=_LINES, headers=headers)


@router.post("/plans/{run_id}/apply", status_code=202, summary="Apply a plan", responses=problems(400, 404, 409, 413))
async def apply_plan(desk: AtDesk, who: Caller, run_id: Id, wanted: ApplyIn) -> RunOut:
    """Exactly what it says. A record that was changed since is planned anew, shown, and not written."""
    plans = Plans(desk.engine, desk.runs, desk.connections.directory)
    backfill = await plans.apply(run_id, who.name, **dict(wanted))
    return RunOut.model_validate(await one(desk.engine, Run, backfill))


def json_line(item: PlanItem) -> str:
    """As it is exported."""
    return f"{json.dumps(PlanItemOut.model_validate(item).model_dump(mode='json'), ensure_ascii=False)}\n"

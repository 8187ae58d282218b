"""Runs: long work on a bridge, how far it is, and stopping it."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field, computed_field
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import Out, Page
from app.models import Run
from app.models.run import RunKind, RunState

router = APIRouter(prefix="/runs", tags=["runs"], route_class=Bounded)


class RunOut(Out):
    """Long work on a bridge."""

    id: int
    bridge_id: int
    kind: RunKind
    state: RunState
    options: dict[str, Any]
    total: int = Field(description="Records to look at; 0 while nobody knows")
    done: int
    counts: dict[str, int] = Field(description="What came of them, by outcome")
    detail: str = Field(description="Why it waits at the moment, or why it has failed")
    actor: str = Field(description="Who began it")
    worked: float = Field(description="Seconds in which it was worked on, without pauses and outages")
    created_at: Moment
    ended_at: Moment | None

    @computed_field(description="Records a second")  # type: ignore[prop-decorator]
    @property
    def rate(self) -> float:
        return round(self.done / self.worked, 1) if self.worked else 0.0

    @computed_field(description="Seconds until it is done, at this rate; null where nobody knows")  # type: ignore[prop-decorator]
    @property
    def seconds_left(self) -> int | None:
        left = self.total - self.done
        return round(left * self.worked / self.done) if self.done and left > 0 else None


@router.get("", summary="List runs")
async def list_runs(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    kind: RunKind | None = None,
    state: RunState | None = None,
) -> Page[RunOut]:
    """Newest first: plans, backfills, sweeps, and what else takes its time."""
    only = equal((col(Run.bridge_id), bridge_id), (col(Run.kind), kind), (col(Run.state), state))
    return await page(desk.engine, Run, RunOut, part, *only)


@router.get("/{run_id}", summary="Show a run", responses=problems(404))
async def show_run(desk: AtDesk, run_id: Id) -> RunOut:
    """How far it is, how fast, and what came of the records so far."""
    return RunOut.model_validate(await one(desk.engine, Run, run_id))


@router.post("/{run_id}/pause", summary="Pause a run", responses=problems(404))
async def pause_run(desk: AtDesk, run_id: Id) -> RunOut:
    """It stops at its next checkpoint, within seconds, and goes on from there when it is resumed."""
    await desk.runs.pause(run_id)
    return await show_run(desk, run_id)


@router.post("/{run_id}/resume", summary="Resume a run", responses=problems(404))
async def resume_run(desk: AtDesk, run_id: Id) -> RunOut:
    """One that was paused, or has failed, goes on where it was."""
    await desk.runs.resume(run_id)
    return await show_run(desk, run_id)


@router.post("/{run_id}/cancel", summary="Cancel a run", responses=problems(404))
async def cancel_run(desk: AtDesk, run_id: Id) -> RunOut:
    """What it has done so far stays; it cannot be resumed."""
    await desk.runs.cancel(run_id)
    return await show_run(desk, run_id)

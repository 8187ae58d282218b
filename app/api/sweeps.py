"""Sweeps of a bridge: begin one, and see what webhooks missed."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import one
from app.api.requests import In
from app.api.runs import RunOut
from app.api.schemas import Out
from app.models import Run
from app.models.run import RunKind
from app.sweep import health
from app.sweep.readings import Scope
from app.sync.records import Side

router = APIRouter(prefix="/bridges", tags=["bridges"], route_class=Bounded)


class SweepIn(In):
    full: bool = Field(False, description="Compare everything, and look for what was deleted; else what changed lately")


class ReadingOut(Out):
    """How far one object of one side was read."""

    side: Side
    object: str
    read_to: Moment | None = Field(description="Changes before this moment have been seen; null: never read")
    compared_at: Moment | None = Field(description="When everything was last read and compared")
    problem: str = Field(description="Why the last reading did not come to its end; empty: it did")


class MissedOut(Out):
    """Changes that no event had told of, by UTC day."""

    day: date
    provider: str
    side: Side
    object: str
    missed: int
    repaired: int = Field(description="How many of them are in step by now")
    last_at: Moment


class KindOut(BaseModel):
    kind: str = Field(description="The vendor's name of the event")
    last_at: Moment


class HeardOut(BaseModel):
    """What a connection delivered last."""

    connection_id: int
    provider: str
    side: Side
    last_at: Moment | None
    kinds: list[KindOut]
    missed_since: int = Field(description="Changes that sweeps found after the last delivery")
    silence: str = Field(description="A sentence where webhooks seem not to arrive any more; empty: they do")
    webhooks_problem: str = Field(description="Why its webhooks are not in order, as the last check found")


class HealthOut(BaseModel):
    """How a bridge is doing, as its sweeps and its deliveries tell."""

    last_sweep: RunOut | None
    last_full: RunOut | None = Field(description="The last one that compared everything")
    readings: list[ReadingOut]
    missed: list[MissedOut] = Field(description="Of the last 30 days, newest first")
    deliveries: list[HeardOut]


@router.post("/{bridge_id}/sweep", status_code=202, summary="Begin a sweep", responses=problems(400, 404, 413))
async def begin_sweep(
    desk: AtDesk, who: Caller, bridge_id: Id, wanted: Annotated[SweepIn | None, Body()] = None
) -> RunOut:
    """Both sides are read, and what no event told of is queued. The answer is the run, to look at as it goes on."""
    scope = Scope.FULL if wanted and wanted.full else Scope.CHANGED
    run_id = await desk.runs.begin(bridge_id, RunKind.SWEEP, {"scope": scope}, who.name)
    return RunOut.model_validate(await one(desk.engine, Run, run_id))


@router.get("/{bridge_id}/health", summary="Show what webhooks missed", responses=problems(404))
async def show_health(desk: AtDesk, bridge_id: Id) -> HealthOut:
    """The last sweeps, what they found that no event had told of, and what was delivered last."""
    found = await health.health_of(desk.engine, desk.connections.directory, bridge_id, datetime.now(UTC))
    return HealthOut(
        last_sweep=RunOut.model_validate(found.last_sweep) if found.last_sweep else None,
        last_full=RunOut.model_validate(found.last_full) if found.last_full else None,
        readings=[ReadingOut.model_validate(each) for each in found.readings],
        missed=[MissedOut.model_validate(each) for each in found.missed],
        deliveries=[_heard(each, found.webhooks[each.connection_id]) for each in found.heard],
    )


def _heard(heard: health.Heard, problem: str) -> HeardOut:
    return HeardOut(
        connection_id=heard.connection_id,
        provider=heard.provider,
        side=heard.side,
        last_at=heard.last_at,
        kinds=[KindOut(kind=kind, last_at=at) for kind, at in heard.kinds],
        missed_since=heard.missed_since,
        silence=heard.said,
        webhooks_problem=problem,
    )

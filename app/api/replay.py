"""Replay: the records that the events of a window named are looked at again."""

from fastapi import APIRouter
from pydantic import AwareDatetime, ConfigDict, Field

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Word
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import one
from app.api.requests import In
from app.api.runs import RunOut
from app.models import Run
from app.models.event import EventState
from app.replaying import Window, begin
from app.sync.records import Side

router = APIRouter(prefix="/replay", tags=["events"], route_class=Bounded)


class ReplayIn(In):
    """Events of a bridge, by when they were received."""

    model_config = ConfigDict(extra="forbid", validate_by_alias=True)

    bridge_id: Id
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to", description="Events received before it")
    object: Word | None = Field(None, description="Only records of this object, for example `contact`")
    side: Side | None = Field(None, description="Only events of this side")
    state: EventState | None = Field(None, description="Only events in this state, for example `failed`")


@router.post("", status_code=202, summary="Replay a window", responses=problems(400, 404, 409, 413))
async def begin_replay(desk: AtDesk, who: Caller, what: ReplayIn) -> RunOut:
    """Begins a run: each record is read on both sides as it is now, and brought in step. Live events go before it.

    What was undone stays undone.
    """
    window = Window(since=what.since, until=what.until, object=what.object, side=what.side, state=what.state)
    run_id = await begin(desk.runs, what.bridge_id, window, who.name)
    return RunOut.model_validate(await one(desk.engine, Run, run_id))

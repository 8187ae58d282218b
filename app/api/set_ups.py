"""The set-up of a bridge, step by step; going live, and stopping everything."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, ValidationError
from sqlmodel import col

from app import setting_up
from app.api.body import Bounded
from app.api.bridges import MaybeCaller, change_bridge
from app.api.desk import AtDesk, Desk
from app.api.fields import MAX_ID, Id, Word
from app.api.guard import Caller
from app.api.pauses import cancel_runs
from app.api.problems import problems, refused
from app.api.reading import Paging, Slice, cut, one
from app.api.requests import BridgeChange, In
from app.api.schemas import BridgeDetail, Out, Page
from app.errors import CrossledgerError
from app.models import Bridge, Connection, Run
from app.models.run import RunState
from app.setting_up import Step
from app.sync.fieldmap import Direction, Prefer
from app.sync.filters import Condition
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings

router = APIRouter(tags=["set-up"], route_class=Bounded)


class SetUpOut(Out):
    """How far the set-up of a bridge is."""

    id: int = Field(description="The bridge's")
    name: str
    live: bool = Field(description="It is live, or was before it was paused")
    enabled: bool
    steps: dict[Step, bool] = Field(description="In their order: which are done")
    next: Step | None = Field(description="The first that is not done; null: nothing is left")
    plan_id: int | None = Field(description="Its last plan of everything")
    plan_state: RunState | None
    plan_is_current: bool = Field(description="Whether that was made with the settings of now")


class ObjectPart(In):
    """What is left out stays as it is."""

    enabled: bool = False
    direction: Direction = Direction.BOTH
    only: list[Condition] = Field(default_factory=list, max_length=50, description="The filter, as a whole")
    wins: Prefer | None = Field(None, description="Null: as on the whole bridge")
    prefer: dict[Word, Prefer] = Field(
        default_factory=dict, max_length=200, description="Fields with a winner of their own, by their names in billing"
    )


class SettingsPart(In):
    """What is left out stays as it is."""

    prefer: Prefer = Prefer.CRM
    keep_filled: bool = Field(False, description="An empty value never overwrites one")
    slot: str = Field("", max_length=50)
    objects: dict[Word, ObjectPart] = Field(default_factory=dict, max_length=50, description="By their names")


class LiveIn(In):
    install_webhooks: bool = Field(True, description="Where the billing system lets its webhooks be installed")


class LiveOut(BaseModel):
    bridge: BridgeDetail
    webhooks_problem: str = Field(description="Why they could not be installed; the bridge is live all the same")


class StoppedOut(BaseModel):
    bridge: BridgeDetail
    cancelled: list[int] = Field(description="The runs that were under way, or paused")


@router.get("/set-ups", summary="List what is being set up")
async def list_set_ups(desk: AtDesk, part: Paging) -> Page[SetUpOut]:
    """Bridges that were never live, newest first, each with its next step."""
    rows = await setting_up.open_set_ups(desk.engine, part.limit + 1, min(part.below, MAX_ID))
    return cut(rows, SetUpOut, part)


@router.get("/set-ups/{bridge_id}", summary="Show a set-up", responses=problems(404))
async def show_set_up(desk: AtDesk, bridge_id: Id) -> SetUpOut:
    """Which of its steps are done, and which one comes next."""
    return SetUpOut.model_validate(await setting_up.set_up_of(desk.engine, bridge_id))


@router.post("/set-ups/{bridge_id}/steps/{step}", summary="Leave a step behind", responses=problems(400, 404, 413))
async def finish_step(desk: AtDesk, who: Caller, bridge_id: Id, step: Step) -> SetUpOut:
    """It is right as it is. The plan and going live are done when they are: of those nothing is said."""
    await setting_up.say_done(desk.engine, bridge_id, step, who.name)
    return await show_set_up(desk, bridge_id)


@router.patch("/set-ups/{bridge_id}", summary="Change some settings", responses=problems(400, 404, 413))
async def change_settings(desk: AtDesk, who: Caller, bridge_id: Id, change: SettingsPart) -> BridgeDetail:
    """As PATCH /bridges/{bridge_id}, where only a part of the settings is to change."""
    row = await one(desk.engine, Bridge, bridge_id)
    settings = merged(row.settings, change)
    for name in change.objects:
        _check_needs(settings, name)
    return await change_bridge(desk, bridge_id, BridgeChange(settings=settings), who)


@router.post("/set-ups/{bridge_id}/live", summary="Go live", responses=problems(400, 404, 413))
async def go_live(desk: AtDesk, bridge_id: Id, wanted: LiveIn) -> LiveOut:
    """From now on events and sweeps keep both sides in step. Webhooks that cannot be installed do not stop it."""
    row = await one(desk.engine, Bridge, bridge_id)
    bridge = await change_bridge(desk, bridge_id, BridgeChange(enabled=True))
    problem = await _installed(desk, row.billing_connection_id) if wanted.install_webhooks else ""
    return LiveOut(bridge=bridge, webhooks_problem=problem)


@router.post("/bridges/{bridge_id}/stop", summary="Stop everything on a bridge", responses=problems(404))
async def stop_bridge(desk: AtDesk, bridge_id: Id, who: MaybeCaller = None) -> StoppedOut:
    """It is paused, and every run on it is cancelled. What was done stays; nothing more is written."""
    await one(desk.engine, Bridge, bridge_id)
    bridge = await change_bridge(desk, bridge_id, BridgeChange(enabled=False), who)
    return StoppedOut(bridge=bridge, cancelled=await cancel_runs(desk, col(Run.bridge_id) == bridge_id))


async def open_set_ups(desk: Desk, most: int) -> list[SetUpOut]:
    """The newest ones."""
    return (await list_set_ups(desk, Slice(most, MAX_ID + 1))).items


def merged(stored: Mapping[str, Any], change: SettingsPart) -> BridgeSettings:
    """`stored`, with what is given in `change`. Refuses what does not fit, in words for people."""
    parts = change.model_dump(mode="json", exclude_unset=True)
    objects: Mapping[str, Any] = parts.pop("objects", {})
    if strange := sorted(objects.keys() - OBJECTS.keys()):
        raise refused(f"There is no object “{strange[0]}”; there are: {', '.join(OBJECTS)}.")
    both = {name: {**stored.get(name, {}), **part} for name, part in objects.items()}
    try:
        return BridgeSettings.model_validate({**stored, **parts, **both})
    except ValidationError as error:
        raise refused("; ".join(_said(each["loc"], each["msg"]) for each in error.errors())) from None


def need_of(name: str) -> str:
    """The object that has to be on for this one; "" for none. A part can stand alone, where its whole is off."""
    type_ = OBJECTS[name]
    return "" if type_.part else type_.parent


def _check_needs(settings: BridgeSettings, changed: str) -> None:
    """Of the object that is changed, and of those that need it."""
    for name in settings.objects():
        need = need_of(name)
        if need and changed in (name, need) and not settings.of(need).enabled:
            plural, wanted = OBJECTS[name].plural, OBJECTS[need].plural
            raise refused(f"{plural.capitalize()} need {wanted}: switch {wanted} on as well, or {plural} off.")


async def _installed(desk: Desk, connection_id: int) -> str:
    """What stands against it, as a sentence; "" where they are installed, or none can be."""
    row = await one(desk.engine, Connection, connection_id)
    if row.webhooks_managed or not desk.connections.provider(row.provider).installs_webhooks:
        return row.webhooks_problem
    try:
        await desk.subscriptions.install(connection_id)
    except CrossledgerError as failure:
        return str(failure)
    return ""


def _said(where: tuple[int | str, ...], message: str) -> str:
    named = " of ".join(str(part).replace("_", " ") for part in reversed(where) if isinstance(part, str))
    words = message.removeprefix("Value error, ")
    return f"{named.capitalize()}: {words}" if named else words

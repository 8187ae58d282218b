"""The sandbox: both vendors as simulators, to try the service without accounts; and being the people who work there."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from app.api.body import Bounded
from app.api.bridges import show_bridge
from app.api.desk import AtDesk, Desk
from app.api.fields import Text
from app.api.guard import Caller
from app.api.problems import problems
from app.api.requests import In
from app.api.schemas import Out
from app.errors import Rejected
from app.models.run import RunKind
from app.sweep.readings import Scope
from app.sync.records import Side
from app.trying import beginning, people, troubles
from app.trying.troubles import SAID, Trouble
from app.trying.watching import waiting

router = APIRouter(prefix="/sandbox", tags=["sandbox"], route_class=Bounded)

VendorId = Annotated[str, Path(pattern=r"^[0-9A-Za-z]{1,40}$", description="The vendor's id")]


class TroubleOut(BaseModel):
    side: Side
    trouble: Trouble
    said: str = Field(description="For people: “... is down”")
    seconds_left: int


class WaitingOut(Out):
    """All of it zero: it is caught up."""

    deliveries: int = Field(description="Webhooks that a simulator has still to send")
    events: int = Field(description="That came, and that nobody has handled yet")
    records: int = Field(description="Looked at for the first time, tried again, or waiting")


class SandboxOut(BaseModel):
    exists: bool
    running: bool = Field(description="Whether its simulators run in this process")
    obstacle: str = Field(description="Why it cannot begin here; empty where it can, or has begun")
    crm_connection_id: int | None
    billing_connection_id: int | None
    bridge_ids: list[int]
    troubles: list[TroubleOut]
    waiting: WaitingOut | None = Field(description="Null: it does not run")


class PersonIn(In):
    """What is left out stays as it is, or is empty."""

    first_name: Text | None = None
    last_name: Text | None = None
    company: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    city: Text | None = None

    def given(self) -> dict[str, str]:
        return {name: value for name, value in self.model_dump().items() if value is not None}


class NewPersonIn(PersonIn):
    side: Side


class PersonOut(Out):
    id: str
    values: dict[str, str]


class PairOut(Out):
    """One person on both sides, or on the one that has them."""

    link_id: int | None
    state: str = Field(description="Of the link; empty where nobody has looked yet")
    crm: PersonOut | None
    billing: PersonOut | None
    apart: list[str] = Field(
        description="The fields of which one side was changed, and the other one does not follow yet"
    )


class PeopleOut(BaseModel):
    items: list[PairOut]


class TroubleIn(In):
    side: Side
    trouble: Trouble


class EditedOut(BaseModel):
    told: bool = Field(description="False: the vendor tells nobody of such a change, so a sweep was begun")


class MadeOut(BaseModel):
    id: str = Field(description="The vendor's")


@router.get("", summary="Show the sandbox")
async def show_sandbox(desk: AtDesk) -> SandboxOut:
    """Whether there is one, what goes wrong in it, and what waits."""
    host = desk.sandbox
    standing = await host.look()
    stage = host.stage if host.stage is not None and host.stage.alive else None
    return SandboxOut(
        exists=bool(standing.connections),
        running=stage is not None,
        obstacle="" if standing.connections else await host.obstacle(),
        crm_connection_id=standing.crm,
        billing_connection_id=standing.billing,
        bridge_ids=list(standing.bridges),
        troubles=[
            TroubleOut(side=each.side, trouble=each.trouble, said=SAID[each.trouble], seconds_left=round(each.left))
            for each in (await troubles.current(stage) if stage else ())
        ],
        waiting=WaitingOut.model_validate(await waiting(desk.engine, stage, standing)) if stage else None,
    )


@router.post("", summary="Begin the sandbox", responses=problems(409, 413, 503))
async def begin_sandbox(desk: AtDesk) -> SandboxOut:
    """Simulators of both vendors on this machine, with a few people in them, connected and kept in step at once.

    Real connections stay as they are. Beginning what has begun changes nothing.
    """
    await beginning.begin(desk)
    return await show_sandbox(desk)


@router.delete("", status_code=204, summary="Take the sandbox away")
async def end_sandbox(desk: AtDesk) -> None:
    """Its bridge, connections, links and activities go, and its simulators end. Nothing else is touched."""
    await beginning.take_away(desk)


@router.get("/people", summary="List who is in the sandbox")
async def list_people(desk: AtDesk) -> PeopleOut:
    """Both sides, as they are there."""
    return PeopleOut(items=[PairOut.model_validate(each) for each in await _pairs(desk)])


async def _pairs(desk: Desk) -> list[people.Pair]:
    stage, standing = desk.sandbox.running(), await desk.sandbox.look()
    ways = {
        rule.crm: people.Way(rule.billing, rule.direction)
        for bridge_id in standing.bridges
        for rule in (await show_bridge(desk, bridge_id)).fields.rules
        if rule.crm in people.FIELDS
    }
    return await people.pairs(desk.engine, stage, standing, ways)


@router.post("/people", status_code=201, summary="Add somebody in the sandbox", responses=problems(400, 413))
async def add_person(desk: AtDesk, who: NewPersonIn) -> MadeOut:
    """On one side, as somebody who works there would; the service hears of it by webhook."""
    values = {name: value for name, value in who.given().items() if name != "side"}
    return MadeOut(id=await people.add(desk.sandbox.running(), who.side, values))


@router.patch("/people/{side}/{person_id}", summary="Edit somebody there", responses=problems(400, 404, 413))
async def edit_person(desk: AtDesk, who: Caller, side: Side, person_id: VendorId, change: PersonIn) -> EditedOut:
    """On one side only: the other one follows. What the vendor sends no webhook for, a sweep finds: it is begun."""
    given = change.given()
    await people.edit(desk.sandbox.running(), side, person_id, given)
    told = people.is_told(side, given)
    for bridge_id in () if told else desk.sandbox.standing.bridges:
        with suppress(Rejected):  # one is under way
            await desk.runs.begin(bridge_id, RunKind.SWEEP, {"scope": Scope.CHANGED}, who.name)
    return EditedOut(told=told)


@router.delete("/people/{side}/{person_id}", status_code=204, summary="Delete somebody there", responses=problems(404))
async def delete_person(desk: AtDesk, side: Side, person_id: VendorId) -> None:
    """On one side only: what becomes of the other is the bridge's rule for deletions."""
    await people.remove(desk.sandbox.running(), side, person_id)


@router.post("/troubles", status_code=202, summary="Make trouble in the sandbox", responses=problems(400, 413))
async def make_trouble(desk: AtDesk, wanted: TroubleIn) -> SandboxOut:
    """For a minute. The people there are not hindered, only the service is."""
    await troubles.begin(desk.sandbox.running(), wanted.side, wanted.trouble)
    return await show_sandbox(desk)


@router.delete("/troubles", status_code=204, summary="End all trouble in the sandbox")
async def end_troubles(desk: AtDesk) -> None:
    """At once."""
    await troubles.end(desk.sandbox.running())

"""The overview: how all bridges are doing, what came of the last day, and what is left to set up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app import earnings, overview
from app.api.desk import AtDesk, Desk
from app.api.fields import MAX_ID, Moment, Word
from app.api.pauses import EverythingOut, pauses_of, show_stopped
from app.api.problems import unknown
from app.api.reading import Paging, Slice, cut
from app.api.schemas import Out, Page, PauseOut
from app.models.connection import ConnectionState
from app.outages import MOST, NAMED, outages
from app.overview import Standing
from app.sync.records import Side

router = APIRouter(prefix="/overview", tags=["overview"])


BEHIND = timedelta(minutes=15)
"""An event that has been waiting for longer is worth a look."""


class Light(StrEnum):
    """Whether a bridge needs somebody."""

    OFF = "off"
    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


class UnpaidOut(Out):
    """What customers owe, in one currency."""

    currency: str
    amount: Decimal
    as_of: Moment = Field(description="When billing was last read for it")


class MoneyDayOut(Out):
    """One day in one currency. Only days on which there was any."""

    day: date
    currency: str
    invoiced: Decimal = Field(description="Without drafts, and what was cancelled")
    paid: Decimal = Field(description="Less refunds, on the day of the payment")


class BridgeHealthOut(Out):
    """A bridge and how it is doing. Each record is counted once."""

    id: int
    name: str
    enabled: bool
    live_since: Moment | None = Field(description="Null: it is in dry run")
    crm: str = Field(description="The name of its CRM connection")
    crm_state: ConnectionState
    billing: str = Field(description="The name of its billing connection")
    billing_state: ConnectionState
    in_step: int
    left_out: int = Field(description="Excluded, or cut from their partner")
    waiting: int = Field(description="Being looked at, tried again, or waiting for a parent or a log-in")
    waiting_for_parent: int = Field(description="Of those: until the record that they belong to has a partner")
    failing: int
    decide: int = Field(description="Need a person's decision, be it for one field")
    oldest_at: Moment | None = Field(description="Since when its oldest event waits; null: none waits")
    heard_at: Moment | None = Field(description="The last delivery of either connection")
    missed: int = Field(description="Changes of the last 30 days that no event had told of, and a sweep found")
    unpaid: list[UnpaidOut] = Field(
        [], description="By currency: of balances where those are in step, else of invoices"
    )
    pauses: list[PauseOut] = Field([], description="What holds it, or an object of it")

    light: Light = Field(
        Light.OFF, description="`off`: not live; `bad`: refused or failing; `watch`: to decide, behind, partly paused"
    )

    def refused(self) -> bool:
        return ConnectionState.NEEDS_RECONNECT in (self.crm_state, self.billing_state)

    def behind(self, now: datetime) -> bool:
        return self.oldest_at is not None and now - self.oldest_at > BEHIND

    def shines(self, now: datetime) -> Light:
        if not self.enabled:
            return Light.OFF
        if self.failing or self.refused():
            return Light.BAD
        return Light.WATCH if self.decide or self.pauses or self.behind(now) else Light.GOOD


class HourOut(Out):
    """One hour of the last day."""

    hour: Moment = Field(description="When it begins")
    events: int = Field(description="Deliveries and changes found")
    written: int = Field(description="Attempts that changed something")
    failures: int = Field(description="Records that were given up")
    median: float | None = Field(description="Seconds from an event to its end, of half of those handled")
    slowest: float | None = Field(description="... of 95 % of them")


class RefusedOut(Out):
    """An account whose credentials its vendor does not accept."""

    id: int
    name: str
    provider: str
    reason: str
    since: Moment | None


class TriedOut(Out):
    """Records that wait for a vendor in trouble, and are tried again by themselves."""

    records: int = Field(description=f"Counted up to {MOST + 1:,}")
    since: Moment | None
    reason: str = Field(description="Of most of them")


class OutagesOut(Out):
    """What keeps records waiting now."""

    refused: list[RefusedOut] = Field(description=f"Those that have been for longest, {NAMED} at most")
    accounts: int = Field(description="How many are refused")
    tried: TriedOut | None


class StepsOut(Out):
    """What is done of the set-up, with accounts of one's own: the sandbox's do not count."""

    crm: bool
    billing: bool
    bridge: bool
    planned: bool
    live: bool
    alone: int = Field(description="Locations that are connected, and that no bridge uses")
    sandbox: bool = Field(False, description="Whether there is a sandbox beside")


class OverviewOut(BaseModel):
    steps: StepsOut
    outages: OutagesOut
    stopped: EverythingOut | None = Field(description="Null: nobody has stopped all bridges")
    bridges: Page[BridgeHealthOut]
    hours: list[HourOut] = Field(description="Of the last day, oldest first")
    unpaid: list[UnpaidOut] = Field(description="Of all bridges, by currency")
    money: list[MoneyDayOut] = Field(description="Of the last 30 days and all bridges, oldest first")


@router.get("", summary="Show how everything is doing")
async def show_overview(
    desk: AtDesk,
    part: Paging,
    name: Annotated[Word | None, Query(description="A part of the bridge's name, or of a connection's")] = None,
    standing: Standing | None = None,
) -> OverviewOut:
    """Bridges newest first, with their health; the last day by hour; and what is left to set up."""
    return OverviewOut(
        steps=await show_steps(desk),
        outages=await show_outages(desk),
        stopped=await show_stopped(desk),
        bridges=await list_health(desk, part, name=name, standing=standing),
        hours=await show_hours(desk),
        unpaid=await show_unpaid(desk),
        money=await show_money(desk),
    )


async def list_health(
    desk: Desk, part: Slice, *, name: str | None = None, standing: Standing | None = None
) -> Page[BridgeHealthOut]:
    rows = await overview.bridges(
        desk.engine, limit=part.limit + 1, below=min(part.below, MAX_ID), name=name or "", standing=standing
    )
    found, owed = cut(rows, BridgeHealthOut, part), await earnings.unpaid(desk.engine)
    pauses, now = await pauses_of(desk, [each.id for each in found.items]), datetime.now(UTC)
    for each in found.items:
        each.pauses = pauses.get(each.id, [])
        each.light = each.shines(now)
        each.unpaid = [UnpaidOut.model_validate(sum_) for sum_ in owed.get(each.id, ())]
    return found


async def show_bridge_health(desk: Desk, bridge_id: int) -> BridgeHealthOut:
    """Of one. Answers 404 where there is none."""
    for each in (await list_health(desk, Slice(limit=1, below=bridge_id + 1))).items:
        if each.id == bridge_id:
            return each
    raise unknown("bridge", bridge_id)


async def show_hours(desk: Desk) -> list[HourOut]:
    return [HourOut.model_validate(row) for row in await overview.hours(desk.engine, datetime.now(UTC))]


async def show_unpaid(desk: Desk) -> list[UnpaidOut]:
    owed = await earnings.unpaid(desk.engine)
    return [UnpaidOut.model_validate(each) for each in earnings.together([one for of in owed.values() for one in of])]


async def show_money(desk: Desk, *, bridge_id: int | None = None) -> list[MoneyDayOut]:
    found = await earnings.days(desk.engine, datetime.now(UTC), bridge_id=bridge_id)
    return [MoneyDayOut.model_validate(row) for row in found]


async def show_steps(desk: Desk) -> StepsOut:
    names: dict[Side, list[str]] = {side: [] for side in Side}
    for name, provider in desk.connections.providers.items():
        names[provider.side].append(name)
    apart = desk.sandbox.standing.connections
    done = await overview.steps(desk.engine, crm=names[Side.CRM], billing=names[Side.BILLING], apart=apart)
    return StepsOut.model_validate(done).model_copy(update={"sandbox": bool(apart)})


async def show_outages(desk: Desk) -> OutagesOut:
    return OutagesOut.model_validate(await outages(desk.engine))

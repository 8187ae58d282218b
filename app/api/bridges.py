"""Bridges: which CRM account is kept in step with which billing account, and how."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ValidationError
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app import pausing
from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id
from app.api.guard import guard
from app.api.pauses import pauses_of
from app.api.problems import conflict, problems, refused, unknown
from app.api.reading import Paging, one, page
from app.api.requests import BridgeChange, BridgeIn
from app.api.schemas import BridgeDetail, BridgeOut, FieldsOut, Page, RuleOut, SkippedOut
from app.directory import BridgeView, view_of
from app.mapping import versions
from app.models import Bridge, Connection, Event
from app.models.connection import ConnectionKind, ConnectionState
from app.people.roles import Principal
from app.providers.base import Provider
from app.providers.sandboxed import is_sandbox
from app.queue import transact
from app.sync.fieldmap import resolve
from app.sync.filters import unknown as unknown_field
from app.sync.policy import BridgeSettings
from app.sync.records import Side
from app.sync.resolving import resolved
from app.sync.resuming import forget_agreed, reconsider

router = APIRouter(prefix="/bridges", tags=["bridges"], route_class=Bounded)

# Who it is becomes the author of a version; other parts of the service may not know.
MaybeCaller = Annotated[Principal | None, Depends(guard)]
_CALLED = {Side.CRM: "a CRM", Side.BILLING: "a billing system"}


@router.post("", status_code=201, summary="Make a bridge", responses=problems(400, 409, 413))
async def make_bridge(desk: AtDesk, wanted: BridgeIn, who: MaybeCaller = None) -> BridgeDetail:
    """It is in dry run until it goes live: nothing is written but what was planned and chosen."""
    now = datetime.now(UTC)
    wanted = wanted.model_copy(update={"settings": wanted.settings.stamped(None, now)})
    asked = wanted.model_dump(mode="json", exclude={"live"})
    row = Bridge(**asked, enabled=wanted.live, live_since=now if wanted.live else None)
    async with AsyncSession(desk.engine, expire_on_commit=False) as session, session.begin():
        await _provider(desk, session, wanted.crm_connection_id, Side.CRM)
        billing = await _provider(desk, session, wanted.billing_connection_id, Side.BILLING)
        await _check_worlds(session, wanted)
        _check_slot(wanted.settings, billing)
        await _check_chosen(desk, session, row, wanted.settings, None)
        session.add(row)
        try:
            await session.flush()
        except IntegrityError:
            raise conflict("There is a bridge between these two connections already.") from None
        actor = who.name if who else ""
        await versions.keep(await session.connection(), row.id or 0, None, row.settings, actor=actor)
    await desk.connections.directory.refresh()
    return await _detail(desk, row)


@router.get("", summary="List bridges")
async def list_bridges(desk: AtDesk, part: Paging) -> Page[BridgeOut]:
    """Newest first."""
    return await page(desk.engine, Bridge, BridgeOut, part)


@router.get("/{bridge_id}", summary="Show a bridge", responses=problems(404))
async def show_bridge(desk: AtDesk, bridge_id: Id) -> BridgeDetail:
    """With the field map as it works between the two accounts, and what of it does not, and why."""
    return await _detail(desk, await one(desk.engine, Bridge, bridge_id))


@router.patch("/{bridge_id}", summary="Change a bridge", responses=problems(400, 404, 413))
async def change_bridge(desk: AtDesk, bridge_id: Id, change: BridgeChange, who: MaybeCaller = None) -> BridgeDetail:
    """Name, settings, or whether it works at all. One in dry run goes live when it is enabled."""
    return await changed(desk, bridge_id, change, actor=who.name if who else "")


async def changed(desk: Desk, bridge_id: int, change: BridgeChange, *, actor: str, note: str = "") -> BridgeDetail:
    """`note`: how new settings came about, kept with their version."""
    row = await one(desk.engine, Bridge, bridge_id)
    values = change.model_dump(mode="json", exclude_none=True, include={"name"})
    if change.enabled and row.live_since is None:
        values["live_since"] = datetime.now(UTC)
    if change.paused_until and row.live_since is None:
        raise refused("It is in dry run: there is nothing to pause.")
    remapped: Mapping[str, Sequence[str]] = {}
    before = settings_of(row)
    if change.settings:
        billing = await one(desk.engine, Connection, row.billing_connection_id)
        _check_slot(change.settings, desk.connections.provider(billing.provider))
        async with AsyncSession(desk.engine) as session:
            await _check_chosen(desk, session, row, change.settings, before)
        values["settings"] = change.settings.stamped(before, datetime.now(UTC)).model_dump(mode="json")
        remapped = change.settings.remapped(before) if before else {}
    if values:
        async with desk.engine.begin() as connection:
            await connection.execute(update(Bridge).where(col(Bridge.id) == bridge_id).values(values))
            if change.settings:
                await versions.keep(connection, bridge_id, before, values["settings"], actor=actor, note=note)
            await forget_agreed(connection, bridge_id=bridge_id, fields=remapped)
        if remapped:  # once more: what attempts have stored while that was under way
            async with desk.engine.begin() as connection:
                await forget_agreed(connection, bridge_id=bridge_id, fields=remapped)
        await desk.connections.directory.refresh()
        if change.settings:
            await transact(desk.engine, partial(reconsider, bridge_id=bridge_id))
    if change.enabled is not None:
        await _switched(desk, [bridge_id], on=change.enabled, by=pausing.By(actor=actor, until=change.paused_until))
    return await _detail(desk, await one(desk.engine, Bridge, bridge_id))


async def switch_bridges(desk: Desk, ids: Sequence[int], *, on: bool, who: Principal) -> int:
    """Pause many, or let them go on; answers how many changed. One in dry run does not go live by it."""
    return await _switched(desk, ids, on=on, by=pausing.By(actor=who.name))


async def _switched(desk: Desk, ids: Sequence[int], *, on: bool, by: pausing.By) -> int:
    if on:
        changed = len(await pausing.resume_bridges(desk.engine, ids))
    else:
        async with desk.engine.begin() as connection:
            changed = await pausing.pause(connection, ids, pausing.BRIDGE, by)
    await desk.connections.directory.refresh()
    return changed


@router.delete("/{bridge_id}", status_code=204, summary="Delete a bridge", responses=problems(404))
async def delete_bridge(desk: AtDesk, bridge_id: Id) -> None:
    """Its links, events and activities go with it. Nothing changes in the accounts."""
    async with desk.engine.begin() as connection:
        gone = await connection.scalar(delete(Bridge).where(col(Bridge.id) == bridge_id).returning(col(Bridge.id)))
        await connection.execute(delete(Event).where(col(Event.bridge_id) == bridge_id))
    if gone is None:
        raise unknown("bridge", bridge_id)
    await desk.connections.directory.refresh()


async def _provider(desk: Desk, session: AsyncSession, connection_id: int, side: Side) -> Provider:
    """The provider of a connection that can be this side. The connection stays until the transaction ends."""
    row = await session.get(Connection, connection_id, with_for_update={"read": True})
    if row is None:
        raise refused(f"There is no connection {connection_id} for {side.value}_connection_id.")
    if row.kind == ConnectionKind.AGENCY:
        raise refused(
            f"“{row.name}” (connection {connection_id}) is an agency: connect its locations, and bridge those."
        )
    if row.state == ConnectionState.PENDING:
        raise refused(f"“{row.name}” (connection {connection_id}) waits to be claimed, on the page Connect.")
    provider = desk.connections.provider(row.provider)
    if provider.side is not side:
        raise refused(f"{provider.label} (connection {connection_id}) is {_CALLED[side.other]}, not {_CALLED[side]}.")
    return provider


async def _check_worlds(session: AsyncSession, wanted: BridgeIn) -> None:
    """An account of the sandbox and a real one are never kept in step: made-up people would be written there."""
    ends = (wanted.crm_connection_id, wanted.billing_connection_id)
    crm, billing = [is_sandbox((await session.get_one(Connection, each)).base_url) for each in ends]
    if crm is not billing:
        raise refused("One of these accounts is the sandbox's and the other one is real: they are never bridged.")


def settings_of(row: Bridge) -> BridgeSettings | None:
    """As they are stored; None where they are of a version that this one cannot read."""
    try:
        return BridgeSettings.model_validate(row.settings)
    except ValidationError:
        return None


def _check_slot(settings: BridgeSettings, billing: Provider) -> None:
    if settings.slot and settings.slot not in billing.slot_fields:
        choice = ", ".join(billing.slot_fields) or "there is none"
        raise refused(f"{billing.label} cannot keep the CRM's id in “{settings.slot}”; choose from: {choice}.")


async def _check_chosen(
    desk: Desk, session: AsyncSession, row: Bridge, settings: BridgeSettings, before: BridgeSettings | None
) -> None:
    """What a setting of its own asks for has to work with these two accounts, as they were last checked; and so has a
    pair with steps that it did not have `before`."""
    crm = await session.get_one(Connection, row.crm_connection_id)
    billing = await session.get_one(Connection, row.billing_connection_id)
    bridge = view_of(row, {crm.id: crm, billing.id: billing}, settings)
    for name in settings.objects():
        wanted = settings.of(name)
        had = before.of(name).pairs() if before else ()
        stepped = {pair for pair in wanted.pairs() if pair.steps and pair not in had}
        if not wanted.chosen() and not wanted.only and not stepped:
            continue
        opened = {side: desk.connections.open(bridge, side).records(name, wanted) for side in Side}
        if strange := unknown_field(wanted.only, {side: each.fields() for side, each in opened.items()}):
            raise refused(strange)
        _, skipped = resolved(wanted, opened)
        for each in skipped:
            if each.pair in wanted.chosen() or each.pair in stepped:
                raise refused(f"{each.pair.crm} cannot go to {each.pair.billing}: {each.reason}.")
        for field, value in wanted.needed_options():
            options = opened[Side.BILLING].fields()[field].options
            if options is not None and value not in options:
                there = ", ".join(sorted(options)) or "there are none; check the connection after you made one"
                raise refused(f"There is no “{value}” for {field} in billing; there are: {there}.")


async def check_settings(desk: Desk, row: Bridge, settings: BridgeSettings) -> None:
    """Answers 422 where a bridge cannot have these settings."""
    billing = await one(desk.engine, Connection, row.billing_connection_id)
    _check_slot(settings, desk.connections.provider(billing.provider))
    async with AsyncSession(desk.engine) as session:
        await _check_chosen(desk, session, row, settings, settings_of(row))


async def _detail(desk: Desk, row: Bridge) -> BridgeDetail:
    shown = BridgeOut.model_validate(row)
    view = await desk.connections.directory.bridge(shown.id)
    if view is None:
        raise unknown("bridge", shown.id)
    pauses = (await pauses_of(desk, [shown.id])).get(shown.id, [])
    return BridgeDetail(**dict(shown), fields=_fields(desk, view), pauses=pauses)


def _fields(desk: Desk, bridge: BridgeView) -> FieldsOut:
    contact = bridge.settings.contact
    crm, billing = (desk.connections.open(bridge, side).records("contact", contact).fields() for side in Side)
    slot = desk.connections.slot(bridge)
    rules, skipped = resolve(contact.pairs(), crm, billing, reserved=slot, direction=contact.direction)
    return FieldsOut(
        rules=[
            RuleOut(
                crm=rule.crm.name,
                crm_label=rule.crm.label,
                billing=rule.billing.name,
                billing_label=rule.billing.label,
                direction=rule.direction,
            )
            for rule in rules
        ],
        skipped=[
            SkippedOut(crm=each.pair.crm, billing=each.pair.billing, direction=each.pair.direction, reason=each.reason)
            for each in skipped
        ],
    )

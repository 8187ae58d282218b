"""Beginning the sandbox, and taking it away: by the functions that connect, bridge and delete any other account."""

from sqlalchemy import delete, or_
from sqlmodel import col

from app.api.bridges import delete_bridge, make_bridge
from app.api.connections import connect_account, delete_connection
from app.api.desk import Desk
from app.api.requests import BridgeIn, HighLevelIn, InvoiceNinjaIn
from app.errors import Rejected
from app.models import Alert, Event
from app.models.alert import Thing
from app.providers.sandboxed import ADDRESSES
from app.sync.records import Side
from app.trying.filling import fill, fill_before
from app.trying.host import Standing
from app.trying.stage import LOCATION, NAMES, SERVICE_TOKENS, Stage

SETTINGS = {"contact": {"tags": {"into": "custom_value1"}}}
"""Of its bridge: contacts both ways, and their tags in a custom value."""


async def begin(desk: Desk) -> Standing:
    """Both simulators, connected and bridged, live, with people in them. One that is there already is completed.

    Raises Rejected where it cannot be here; what was made by then is taken away again.
    """
    host = desk.sandbox
    async with host.alone():
        standing = await host.look()
        if standing.connections and standing.bridges and host.stage is not None and host.stage.alive:
            return standing
        if reason := await host.obstacle():
            raise Rejected(reason)
        if not standing.connections:  # what an interrupted one has left behind
            await host.stop(for_ever=True)
        stage = await host.start()
        try:
            await _set_up(desk, stage, standing)
        except BaseException:
            await _remove(desk, await host.look())
            raise
        return await host.look()


async def take_away(desk: Desk) -> None:
    """Its bridge, connections, links, activities and processes, and nothing else. Harmless where there is none."""
    host = desk.sandbox
    async with host.alone():
        standing = await host.look()
        await _remove(desk, standing)
        await host.look()


async def _set_up(desk: Desk, stage: Stage, standing: Standing) -> None:
    if stage.fresh:
        await fill_before(stage)
    crm = standing.crm or (await connect_account(desk, _highlevel())).id
    billing = standing.billing or (await connect_account(desk, _invoice_ninja())).id
    if not standing.bridges:
        wanted = {"name": "Sandbox", "crm_connection_id": crm, "billing_connection_id": billing, "settings": SETTINGS}
        await make_bridge(desk, BridgeIn.model_validate({**wanted, "live": True}))
    if stage.fresh:
        await fill(stage)


async def _remove(desk: Desk, standing: Standing) -> None:
    for bridge_id in standing.bridges:
        await delete_bridge(desk, bridge_id)
    for connection_id in standing.connections:
        await delete_connection(desk, connection_id)
    await desk.sandbox.stop(for_ever=True)
    connections, bridges = list(standing.connections), list(standing.bridges)
    of_either = or_(
        (col(Alert.thing) == Thing.CONNECTION.value) & col(Alert.thing_id).in_(connections),
        (col(Alert.thing) == Thing.BRIDGE.value) & col(Alert.thing_id).in_(bridges),
    )
    async with desk.engine.begin() as connection:
        await connection.execute(delete(Event).where(col(Event.connection_id).in_(connections)))
        await connection.execute(delete(Alert).where(of_either))


def _highlevel() -> HighLevelIn:
    return HighLevelIn.model_validate(
        {
            "provider": "highlevel",
            "name": "Sandbox: HighLevel",
            "location_id": LOCATION,
            "private_token": SERVICE_TOKENS[Side.CRM],
            "base_url": ADDRESSES[NAMES[Side.CRM]],
        }
    )


def _invoice_ninja() -> InvoiceNinjaIn:
    return InvoiceNinjaIn.model_validate(
        {
            "provider": "invoice_ninja",
            "name": "Sandbox: Invoice Ninja",
            "api_token": SERVICE_TOKENS[Side.BILLING],
            "base_url": ADDRESSES[NAMES[Side.BILLING]],
        }
    )

"""Connections: external accounts. Credentials go in and never come out."""

from typing import Annotated

from fastapi import APIRouter, Body
from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id
from app.api.problems import conflict, problems, refused, unknown
from app.api.reading import Paging, one, page
from app.api.requests import HighLevelIn, InvoiceNinjaIn, SecretsIn
from app.api.schemas import ConnectionOut, NewConnectionOut, Page, Webhooks
from app.api.webhook_setup import webhooks
from app.connections import WebhookSecrets
from app.errors import Gone, Reconnect, Rejected
from app.models import Bridge, Connection
from app.vault import digest, new_secret

router = APIRouter(prefix="/connections", tags=["connections"], route_class=Bounded)

ConnectionIn = Annotated[HighLevelIn | InvoiceNinjaIn, Body(discriminator="provider")]


@router.post("", status_code=201, summary="Connect an account", responses=problems(400, 409, 413, 503))
async def connect(desk: AtDesk, wanted: ConnectionIn) -> NewConnectionOut:
    """The credentials are checked by calls to the vendor, then sealed. `webhooks` is shown this once."""
    url, secrets = wanted.base_url or "", wanted.secrets()
    try:
        profile = await desk.connections.check(
            wanted.provider, base_url=url, account_id=wanted.account_id, secrets=secrets
        )
    except Gone as nothing:
        raise Rejected(f"There is no such account or API at this base URL: {nothing}") from nothing
    try:
        row, made = await desk.connections.add(
            wanted.provider, name=wanted.name, base_url=url, secrets=secrets, profile=profile
        )
    except IntegrityError:
        raise conflict(f"This account ({profile.account_id}) is connected already.") from None
    shown = ConnectionOut.model_validate(row)
    return NewConnectionOut(**shown.model_dump(), webhooks=webhooks(row.provider, desk.public_url, made))


@router.get("", summary="List connections")
async def list_connections(desk: AtDesk, part: Paging) -> Page[ConnectionOut]:
    """Newest first."""
    return await page(desk.engine, Connection, ConnectionOut, part)


@router.get("/{connection_id}", summary="Show a connection", responses=problems(404))
async def show_connection(desk: AtDesk, connection_id: Id) -> ConnectionOut:
    """State, and what the last check learned of the account."""
    return ConnectionOut.model_validate(await one(desk.engine, Connection, connection_id))


@router.delete("/{connection_id}", status_code=204, summary="Delete a connection", responses=problems(404, 409))
async def delete_connection(desk: AtDesk, connection_id: Id) -> None:
    """Its credentials are gone for good. Refused while a bridge uses it."""
    used = or_(col(Bridge.crm_connection_id) == connection_id, col(Bridge.billing_connection_id) == connection_id)
    async with desk.engine.begin() as connection:
        bridges = (await connection.scalars(select(col(Bridge.name)).where(used).order_by(col(Bridge.id)))).all()
        if bridges:
            names = ", ".join(f"“{name}”" for name in bridges)
            raise conflict(f"Delete first what uses this connection: {names}.")
        try:
            gone = await connection.scalar(
                delete(Connection).where(col(Connection.id) == connection_id).returning(col(Connection.id))
            )
        except IntegrityError:
            raise conflict("A bridge that uses this connection was made in this moment.") from None
    if gone is None:
        raise unknown("connection", connection_id)
    await desk.connections.directory.refresh()


@router.post("/{connection_id}/check", summary="Check a connection again", responses=problems(400, 404, 413, 503))
async def check_connection(desk: AtDesk, connection_id: Id, new: SecretsIn | None = None) -> ConnectionOut:
    """Ask the vendor, with new credentials where given. Once they work, work that waited for them goes on."""
    row = await one(desk.engine, Connection, connection_id)
    secrets = new.given() if new else {}
    if foreign := secrets.keys() - set(desk.connections.provider(row.provider).secret_names):
        raise refused(f"A connection of {row.provider} has no {', '.join(sorted(foreign))}.")
    await _renew(desk, connection_id, secrets)
    return ConnectionOut.model_validate(await one(desk.engine, Connection, connection_id))


async def _renew(desk: Desk, connection_id: int, secrets: dict[str, str]) -> None:
    try:
        await desk.connections.renew(connection_id, secrets)
    except Gone as nothing:
        raise Rejected(f"The account is not there any more: {nothing}") from nothing
    except Reconnect as refusal:
        if not secrets:  # the stored ones are refused: that is news
            await desk.connections.needs_reconnect(Reconnect(refusal.reason, connection_id))
        raise


@router.post("/{connection_id}/webhook-secrets", summary="Make new webhook secrets", responses=problems(404))
async def renew_webhook_secrets(desk: AtDesk, connection_id: Id) -> Webhooks:
    """Shown this once. The old address and secret stop working at once: enter these at the vendor."""
    made = WebhookSecrets(new_secret(), new_secret())
    async with desk.engine.begin() as connection:
        provider = await connection.scalar(
            update(Connection)
            .where(col(Connection.id) == connection_id)
            .values(webhook_key_digest=digest(made.key), webhook_secret_digest=digest(made.secret))
            .returning(col(Connection.provider))
        )
    if provider is None:
        raise unknown("connection", connection_id)
    await desk.connections.directory.refresh()
    return webhooks(provider, desk.public_url, made)

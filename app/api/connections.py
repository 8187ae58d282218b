"""Connections: external accounts. Credentials go in and never come out."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Body, Query
from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Word
from app.api.problems import conflict, problems, refused, unknown
from app.api.reading import Paging, equal, one, page
from app.api.requests import HighLevelIn, InvoiceNinjaIn, SecretsIn
from app.api.schemas import ConnectionOut, NewConnectionOut, Page, Webhooks
from app.api.webhook_setup import webhooks
from app.connections import forget_key
from app.errors import Choice, CrossledgerError, Gone, Reconnect, Rejected
from app.models import Bridge, Connection
from app.models.connection import ConnectionState
from app.providers.sandboxed import is_sandbox

router = APIRouter(prefix="/connections", tags=["connections"], route_class=Bounded)

ConnectionIn = Annotated[HighLevelIn | InvoiceNinjaIn, Body(discriminator="provider")]


@router.post("", status_code=201, summary="Connect an account", responses=problems(400, 409, 413, 503))
async def connect(desk: AtDesk, wanted: ConnectionIn) -> NewConnectionOut:
    """The credentials are checked by calls to the vendor, then sealed. `webhooks` is shown this once.

    A login that opens several companies is answered 409, with `choices`.
    """
    if wanted.base_url and is_sandbox(wanted.base_url):
        raise refused("This is the address of an account of the sandbox: begin the sandbox, and it is connected.")
    return await connect_account(desk, wanted)


async def connect_account(desk: Desk, wanted: HighLevelIn | InvoiceNinjaIn) -> NewConnectionOut:
    """The same for callers within the service. Raises what the vendor's answer means."""
    url = wanted.base_url or ""
    secrets = wanted.secrets() | await _signed_in(desk, wanted)
    try:
        profile = await desk.connections.check(
            wanted.provider, base_url=url, account_id=wanted.account_id, secrets=secrets
        )
    except Gone as nothing:
        raise Rejected(f"There is no such account or API at this base URL: {nothing}") from nothing
    try:
        row, made = await desk.connections.add(
            wanted.provider, name=wanted.name or profile.label, base_url=url, secrets=secrets, profile=profile
        )
    except IntegrityError:
        raise conflict(f"This account ({profile.account_id}) is connected already.") from None
    if wanted.wants_webhooks:
        row = await _with_webhooks(desk, row.id or 0)
    shown = ConnectionOut.model_validate(row)
    return NewConnectionOut(**shown.model_dump(), webhooks=webhooks(row.provider, desk.public_url, made))


async def _signed_in(desk: Desk, wanted: HighLevelIn | InvoiceNinjaIn) -> dict[str, str]:
    """The token that a login is exchanged for; nothing where a token was given."""
    if wanted.login is None:
        return {}
    opened = await desk.connections.sign_in(wanted.provider, base_url=wanted.base_url or "", login=wanted.login)
    fitting = [each for each in opened if wanted.company in (None, each.account_id)]
    if len(fitting) == 1:
        return {"api_token": fitting[0].token}
    raise Choice(
        "This login opens several companies: send the key of one as `company_key`, with the login."
        if fitting
        else "This login does not open the company with this `company_key`, but these.",
        {each.account_id: each.label for each in opened},
    )


async def _with_webhooks(desk: Desk, connection_id: int) -> Connection:
    """An installation that fails is no reason not to connect: it is shown, and tried again every hour."""
    with suppress(CrossledgerError):
        await desk.subscriptions.install(connection_id)
    return await one(desk.engine, Connection, connection_id)


@router.get("", summary="List connections")
async def list_connections(
    desk: AtDesk,
    part: Paging,
    name: Annotated[Word | None, Query(description="A part of its name or of the account's id")] = None,
    state: ConnectionState | None = None,
    provider: Word | None = None,
) -> Page[ConnectionOut]:
    """Newest first."""
    only = equal((col(Connection.state), state), (col(Connection.provider), provider))
    if name:
        within = func.lower(func.concat_ws(" ", col(Connection.name), col(Connection.account_id)))
        only.append(func.strpos(within, name.lower()) > 0)
    return await page(desk.engine, Connection, ConnectionOut, part, *only)


@router.get("/{connection_id}", summary="Show a connection", responses=problems(404))
async def show_connection(desk: AtDesk, connection_id: Id) -> ConnectionOut:
    """State, and what the last check learned of the account."""
    return ConnectionOut.model_validate(await one(desk.engine, Connection, connection_id))


@router.delete("/{connection_id}", status_code=204, summary="Delete a connection", responses=problems(404, 409))
async def delete_connection(desk: AtDesk, connection_id: Id) -> None:
    """Its credentials are gone for good, and so are the webhooks we installed. Refused while a bridge uses it."""
    row = await one(desk.engine, Connection, connection_id)
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
        await forget_key(connection, row.webhook_key_digest)
    if gone is None:
        raise unknown("connection", connection_id)
    await desk.connections.directory.refresh()
    await desk.subscriptions.say_farewell(row)


@router.post("/{connection_id}/check", summary="Check a connection again", responses=problems(400, 404, 409, 413, 503))
async def check_connection(desk: AtDesk, connection_id: Id, new: SecretsIn | None = None) -> ConnectionOut:
    """Ask the vendor, with new credentials where given. Once they work, work that waited for them goes on."""
    row = await one(desk.engine, Connection, connection_id)
    if row.state == ConnectionState.PENDING:
        raise conflict("This connection waits to be claimed, on the page Connect.")
    secrets = new.given() if new else {}
    if foreign := secrets.keys() - set(desk.connections.provider(row.provider).secret_names):
        raise refused(f"A connection of {row.provider} has no {', '.join(sorted(foreign))}.")
    await _renew(desk, row, secrets)
    await desk.subscriptions.check(connection_id)
    return ConnectionOut.model_validate(await one(desk.engine, Connection, connection_id))


async def _renew(desk: Desk, row: Connection, secrets: dict[str, str]) -> None:
    connection_id = row.id or 0
    try:
        await desk.connections.renew(connection_id, secrets)
    except Gone as nothing:
        raise Rejected(f"The account is not there any more: {nothing}") from nothing
    except Reconnect as refusal:
        if not secrets:  # the stored ones are refused: that is news
            await desk.connections.needs_reconnect(Reconnect(refusal.reason, connection_id), row)
        raise


@router.post("/{connection_id}/webhook-secrets", summary="Make new webhook secrets", responses=problems(404))
async def renew_webhook_secrets(desk: AtDesk, connection_id: Id) -> Webhooks:
    """Shown this once. The old ones stop working at once: enter these at the vendor, if you did so with the old ones.

    Webhooks that the service has installed by itself are given the new ones at once.
    """
    row = await one(desk.engine, Connection, connection_id)
    made = await desk.connections.renew_webhook_secrets(connection_id)
    await desk.subscriptions.check(connection_id)
    return webhooks(row.provider, desk.public_url, made)

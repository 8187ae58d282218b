"""Connecting accounts in a browser: to HighLevel's page of consent and back, and Invoice Ninja by a form."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.body import Bounded
from app.errors import CrossledgerError
from app.installing import Forged, Installer
from app.models import Connection
from app.models.connection import ConnectionKind, ConnectionState
from app.people import audit
from app.people.roles import NOBODY, Principal, Role
from app.subscriptions import Subscriptions
from app.web.access import PageRefused, address_of, admitted, gate_of, require
from app.web.pages.layout import page, see

router = APIRouter(route_class=Bounded)
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]

# The vendor's word for what went wrong, and what helps.
_CURES = {
    "access_denied": "You, or HighLevel for you, said no. Start again and agree, as a user who may install apps there.",
    "invalid_scope": "The app does not offer all that is asked for. In the Marketplace, add the scopes to the app.",
    "unauthorized_client": "Check CROSSLEDGER_HIGHLEVEL_CLIENT_ID, and that this redirect URL is entered in the app.",
}
_CURE = "Check the app's client id, secret and redirect URL in the Marketplace, and start again."


def installer_of(request: Request) -> Installer:
    installer: Installer = request.app.state.installer
    return installer


@router.get("/connect")
async def ways(request: Request, who: Operator) -> Response:
    """What can be connected, and what waits for somebody."""
    return await _ways(request)


@router.get("/oauth/highlevel/start")
async def start(request: Request, who: Operator, connection_id: int | None = None) -> Response:
    """To HighLevel's page of consent. `connection_id`: to agree anew for that one."""
    try:
        return see(await installer_of(request).begin(_known_as(who), connection_id))
    except CrossledgerError as failure:
        raise PageRefused(409, str(failure)) from failure


@router.get("/oauth/highlevel/callback")
async def callback(
    request: Request, code: str = "", state: str = "", error: str = "", error_description: str = ""
) -> Response:
    """Where HighLevel sends the owner back to. Without `state` the app was installed from HighLevel's side."""
    if error or not code:
        said = f"HighLevel says: {error_description or error or 'nothing'}."
        raise PageRefused(400, f"{said} {_CURES.get(error, _CURE)}")
    who = await admitted(request, Role.OPERATOR) if state else NOBODY
    try:
        row = await installer_of(request).finish(code, state, _known_as(who))
    except Forged as forged:
        raise PageRefused(403, str(forged)) from forged
    except CrossledgerError as failure:
        raise PageRefused(502, f"{failure} {_CURE}") from failure
    async with gate_of(request).engine.begin() as connection:
        action = "connection.agreed" if state else "connection.pending"
        await audit.record(connection, who, address_of(request), action, thing=f"connection {row.id}")
    if row.state == ConnectionState.PENDING:
        return page(request, "pending.html")
    return see(f"/connect/agencies/{row.id}" if row.kind == ConnectionKind.AGENCY else f"/connect?done={row.id}")


@router.post("/connect/{connection_id}/claim")
async def claim(request: Request, who: Operator, connection_id: int) -> Response:
    try:
        row = await installer_of(request).claim(connection_id)
    except CrossledgerError as failure:
        raise PageRefused(409, str(failure)) from failure
    return see(f"/connect/agencies/{row.id}" if row.kind == ConnectionKind.AGENCY else f"/connect?done={row.id}")


@router.get("/connect/agencies/{connection_id}")
async def locations(request: Request, who: Operator, connection_id: int) -> Response:
    """The agency's locations, to choose from."""
    try:
        choices = await installer_of(request).choices(connection_id)
    except CrossledgerError as failure:
        raise PageRefused(502, str(failure)) from failure
    return page(request, "locations.html", agency_id=connection_id, choices=choices)


@router.post("/connect/agencies/{connection_id}")
async def pick(
    request: Request, who: Operator, connection_id: int, location: Annotated[list[str] | None, Form()] = None
) -> Response:
    try:
        await installer_of(request).pick(connection_id, location or [])
    except CrossledgerError as failure:
        raise PageRefused(502, str(failure)) from failure
    return see("/connect")


@router.post("/connect/invoice-ninja")
async def connect_invoice_ninja(
    request: Request,
    who: Operator,
    name: Annotated[str, Form(max_length=200)] = "",
    base_url: Annotated[str, Form(max_length=2000)] = "",
    api_token: Annotated[str, Form(max_length=5000)] = "",
    api_secret: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """Checked by calls to the vendor before anything is stored."""
    given = {"name": name, "base_url": base_url}
    connections = installer_of(request).connections
    secrets = {"api_token": api_token.strip()} | ({"api_secret": api_secret.strip()} if api_secret.strip() else {})
    try:
        profile = await connections.check("invoice_ninja", base_url=base_url.strip(), account_id="", secrets=secrets)
        row, made = await connections.add(
            "invoice_ninja",
            name=name.strip() or profile.label,
            base_url=base_url.strip(),
            secrets=secrets,
            profile=profile,
        )
    except CrossledgerError as failure:
        return await _ways(request, given=given, wrong=str(failure), status=422)
    except IntegrityError:
        return await _ways(request, given=given, wrong="This company is connected already.", status=409)
    public_url = gate_of(request).public_url
    try:
        await Subscriptions(connections, public_url).install(row.id or 0)
    except CrossledgerError as failure:
        return page(request, "webhooks.html", row=row, made=made, public_url=public_url, problem=str(failure))
    return see("/connect")


async def _ways(
    request: Request, *, given: dict[str, str] | None = None, wrong: str = "", status: int = 200
) -> Response:
    statement = select(Connection).order_by(col(Connection.id))
    async with AsyncSession(gate_of(request).engine) as session:
        rows = (await session.scalars(statement)).all()
    return page(
        request,
        "connect.html",
        status=status,
        rows=rows,
        has_app=bool(installer_of(request).oauth.client_id),
        given=given or {"name": "", "base_url": ""},
        wrong=wrong,
    )


def _known_as(who: Principal) -> str:
    """Who may come back from a visit: the same browser session."""
    return f"session {who.session_id}" if who.session_id is not None else f"token of {who.name}"

"""Connecting accounts in a browser: what is connected, and the way to HighLevel's page of consent and back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.body import Bounded
from app.api.connections import delete_connection
from app.api.fields import Id
from app.errors import CrossledgerError
from app.installing import Forged
from app.models import Bridge, Connection
from app.models.connection import VENDORS, ConnectionKind, ConnectionState
from app.people import audit
from app.people.roles import NOBODY, Principal, Role
from app.web.access import PageRefused, address_of, admitted, gate_of, require
from app.web.pages.layout import desk_of, installer_of, local, page, see

router = APIRouter(route_class=Bounded)
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]
Owner = Annotated[Principal, Depends(require(Role.OWNER))]
Back = Annotated[str, Query(max_length=500, description="A path of ours, where it goes on afterwards")]
HERE = "/connect"

# The vendor's word for what went wrong, and what helps.
_CURES = {
    "access_denied": "You, or HighLevel for you, said no. Start again and agree, as a user who may install apps there.",
    "invalid_scope": "The app does not offer all that is asked for. In the Marketplace, add the scopes to the app.",
    "unauthorized_client": "Check CROSSLEDGER_HIGHLEVEL_CLIENT_ID, and that this redirect URL is entered in the app.",
}
_SHOWN = 10
"""Connections of a vendor that are listed though nothing is to be done with them."""
_CURE = "Check the app's client id, secret and redirect URL in the Marketplace, and start again."


@contextmanager
def refusing(status: int, cure: str = "", back: str = HERE) -> Iterator[None]:
    """What does not work inside is told on a page: in the words of the failure, and what helps."""
    try:
        yield
    except Forged as forged:
        raise PageRefused(403, str(forged), back=back) from forged
    except CrossledgerError as failure:
        raise PageRefused(status, f"{failure} {cure}".strip(), back=back) from failure


@router.get("/connect")
async def ways(request: Request, who: Operator, done: int = 0) -> Response:
    """What can be connected, and what waits for somebody. `done`: the connection that was just made."""
    async with AsyncSession(gate_of(request).engine) as session:
        rows = (await session.scalars(select(Connection).order_by(col(Connection.id)))).all()
        bridged = await session.scalar(select(col(Bridge.id)).limit(1)) is not None
    shown = _worth_a_look(rows, done)
    return page(
        request,
        "connect.html",
        rows=shown,
        unseen=len(rows) - len(shown),
        done=next((row for row in rows if row.id == done), None),
        has_app=bool(installer_of(request).oauth.client_id),
        callback=installer_of(request).callback,
        bridged=bridged,
        may_decline=who.role.covers(Role.OWNER),
    )


@router.get("/oauth/highlevel/start")
async def start(request: Request, who: Operator, connection_id: Id | None = None, back: Back = "") -> Response:
    """To HighLevel's page of consent. `connection_id`: to agree anew for that one."""
    with refusing(409, back=onward(back) or HERE):
        return see(await installer_of(request).begin(_known_as(who), connection_id, onward(back)))


@router.get("/oauth/highlevel/callback")
async def callback(
    request: Request, code: str = "", state: str = "", error: str = "", error_description: str = ""
) -> Response:
    """Where HighLevel sends the owner back to. Without `state` the app was installed from HighLevel's side."""
    back = onward(installer_of(request).back_of(state))
    if error or not code:
        said = f"HighLevel says: {error_description or error or 'nothing'}."
        raise PageRefused(400, f"{said} {_CURES.get(error, _CURE)}", back=back or HERE)
    who = await admitted(request, Role.OPERATOR) if state else NOBODY
    with refusing(502, _CURE, back or HERE):
        row = await installer_of(request).finish(code, state, _known_as(who))
    async with gate_of(request).engine.begin() as connection:
        action = "connection.agreed" if state else "connection.pending"
        await audit.record(connection, who, address_of(request), action, thing=f"connection {row.id}")
    if row.state == ConnectionState.PENDING:
        return page(request, "pending.html")
    return _after(row, back)


@router.post("/connect/{connection_id}/claim")
async def claim(request: Request, who: Operator, connection_id: Id) -> Response:
    with refusing(409):
        return _after(await installer_of(request).claim(connection_id))


@router.post("/connect/{connection_id}/decline")
async def decline(request: Request, who: Owner, connection_id: Id) -> Response:
    """Forget an installation that nobody knows."""
    with refusing(409):
        await installer_of(request).pending(connection_id)
    await delete_connection(desk_of(request), connection_id)
    return see("/connect")


@router.get("/connect/agencies/{connection_id}")
async def locations(request: Request, who: Operator, connection_id: Id, back: Back = "") -> Response:
    """The agency's locations, to choose from."""
    return await _choice(request, connection_id, onward(back))


@router.post("/connect/agencies/{connection_id}")
async def pick(
    request: Request,
    who: Operator,
    connection_id: Id,
    location: Annotated[list[str] | None, Form()] = None,
    back: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    with refusing(502, back=onward(back) or HERE):
        if await installer_of(request).pick(connection_id, location or []):
            return see(onward(back) or HERE)
    return await _choice(request, connection_id, onward(back), wrong="Choose at least one location.")


def _worth_a_look(rows: Sequence[Connection], done: int) -> list[Connection]:
    """Those that somebody has to do something with, however many, and the newest of each vendor's others."""
    fine = [row for row in rows if _is_fine(row) and row.id != done]
    seen = {each.id for vendor in VENDORS for each in [row for row in fine if row.provider == vendor][-_SHOWN:]}
    unseen = {row.id for row in fine} - seen
    return [row for row in rows if row.id not in unseen]


def _is_fine(row: Connection) -> bool:
    account = row.kind != ConnectionKind.AGENCY
    return account and row.state == ConnectionState.ACTIVE and not row.warnings and not row.webhooks_problem


async def _choice(request: Request, agency_id: int, back: str, wrong: str = "") -> Response:
    with refusing(502, back=back or HERE):
        choices = await installer_of(request).choices(agency_id)
    status = 422 if wrong else 200
    values = {"agency_id": agency_id, "choices": choices, "wrong": wrong, "back": back}
    return page(request, "locations.html", status=status, form_targets=(), **values)


def onward(back: str) -> str:
    """`back`, where it is a path of ours; "" for anything else: nobody is sent to another site."""
    return "" if local(back) == "/" else back


def _after(row: Connection, back: str = "") -> Response:
    """After an account was connected: an agency's locations are still to be chosen."""
    if row.kind == ConnectionKind.AGENCY:
        return see(f"{HERE}/agencies/{row.id}{f'?back={quote(back)}' if back else ''}")
    return see(back or f"{HERE}?done={row.id}")


def _known_as(who: Principal) -> str:
    """Who may come back from a visit: the same browser session."""
    return f"session {who.session_id}" if who.session_id is not None else f"token of {who.name}"

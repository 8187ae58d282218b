"""Making a bridge in a browser."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, Response
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.body import Bounded
from app.api.bridges import change_bridge, make_bridge
from app.api.fields import Id
from app.api.requests import BridgeChange, BridgeIn
from app.models import Connection
from app.models.connection import ConnectionKind, ConnectionState
from app.people.roles import Principal, Role
from app.sync.fieldmap import Prefer
from app.sync.records import Side
from app.web.access import PageRefused, gate_of, remark, require
from app.web.pages.layout import desk_of, page, see

router = APIRouter(prefix="/bridges", route_class=Bounded)
Operator = Annotated[Principal, Depends(require(Role.OPERATOR))]

WINS = {
    Prefer.CRM: "HighLevel's",
    Prefer.BILLING: "Invoice Ninja's",
    Prefer.NEWEST: "the newer one",
    Prefer.ASK: "each its own, until a person decides",
}


@router.get("/new")
async def ask(request: Request, who: Operator) -> Response:
    return await _form(request)


@router.post("")
async def start(
    request: Request,
    who: Operator,
    name: Annotated[str, Form()] = "",
    location: Annotated[str, Form()] = "",
    company: Annotated[str, Form()] = "",
    prefer: Annotated[str, Form()] = Prefer.CRM,
) -> Response:
    """What `POST /api/v1/bridges` does."""
    asked = {"name": name, "crm_connection_id": location, "billing_connection_id": company}
    try:
        wanted = BridgeIn.model_validate({**asked, "settings": {"prefer": prefer}})
        made = await make_bridge(desk_of(request), wanted, who)
    except ValidationError:
        return await _form(request, asked, wrong="Choose a location and a company, and give the bridge a name.")
    except HTTPException as refusal:
        return await _form(request, asked, wrong=str(refusal.detail), status=refusal.status_code)
    remark(request, f"bridge {made.id}")
    return see(f"/bridges/{made.id}/setup/objects")


@router.post("/{bridge_id}/live")
async def go_live(request: Request, who: Operator, bridge_id: Id) -> Response:
    """What `PATCH /api/v1/bridges/{bridge_id}` does."""
    try:
        await change_bridge(desk_of(request), bridge_id, BridgeChange(enabled=True))
    except HTTPException as nothing:
        raise PageRefused(nothing.status_code, str(nothing.detail)) from nothing
    return see(f"/bridges/{bridge_id}")


async def _form(
    request: Request, given: dict[str, str] | None = None, *, wrong: str = "", status: int = 422
) -> Response:
    usable = (
        col(Connection.kind) == ConnectionKind.ACCOUNT.value,
        col(Connection.state) != ConnectionState.PENDING.value,
    )
    async with AsyncSession(gate_of(request).engine) as session:
        rows = (await session.scalars(select(Connection).where(*usable).order_by(col(Connection.id)))).all()
    provider = desk_of(request).connections.provider
    sides: dict[Side, list[Connection]] = {
        side: [r for r in rows if provider(r.provider).side is side] for side in Side
    }
    return page(
        request,
        "new_bridge.html",
        status=status if wrong else 200,
        given=given or {"name": "", "crm_connection_id": "", "billing_connection_id": ""},
        locations=sides[Side.CRM],
        companies=sides[Side.BILLING],
        wins=WINS,
        wrong=wrong,
    )

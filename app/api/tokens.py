"""API tokens of everybody. A user's own ones are made and revoked on the page /account as well."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id
from app.api.guard import Caller
from app.api.problems import problems, refused
from app.api.reading import Paging, one, page
from app.api.requests import TokenIn
from app.api.schemas import NewTokenOut, Page, TokenOut
from app.models import ApiToken
from app.people import tokens
from app.people.users import NotAllowed
from app.web.access import remark

router = APIRouter(prefix="/tokens", tags=["people"], route_class=Bounded)


@router.post("", status_code=201, summary="Make an API token", responses=problems(400, 413))
async def make_token(request: Request, desk: AtDesk, who: Caller, wanted: TokenIn) -> NewTokenOut:
    """It belongs to you, and goes when you do. `token` is shown this once."""
    remark(request, f"“{wanted.name}”, {wanted.role}")
    days = wanted.expires_in_days
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    try:
        async with desk.engine.begin() as connection:
            id_, token = await tokens.make(connection, who, name=wanted.name, role=wanted.role, expires_at=expires_at)
    except NotAllowed as error:
        raise refused(str(error)) from None
    made = TokenOut.model_validate(await one(desk.engine, ApiToken, id_))
    return NewTokenOut(**made.model_dump(), token=token)


@router.get("", summary="List API tokens")
async def list_tokens(desk: AtDesk, part: Paging) -> Page[TokenOut]:
    """Newest first, revoked ones as well."""
    return await page(desk.engine, ApiToken, TokenOut, part)


@router.get("/{token_id}", summary="Show an API token", responses=problems(404))
async def show_token(desk: AtDesk, token_id: Id) -> TokenOut:
    """What it may do, until when, and when it was last used. Never the token."""
    return TokenOut.model_validate(await one(desk.engine, ApiToken, token_id))


@router.delete("/{token_id}", status_code=204, summary="Revoke an API token", responses=problems(404))
async def revoke_token(request: Request, desk: AtDesk, token_id: Id) -> None:
    """It stops working at once. It stays in the list; revoking it again changes nothing."""
    row = await one(desk.engine, ApiToken, token_id)
    async with desk.engine.begin() as connection:
        await tokens.revoke(connection, token_id)
    remark(request, f"“{row.name}”")

"""A user's own password and API tokens."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.body import Bounded
from app.models import ApiToken
from app.people import login, tokens, users
from app.people.login import Closed
from app.people.roles import Principal, Role
from app.people.users import NotAllowed
from app.web.access import PageRefused, address_of, gate_of, remark, require
from app.web.pages.layout import page, see

router = APIRouter(prefix="/account", route_class=Bounded)

LONGEST_NAME, LONGEST_DAYS = 200, 3650


async def _user(who: Annotated[Principal, Depends(require(Role.VIEWER))]) -> Principal:
    if who.session_id is None:
        raise PageRefused(403, "An API token has no account: log in.")
    return who


User = Annotated[Principal, Depends(_user)]


@router.get("")
async def account(request: Request, who: User) -> Response:
    return await _shown(request, who)


@router.post("/password")
async def change_password(
    request: Request,
    who: User,
    present: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """The other sessions of the user end."""
    engine = gate_of(request).engine
    try:
        await login.confirm(engine, who, present, address_of(request))
        if password != again:
            raise NotAllowed("The two new passwords are not the same.")
        hashed = await users.hash_of(password, who.name)
    except Closed as closed:
        answer = await _shown(request, who, status=429, password_error=str(closed))
        answer.headers["Retry-After"] = str(closed.after)
        return answer
    except NotAllowed as wrong:
        return await _shown(request, who, status=422, password_error=str(wrong))
    async with engine.begin() as connection:
        await users.set_password(connection, who.user_id or 0, hashed, keep_session=who.session_id)
    return await _shown(request, who, said="Your password is changed. Other browsers are logged out.")


@router.post("/tokens")
async def make_token(
    request: Request,
    who: User,
    name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    days: Annotated[str, Form()] = "",
) -> Response:
    """The token is on the page that answers, and on no other."""
    try:
        wanted = _wanted(name, role, days)
        async with gate_of(request).engine.begin() as connection:
            id_, token = await tokens.make(connection, who, **wanted)
    except NotAllowed as wrong:
        return await _shown(request, who, status=422, token_error=str(wrong))
    remark(request, f"token {id_} “{wanted['name']}”, {wanted['role']}")
    return await _shown(request, who, token=token)


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(request: Request, who: User, token_id: int) -> Response:
    async with gate_of(request).engine.begin() as connection:
        if await tokens.revoke(connection, token_id, user_id=who.user_id) is None:
            raise PageRefused(404, "You have no such token, or it is revoked already.")
    return see("/account")


def _wanted(name: str, role: str, days: str) -> dict[str, Any]:
    """What the form means. Raises NotAllowed."""
    name, days = name.strip().replace("\x00", ""), days.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise NotAllowed("Give the token a name, so that you know it again.")
    if role not in list(Role):
        raise NotAllowed("Choose a role.")
    if days and not (re.fullmatch("[0-9]{1,4}", days) and 1 <= int(days) <= LONGEST_DAYS):
        raise NotAllowed(f"It can expire after 1 to {LONGEST_DAYS} days, or never: leave the field empty.")
    expires_at = datetime.now(UTC) + timedelta(days=int(days)) if days else None
    return {"name": name, "role": Role(role), "expires_at": expires_at}


async def _shown(request: Request, who: Principal, *, status: int = 200, **said: str) -> Response:
    only = (col(ApiToken.user_id) == who.user_id, col(ApiToken.revoked_at).is_(None))
    async with AsyncSession(gate_of(request).engine) as session:
        mine = (await session.scalars(select(ApiToken).where(*only).order_by(col(ApiToken.id).desc()))).all()
    shown = {"said": "", "password_error": "", "token_error": "", "token": "", **said}
    roles = [role.value for role in Role if who.role.covers(role)]
    return page(request, "account.html", status=status, tokens=mine, roles=roles, **shown)

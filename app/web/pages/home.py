"""The first page: what is connected, what is kept in step, and in which state."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models import Bridge, Connection, Link
from app.people.roles import Principal, Role
from app.web.access import gate_of, require
from app.web.pages.layout import installer_of, page

router = APIRouter()


@router.get("/")
async def home(request: Request, who: Annotated[Principal, Depends(require(Role.VIEWER))]) -> Response:
    states = select(col(Link.bridge_id), col(Link.state), func.count()).group_by(col(Link.bridge_id), col(Link.state))
    async with AsyncSession(gate_of(request).engine) as session:
        connections = (await session.scalars(select(Connection).order_by(col(Connection.id)))).all()
        bridges = (await session.scalars(select(Bridge).order_by(col(Bridge.id)))).all()
        counted = (await session.execute(states)).all()
    counts: dict[int, dict[str, int]] = {}
    for bridge_id, state, count in counted:
        counts.setdefault(bridge_id, {})[state] = count
    names = {row.id: row.name for row in connections}
    return page(
        request,
        "home.html",
        connections=connections,
        bridges=bridges,
        counts=counts,
        names=names,
        labels={name: provider.label for name, provider in installer_of(request).connections.providers.items()},
        may_connect=who.role.covers(Role.OPERATOR),
    )

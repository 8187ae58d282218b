"""`crossledger check`: is everything in order?"""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import CrossledgerError
from app.main import Service
from app.models import Connection
from app.models.connection import ConnectionState


async def examine(service: Service, say: Callable[[str], object]) -> bool:
    """Ask every stored connection whether it works; a working one that was waiting goes on. True: all is well."""
    well = True
    say("settings   ok")
    async with AsyncSession(service.engine) as session:
        connections = (await session.scalars(select(Connection).order_by(col(Connection.id)))).all()
    say(f"database   ok, {len(connections)} connection(s)")
    for row in connections:
        if row.state == ConnectionState.PENDING:  # a check that succeeds would claim it
            say(f"connection {row.id} “{row.name}” ({row.provider}): waits to be claimed, on the page Connect")
            continue
        try:
            profile = await service.connections.renew(row.id or 0)
        except CrossledgerError as failure:
            well = False
            say(f"connection {row.id} “{row.name}” ({row.provider}): FAILS. {failure}")
        else:
            say(f"connection {row.id} “{row.name}” ({row.provider}): ok, {profile.label}")
    return well

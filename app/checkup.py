"""What the shell can ask of an installation: is everything in order, and look at this again."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import CrossledgerError, Gone, Rejected
from app.main import Service
from app.models import Connection, Event
from app.models.connection import ConnectionState
from app.queue import RecordJob, defer


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
    await service.client.aclose()
    await service.db.dispose()
    return well


async def replay(service: Service, event_id: int) -> str:
    """Queue the record of a stored event; a running worker then looks at it. Raises Gone, Rejected."""
    async with AsyncSession(service.engine) as session:
        event = await session.get(Event, event_id)
    if event is None:
        raise Gone(f"There is no event {event_id}.")
    if event.bridge_id is None or not event.external_id:
        raise Rejected(
            f"Event {event_id} ({event.kind}) belongs to no bridge or names no record: there is nothing to do again."
        )
    job = RecordJob(
        bridge_id=event.bridge_id,
        object=event.object,
        side=event.side,
        external_id=event.external_id,
        reason="replay",
    )
    async with service.engine.begin() as connection:
        await defer(connection, [job])
    await service.client.aclose()
    await service.db.dispose()
    return f"{event.object} {event.external_id} is queued: a running worker looks at it now, else the next one does."

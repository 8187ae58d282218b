"""Putting work into the queue at a person's request."""

from sqlalchemy.ext.asyncio import AsyncEngine

from app.api.problems import conflict
from app.api.reading import one
from app.models import Bridge
from app.queue import RecordJob, defer, transact


async def require_enabled(engine: AsyncEngine, bridge_id: int) -> None:
    """Answers 409 where a job would be dropped."""
    if not (await one(engine, Bridge, bridge_id)).enabled:
        raise conflict("The bridge of this record is switched off.")


async def queue(engine: AsyncEngine, job: RecordJob) -> int:
    """How many jobs were added: 0 where the record waits in the queue already."""
    return await transact(engine, lambda connection: defer(connection, [job]))

"""Putting work into the queue at a person's request."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.api.problems import conflict
from app.api.reading import one
from app.models import Bridge
from app.queue import RecordJob, defer

T = TypeVar("T")

_TRIES = 5


async def transact(engine: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """Run `work` in a transaction, again where a webhook queued one of its records in the same instant."""
    for _ in range(_TRIES - 1):
        try:
            async with engine.begin() as connection:
                return await work(connection)
        except IntegrityError:
            continue
    async with engine.begin() as connection:
        return await work(connection)


async def require_enabled(engine: AsyncEngine, bridge_id: int) -> None:
    """Answers 409 where a job would be dropped."""
    if not (await one(engine, Bridge, bridge_id)).enabled:
        raise conflict("The bridge of this record is switched off.")


async def queue(engine: AsyncEngine, job: RecordJob) -> int:
    """How many jobs were added: 0 where the record waits in the queue already."""
    return await transact(engine, lambda connection: defer(connection, [job]))

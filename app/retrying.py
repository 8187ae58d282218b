"""Looking again at records, at a person's word: one, a group of failures, or what an event was about."""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.errors import Gone, OutOfDate
from app.failures import NOT_IN_STEP, bridge_of, members
from app.models import Bridge, Event, Link
from app.queue import Priority, RecordJob, defer, transact
from app.sync.settlements import UNDONE

RowT = TypeVar("RowT", Bridge, Event, Link)

_BATCH = 500
_OPEN = col(Link.state).in_([state.value for state in NOT_IN_STEP])


async def require_enabled(engine: AsyncEngine, bridge_id: int) -> None:
    """Raises Gone, and OutOfDate where a job would be dropped."""
    if not (await _one(engine, Bridge, bridge_id)).enabled:
        raise OutOfDate(f"Bridge {bridge_id} is switched off.")


async def replay_event(engine: AsyncEngine, event_id: int) -> tuple[RecordJob, int]:
    """Queue the record of a stored event. Returns the job, and 0 where it waits in the queue already, else 1.

    Raises Gone, and OutOfDate where there is nothing to look at.
    """
    event = await _one(engine, Event, event_id)
    if event.bridge_id is None:
        raise OutOfDate("No bridge takes this event, so there is nothing to bring in step.")
    if not (event.object and event.side and event.external_id):
        raise OutOfDate("This event names no record that is synced.")
    await require_enabled(engine, event.bridge_id)
    job = RecordJob(
        bridge_id=event.bridge_id,
        object=event.object,
        side=event.side,
        external_id=event.external_id,
        reason="replay",
    )
    return job, await transact(engine, partial(defer, jobs=[job]))


async def retry_one(engine: AsyncEngine, link_id: int) -> int:
    """Now, also what was undone. Returns how many jobs were added. Raises Gone, OutOfDate."""
    link = await _one(engine, Link, link_id)
    if not _waits_to_be_tried(link):
        raise OutOfDate(f"This record is not waiting to be tried: it is {link.state}.")
    await require_enabled(engine, link.bridge_id)
    only = [or_(_OPEN, col(Link.problem) == UNDONE), col(Link.id) == link_id]
    _, added = await transact(engine, partial(_retry, only=only, after=0, limit=1, priority=Priority.LIVE))
    return added


async def sync_one(engine: AsyncEngine, link_id: int) -> int:
    """Look at both sides now, be it in step or not. Returns how many jobs were added. Raises Gone, OutOfDate."""
    link = await _one(engine, Link, link_id)
    if _waits_to_be_tried(link):
        return await retry_one(engine, link_id)
    await require_enabled(engine, link.bridge_id)
    return await transact(
        engine, partial(defer, jobs=[RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id)])
    )


async def retry_group(engine: AsyncEngine, key: str) -> tuple[int, int]:
    """The records that are in a group of failures now. Returns how many they are, and how many were added.

    Raises Gone, OutOfDate, and ValueError where that is no key.
    """
    await require_enabled(engine, bridge_of(key))
    ids = await members(engine, key)
    return len(ids), await retry_all(engine, [col(Link.id).in_(ids)])


async def retry_all(engine: AsyncEngine, only: Sequence[ColumnElement[bool]]) -> int:
    """Queue the records that fit and are not in step, behind live events; returns how many were added."""
    after, queued = 0, 0
    while True:
        some = partial(_retry, only=[_OPEN, *only], after=after, limit=_BATCH, priority=Priority.FLOOD)
        last, added = await transact(engine, some)
        if last is None:
            return queued
        after, queued = last, queued + added


async def _retry(
    connection: AsyncConnection,
    *,
    only: Sequence[ColumnElement[bool]],
    after: int,
    limit: int,
    priority: Priority,
) -> tuple[int | None, int]:
    """The next ones with ids above `after`. Returns the last id, None where there are no more, and the jobs added."""
    id_ = col(Link.id)
    # Locked in one order, so that two callers cannot wait for each other.
    some = select(id_).where(id_ > after, *only).order_by(id_).limit(limit).with_for_update()
    retried = (
        update(Link)
        .where(id_.in_(some))
        .values(tries=0, next_try_at=None)
        .returning(id_, col(Link.bridge_id), col(Link.object), col(Link.crm_id), col(Link.billing_id))
    )
    found = (await connection.execute(retried)).all()
    jobs = [
        RecordJob.asked(bridge_id, object_, crm, billing, priority) for _, bridge_id, object_, crm, billing in found
    ]
    return max((row[0] or 0 for row in found), default=None), await defer(connection, jobs)


def _waits_to_be_tried(link: Link) -> bool:
    return link.state in NOT_IN_STEP or link.problem == UNDONE


async def _one(engine: AsyncEngine, model: type[RowT], id_: int) -> RowT:
    async with AsyncSession(engine) as session:
        row = await session.get(model, id_)
    if row is None:
        raise Gone(f"There is no {model.__name__.lower()} {id_}.")
    return row

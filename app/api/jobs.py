"""Jobs: the records that are not in step, one job for each, and trying them again."""

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id
from app.api.problems import conflict, problems
from app.api.queueing import require_enabled
from app.api.reading import Paging, equal, one, page
from app.api.requests import RetryIn
from app.api.schemas import JobOut, JobState, Page, Queued
from app.models import Bridge, Link
from app.queue import Priority, RecordJob, defer, transact
from app.sync.records import Side

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=Bounded)

_BATCH = 500
_OPEN = col(Link.state).in_([state.value for state in JobState])


@router.get("", summary="List jobs")
async def list_jobs(
    desk: AtDesk, part: Paging, state: JobState | None = None, bridge_id: Id | None = None
) -> Page[JobOut]:
    """Records that are retried, wait for credentials, have failed, or need a person's decision."""
    only = equal((col(Link.state), state), (col(Link.bridge_id), bridge_id))
    return await page(desk.engine, Link, JobOut, part, _OPEN, *only)


@router.post("/retry", status_code=202, summary="Try many jobs again", responses=problems(400, 413))
async def retry_many(desk: AtDesk, which: RetryIn) -> Queued:
    """All that fit, with their tries counted anew. They go behind live events.

    Records of bridges that are switched off are left as they are.
    """
    only = [
        _OPEN,
        col(Link.bridge_id).in_(select(col(Bridge.id)).where(col(Bridge.enabled))),
        *equal(
            (col(Link.bridge_id), which.bridge_id),
            (col(Link.state), which.state),
            (col(Link.problem), which.problem),
        ),
    ]
    after, queued = 0, 0
    while True:
        last, added = await transact(
            desk.engine, partial(_retry, only=only, after=after, limit=_BATCH, priority=Priority.FLOOD)
        )
        if last is None:
            return Queued(queued=queued)
        after, queued = last, queued + added


@router.post("/{job_id}/retry", status_code=202, summary="Try a job again", responses=problems(404, 409))
async def retry_one(desk: AtDesk, job_id: Id) -> Queued:
    """Now, with its tries counted anew."""
    link = await one(desk.engine, Link, job_id)
    if link.state not in set(JobState):
        raise conflict(f"This record is not waiting to be tried: it is {link.state}.")
    await require_enabled(desk.engine, link.bridge_id)
    only = [_OPEN, col(Link.id) == job_id]
    _, added = await transact(desk.engine, partial(_retry, only=only, after=0, limit=1, priority=Priority.LIVE))
    return Queued(queued=added)


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
    jobs = [_job(bridge_id, object_, crm, billing, priority) for _, bridge_id, object_, crm, billing in found]
    return max((row[0] or 0 for row in found), default=None), await defer(connection, jobs)


def _job(bridge_id: int, object_: str, crm_id: str | None, billing_id: str | None, priority: Priority) -> RecordJob:
    return RecordJob(
        bridge_id=bridge_id,
        object=object_,
        side=Side.CRM if crm_id else Side.BILLING,
        external_id=crm_id or billing_id or "",
        reason="asked",
        priority=priority,
    )

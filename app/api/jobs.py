"""Jobs: the records that are not in step, one job for each, and trying them again."""

from fastapi import APIRouter
from sqlalchemy import select
from sqlmodel import col

from app import retrying
from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id
from app.api.problems import problems
from app.api.reading import Paging, equal, page
from app.api.requests import RetryIn
from app.api.schemas import JobOut, JobState, Page, Queued
from app.models import Bridge, Link

router = APIRouter(prefix="/jobs", tags=["jobs"], route_class=Bounded)

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
        col(Link.bridge_id).in_(select(col(Bridge.id)).where(col(Bridge.enabled))),
        *equal(
            (col(Link.bridge_id), which.bridge_id),
            (col(Link.state), which.state),
            (col(Link.problem), which.problem),
        ),
    ]
    return Queued(queued=await retrying.retry_all(desk.engine, only))


@router.post("/{job_id}/retry", status_code=202, summary="Try a job again", responses=problems(404, 409))
async def retry_one(desk: AtDesk, job_id: Id) -> Queued:
    """Now, with its tries counted anew. A pair whose making was undone is linked again."""
    return Queued(queued=await retrying.retry_one(desk.engine, job_id))

"""Failures: what is not in step, grouped by what it has in common, with the cure; and trying a group again."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app import retrying
from app.api.body import Bounded
from app.api.care import FailuresOut, GroupOut, GroupRetried
from app.api.desk import AtDesk
from app.api.fields import MAX_ID, Id, Word
from app.api.problems import problems, refused
from app.api.reading import Paging, cut
from app.api.records import names_of
from app.api.requests import GroupIn
from app.api.schemas import LinkOut, Page
from app.failures import KEY, bridge_of, grouped, listed

router = APIRouter(prefix="/failures", tags=["jobs"], route_class=Bounded)


@router.get("", summary="List failures by their reason")
async def list_failures(
    desk: AtDesk,
    bridge_id: Id | None = None,
    problem: Word | None = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Groups that are shown")] = 100,
) -> FailuresOut:
    """Largest group first. Reasons that differ in ids, numbers and quoted values only are one."""
    found = await grouped(desk.engine, bridge_id=bridge_id, problem=problem, limit=limit)
    groups = [GroupOut.model_validate(group) for group in found.groups]
    names = await names_of(desk, [each.example for each in groups])
    for each in groups:
        each.example_name = names.get(each.example, "")
    return FailuresOut(groups=groups, records=found.records, kinds=found.kinds)


Key = Annotated[str, Path(pattern=f"^{KEY.pattern}$", description="Of a group of GET /failures")]


@router.get("/{key}/records", summary="List the records of a group", responses=problems(404))
async def list_group(desk: AtDesk, part: Paging, key: Key) -> Page[LinkOut]:
    """Exactly those that are in it now, newest first. None are in a group that is not there any more."""
    rows = await listed(desk.engine, key, limit=part.limit + 1, below=min(part.below, MAX_ID))
    return cut(rows, LinkOut, part)


@router.post("/retry", status_code=202, summary="Try a group again", responses=problems(400, 404, 409, 413))
async def retry_group(desk: AtDesk, which: GroupIn) -> GroupRetried:
    """Exactly the records that are in the group now, with their tries counted anew. They go behind live events."""
    if which.bridge_id not in (None, bridge_of(which.key)):
        raise refused(f"This group is one of bridge {bridge_of(which.key)}.")
    records, queued = await retrying.retry_group(desk.engine, which.key)
    return GroupRetried(records=records, queued=queued)

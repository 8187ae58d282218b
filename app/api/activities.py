"""Activities: what was done, field by field."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import or_, select
from sqlmodel import col

from app.api.desk import AtDesk
from app.api.fields import Id, Word
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.records import names_of
from app.api.schemas import ActivityOut, Page
from app.models import Activity, Link

router = APIRouter(prefix="/activities", tags=["activities"])


@router.get("", summary="List activities")
async def list_activities(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    link_id: Id | None = None,
    run_id: Id | None = None,
    action: Word | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    record: Annotated[Word | None, Query(description="Of the pair that has it, by either vendor's id")] = None,
) -> Page[ActivityOut]:
    """Newest first. An attempt that changed nothing leaves none."""
    only = equal(
        (col(Activity.bridge_id), bridge_id),
        (col(Activity.link_id), link_id),
        (col(Activity.run_id), run_id),
        (col(Activity.action), action),
        (col(Activity.object), object_),
    )
    if record is not None:
        pairs = select(col(Link.id)).where(or_(col(Link.crm_id) == record, col(Link.billing_id) == record))
        only.append(col(Activity.link_id).in_(pairs))
    found = await page(desk.engine, Activity, ActivityOut, part, *only)
    names = await names_of(desk, [each.link_id for each in found.items])
    for each in found.items:
        each.name = names.get(each.link_id or 0, "")
    return found


@router.get("/{activity_id}", summary="Show an activity", responses=problems(404))
async def show_activity(desk: AtDesk, activity_id: Id) -> ActivityOut:
    """What one attempt changed, per field and side."""
    found = ActivityOut.model_validate(await one(desk.engine, Activity, activity_id))
    found.name = (await names_of(desk, [found.link_id])).get(found.link_id or 0, "")
    return found

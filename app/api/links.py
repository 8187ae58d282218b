"""Links: which record belongs to which."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlmodel import col

from app.api.desk import AtDesk
from app.api.fields import Id, Word
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.schemas import LinkOut, Page
from app.models import Link
from app.models.link import LinkState

router = APIRouter(prefix="/links", tags=["links"])


@router.get("", summary="List links")
async def list_links(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    state: LinkState | None = None,
    crm_id: Word | None = None,
    billing_id: Word | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
) -> Page[LinkOut]:
    """Newest first. `crm_id` and `billing_id` are the vendors' ids."""
    only = equal(
        (col(Link.bridge_id), bridge_id),
        (col(Link.state), state),
        (col(Link.crm_id), crm_id),
        (col(Link.billing_id), billing_id),
        (col(Link.object), object_),
    )
    return await page(desk.engine, Link, LinkOut, part, *only)


@router.get("/{link_id}", summary="Show a link", responses=problems(404))
async def show_link(desk: AtDesk, link_id: Id) -> LinkOut:
    """With what both sides last agreed on, and what could not be written."""
    return LinkOut.model_validate(await one(desk.engine, Link, link_id))

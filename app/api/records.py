"""Records: what is linked, and how it is doing, found by what people call it."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import select
from sqlmodel import col

from app.api.desk import AtDesk, Desk
from app.api.fields import MAX_ID, Id, Word
from app.api.reading import Paging, cut
from app.api.schemas import LinkOut, Page
from app.listing import Doing, Wanted, records
from app.models import Link
from app.sync.objects import OBJECTS

router = APIRouter(prefix="/records", tags=["links"])

Object = Annotated[Word | None, Query(alias="object", description=f"One of: {', '.join(OBJECTS)}")]


@router.get("", summary="List records by how they are doing")
async def list_records(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    object_: Object = None,
    doing: Annotated[Doing | None, Query(description="As the overview counts them, each in one way")] = None,
    search: Annotated[
        Word | None, Query(description="Words of a name or an e-mail, of each at least the beginning; or a vendor's id")
    ] = None,
) -> Page[LinkOut]:
    """Newest first. Each count of `GET /overview` is that of the records listed here with its name as `doing`."""
    wanted = Wanted(bridge_id=bridge_id, object=object_, doing=doing, search=search or "")
    found = await records(desk.engine, wanted, limit=part.limit + 1, below=min(part.below, MAX_ID))
    return cut(found, LinkOut, part)


async def names_of(desk: Desk, ids: Sequence[int | None]) -> dict[int, str]:
    """What people call these links' records; those that have no name, or are not there any more, are not in it."""
    wanted = select(col(Link.id), col(Link.name)).where(col(Link.id).in_({id_ for id_ in ids if id_}))
    async with desk.engine.connect() as connection:
        return {id_: name for id_, name in await connection.execute(wanted) if id_ and name}

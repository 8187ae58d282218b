"""The status page of a bridge: an address that opens without a log-in, to be framed in the CRM."""

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, StringConstraints

from app import status_pages
from app.api.body import Bounded
from app.api.desk import AtDesk
from app.api.fields import Id, Moment
from app.api.guard import Caller
from app.api.problems import problems, unknown
from app.api.reading import one
from app.api.schemas import Out
from app.models import Bridge
from app.status_pages import PATH

router = APIRouter(prefix="/bridges/{bridge_id}/status-page", tags=["bridges"], route_class=Bounded)
Heading = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class StatusPageIn(BaseModel):
    heading: Heading = Field("", description="Whose page it is, in your words; empty: the bridge's name")


class StatusPageOut(Out):
    heading: str
    actor: str = Field(description="Who made it")
    made_at: Moment


class NewStatusPageOut(StatusPageOut):
    url: str = Field(description="Whoever has it sees the page. It is shown this once")


@router.get("", summary="Show whether a bridge has a status page", responses=problems(404))
async def show_status_page(desk: AtDesk, bridge_id: Id) -> StatusPageOut:
    """Never its address."""
    if (found := await status_pages.of_bridge(desk.engine, bridge_id)) is None:
        raise _none(bridge_id)
    return StatusPageOut.model_validate(found)


@router.put("", summary="Make a status page, or give it another address", responses=problems(400, 404, 413))
async def make_status_page(desk: AtDesk, who: Caller, bridge_id: Id, wanted: StatusPageIn) -> NewStatusPageOut:
    """It tells how the bridge is doing, in counts, and opens without a log-in. A former address opens nothing more."""
    await one(desk.engine, Bridge, bridge_id)
    async with desk.engine.begin() as connection:
        key = await status_pages.make(connection, who, bridge_id, heading=wanted.heading)
    made = await show_status_page(desk, bridge_id)
    return NewStatusPageOut(**made.model_dump(), url=f"{desk.public_url}{PATH}/{key}")


@router.delete("", status_code=204, summary="Remove a status page", responses=problems(404))
async def remove_status_page(desk: AtDesk, bridge_id: Id) -> None:
    """Its address opens nothing from now on."""
    async with desk.engine.begin() as connection:
        if not await status_pages.remove(connection, bridge_id):
            raise _none(bridge_id)


def _none(bridge_id: int) -> HTTPException:
    return unknown("status page of bridge", bridge_id)

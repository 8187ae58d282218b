"""The settings that a bridge has had: who changed what and when, and bringing one back."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlmodel import col

from app.api.body import Bounded
from app.api.bridges import changed, settings_of
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Moment, Number
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import Paging, one, page, slice_of
from app.api.requests import BridgeChange
from app.api.schemas import BridgeDetail, Out, Page
from app.mapping import versions
from app.mapping.labels import Labels, labels_in
from app.models import Bridge, BridgeVersion
from app.sync.policy import BridgeSettings

router = APIRouter(prefix="/bridges/{bridge_id}/versions", tags=["bridges"], route_class=Bounded)


class DifferenceOut(Out):
    """In words: fields go by the labels that the accounts have for them, and by their names where they have none."""

    object: str = Field(description="Empty: the bridge as a whole")
    what: str
    before: str = Field(description="Empty: nothing")
    after: str = Field(description="Empty: nothing")


class VersionOut(Out):
    id: int
    number: int
    at: Moment
    actor: str = Field(description="Empty: from before versions were kept, or the service itself")
    note: str
    changes: list[DifferenceOut] = Field(description="Against the version before")


class VersionDetail(VersionOut):
    settings: BridgeSettings
    restoring: list[DifferenceOut] = Field(description="What bringing it back would change")


class RestoredOut(BaseModel):
    bridge: BridgeDetail
    number: int = Field(description="The version that it made, as any change does; undone by restoring the one before")


@router.get("", summary="List the versions of a bridge's settings", responses=problems(404))
async def list_versions(desk: AtDesk, bridge_id: Id, part: Paging) -> Page[VersionOut]:
    """Newest first: the first one is what the bridge has now."""
    await one(desk.engine, Bridge, bridge_id)
    shown = await page(desk.engine, BridgeVersion, VersionOut, part, col(BridgeVersion.bridge_id) == bridge_id)
    numbers = [each.number for each in shown.items]
    told = await versions.told(desk.engine, bridge_id, numbers, await _labels(desk, bridge_id))
    for each in shown.items:
        if each.number in told:
            each.changes = [DifferenceOut.model_validate(change) for change in told[each.number]]
    return shown


@router.get("/{number}", summary="Show a version", responses=problems(404))
async def show_version(desk: AtDesk, bridge_id: Id, number: Number) -> VersionDetail:
    """Its settings, and in what they differ from those of now."""
    now = settings_of(await one(desk.engine, Bridge, bridge_id)) or BridgeSettings()
    found = await versions.version_of(desk.engine, bridge_id, number)
    labels = await _labels(desk, bridge_id)
    shown = VersionOut.model_validate(found)
    told = await versions.told(desk.engine, bridge_id, [number], labels)
    shown.changes = [DifferenceOut.model_validate(each) for each in told.get(number, found.changes)]
    restoring = [DifferenceOut.model_validate(each) for each in versions.against(found, now, labels)]
    return VersionDetail(**dict(shown), settings=versions.settings_of(found), restoring=restoring)


@router.post("/{number}/restore", summary="Bring a version back", responses=problems(404))
async def restore_version(desk: AtDesk, who: Caller, bridge_id: Id, number: Number) -> RestoredOut:
    """Checked like any change, and a version of its own: what is brought back can be taken back."""
    found = await versions.version_of(desk.engine, bridge_id, number)
    change = BridgeChange(settings=versions.settings_of(found))
    detail = await changed(desk, bridge_id, change, actor=who.name, note=f"version {number} brought back")
    newest = await list_versions(desk, bridge_id, slice_of(1))
    return RestoredOut(bridge=detail, number=newest.items[0].number)


async def _labels(desk: Desk, bridge_id: int) -> Labels:
    return labels_in(desk.connections, await desk.connections.directory.one(bridge_id))

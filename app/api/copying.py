"""Copying the settings of one bridge to others: shown first, then done."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, ValidationError

from app.api.body import Bounded
from app.api.bridges import changed, check_settings, make_bridge
from app.api.desk import AtDesk, Desk
from app.api.fields import Id
from app.api.guard import Caller
from app.api.problems import conflict, problems, refused
from app.api.reading import one
from app.api.requests import BridgeChange, BridgeIn, In
from app.directory import view_of
from app.errors import CrossledgerError
from app.models import Bridge, Connection
from app.people.roles import Principal
from app.sync.fieldmap import resolve
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings
from app.sync.records import Side

router = APIRouter(prefix="/bridges", tags=["bridges"], route_class=Bounded)

GENERAL = "general"
PARTS = (GENERAL, *OBJECTS)
_OWN = ("since",)
"""What says when something began at a bridge is its own."""


class CopyIn(In):
    to: list[Id] = Field(min_length=1, max_length=500, description="Ids of the bridges that get the settings")
    parts: list[Annotated[str, Field(pattern=f"^({'|'.join(PARTS)})$")]] = Field(
        default_factory=lambda: list(PARTS),
        description="Which: `general` (whose value wins, whether an empty one does, the slot, the sweeps), and objects;"
        " left out: all",
    )


class CopyNow(CopyIn):
    seen: str = Field(max_length=64, description="`seen` of the preview: what was changed since is not overwritten")


class SettingChange(BaseModel):
    setting: str = Field(description="For example contact.direction")
    before: Any
    after: Any


class CopyTarget(BaseModel):
    """What the copy would change at one bridge, or has changed."""

    id: int
    name: str
    changes: list[SettingChange]
    missing: list[str] = Field(
        description="Pairs of fields that work at the bridge they come from, and not here, each with the reason"
    )
    refused: str = Field(description="Why nothing of it can be copied to this bridge; empty: it can")

    @property
    def gets_it(self) -> bool:
        return bool(self.changes) and not self.refused


class CopyOut(BaseModel):
    seen: str = Field(description="To be sent with the copy")
    targets: list[CopyTarget]


@router.post(
    "/{bridge_id}/copy/preview", summary="Show what copying settings would change", responses=problems(400, 404, 413)
)
async def preview_copy(desk: AtDesk, bridge_id: Id, wanted: CopyIn) -> CopyOut:
    """Nothing is changed. Whether a bridge works, its name and its accounts are never copied."""
    return (await _looked_at(desk, bridge_id, wanted))[0]


@router.post("/{bridge_id}/copy", summary="Copy settings to other bridges", responses=problems(400, 404, 409, 413))
async def copy_settings(desk: AtDesk, who: Caller, bridge_id: Id, wanted: CopyNow) -> CopyOut:
    """As the preview has shown it; a bridge that refuses the settings stays as it is. Answers what was changed."""
    shown, after = await _looked_at(desk, bridge_id, wanted)
    if shown.seen != wanted.seen:
        raise conflict("Settings of these bridges were changed since this was shown: look at it again.")
    for target in shown.targets:
        if target.gets_it:
            try:
                change = BridgeChange(settings=after[target.id])
                await changed(desk, target.id, change, actor=who.name, note=f"copied from bridge {bridge_id}")
            except (HTTPException, CrossledgerError) as refusal:  # the others get them all the same
                target.refused = _said(refusal)
    return shown


async def make_bridge_like(
    desk: Desk, who: Principal, wanted: BridgeIn, like: int = 0
) -> tuple[int, CopyTarget | None]:
    """A new bridge, with every setting of the bridge `like`: its id, and what came of the copy. 0: the usual ones."""
    made = await make_bridge(desk, wanted, who)
    if not like:
        return made.id, None
    shown, _ = await _looked_at(desk, like, CopyIn(to=[made.id]))
    (target,) = (await copy_settings(desk, who, like, CopyNow(to=[made.id], seen=shown.seen))).targets
    return made.id, target


async def _looked_at(desk: Desk, bridge_id: int, wanted: CopyIn) -> tuple[CopyOut, Mapping[int, BridgeSettings]]:
    """What would change, and the settings that each would get."""
    source = await one(desk.engine, Bridge, bridge_id)
    given = _settings(source)
    if given is None:
        raise refused(f"The settings of “{source.name}” are of a version that this one cannot read.")
    targets: list[CopyTarget] = []
    after: dict[int, BridgeSettings] = {}
    digest = hashlib.sha256(f"{sorted(set(wanted.parts))} {given.model_dump_json()}".encode())
    for id_ in dict.fromkeys(wanted.to):
        if id_ == bridge_id:
            continue
        row = await one(desk.engine, Bridge, id_)
        digest.update(f"{id_} {json.dumps(row.settings, sort_keys=True)}".encode())
        shown, settings = await _target(desk, source, row, given, wanted.parts)
        targets.append(shown)
        if settings is not None:
            after[id_] = settings
    if not targets:
        raise refused("Choose another bridge than the one that the settings come from.")
    return CopyOut(seen=digest.hexdigest(), targets=targets), after


async def _target(
    desk: Desk, source: Bridge, row: Bridge, given: BridgeSettings, parts: list[str]
) -> tuple[CopyTarget, BridgeSettings | None]:
    shown = CopyTarget(id=row.id or 0, name=row.name, changes=[], missing=[], refused="")
    before = _settings(row)
    if before is None:
        shown.refused = "Its settings are of a version that this one cannot read."
        return shown, None
    try:
        after = copied(given, before, parts)
        await check_settings(desk, row, after)
        objects = [name for name in after.objects() if name in parts]
        lacks, there = await _lacking(desk, source, given, objects), await _lacking(desk, row, after, objects)
    except (ValidationError, HTTPException, CrossledgerError) as refusal:
        shown.refused = _said(refusal)
        return shown, None
    shown.changes = list(_differences(before.model_dump(mode="json"), after.model_dump(mode="json")))
    shown.missing = [
        f"{name}: {why}" for name in objects for pair, why in there[name].items() if pair not in lacks.get(name, {})
    ]
    return shown, after


def _said(refusal: Exception) -> str:
    if isinstance(refusal, ValidationError):
        return "; ".join(each["msg"].removeprefix("Value error, ") for each in refusal.errors())
    return str(refusal.detail) if isinstance(refusal, HTTPException) else str(refusal)


async def _lacking(
    desk: Desk, row: Bridge, settings: BridgeSettings, objects: Sequence[str]
) -> dict[str, dict[tuple[str, str], str]]:
    """By object: the pairs of its field map that do not work between the accounts of this bridge, and why."""
    crm, billing = [
        await one(desk.engine, Connection, id_) for id_ in (row.crm_connection_id, row.billing_connection_id)
    ]
    bridge = view_of(row, {crm.id: crm, billing.id: billing}, settings)
    found: dict[str, dict[tuple[str, str], str]] = {}
    for name in objects:
        wanted = settings.of(name)
        opened = {side: desk.connections.open(bridge, side).records(name, wanted) for side in Side}
        _, skipped = resolve(
            wanted.pairs(), opened[Side.CRM].fields(), opened[Side.BILLING].fields(), direction=wanted.direction
        )
        found[name] = {(each.pair.crm, each.pair.billing): each.reason for each in skipped}
    return found


def _settings(row: Bridge) -> BridgeSettings | None:
    """As they are stored; None where they are of a version that this one cannot read."""
    try:
        return BridgeSettings.model_validate(row.settings)
    except ValidationError:
        return None


def copied(given: BridgeSettings, before: BridgeSettings, parts: list[str]) -> BridgeSettings:
    """`before`, with these parts of `given`. Raises ValidationError where the two do not go together."""
    theirs, ours = given.model_dump(mode="json"), before.model_dump(mode="json")
    for name in theirs:
        if (name if name in OBJECTS else GENERAL) in parts:
            ours[name] = {**theirs[name], **_own(ours[name])} if name in OBJECTS else theirs[name]
    return BridgeSettings.model_validate(ours)


def _own(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in _OWN if name in settings}


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> Iterator[SettingChange]:
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{within}{name}.")
        elif old != new:
            yield SettingChange(setting=f"{within}{name}", before=old, after=new)

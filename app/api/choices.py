"""What a person chooses from while a bridge is set up: objects, fields to filter by, and how many records remain."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Moment, Word
from app.api.plans import NamedOut, SharedOut
from app.api.problems import problems, refused
from app.api.requests import In
from app.api.schemas import Out
from app.api.set_ups import need_of
from app.directory import BridgeView
from app.planning import counting
from app.planning.snapshots import Snapshots
from app.providers.base import Support
from app.sync.fieldmap import Direction
from app.sync.filters import Condition, Op
from app.sync.filters import unknown as unknown_field
from app.sync.objects import OBJECTS
from app.sync.records import FieldSpec, Kind, Side
from app.sync.values import tags_of

router = APIRouter(prefix="/set-ups/{bridge_id}", tags=["set-up"], route_class=Bounded)

_VALUES, _LOOKED_AT, _MOST_KEYS, _NAMED = 30, 500, 500, 5
_ONLY = {Side.BILLING: Direction.TO_BILLING, Side.CRM: Direction.TO_CRM}
_ALWAYS = (Op.FILLED, Op.EMPTY)


class ObjectChoiceOut(BaseModel):
    """An object, and what it can be set to on this bridge."""

    name: str
    plural: str
    called: dict[Side, str]
    becomes: dict[Side, str] = Field(description="What is made on each side; one that is missing is never written to")
    enabled: bool
    direction: Direction
    directions: list[Direction] = Field(description="To choose from")
    needs: str = Field(description="The object that has to be on as well; empty: none")
    refused: str = Field(description="Why it cannot be switched on, in a sentence; empty: it can")
    filters: bool = Field(description="Whether a filter and a count make sense: it has records of its own")
    only: list[Condition] = Field(description="Its filter")


class FilterFieldOut(BaseModel):
    name: str
    label: str
    sides: list[Side] = Field(description="Who has it")
    kind: Kind
    ops: list[Op] = Field(description="What can be asked of it")
    options: list[str] = Field(description="The only values there are; empty: any")


class CountIn(In):
    object: Word
    only: list[Condition] = Field(max_length=50, description="The filter to try; nothing is stored")


class CountOut(Out):
    """Of the records that the last plan has read. A pair counts once."""

    plan_id: int | None = Field(description="Null: nothing was read yet; make a plan")
    read_at: Moment | None
    records: int
    matching: int
    alone: list[int] = Field(description="How many each condition would let take part by itself")
    left_out: dict[Side, int]


class MatchingOut(BaseModel):
    """How partners are found, and what is ambiguous of what the last plan has read."""

    plan_id: int | None = Field(description="Null: nothing was read yet")
    read_at: Moment | None
    slot: str = Field(description="The billing field that keeps the CRM's id")
    slots: list[str] = Field(description="Those that can")
    shared_keys: list[SharedOut] = Field(description="At most 500, the most frequent first")


@router.get("/matching", summary="Show how partners are found", responses=problems(404))
async def show_matching(desk: AtDesk, bridge_id: Id) -> MatchingOut:
    """Which field keeps the link, and which match keys several records of one side have."""
    bridge = await desk.connections.directory.one(bridge_id)
    listed = (name for name in bridge.settings.objects() if not (OBJECTS[name].facet or OBJECTS[name].once))
    reads = [await counting.last_read(desk.engine, bridge_id, name) for name in listed]
    last = max((each for each in reads if each), key=lambda each: each.plan_id, default=None)
    snapshots = Snapshots(desk.engine, last.plan_id) if last else None
    shared = await snapshots.shared(_MOST_KEYS) if snapshots else []
    named = await snapshots.named(shared, _NAMED) if snapshots else []
    return MatchingOut(
        plan_id=last.plan_id if last else None,
        read_at=last.at if last else None,
        slot=desk.connections.slot(bridge),
        slots=list(desk.connections.provider(bridge.billing.provider).slot_fields),
        shared_keys=[
            SharedOut.model_validate(key).model_copy(update={"named": [NamedOut.model_validate(each) for each in some]})
            for key, some in zip(shared, named, strict=True)
        ],
    )


@router.get("/objects", summary="List what can be synced", responses=problems(404))
async def list_objects(desk: AtDesk, bridge_id: Id) -> list[ObjectChoiceOut]:
    """Each object with its directions, what it needs, and why it cannot be had."""
    bridge = await desk.connections.directory.one(bridge_id)
    return [_choice(desk, bridge, name) for name in OBJECTS]


@router.get("/objects/{object}/fields", summary="List fields to filter by", responses=problems(404))
async def list_filter_fields(desk: AtDesk, bridge_id: Id, object: Word) -> list[FilterFieldOut]:  # noqa: A002
    """Of both accounts, custom fields included, by their labels."""
    specs = _specs(desk, await desk.connections.directory.one(bridge_id), object)
    found: dict[str, list[Side]] = {}
    for side in Side:
        for name, spec in specs[side].items():
            if not spec.lacking and spec.kind is not Kind.DOCUMENT:
                found.setdefault(name, []).append(side)
    return sorted((_field(name, sides, specs) for name, sides in found.items()), key=lambda each: each.label.casefold())


@router.get("/values", summary="List frequent values of a field", responses=problems(404))
async def list_values(
    desk: AtDesk, bridge_id: Id, object_: Annotated[Word, Query(alias="object")], field: Word
) -> list[str]:
    """Of the records that the last plan has read; of tags, each by itself. The most frequent ones first."""
    await desk.connections.directory.one(bridge_id)
    read = await counting.last_read(desk.engine, bridge_id, object_)
    if read is None:
        return []
    found = await counting.frequent(desk.engine, read.plan_id, object_, field, _LOOKED_AT)
    if field != "tags":
        return [each for each in found if len(each) <= 100][:_VALUES]
    counted = Counter(tag for each in found for tag in tags_of(each).values())
    return [tag for tag, _ in counted.most_common(_VALUES)]


@router.post("/count", summary="Count what a filter lets take part", responses=problems(400, 404, 413))
async def count_matching(desk: AtDesk, bridge_id: Id, wanted: CountIn) -> CountOut:
    """Of what the last plan has read; no vendor is asked, and nothing is stored."""
    bridge = await desk.connections.directory.one(bridge_id)
    specs = _specs(desk, bridge, wanted.object)
    if strange := unknown_field(wanted.only, specs):
        raise refused(strange)
    read = await counting.last_read(desk.engine, bridge_id, wanted.object)
    if read is None:
        zero = dict.fromkeys(Side, 0)
        return CountOut(plan_id=None, read_at=None, records=0, matching=0, alone=[], left_out=zero)
    fields = [each.field for each in wanted.only]
    rows = await counting.alike(desk.engine, bridge_id, read.plan_id, wanted.object, fields)
    found = counting.tally(wanted.only, rows, specs)
    return CountOut(
        plan_id=read.plan_id,
        read_at=read.at,
        records=found.records,
        matching=found.matching,
        alone=list(found.alone),
        left_out=dict(found.left_out),
    )


def _choice(desk: Desk, bridge: BridgeView, name: str) -> ObjectChoiceOut:
    type_, settings = OBJECTS[name], bridge.settings.of(name)
    written = [side for side in Side if side in type_.becomes]
    return ObjectChoiceOut(
        name=name,
        plural=type_.plural,
        called=dict(type_.called),
        becomes=dict(type_.becomes),
        enabled=settings.enabled,
        direction=settings.direction if len(written) > 1 else _ONLY[written[0]],
        directions=list(Direction) if len(written) > 1 else [_ONLY[written[0]]],
        needs=need_of(name),
        refused=_refusal(desk, bridge, name),
        filters=not (type_.facet or type_.once),
        only=settings.only,
    )


def _refusal(desk: Desk, bridge: BridgeView, name: str) -> str:
    for side in Side:
        provider = desk.connections.provider(bridge.connection(side).provider)
        can = provider.capabilities.get(name)
        if can is None or can.support is Support.NONE:
            return f"{provider.label} cannot: {can.reason}." if can and can.reason else f"{provider.label} has none."
    return ""


def _specs(desk: Desk, bridge: BridgeView, object_: str) -> Mapping[Side, Mapping[str, FieldSpec]]:
    if object_ not in OBJECTS:
        raise refused(f"There is no object “{object_}”; there are: {', '.join(OBJECTS)}.")
    settings = bridge.settings.of(object_)
    return {side: desk.connections.open(bridge, side).records(object_, settings).fields() for side in Side}


def _field(name: str, sides: list[Side], specs: Mapping[Side, Mapping[str, FieldSpec]]) -> FilterFieldOut:
    spec = specs[sides[0]][name]
    return FilterFieldOut(
        name=name,
        label=spec.label,
        sides=sides,
        kind=spec.kind,
        ops=[*_asked_of(spec), *_ALWAYS],
        options=sorted(spec.options or ()),
    )


def _asked_of(spec: FieldSpec) -> tuple[Op, ...]:
    if spec.kind is Kind.TAGS:
        return (Op.HAS, Op.HAS_NOT)
    if spec.kind is Kind.NUMBER:
        return (Op.IS, Op.IS_NOT, Op.AT_LEAST, Op.AT_MOST)
    if spec.options:
        return (Op.IS, Op.IS_NOT)
    return (Op.IS, Op.IS_NOT, Op.HAS, Op.HAS_NOT)

"""The field map of one object of a bridge: what there is to map, and a pair tried on real records."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Word
from app.api.problems import problems
from app.api.requests import In
from app.api.schemas import Out
from app.mapping import wording
from app.mapping.board import Board, board
from app.mapping.suggesting import suggestions
from app.mapping.trying import none_there, pool, tried
from app.sync.fieldmap import Direction, Prefer
from app.sync.objects import OBJECTS, FieldPair
from app.sync.records import FieldSpec, Kind, Side, Writable
from app.sync.steps import AnyStep

router = APIRouter(prefix="/bridges/{bridge_id}/mapping", tags=["bridges"], route_class=Bounded)


class FieldOut(BaseModel):
    name: str
    label: str = Field(description="As people there call it")
    kind: Kind
    writable: Writable
    required: bool = Field(description="No record is made there without it")
    max_length: int | None
    reserved: bool = Field(description="It holds the link to the CRM, and cannot be mapped")


class MappedOut(BaseModel):
    crm: str
    billing: str
    direction: Direction
    steps: list[AnyStep]
    told: str = Field(description="Its steps in words")
    prefer: Prefer | None = Field(description="Whose value wins; null: the bridge's choice")
    reason: str = Field(description="Why it does not work with these accounts; empty: it does")
    fixed: bool = Field(description="It comes from another setting of the object, and is changed there")


class SuggestionOut(BaseModel):
    crm: str
    billing: str
    direction: Direction
    confidence: int = Field(description="Percent")
    why: str


class MappingOut(BaseModel):
    object: str
    crm: list[FieldOut]
    billing: list[FieldOut]
    pairs: list[MappedOut]
    suggestions: list[SuggestionOut] = Field(description="Never switched on by themselves")
    lacking: dict[Side, list[str]] = Field(
        description="Fields without which no record is made there, and nothing fills"
    )


class PreviewIn(In):
    object: Word
    pair: FieldPair = Field(description="As it would be, with its steps; it need not be saved")


class TrialOut(Out):
    id: str = Field(description="The vendor's id of the record")
    title: str
    before: str
    after: str = Field(description="What would be written; empty as well where it is refused")
    note: str
    refused: str = Field(description="Why nothing would be written; empty: it would")


class PreviewOut(BaseModel):
    side: Side = Field(description="Where the records are read: the side that values come from")
    records: list[TrialOut]


@router.get("/{object}", summary="Show a field map", responses=problems(404))
async def show_mapping(desk: AtDesk, bridge_id: Id, object: Word) -> MappingOut:  # noqa: A002 -- as the path says
    """All fields of both accounts, what goes with what, and what else could."""
    bridge = await desk.connections.directory.one(bridge_id)
    found = board(desk.connections, bridge, object)
    return MappingOut(
        object=object,
        crm=[_field(each) for each in found.crm.values()],
        billing=[_field(each, reserved=each.name == found.slot) for each in found.billing.values()],
        pairs=mapped(found),
        suggestions=[
            SuggestionOut(
                crm=each.crm.name,
                billing=each.billing.name,
                direction=each.direction,
                confidence=each.confidence,
                why=each.why,
            )
            for each in suggestions(found, found.settings.pairs())
        ],
        lacking={
            side: [each.name for each in fields] for side, fields in found.lacking(found.settings.pairs()).items()
        },
    )


@router.post("/preview", summary="Try a pair on real records", responses=problems(400, 404, 413, 503))
async def preview_pair(desk: AtDesk, bridge_id: Id, wanted: PreviewIn) -> PreviewOut:
    """Five records as they are now in the connected account, before and after. Nothing is written."""
    found = await board_of(desk, bridge_id, wanted.object)
    rule = found.rule(wanted.pair.pair)
    bridge = await desk.connections.directory.one(bridge_id)
    records = await pool(desk.connections, bridge, wanted.object, rule.origin)
    none_there(records, OBJECTS[wanted.object].called[rule.origin])
    return PreviewOut(side=rule.origin, records=[TrialOut.model_validate(each) for each in tried(rule, records)])


async def board_of(desk: Desk, bridge_id: int, object_: str) -> Board:
    """Raises Gone, Rejected, Unsupported."""
    return board(desk.connections, await desk.connections.directory.one(bridge_id), object_)


def mapped(found: Board) -> list[MappedOut]:
    """In the order of the settings; of what does not work, with the reason."""
    reasons = [(each.pair, each.reason) for each in found.resolved[1]]
    own = [item.pair for item in found.settings.fields] if found.settings.fields is not None else None
    fixed = own if own is not None else found.settings.default_map
    return [
        MappedOut(
            crm=pair.crm,
            billing=pair.billing,
            direction=pair.direction,
            steps=list(pair.steps),
            told=wording.steps(pair.steps),
            prefer=found.settings.prefer.get(pair.billing),
            reason=next((reason for each, reason in reasons if each is pair or each == pair), ""),
            fixed=pair not in fixed,
        )
        for pair in found.settings.pairs()
    ]


def _field(spec: FieldSpec, *, reserved: bool = False) -> FieldOut:
    return FieldOut(
        name=spec.name,
        label=spec.label,
        kind=spec.kind,
        writable=spec.writable,
        required=spec.required,
        max_length=spec.max_length,
        reserved=reserved,
    )

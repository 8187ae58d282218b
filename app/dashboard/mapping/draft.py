"""What a person has changed on the page and not saved. Nothing of it is decided here: the settings themselves say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from app.mapping.board import Board
from app.mapping.differences import Difference, differences
from app.mapping.labels import labels_of
from app.mapping.wording import STEPS
from app.sync.fieldmap import Direction, Pair, one_way
from app.sync.objects import FieldPair
from app.sync.policy import BridgeSettings
from app.sync.records import FieldSpec, Side

# A step as it is when it is added.
FRESH: dict[str, dict[str, Any]] = {
    **{name: {"do": name} for name in STEPS},
    "case": {"do": "case", "to": "upper"},
    "table": {"do": "table", "rows": [{"value": "", "becomes": ""}]},
    "default": {"do": "default", "value": ""},
    "template": {"do": "template", "text": "{value}"},
}


@dataclass(slots=True)
class Row:
    """One pair. `steps`: as data, with what is typed, which may make no sense yet. `prefer`: "" for the bridge's."""

    crm: str
    billing: str
    direction: str = Direction.BOTH.value
    steps: list[dict[str, Any]] = field(default_factory=list)
    prefer: str = ""

    @classmethod
    def of(cls, pair: Pair, prefer: str) -> "Row":
        steps = [each.model_dump(mode="json") for each in pair.steps]
        return cls(pair.crm, pair.billing, pair.direction.value, steps, prefer)

    def as_data(self) -> dict[str, Any]:
        steps = [_without_empty_rows(each) for each in self.steps]
        return {"crm": self.crm, "billing": self.billing, "direction": self.direction, "steps": steps}

    def pair(self) -> Pair:
        """Raises ValidationError where what is typed makes no sense."""
        return FieldPair.model_validate(self.as_data()).pair


@dataclass(slots=True)
class Draft:
    """`other`: settings of the object beside its field map that were changed, by their names."""

    board: Board
    saved: BridgeSettings
    rows: list[Row] = field(default_factory=list)
    other: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.rows, self.other = _saved(self.board), {}

    def settings(self) -> BridgeSettings:
        """Raises ValidationError with what does not go, in words for people."""
        data = self.saved.model_dump(mode="json")
        mine = data[self.board.object]
        mine["fields"] = [row.as_data() for row in self.rows]
        own = {row.billing for row in [*self.rows, *_saved(self.board)]}
        kept = {name: each for name, each in mine["prefer"].items() if name not in own}
        mine["prefer"] = {**kept, **{row.billing: row.prefer for row in self.rows if row.prefer}}
        mine.update(self.other)
        made = BridgeSettings.model_validate(data)
        return self.saved if not differences(self.saved, made) else made

    def changes(self) -> Sequence[Difference]:
        """Raises ValidationError."""
        return differences(self.saved, self.settings(), labels_of(self.board))

    @property
    def dirty(self) -> bool:
        return bool(self.other) or self.rows != _saved(self.board)

    def stuck(self) -> list[str]:
        """The labels of pairs that keep the rest from being saved."""
        return [self.label(Side.CRM, row.crm) for row in self.rows if _is_stuck(row, self.board.settings.direction)]

    def pairs(self) -> list[Pair]:
        """Those that make sense, with those that other settings ask for."""
        own = [Pair(row.crm, row.billing, Direction(row.direction)) for row in self.rows]
        return [*self.board.settings.chosen(), *own]

    def spec(self, side: Side, name: str) -> FieldSpec | None:
        return (self.board.crm if side is Side.CRM else self.board.billing).get(name)

    def label(self, side: Side, name: str) -> str:
        spec = self.spec(side, name)
        return spec.label if spec else name

    def reason(self, row: Row) -> str:
        """Why a pair does not work as it stands, "" where it does. Raises ValidationError."""
        above = self.rows[: self.rows.index(row)]
        before = [Pair(each.crm, each.billing, Direction(each.direction)) for each in above]
        pair = row.pair()
        _, skipped = self.board.resolve([*self.board.settings.chosen(), *before, pair])
        return next((each.reason for each in skipped if each.pair is pair), "")


def _saved(board: Board) -> list[Row]:
    on = board.settings
    own = [each.pair for each in on.fields] if on.fields is not None else _default(board)
    return [Row.of(pair, on.prefer.get(pair.billing, "")) for pair in own]


def _is_stuck(row: Row, whole: Direction) -> bool:
    try:
        return bool(one_way(row.pair(), whole))
    except ValidationError:
        return True


def _default(board: Board) -> Sequence[Pair]:
    chosen = board.settings.chosen()
    return [pair for pair in board.settings.pairs() if pair not in chosen]


def _without_empty_rows(step: dict[str, Any]) -> dict[str, Any]:
    if step["do"] != "table":
        return step
    return {**step, "rows": [row for row in step["rows"] if row["value"].strip() or row["becomes"].strip()]}

"""Whose value stays of one object, and of single fields of it."""

from collections.abc import Callable, Mapping
from functools import partial

from nicegui import ui

from app.api.mapping import board_of
from app.dashboard.frame import Visit
from app.dashboard.hearing import hear
from app.dashboard.parts import VALUE, button, tag, text
from app.errors import CrossledgerError
from app.mapping.wording import WINNERS
from app.sync.fieldmap import Direction, Prefer, Rule
from app.sync.objects import OBJECTS, ObjectSettings
from app.sync.records import Kind

Turn = Callable[[str], None]

_OBJECT = {"": "as above"} | WINNERS


async def fields_of(visit: Visit, bridge_id: int, object_: str) -> dict[str, str]:
    """The labels of fields that both sides can change, by the names of their rules."""
    try:
        rules, _ = (await board_of(visit.desk, bridge_id, object_)).resolved
    except CrossledgerError:
        return {}
    both = [rule for rule in rules if rule.direction is Direction.BOTH]
    return {rule.name: _label(rule) for rule in both if not rule.tags and rule.crm.kind is not Kind.DOCUMENT}


def _label(rule: Rule) -> str:
    crm, billing = rule.crm.label, rule.billing.label
    return crm if crm.casefold() == billing.casefold() else f"{crm} ↔ {billing}"


class Winners:
    """Of one object, as they are chosen at the moment. `fields`: labels by names."""

    def __init__(self, name: str, settings: ObjectSettings, fields: Mapping[str, str], *, may: bool) -> None:
        self.name = name
        self._settings = settings
        self._fields = fields
        self._may = may
        self._wins = settings.wins
        self._own = dict(settings.prefer)

    def draw(self) -> None:
        plural = OBJECTS[self.name].plural
        with tag("div", "winners", role="group", aria_label=plural):
            with tag("label", "line"):
                text("span", plural.capitalize())
                self._select(_OBJECT, self._wins or "", self._turn)
            self._lines()

    @ui.refreshable_method
    def _lines(self) -> None:
        for field, prefer in self._own.items():
            label = self._fields.get(field, field)
            with tag("div", "line own"):
                text("span", label)
                self._select(WINNERS, prefer.value, partial(self._prefer, field), f"What stays of {label}")
                if self._may:
                    button("×", partial(self._out, field), "quiet small").props["aria-label"] = f"Take {label} out"
        free = {name: label for name, label in self._fields.items() if name not in self._own}
        if self._may and free:
            with tag("div", "line own"):
                adding = f"Another winner for a field of {OBJECTS[self.name].plural}"
                self._select({"": "Add a field …"} | free, "", self._add, adding)

    def _select(self, options: Mapping[str, str], value: str, change: Turn, label: str = "") -> None:
        with tag("select") as select:
            for each, words in options.items():
                option = text("option", words, value=each)
                option.props["selected"] = each == value
        if label:
            select.props["aria-label"] = label
        select.props["disabled"] = not self._may
        hear(select, "change", change, VALUE)

    def _turn(self, wins: str) -> None:
        self._wins = Prefer(wins) if wins else None

    def _prefer(self, field: str, wins: str) -> None:
        self._own[field] = Prefer(wins)

    def _add(self, field: str) -> None:
        """It begins with HighLevel's, and is changed beside it."""
        if field in self._fields:
            self._own[field] = Prefer.CRM
        self._lines.refresh()

    async def _out(self, field: str) -> None:
        self._own.pop(field, None)
        self._lines.refresh()

    def change(self) -> dict[str, object]:
        """What differs from what is saved."""
        given: dict[str, object] = {}
        if self._wins is not self._settings.wins:
            given["wins"] = self._wins
        if self._own != self._settings.prefer:
            given["prefer"] = self._own
        return given

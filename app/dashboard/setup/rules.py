"""The rules of one object: IF a field is so, THEN a record takes part."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import HTTPException
from nicegui import ui
from nicegui.events import GenericEventArguments
from pydantic import ValidationError

from app.api.choices import CountIn, CountOut, FilterFieldOut, ObjectChoiceOut, count_matching, list_values
from app.dashboard.frame import Visit
from app.dashboard.hearing import hear
from app.dashboard.parts import SYSTEMS, VALUE, button, tag, text
from app.mapping.wording import ASKS
from app.sync.filters import Condition, Op
from app.sync.records import Side

_WITHOUT_VALUE = (Op.FILLED, Op.EMPTY)


@dataclass(slots=True)
class Rule:
    """As it is written at the moment; it may not be whole yet."""

    field: str
    op: Op
    value: str = ""
    side: Side | None = None

    def condition(self) -> Condition:
        """Raises ValidationError."""
        value = "" if self.op in _WITHOUT_VALUE else self.value
        return Condition(field=self.field, op=self.op, value=value, side=self.side)


class Rules:
    def __init__(
        self, visit: Visit, bridge_id: int, choice: ObjectChoiceOut, fields: Mapping[str, FilterFieldOut], *, may: bool
    ) -> None:
        """`fields`: by name. `may`: whether they can be changed."""
        self._visit = visit
        self._bridge_id = bridge_id
        self._choice = choice
        self._fields = fields
        self._may = may
        self._rules = [Rule(each.field, each.op, each.value, each.side) for each in choice.only]
        self._alone: list[Any] = []

    def conditions(self) -> list[Condition]:
        """Raises ValidationError where one is not whole."""
        return [rule.condition() for rule in self._rules]

    async def draw(self) -> None:
        with tag("header"):
            text("h2", self._choice.plural.capitalize())
            self._told = text("strong", "", role="status")
        self._wrong = text("p", "", "wrong-words")
        self._lines = ui.refreshable(self._draw_lines)
        await self._lines()
        if self._may:
            button("Add a rule", self._add, "quiet")
        await self.count()

    async def _draw_lines(self) -> None:
        self._alone = []
        if not self._rules:
            text("p", f"No rule: all {self._choice.plural} take part.", "faint")
        for place, rule in enumerate(self._rules):
            with tag("div", "rule", role="group", aria_label=f"Rule {place + 1}"):
                text("span", "IF" if not place else "AND", "word")
                self._pick_field(rule)
                self._pick_op(rule)
                await self._pick_value(rule)
                text("span", "THEN it takes part", "word")
                self._alone.append(text("small", ""))
                if self._may:
                    remove = button("×", partial(self._remove, place), "quiet small")
                    remove.props["aria-label"] = f"Remove rule {place + 1}"

    def _pick_field(self, rule: Rule) -> None:
        with tag("select", aria_label="Field") as select:
            known = {name: self._label(each) for name, each in self._fields.items()}
            for name, label in ({} if rule.field in known else {rule.field: rule.field}).items() | known.items():
                self._option(name, label, chosen=name == rule.field)
        self._bind(select, partial(self._set_field, rule))

    def _pick_op(self, rule: Rule) -> None:
        with tag("select", aria_label="Comparison") as select:
            field = self._fields.get(rule.field)
            for op in field.ops if field else list(Op):
                self._option(op.value, ASKS[op], chosen=op is rule.op)
        self._bind(select, partial(self._set_op, rule))

    async def _pick_value(self, rule: Rule) -> None:
        if rule.op in _WITHOUT_VALUE:
            return
        field = self._fields.get(rule.field)
        options = list(field.options) if field and field.options else await self._frequent(rule)
        with tag("datalist") as proposed:
            for each in options:
                tag("option", value=each)
        proposed.props["id"] = f"values-{proposed.id}"
        # Not `value`: see app.dashboard.forms.field.
        box = tag("input", type="text", defaultValue=rule.value, aria_label="Value", maxlength="500")
        box.props.update({"list": f"values-{proposed.id}", "placeholder": "a value", "autocomplete": "off"})
        if self._may:
            box.on("input", partial(self._set_value, rule), js_handler=VALUE, throttle=0.4, leading_events=False)
        else:
            box.props["disabled"] = True

    async def _frequent(self, rule: Rule) -> list[str]:
        return await list_values(self._visit.desk, self._bridge_id, self._choice.name, rule.field)

    def _label(self, field: FilterFieldOut) -> str:
        return field.label if len(field.sides) > 1 else f"{field.label} ({SYSTEMS[field.sides[0]]})"

    def _option(self, value: str, label: str, *, chosen: bool) -> None:
        option = text("option", label, value=value)
        if chosen:
            option.props["selected"] = True

    def _bind(self, select: Any, change: Any) -> None:
        if self._may:
            hear(select, "change", change, VALUE)
        else:
            select.props["disabled"] = True

    async def _set_field(self, rule: Rule, field: str) -> None:
        rule.field, rule.value, rule.side = field, "", None
        ops = self._fields[rule.field].ops
        rule.op = rule.op if rule.op in ops else ops[0]
        await self._again()

    async def _set_op(self, rule: Rule, op: str) -> None:
        rule.op = Op(op)
        await self._again()

    async def _set_value(self, rule: Rule, event: GenericEventArguments) -> None:
        rule.value = str(event.args)
        await self.count()

    async def _add(self) -> None:
        field = self._fields.get("tags") or next(iter(self._fields.values()))
        self._rules.append(Rule(field.name, field.ops[0]))
        await self._again()

    async def _remove(self, place: int) -> None:
        del self._rules[place]
        await self._again()

    async def _again(self) -> None:
        await self._lines.refresh()
        await self.count()

    async def count(self) -> None:
        """Of the rules that are whole."""
        whole: list[Condition] = []
        places: list[int] = []
        for place, rule in enumerate(self._rules):
            try:
                whole.append(rule.condition())
                places.append(place)
            except ValidationError:
                continue
        wanted = CountIn(object=self._choice.name, only=whole)
        try:
            found = await count_matching(self._visit.desk, self._bridge_id, wanted)
        except HTTPException as refusal:
            self._wrong.text = str(refusal.detail)
            return
        self._tell(found, places)

    def _tell(self, found: CountOut, places: list[int]) -> None:
        open_ = len(self._rules) - len(places)
        self._wrong.text = "A rule is not whole: type a value, or remove it." if open_ else ""
        if found.plan_id is None:
            self._told.text = "not counted yet"
            return
        self._told.text = f"{found.matching:,} of {found.records:,} match"
        alone = dict(zip(places, found.alone, strict=True))
        for place, small in enumerate(self._alone):
            shown = place in alone and len(self._rules) > 1
            small.text = f"by itself {alone[place]:,}" if shown else ""

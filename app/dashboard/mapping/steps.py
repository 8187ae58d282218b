"""The chain of one pair: each step with what it can be set to."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from app.dashboard.mapping.draft import FRESH, Row
from app.dashboard.mapping.parts import Told, bare, chosen, picked, proposed, typed
from app.dashboard.parts import button, tag, text
from app.mapping.wording import AMOUNTS, COUNTRIES, LETTERS, OTHERWISE, STEPS
from app.sync.records import FieldSpec
from app.sync.steps import DateForm

Look = Callable[[], Awaitable[None]]
_FORMS = {each.value: each.value for each in DateForm}
_SEEN = 20


class StepsEditor:
    """`typing`: what was typed is tried again. `changed`: the chain has another shape, and is drawn anew.

    `fields`: of the side that values come from. `seen`: values that its records have. `ends`: the field that a value
    is read from, and the one that it is written to.
    """

    def __init__(
        self,
        row: Row,
        fields: Mapping[str, FieldSpec],
        seen: Sequence[str],
        ends: tuple[FieldSpec | None, FieldSpec | None],
        *,
        typing: Look,
        changed: Look,
    ) -> None:
        self.row, self.fields, self.seen, self.ends = row, fields, seen, ends
        self.typing, self.changed = typing, changed

    def draw(self) -> None:
        with tag("ol", "chain"):
            for number, step in enumerate(self.row.steps):
                with tag("li", "card"):
                    self._head(number, step)
                    with tag("div", "set"):
                        _DRAWN[step["do"]](self, step)
        options = [(name, f"{label}: {told}", "") for name, (label, told) in STEPS.items()]
        picked("Add a step", options, "", self._add, "Choose …")

    def _head(self, number: int, step: dict[str, Any]) -> None:
        label, told = STEPS[step["do"]]
        with tag("header"):
            text("strong", f"{number + 1}. {label}")
            text("span", told, "faint")
            with tag("span", "acts"):
                if number:
                    self._act(f"Move step {number + 1} up", "↑", lambda: self._move(number))
                self._act(f"Take step {number + 1} out", "✕", lambda: self._out(number))

    def _act(self, name: str, sign: str, do: Look) -> None:
        button(sign, do, "quiet small").props["aria-label"] = name

    async def _add(self, do: str) -> None:
        if do:
            self.row.steps.append(_copy(FRESH[do]))
            await self.changed()

    async def _out(self, number: int) -> None:
        del self.row.steps[number]
        await self.changed()

    async def _move(self, number: int) -> None:
        steps = self.row.steps
        steps[number - 1], steps[number] = steps[number], steps[number - 1]
        await self.changed()

    def put(self, step: dict[str, Any], name: str) -> Told:
        async def given(value: str) -> None:
            step[name] = value
            await self.typing()

        return given

    def choice(self, step: dict[str, Any], name: str, label: str, options: Mapping[str, str], usual: str) -> None:
        chosen(label, options, str(step.get(name, usual)), self.put(step, name))

    def otherwise(self, step: dict[str, Any]) -> None:
        options = {each.value: words for each, words in OTHERWISE.items()}
        self.choice(step, "otherwise", "What it cannot read", options, "hold")


def _nothing(_: StepsEditor, __: dict[str, Any]) -> None:
    """Nothing to set."""


def _case(editor: StepsEditor, step: dict[str, Any]) -> None:
    editor.choice(step, "to", "Into", {each.value: words for each, words in LETTERS.items()}, "upper")


def _phone(editor: StepsEditor, step: dict[str, Any]) -> None:
    async def region(value: str) -> None:
        step["region"] = value.strip().upper()
        await editor.typing()

    told = "Two letters, such as IT: the country of numbers that are written without one"
    typed("Country of local numbers", str(step.get("region", "")), region, told, maxlength="2")
    editor.otherwise(step)


def _country(editor: StepsEditor, step: dict[str, Any]) -> None:
    options = {each.value: words for each, words in COUNTRIES.items()}
    editor.choice(step, "reads", "Written as", options, "code")
    editor.choice(step, "writes", "Becomes", options, "name")
    editor.otherwise(step)


def _date(editor: StepsEditor, step: dict[str, Any]) -> None:
    editor.choice(step, "reads", "Written as", _FORMS, "DD/MM/YYYY")
    editor.choice(step, "writes", "Becomes", _FORMS, "YYYY-MM-DD")
    typed("Time zone there", str(step.get("zone", "UTC")), editor.put(step, "zone"), "Such as Europe/Rome")
    typed("Time zone here", str(step.get("to_zone", "")), editor.put(step, "to_zone"), "Empty: the same")
    editor.otherwise(step)


def _money(editor: StepsEditor, step: dict[str, Any]) -> None:
    options = {each.value: words for each, words in AMOUNTS.items()}
    editor.choice(step, "reads", "Written as", options, "decimal")
    editor.choice(step, "writes", "Becomes", options, "minor")

    async def currency(value: str) -> None:
        step["currency"] = value.strip().upper()
        await editor.typing()

    typed("Currency", str(step.get("currency", "USD")), currency, "Three letters, such as EUR", maxlength="3")
    editor.otherwise(step)


def _table(editor: StepsEditor, step: dict[str, Any]) -> None:
    options = [proposed(each) for each in editor.ends]
    with tag("table", "pairs values"):
        text("caption", "Values and what each becomes", "unseen")
        with tag("thead"), tag("tr"):
            for head in ("Value", "Becomes", ""):
                text("th", head, scope="col")
        with tag("tbody"):
            for number, row in enumerate(step["rows"]):
                _table_row(editor, step, number, row, options)
    with tag("div", "acts"):
        button("Add a row", lambda: _more_rows(editor, step, [""]), "quiet")
        new = _unlisted(editor, step)
        if new:
            button(f"Add the {len(new)} values that the records have", lambda: _more_rows(editor, step, new), "quiet")
    editor.otherwise(step)


def _table_row(
    editor: StepsEditor, step: dict[str, Any], number: int, row: dict[str, str], options: Sequence[Mapping[str, str]]
) -> None:
    async def out() -> None:
        del step["rows"][number]
        await editor.changed()

    with tag("tr"):
        for name, known in zip(("value", "becomes"), options, strict=True):
            with tag("td"):
                bare(f"{name.capitalize()}, row {number + 1}", row[name], editor.put(row, name), **known)
        with tag("td"):
            button("✕", out, "quiet small").props["aria-label"] = f"Take row {number + 1} out"


async def _more_rows(editor: StepsEditor, step: dict[str, Any], values: Sequence[str]) -> None:
    filled = [row for row in step["rows"] if row["value"] or row["becomes"]]
    step["rows"] = [*filled, *({"value": each, "becomes": ""} for each in values)]
    await editor.changed()


def _unlisted(editor: StepsEditor, step: dict[str, Any]) -> list[str]:
    listed = {row["value"].strip().casefold() for row in step["rows"]}
    return [each for each in editor.seen if each.strip().casefold() not in listed][:_SEEN]


def _default(editor: StepsEditor, step: dict[str, Any]) -> None:
    typed("Where it is empty", str(step.get("value", "")), editor.put(step, "value"))


def _template(editor: StepsEditor, step: dict[str, Any]) -> None:
    told = "{value} is the value itself. Where all of its fields are empty, so is the text."
    typed("Text", str(step.get("text", "")), editor.put(step, "text"), told)

    async def insert(name: str) -> None:
        step["text"] = f"{step.get('text', '')} {{{name}}}".strip()
        await editor.changed()

    picked("Put a field in", [(each.name, each.label, "") for each in editor.fields.values()], "", insert, "Choose …")


_DRAWN: Mapping[str, Callable[[StepsEditor, dict[str, Any]], None]] = {
    "trim": _nothing,
    "case": _case,
    "phone": _phone,
    "country": _country,
    "date": _date,
    "money": _money,
    "table": _table,
    "default": _default,
    "template": _template,
}


def _copy(step: dict[str, Any]) -> dict[str, Any]:
    return {**step, **({"rows": [dict(row) for row in step["rows"]]} if "rows" in step else {})}

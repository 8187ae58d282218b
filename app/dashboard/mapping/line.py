"""One pair of a field map: its two fields, what is told of it, and, where it is open, all that it can be set to."""

from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement
from pydantic import ValidationError

from app.dashboard.mapping.draft import Row
from app.dashboard.mapping.parts import called, chosen
from app.dashboard.mapping.steps import StepsEditor
from app.dashboard.parts import SYSTEMS, button, tag, text
from app.mapping import wording
from app.sync.fieldmap import Direction
from app.sync.records import Side
from app.sync.steps import lossy

if TYPE_CHECKING:
    from app.dashboard.mapping.pairs import Pairs

WINS = {"": "the bridge's choice"} | wording.WINNERS


class Line:
    """`reason`: why the pair does not work, as it is drawn."""

    def __init__(self, pairs: "Pairs", row: Row) -> None:
        self.pairs, self.row, self.draft = pairs, row, pairs.draft
        self.reason = ""
        self._summary: TextElement | None = None

    @property
    def opened(self) -> bool:
        return self.pairs.open is self.row

    @ui.refreshable_method
    async def draw(self) -> None:
        self.reason = self.pairs.reason(self.row)
        with tag("li", "broken" if self.reason else ""):
            self._pair()
            if self.opened:
                await self._editor()

    def _pair(self) -> None:
        row = self.row
        with tag("div", "pair"):
            with tag("div"):
                called(self.draft.spec(Side.CRM, row.crm), row.crm)
            text("div", wording.ARROWS[Direction(row.direction)], "arrow", title=wording.WAYS[row.direction])
            with tag("div"):
                called(self.draft.spec(Side.BILLING, row.billing), row.billing)
            with tag("div", "told"):
                self._summary = text("span", self._chain()) if row.steps else None
                if row.prefer:
                    text("span", f"Winner: {WINS[row.prefer]}", "faint")
                if self.reason and not (self.opened and row.steps):
                    text("span", f"Not in use: {self.reason}", "wrong-words" if row.steps else "faint")
            if self.pairs.edits:
                with tag("div", "acts"):
                    self._acts()

    def _chain(self) -> str:
        try:
            return wording.steps(self.row.pair().steps)
        except ValidationError:
            return " then ".join(wording.STEPS[each["do"]][0] for each in self.row.steps)

    def _acts(self) -> None:
        row = self.row
        label = f"{self.draft.label(Side.CRM, row.crm)} and {self.draft.label(Side.BILLING, row.billing)}"

        async def turn() -> None:
            await self.pairs.turn(row)

        async def out() -> None:
            self.draft.rows.remove(row)
            self.pairs.open = None
            await self.pairs.changed()

        button("Close" if self.opened else "Change", turn, "quiet small").props.update(
            {
                "aria-label": f"{'Close' if self.opened else 'Change'} {label}",
                "aria-expanded": str(self.opened).lower(),
            }
        )
        button("Take out", out, "quiet small").props["aria-label"] = f"Take out {label}"

    async def _editor(self) -> None:
        row = self.row

        async def direction(value: str) -> None:
            row.direction = value
            row.prefer = row.prefer if value == Direction.BOTH else ""
            await self._changed()

        async def prefer(value: str) -> None:
            row.prefer = value
            await self._changed()

        with tag("div", "editor"):
            with tag("div", "set"):
                chosen("Which way", wording.WAYS, row.direction, direction)
                if row.direction == Direction.BOTH:
                    chosen("Both changed it: what stays is of", WINS, row.prefer, prefer)
            self._one_way()
            origin = Side.BILLING if row.direction == Direction.TO_CRM else Side.CRM
            specs = self.draft.board.crm if origin is Side.CRM else self.draft.board.billing
            text("h3", f"Steps, from {SYSTEMS[origin]} to {SYSTEMS[origin.other]}")
            if not row.steps:
                text("p", "None: values are carried as they are.", "faint")
            name = row.crm if origin is Side.CRM else row.billing
            tables = any(each["do"] == "table" for each in row.steps)
            seen = await self.pairs.samples.values(origin, name) if tables else []
            ends = [self.draft.spec(Side.CRM, row.crm), self.draft.spec(Side.BILLING, row.billing)]
            first, last = ends if origin is Side.CRM else reversed(ends)
            StepsEditor(row, specs, seen, (first, last), typing=self._typing, changed=self._changed).draw()
            text("h3", "Before and after, on five real records")
            await self.trial()

    def _one_way(self) -> None:
        """What to do about steps that cannot be turned back."""
        try:
            why = lossy(self.row.pair().steps)
        except ValidationError:
            return
        both = self.row.direction == Direction.BOTH and self.draft.board.settings.direction is Direction.BOTH
        if not why or not both:
            return

        async def narrow() -> None:
            self.row.direction = Direction.TO_BILLING.value
            await self._changed()

        with tag("div", "note next"):
            text("p", f"With these steps values go one way only: {why}.")
            button("Let it go to Invoice Ninja only", narrow, "quiet")

    @ui.refreshable_method
    async def trial(self) -> None:
        await self.pairs.samples.show(self.row)

    async def _typing(self) -> None:
        """The fields that are typed into stay as they are."""
        if self._summary is not None:
            self._summary.text = self._chain()
        await self.trial.refresh()
        await self.pairs.tried(self)

    async def _changed(self) -> None:
        await self.pairs.changed_one(self)

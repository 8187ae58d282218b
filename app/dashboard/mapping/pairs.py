"""The pairs of a field map, one below the other: two columns with the arrow between them, and one of them open."""

from nicegui import ui
from pydantic import ValidationError

from app.dashboard.frame import Visit, said
from app.dashboard.mapping.draft import Draft, Row
from app.dashboard.mapping.parts import called, chosen
from app.dashboard.mapping.samples import Samples
from app.dashboard.mapping.steps import Look, StepsEditor
from app.dashboard.parts import SYSTEMS, button, tag, text
from app.mapping import wording
from app.people.roles import Role
from app.sync.fieldmap import Direction, Pair
from app.sync.records import Side
from app.sync.steps import lossy

WINS = {"": "the bridge's choice"} | wording.WINNERS


class Pairs:
    """`looked`: after every change. Whoever only looks gets no control at all."""

    def __init__(self, visit: Visit, draft: Draft, samples: Samples, looked: Look) -> None:
        self.visit, self.draft, self.samples, self.looked = visit, draft, samples, looked
        self.open: Row | None = None
        self.edits = visit.may(Role.OPERATOR)

    @ui.refreshable_method
    async def draw(self) -> None:
        with tag("div", "map-head"):
            for words in (SYSTEMS["crm"], "", SYSTEMS["billing"]):
                text("span", words)
        with tag("ul", "map"):
            for pair in self.draft.board.settings.chosen():
                self._fixed(pair)
            for row in self.draft.rows:
                reason = self._reason(row)
                with tag("li", "broken" if reason else ""):
                    self._row(row, reason)
                    if row is self.open:
                        await self._editor(row)

    def _reason(self, row: Row) -> str:
        try:
            return self.draft.reason(row)
        except ValidationError as error:
            return said(error)

    def _fixed(self, pair: Pair) -> None:
        with tag("li"), tag("div", "pair"):
            for side, name in ((Side.CRM, pair.crm), (None, ""), (Side.BILLING, pair.billing)):
                with tag("div"):
                    if side:
                        called(self.draft.spec(side, name), name)
                    else:
                        text("span", wording.ARROWS[pair.direction], "arrow")
            with tag("div"):
                text("span", "by a setting of its own, below", "faint")

    def _row(self, row: Row, reason: str) -> None:
        direction = Direction(row.direction)
        with tag("div", "pair"):
            with tag("div"):
                called(self.draft.spec(Side.CRM, row.crm), row.crm)
            text("div", wording.ARROWS[direction], "arrow", title=wording.WAYS[row.direction])
            with tag("div"):
                called(self.draft.spec(Side.BILLING, row.billing), row.billing)
            with tag("div", "told"):
                if row.steps:
                    text("span", self._chain(row))
                if row.prefer:
                    text("span", f"Winner: {WINS[row.prefer]}", "faint")
                if reason and not (row is self.open and row.steps):
                    text("span", f"Not in use: {reason}", "wrong-words" if row.steps else "faint")
            if self.edits:
                with tag("div", "acts"):
                    self._acts(row)

    def _chain(self, row: Row) -> str:
        try:
            return wording.steps(row.pair().steps)
        except ValidationError:
            return " then ".join(wording.STEPS[each["do"]][0] for each in row.steps)

    def _acts(self, row: Row) -> None:
        label = f"{self.draft.label(Side.CRM, row.crm)} and {self.draft.label(Side.BILLING, row.billing)}"

        async def turn() -> None:
            self.open = None if self.open is row else row
            await self.draw.refresh()

        async def out() -> None:
            self.draft.rows.remove(row)
            self.open = None
            await self.changed()

        opened = row is self.open
        button("Close" if opened else "Change", turn, "quiet small").props.update(
            {"aria-label": f"{'Close' if opened else 'Change'} {label}", "aria-expanded": str(opened).lower()}
        )
        button("Take out", out, "quiet small").props["aria-label"] = f"Take out {label}"

    async def _editor(self, row: Row) -> None:
        async def direction(value: str) -> None:
            row.direction = value
            row.prefer = row.prefer if value == Direction.BOTH else ""
            await self.changed()

        async def prefer(value: str) -> None:
            row.prefer = value
            await self.changed()

        with tag("div", "editor"):
            with tag("div", "set"):
                chosen("Which way", wording.WAYS, row.direction, direction)
                if row.direction == Direction.BOTH:
                    chosen("Both changed it: what stays is of", WINS, row.prefer, prefer)
            self._one_way(row)
            origin = Side.BILLING if row.direction == Direction.TO_CRM else Side.CRM
            specs = self.draft.board.crm if origin is Side.CRM else self.draft.board.billing
            text("h3", f"Steps, from {SYSTEMS[origin]} to {SYSTEMS[origin.other]}")
            if not row.steps:
                text("p", "None: values are carried as they are.", "faint")
            name = row.crm if origin is Side.CRM else row.billing
            seen = await self.samples.values(origin, name) if any(each["do"] == "table" for each in row.steps) else []
            StepsEditor(row, specs, seen, typing=self._typing, changed=self.changed).draw()
            text("h3", "Before and after, on five real records")
            await self.trial()

    def _one_way(self, row: Row) -> None:
        """What to do about steps that cannot be turned back."""
        try:
            why = lossy(row.pair().steps)
        except ValidationError:
            return
        if not why or row.direction != Direction.BOTH or self.draft.board.settings.direction is not Direction.BOTH:
            return

        async def narrow() -> None:
            row.direction = Direction.TO_BILLING.value
            await self.changed()

        with tag("div", "note next"):
            text("p", f"With these steps values go one way only: {why}.")
            button("Let it go to Invoice Ninja only", narrow, "quiet")

    @ui.refreshable_method
    async def trial(self) -> None:
        if self.open is not None:
            await self.samples.show(self.open)

    async def _typing(self) -> None:
        """The fields that are typed into stay as they are."""
        await self.trial.refresh()
        await self.looked()

    async def changed(self) -> None:
        await self.draw.refresh()
        await self.looked()

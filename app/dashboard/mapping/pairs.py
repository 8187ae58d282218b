"""The pairs of a field map, one below the other: two columns with the arrow between them, and one of them open."""

from nicegui import ui
from pydantic import ValidationError

from app.dashboard.frame import Visit, said
from app.dashboard.mapping.draft import Draft, Row
from app.dashboard.mapping.line import Line
from app.dashboard.mapping.parts import called
from app.dashboard.mapping.samples import Samples
from app.dashboard.mapping.steps import Look
from app.dashboard.parts import SYSTEMS, tag, text
from app.mapping import wording
from app.people.roles import Role
from app.sync.fieldmap import Pair
from app.sync.records import Side


class Pairs:
    """`looked`: after every change. Whoever only looks gets no control at all.

    What changes in one line is drawn anew in that line: a click on another one that comes right after finds it there.
    """

    def __init__(self, visit: Visit, draft: Draft, samples: Samples, looked: Look) -> None:
        self.draft, self.samples, self.looked = draft, samples, looked
        self.open: Row | None = None
        self.edits = visit.may(Role.OPERATOR)
        self.lines: list[Line] = []

    @ui.refreshable_method
    async def draw(self) -> None:
        with tag("div", "map-head"):
            for words in (SYSTEMS["crm"], "", SYSTEMS["billing"]):
                text("span", words)
        self.lines = [Line(self, row) for row in self.draft.rows]
        with tag("ul", "map"):
            for pair in self.draft.board.settings.chosen():
                self._fixed(pair)
            for line in self.lines:
                await line.draw()

    def reason(self, row: Row) -> str:
        """Why it does not work as it stands; "" where it does."""
        try:
            return self.draft.reason(row)
        except ValidationError as error:
            return said(error)

    def _fixed(self, pair: Pair) -> None:
        with tag("li"), tag("div", "pair"):
            with tag("div"):
                called(self.draft.spec(Side.CRM, pair.crm), pair.crm)
            text("div", wording.ARROWS[pair.direction], "arrow")
            with tag("div"):
                called(self.draft.spec(Side.BILLING, pair.billing), pair.billing)
            with tag("div"):
                text("span", "by a setting of its own, below", "faint")

    async def turn(self, row: Row) -> None:
        """Open it, and close the one that was; or close it."""
        before, self.open = self.open, None if self.open is row else row
        for line in self.lines:
            if line.row is row or line.row is before:
                await line.draw.refresh()

    async def changed(self) -> None:
        """There is another pair, or one less."""
        await self.draw.refresh()
        await self.looked()

    async def changed_one(self, changed: Line) -> None:
        """It is drawn anew; so is another one that works now because of it, or does not any more."""
        await changed.draw.refresh()
        await self.tried(changed)

    async def tried(self, changed: Line) -> None:
        """As `changed_one`, where it stays as it is drawn: somebody types in it."""
        for line in self.lines:
            if line is not changed and line.reason != self.reason(line.row):
                await line.draw.refresh()
        await self.looked()

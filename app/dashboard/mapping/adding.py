"""Another pair: chosen from both sides, or one of those that are suggested. Nothing is mapped by itself."""

from nicegui import ui

from app.dashboard.mapping.draft import Draft, Row
from app.dashboard.mapping.pairs import Pairs
from app.dashboard.mapping.parts import KINDS, picked
from app.dashboard.parts import button, tag, text
from app.mapping import wording
from app.mapping.suggesting import Suggestion, same_named, suggestions
from app.sync.fieldmap import Direction
from app.sync.records import FieldSpec, Kind, Writable


class Adding:
    def __init__(self, draft: Draft, pairs: Pairs) -> None:
        self.draft, self.pairs = draft, pairs
        self.crm = self.billing = ""

    @ui.refreshable_method
    def draw(self) -> None:
        with tag("section", "card"):
            text("h2", "Add a pair")
            with tag("div", "set"):
                self._choose()
            found = suggestions(self.draft.board, self.draft.pairs())
            if found:
                text("h3", "Suggestions")
                if same := same_named(self.draft.board, self.draft.pairs()):
                    button(f"Add all with the same name ({len(same)})", self._add_same, "quiet")
                with tag("ul", "rows suggested"):
                    for each in found:
                        with tag("li"):
                            self._suggested(each)

    def _choose(self) -> None:
        async def crm(value: str) -> None:
            self.crm = value
            self.draw.refresh()

        async def billing(value: str) -> None:
            self.billing = value
            self.draw.refresh()

        board = self.draft.board
        left = [(each.name, _named(each), self._alone(each)) for each in board.crm.values()]
        picked("Field of HighLevel", left, self.crm, crm, "Choose …")
        right = [(each.name, _named(each), self._why_not(each)) for each in board.billing.values()]
        picked("Field of Invoice Ninja", right, self.billing, billing, "Choose …")
        refused = bool(self.crm and self.billing and self._why_not(board.billing[self.billing]))
        if self.crm and self.billing and not refused:
            button("Add", lambda: self._add(self.crm, self.billing, self._way()))

    def _alone(self, spec: FieldSpec) -> str:
        if spec.kind in (Kind.TAGS, Kind.DOCUMENT):
            return "has a setting of its own" if spec.kind is Kind.TAGS else "goes as it is"
        return spec.lacking

    def _why_not(self, spec: FieldSpec) -> str:
        """With the field that is chosen on the left."""
        if spec.name == self.draft.board.slot:
            return "holds the link to HighLevel"
        if any(pair.billing == spec.name for pair in self.draft.pairs()):
            return "is mapped already"
        return self.draft.board.impossible(self.crm, spec.name) if self.crm else spec.lacking

    def _way(self) -> Direction:
        """Where the HighLevel field is written from another one already, or not at all, it is a source only."""
        spec = self.draft.board.crm[self.crm]
        pairs = [each for each in self.draft.pairs() if each.crm == self.crm]
        taken = any(each.direction is not Direction.TO_BILLING for each in pairs)
        whole = self.draft.board.settings.direction
        return Direction.TO_BILLING if taken or spec.writable is Writable.NEVER else whole

    def _suggested(self, found: Suggestion) -> None:
        with tag("span"):
            text("strong", found.crm.label)
            text("span", f" {wording.ARROWS[found.direction]} ", "arrow")
            text("strong", found.billing.label)
        with tag("span", "faint"):
            meter = tag("meter", min="0", max="100", value=str(found.confidence))
            meter.props["aria-label"] = "Confidence"
            text("span", f"{found.confidence} %, {found.why}")
        add = button("Add", lambda: self._add(found.crm.name, found.billing.name, found.direction), "quiet small")
        add.props["aria-label"] = f"Add {found.crm.label} and {found.billing.label}"

    async def _add_same(self) -> None:
        """To the draft: nothing goes anywhere before it is saved."""
        for each in same_named(self.draft.board, self.draft.pairs()):
            self.draft.rows.append(Row(each.crm.name, each.billing.name, each.direction.value))
        self.pairs.open = None
        await self.pairs.changed()

    async def _add(self, crm: str, billing: str, direction: Direction) -> None:
        row = Row(crm, billing, direction.value)
        self.draft.rows.append(row)
        self.crm = self.billing = ""
        self.pairs.open = row
        await self.pairs.changed()


def _named(spec: FieldSpec) -> str:
    return f"{spec.label} ({KINDS[spec.kind]})"

"""Five real records, before and after: read once from the account when they are first asked for."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import ValidationError

from app.dashboard.frame import Visit, nothing, said
from app.dashboard.mapping.draft import Draft, Row
from app.dashboard.parts import SYSTEMS, cell, table, tag, text
from app.errors import CrossledgerError
from app.mapping.trying import Trial, none_there, pool, tried
from app.sync.fieldmap import Direction
from app.sync.objects import OBJECTS
from app.sync.records import Record, Side
from app.sync.steps import lossy
from app.sync.values import clean_text


class Samples:
    """`read`: the records of each side."""

    def __init__(self, visit: Visit, draft: Draft, bridge_id: int) -> None:
        self.visit, self.draft, self.bridge_id = visit, draft, bridge_id
        self.read: dict[Side, Sequence[Record]] = {}

    async def of(self, side: Side) -> Sequence[Record]:
        """Raises what the vendor's answer means."""
        known = self.read.get(side)
        if known is None:
            connections, object_ = self.visit.desk.connections, self.draft.board.object
            bridge = await connections.directory.one(self.bridge_id)
            known = self.read[side] = await pool(connections, bridge, object_, side)
        return known

    async def values(self, side: Side, name: str) -> Sequence[str]:
        """Those that the records have there, each once."""
        try:
            found = await self.of(side)
        except CrossledgerError:
            return ()
        return list(dict.fromkeys(filter(None, (clean_text(each.values.get(name, "")) for each in found))))

    async def show(self, row: Row) -> None:
        try:
            pair = row.pair()
            if lossy(pair.steps) and pair.direction is Direction.BOTH:
                pair = replace(pair, direction=Direction.TO_BILLING)  # the way that is looked at, until it is chosen
            rule = self.draft.board.rule(pair)
            found = await self.of(rule.origin)
            none_there(found, OBJECTS[self.draft.board.object].called[rule.origin])
        except ValidationError as error:
            text("p", said(error), "wrong-words", role="status")
        except CrossledgerError as error:
            nothing(str(error))
        else:
            _shown(rule.origin, tried(rule, found))


def _shown(origin: Side, trials: Sequence[Trial]) -> None:
    heads = ("Record", f"Before, in {SYSTEMS[origin]}", f"After, in {SYSTEMS[origin.other]}")
    with tag("div", "trial"), table("Before and after", heads):
        for each in trials:
            with tag("tr"):
                text("th", each.title, scope="row")
                with cell("Before"):
                    text("span", each.before or "empty", "" if each.before else "faint")
                with cell("After"):
                    if each.refused:
                        text("span", f"Held back: {each.refused}", "wrong-words")
                    else:
                        same = each.after == clean_text(each.before)
                        text("ins", each.after or "empty", "faint" if same or not each.after else "")
                        text("span", each.note, "faint")

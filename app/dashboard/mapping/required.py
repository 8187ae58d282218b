"""What is missing: fields without which no record is made, and which nothing fills."""

from collections.abc import Sequence

from app.dashboard.parts import SYSTEMS, link, tag, text
from app.mapping.board import Board
from app.sync.fieldmap import Pair
from app.sync.objects import OBJECTS


def mapping_path(bridge_id: int, object_: str) -> str:
    return f"/bridges/{bridge_id}/mapping/{object_}"


def required(board: Board, pairs: Sequence[Pair], *, leads_to: str = "") -> None:
    """`leads_to`: where that is mended, where it is not here."""
    for side, fields in board.lacking(pairs).items():
        names = ", ".join(each.label for each in fields)
        called = OBJECTS[board.object].called[side]
        told = f"No {called} can be made in {SYSTEMS[side]} without {names}: map it, or none will be made."
        with tag("p", "note wrong", role="alert"):
            text("span", told + " " if leads_to else told)
            if leads_to:
                link(f"Map the fields of {OBJECTS[board.object].plural}", leads_to)

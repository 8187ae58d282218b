"""What the fields of a bridge are called by people, on both sides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.connections import Connections
from app.directory import BridgeView
from app.errors import CrossledgerError
from app.mapping.board import Board, board
from app.sync.objects import OBJECTS
from app.sync.records import Side


@dataclass(frozen=True, slots=True)
class Labels:
    """`fields`: by object and side, then by name. What an account has not, or has no more, goes by its name."""

    fields: Mapping[tuple[str, Side], Mapping[str, str]] = field(default_factory=dict)

    def of(self, object_: str, side: Side, name: str) -> str:
        return self.fields.get((object_, side), {}).get(name) or name

    def pair(self, object_: str, name: str) -> str:
        """By its name as a rule (`app.sync.fieldmap.Rule.name`): that of its field in billing, for tags after the
        CRM's. One that is not there goes by its name, in words."""
        field = name.rpartition(":")[2]
        return self.fields.get((object_, Side.BILLING), {}).get(field) or name.replace("_", " ")


NO_LABELS = Labels()


def labels_of(*boards: Board) -> Labels:
    return Labels(
        {
            (each.object, side): {spec.name: spec.label for spec in specs.values()}
            for each in boards
            for side, specs in ((Side.CRM, each.crm), (Side.BILLING, each.billing))
        }
    )


def labels_in(connections: Connections, bridge: BridgeView, objects: Iterable[str] = OBJECTS) -> Labels:
    """Nothing is asked of a vendor. An object that a side does not have has no labels."""
    boards: list[Board] = []
    for name in objects:
        try:
            boards.append(board(connections, bridge, name))
        except CrossledgerError:
            continue
    return labels_of(*boards)

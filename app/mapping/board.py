"""The fields of both sides of one object of a bridge, as these two accounts have them, and what can go with what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.connections import Connections
from app.directory import BridgeView
from app.errors import Rejected
from app.sync.fieldmap import Direction, Pair, Rule, Skipped, resolve
from app.sync.objects import OBJECTS, ObjectSettings
from app.sync.records import FieldSpec, Side


@dataclass(frozen=True)
class Board:
    """`slot`: the field in billing that holds the CRM's id, "" for none."""

    object: str
    settings: ObjectSettings
    crm: Mapping[str, FieldSpec]
    billing: Mapping[str, FieldSpec]
    slot: str

    @cached_property
    def resolved(self) -> tuple[Sequence[Rule], Sequence[Skipped]]:
        return self.resolve(self.settings.pairs())

    def resolve(self, pairs: Sequence[Pair]) -> tuple[Sequence[Rule], Sequence[Skipped]]:
        return resolve(pairs, self.crm, self.billing, reserved=self.slot, direction=self.settings.direction)

    def rule(self, pair: Pair) -> Rule:
        """As it would work. Raises Rejected with the reason why it would not."""
        rules, skipped = self.resolve([pair])
        if skipped:
            raise Rejected(f"{pair.crm} cannot go with {pair.billing}: {skipped[0].reason}")
        return rules[0]

    def impossible(self, crm: str, billing: str) -> str:
        """Why these two cannot go together whichever way, "" where they can."""
        ways = (Direction.BOTH, Direction.TO_BILLING, Direction.TO_CRM)
        tried = [self.resolve([Pair(crm, billing, way)])[1] for way in ways]
        return tried[0][0].reason if all(tried) else ""

    def lacking(self, pairs: Sequence[Pair]) -> dict[Side, list[FieldSpec]]:
        """By side, fields without which no record is made there, and which none of these pairs fills."""
        rules, _ = self.resolve(pairs)
        found: dict[Side, list[FieldSpec]] = {}
        for side, specs in ((Side.CRM, self.crm), (Side.BILLING, self.billing)):
            filled = {rule.spec(side).name for rule in rules if rule.direction.reaches(side)}
            made = side in OBJECTS[self.object].made_on and self.settings.direction.reaches(side)
            missing = [
                each for each in specs.values() if each.required and each.name not in filled and not each.lacking
            ]
            if made and missing:
                found[side] = missing
        return found


def board(connections: Connections, bridge: BridgeView, object_: str) -> Board:
    """Nothing is asked of a vendor: as the accounts were when they were last checked.

    Raises Rejected for an object that is not synced, Unsupported for one that a side does not have.
    """
    if object_ not in OBJECTS:
        raise Rejected(f"There is no object “{object_}”; there are: {', '.join(OBJECTS)}.")
    settings = bridge.settings.of(object_)
    crm, billing = (connections.open(bridge, side).records(object_, settings) for side in Side)
    return Board(object_, settings, crm.fields(), billing.fields(), billing.slot)

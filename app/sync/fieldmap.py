"""The field map: which field of the CRM goes with which field of the billing side. Data, with a default. Pure.

Read a line aloud: Pair("email", "email") - "the contact's e-mail is the client's e-mail, both ways".
Names are ours; each provider's `mapping.py` says what they are called at the vendor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.sync.records import FieldSpec, Kind, Side, Writable


class Direction(StrEnum):
    BOTH = "both"
    TO_BILLING = "to_billing"
    TO_CRM = "to_crm"

    def reaches(self, side: Side) -> bool:
        """Whether values may be written to `side`."""
        return self is Direction.BOTH or (self is Direction.TO_BILLING) == (side is Side.BILLING)


class Prefer(StrEnum):
    """Whose value wins where both sides have changed one."""

    CRM = "crm"
    BILLING = "billing"
    NEWEST = "newest"
    ASK = "ask"  # nobody's, until a person has decided


@dataclass(frozen=True, slots=True)
class Pair:
    crm: str
    billing: str
    direction: Direction = Direction.BOTH


@dataclass(frozen=True, slots=True)
class Rule:
    """A pair whose fields exist on both sides. `name` identifies it in bases, activities and conflicts.

    `prefer`: its own policy; None: the bridge's.
    """

    crm: FieldSpec
    billing: FieldSpec
    direction: Direction = Direction.BOTH
    prefer: Prefer | None = None

    @property
    def tags(self) -> bool:
        """Whether its values are sets of words, merged one by one."""
        return Kind.TAGS in (self.crm.kind, self.billing.kind)

    @property
    def name(self) -> str:
        """A field that held something else before it held tags has agreed on none: the name tells them apart."""
        return f"{self.crm.name}:{self.billing.name}" if self.tags else self.billing.name

    def spec(self, side: Side) -> FieldSpec:
        return self.crm if side is Side.CRM else self.billing


@dataclass(frozen=True, slots=True)
class Skipped:
    pair: Pair
    reason: str


def resolve(
    pairs: Iterable[Pair],
    crm: Mapping[str, FieldSpec],
    billing: Mapping[str, FieldSpec],
    *,
    reserved: str = "",
    direction: Direction = Direction.BOTH,
) -> tuple[tuple[Rule, ...], tuple[Skipped, ...]]:
    """Split a map into the rules that work with these accounts and the pairs that do not, each with its reason.

    `reserved` is the billing field that holds the external id: it cannot be mapped as well. `direction` is the whole
    object's: no pair goes further than it.
    """
    rules: list[Rule] = []
    skipped: list[Skipped] = []
    taken: set[str] = set()
    written: set[str] = set()
    for pair in pairs:
        left, right = crm.get(pair.crm), billing.get(pair.billing)
        if left is None:
            skipped.append(Skipped(pair, f"the CRM account has no field “{pair.crm}”"))
        elif right is None:
            skipped.append(Skipped(pair, f"the billing account has no field “{pair.billing}”"))
        elif lack := left.lacking or right.lacking:
            skipped.append(Skipped(pair, lack))
        elif not _can_meet(left, right):
            skipped.append(Skipped(pair, "tags are kept in a field for text, and in no other"))
        elif pair.billing == reserved:
            skipped.append(Skipped(pair, f"“{pair.billing}” holds the link to the CRM and cannot be mapped"))
        elif pair.billing in taken:
            skipped.append(Skipped(pair, f"“{pair.billing}” is mapped already"))
        else:
            narrowed = {pair.direction, direction} - {Direction.BOTH}
            way = narrowed.pop() if narrowed else Direction.BOTH
            if narrowed:
                skipped.append(Skipped(pair, f"records go {direction} only, this field {pair.direction}"))
            elif way.reaches(Side.CRM) and pair.crm in written:
                # Two sources for one field would take turns for ever.
                skipped.append(Skipped(pair, f"“{pair.crm}” is written from another field already"))
            else:
                taken.add(pair.billing)
                if way.reaches(Side.CRM):
                    written.add(pair.crm)
                rules.append(Rule(left, right, way))
    return tuple(rules), tuple(skipped)


def _can_meet(left: FieldSpec, right: FieldSpec) -> bool:
    """Tags go with tags, or with text that can be written at any time."""
    if Kind.TAGS not in (left.kind, right.kind):
        return True
    return all(each.kind in (Kind.TAGS, Kind.TEXT) and each.writable is Writable.ALWAYS for each in (left, right))

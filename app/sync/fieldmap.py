"""The field map: which field of the CRM goes with which field of the billing side. Data, with a default. Pure.

Read a line aloud: Pair("email", "email") - "the contact's e-mail is the client's e-mail, both ways".
Names are ours; each provider's `mapping.py` says what they are called at the vendor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.sync.records import FieldSpec, Kind, Side, Values, Writable
from app.sync.steps import AnyStep, back, lossy, named, there


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
    """`steps`: what is done to the values on their way, from the side that they come from; both ways: from the CRM."""

    crm: str
    billing: str
    direction: Direction = Direction.BOTH
    steps: tuple[AnyStep, ...] = ()

    @property
    def origin(self) -> Side:
        return Side.BILLING if self.direction is Direction.TO_CRM else Side.CRM


@dataclass(frozen=True, slots=True)
class Rule:
    """A pair whose fields exist on both sides. `name` identifies it in bases, activities and conflicts.

    `prefer`: its own policy; None: the bridge's. `steps`: done to values of `origin`, and turned back on others.
    `keeps`: what is emptied on one side stays on the other one.
    """

    crm: FieldSpec
    billing: FieldSpec
    direction: Direction = Direction.BOTH
    prefer: Prefer | None = None
    steps: tuple[AnyStep, ...] = ()
    origin: Side = Side.CRM
    keeps: bool = False

    def inputs(self, side: Side) -> tuple[str, ...]:
        """Fields of a side's record that its value for the other one is made of, its own first."""
        return (self.spec(side).name, *(self.woven if side is self.origin else ()))

    @property
    def woven(self) -> tuple[str, ...]:
        """Other fields of the origin's record that go into the value. What counts there is what is made of them all."""
        return named(self.steps)

    def carries(self, target: Side) -> bool:
        """Whether it is known what a value of the other side becomes on `target`."""
        return not self.steps or target is not self.origin or not lossy(self.steps)

    def carry(self, target: Side, values: Values) -> str:
        """What the other side's record, with these values, has for `target`. Raises Unreadable."""
        value = values.get(self.spec(target.other).name, "")
        if not self.steps:
            return value
        return back(self.steps, value) if target is self.origin else there(self.steps, value, values)

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
        elif refusal := _refusal(pair, left, right, crm if pair.origin is Side.CRM else billing):
            skipped.append(Skipped(pair, refusal))
        elif pair.billing == reserved:
            skipped.append(Skipped(pair, f"“{pair.billing}” holds the link to the CRM and cannot be mapped"))
        elif pair.billing in taken:
            skipped.append(Skipped(pair, f"“{pair.billing}” is mapped already"))
        else:
            narrowed = {pair.direction, direction} - {Direction.BOTH}
            way = narrowed.pop() if narrowed else Direction.BOTH
            if narrowed:
                skipped.append(Skipped(pair, f"records go {direction} only, this field {pair.direction}"))
            elif why := one_way(pair, direction):
                skipped.append(Skipped(pair, why))
            elif way.reaches(Side.CRM) and pair.crm in written:
                # Two sources for one field would take turns for ever.
                skipped.append(Skipped(pair, f"“{pair.crm}” is written from another field already"))
            else:
                taken.add(pair.billing)
                if way.reaches(Side.CRM):
                    written.add(pair.crm)
                rules.append(Rule(left, right, way, steps=pair.steps, origin=pair.origin))
    return tuple(rules), tuple(skipped)


def one_way(pair: Pair, direction: Direction) -> str:
    """Why a pair of an object of this direction cannot go as far as it is to, "" where it can."""
    why = lossy(pair.steps)
    way = direction if pair.direction is Direction.BOTH else pair.direction
    if not why or not way.reaches(pair.origin):
        return ""
    return f"its steps cannot be turned back ({why}): let it go to_billing or to_crm only, or take that step out"


def _refusal(pair: Pair, left: FieldSpec, right: FieldSpec, origin: Mapping[str, FieldSpec]) -> str:
    if not _can_meet(left, right):
        return "tags are kept in a field for text, and in no other"
    if not pair.steps:
        return ""
    if {left.kind, right.kind} & {Kind.TAGS, Kind.DOCUMENT}:
        return "tags and documents are carried as they are: take the steps out"
    absent = next((name for name in named(pair.steps) if name not in origin), "")
    return f"its template asks for “{absent}”, and there is no such field" if absent else ""


def _can_meet(left: FieldSpec, right: FieldSpec) -> bool:
    """Tags go with tags, or with text that can be written at any time."""
    if Kind.TAGS not in (left.kind, right.kind):
        return True
    return all(each.kind in (Kind.TAGS, Kind.TEXT) and each.writable is Writable.ALWAYS for each in (left, right))

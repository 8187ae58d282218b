"""Three-way merge, field by field. PURE: no I/O, no clock.

What a side last agreed to is its *base*, kept per side: two systems may hold the same fact in different forms (a
name cut at 191 characters, a phone written with blanks), so "changed" always means "differs from what this same
side had", never "differs from the other side".

    left changed | right changed | result
    no           | no            | nothing, even where they differ
    yes          | no            | left's value goes right (also an emptied one: that side had it and cleared it)
    no           | yes           | right's value goes left
    yes          | yes           | equal: nothing. Otherwise the policy decides and both values are reported
    no base at all (first meeting) | one empty: it is filled. Both full and different: the policy decides
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.sync.fieldmap import Direction, Rule
from app.sync.records import Side, Values, Writable
from app.sync.values import fit, same


class Prefer(StrEnum):
    CRM = "crm"
    BILLING = "billing"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Base:
    """What each side had when they last agreed, by rule name."""

    crm: Mapping[str, str] = field(default_factory=dict)
    billing: Mapping[str, str] = field(default_factory=dict)

    def of(self, side: Side) -> Mapping[str, str]:
        return self.crm if side is Side.CRM else self.billing


@dataclass(frozen=True, slots=True)
class Change:
    """One value to write to `side`. In a conflict `before` is the value that the policy passed over."""

    rule: Rule
    side: Side
    before: str
    after: str
    why: str
    note: str = ""
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A value that cannot be written to `side`; it stays different and is tried again when something changes."""

    rule: Rule
    side: Side
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Merge:
    changes: tuple[Change, ...] = ()
    held: tuple[Held, ...] = ()

    def values_for(self, side: Side) -> dict[str, str]:
        """What to write to `side`, by that side's field names."""
        return {c.rule.spec(side).name: c.after for c in self.changes if c.side is side}


def merge(
    base: Base | None,
    left: Values,
    right: Values,
    rules: Sequence[Rule],
    *,
    prefer: Prefer,
    newer: Side = Side.CRM,
) -> Merge:
    """Decide what to write where. `left` is the CRM's record, `right` the billing one, by their own field names.

    `newer` is the side that was edited last; it decides under Prefer.NEWEST.
    """
    changes: list[Change] = []
    held: list[Held] = []
    for rule in rules:
        decided = _decide(rule, base, left, right, _preferred(rule, prefer, newer))
        if isinstance(decided, Change):
            changes.append(decided)
        elif isinstance(decided, Held):
            held.append(decided)
    return Merge(tuple(changes), tuple(held))


def rebase(rules: Sequence[Rule], old: Base | None, left: Values, right: Values, held: Sequence[Held]) -> Base:
    """The base after a sync that left the sides at `left` and `right`.

    A field held back keeps its old base on the side it came from, or none at all: the edit stays known as not
    delivered, and goes as soon as the other side can take it.
    """
    sides = {
        Side.CRM: {rule.name: left.get(rule.crm.name, "") for rule in rules},
        Side.BILLING: {rule.name: right.get(rule.billing.name, "") for rule in rules},
    }
    for item in held:
        name, source = item.rule.name, item.side.other
        if old is not None and name in old.of(source):
            sides[source][name] = old.of(source)[name]
        else:
            sides[Side.CRM].pop(name, None)
            sides[Side.BILLING].pop(name, None)
    return Base(sides[Side.CRM], sides[Side.BILLING])


def _preferred(rule: Rule, prefer: Prefer, newer: Side) -> Side:
    """Who wins a conflict. Where values flow one way only, their source does, whatever the policy says."""
    if rule.direction is not Direction.BOTH:
        return Side.CRM if rule.direction is Direction.TO_BILLING else Side.BILLING
    return newer if prefer is Prefer.NEWEST else Side(prefer.value)


def _decide(rule: Rule, base: Base | None, left: Values, right: Values, preferred: Side) -> Change | Held | None:
    a, b = left.get(rule.crm.name, ""), right.get(rule.billing.name, "")
    if _agree(rule, a, b):
        return None
    if base is None or rule.name not in base.crm:
        return _first_meeting(rule, a, b, preferred)
    changed_left = not same(rule.crm.kind, a, base.crm[rule.name])
    changed_right = not same(rule.billing.kind, b, base.billing.get(rule.name, ""))
    if changed_left and changed_right:
        return _write(rule, preferred, a, b, f"both sides changed it; {preferred} is preferred", conflict=True)
    if changed_left:
        return _write(rule, Side.CRM, a, b, "changed in the CRM")
    if changed_right:
        return _write(rule, Side.BILLING, a, b, "changed in billing")
    return None


def _first_meeting(rule: Rule, a: str, b: str, preferred: Side) -> Change | Held | None:
    if not a or not b:
        return _write(rule, Side.CRM if a else Side.BILLING, a, b, "the other side was empty")
    return _write(rule, preferred, a, b, f"they differed when first linked; {preferred} is preferred", conflict=True)


def _agree(rule: Rule, a: str, b: str) -> bool:
    """Equal, or as equal as the shorter side can be."""
    if same(rule.crm.kind, a, b):
        return True
    return bool(a and b) and (fit(rule.billing, a).value == b or fit(rule.crm, b).value == a)


def _write(rule: Rule, source: Side, a: str, b: str, why: str, *, conflict: bool = False) -> Change | Held | None:
    """Carry `source`'s value to the other side, if the map's direction and the other side's field allow it."""
    target = source.other
    value, before = (a, b) if source is Side.CRM else (b, a)
    if not rule.direction.reaches(target):
        return None
    spec = rule.spec(target)
    if spec.writable is not Writable.ALWAYS:
        return Held(rule, target, value, f"{spec.label} cannot be changed there through its API")
    fitted = fit(spec, value)
    if fitted.refused:
        return Held(rule, target, value, fitted.refused)
    return Change(rule, target, before, fitted.value, why, fitted.note, conflict)


def differs(rules: Sequence[Rule], side: Side, values: Values, base: Mapping[str, str]) -> bool:
    """Whether a side has other values than it had. A field without a base is held back, and known to differ."""
    return any(
        not same(rule.spec(side).kind, values.get(rule.spec(side).name, ""), base[rule.name])
        for rule in rules
        if rule.name in base
    )

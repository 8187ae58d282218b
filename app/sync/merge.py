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

Where the policy is to ask, neither value is written until a person has decided; all other fields go on. Tags are
merged one by one, see `tagging`.

Where the rule keeps what is emptied, an empty value is never written over another one: of two edits the one that is not
empty goes, and of one nothing. Tags, and what a person decides, are as ever.

The steps of a pair change nothing of this: a side's own value is compared with its own base, before any step.

Two kinds of fields are not like that (`FieldSpec`): a sparse one says nothing where it is empty, and a guarded one is
written only while it still has what was written there last.

What an invoice charges (`Kind.DOCUMENT`) is never overwritten at a first meeting; and where its sum was changed on the
side that values do not come from, it is held, with both sums.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from app.sync.canonical import sums, total_of
from app.sync.carrying import agree, carried, filled, is_ours, spared, typed, weighed
from app.sync.decisions import Decision, Take, standing
from app.sync.fieldmap import Direction, Prefer, Rule
from app.sync.records import Kind, Side, Values, Writable
from app.sync.tagging import delivered, retagged, taking_part
from app.sync.values import Fitted, same, tag_text, tags_of

Pairing = dict[Side, Values]
BY_HAND = "it was edited there by hand, and is not overwritten"


@dataclass(frozen=True, slots=True)
class Base:
    """What each side had when they last agreed, by rule name."""

    crm: Mapping[str, str] = field(default_factory=dict)
    billing: Mapping[str, str] = field(default_factory=dict)

    def of(self, side: Side) -> Mapping[str, str]:
        return self.crm if side is Side.CRM else self.billing


@dataclass(frozen=True, slots=True)
class Change:
    """One value to write to `side`. In a conflict `before` is the value that the policy passed over.

    `kept`: how the vendor has it since, where it made something else of it.
    """

    rule: Rule
    side: Side
    before: str
    after: str
    why: str
    note: str = ""
    conflict: bool = False
    kept: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A value that cannot be written to `side`; it stays different and is tried again when something changes.

    Of tags, those of `value` are held back that `side` has not. `conflict`: neither side's value is written, until a
    person decides or both are equal; `value` is the other side's.
    """

    rule: Rule
    side: Side
    value: str
    reason: str
    conflict: bool = False


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
    decisions: Mapping[str, Decision] = MappingProxyType({}),
) -> Merge:
    """Decide what to write where. `left` is the CRM's record, `right` the billing one, by their own field names.

    `prefer` is for the rules that have none of their own. `newer` is the side that was edited last; it decides under
    Prefer.NEWEST. `decisions`: by rule name.
    """
    told: list[Change | Held] = []
    for rule in rules:
        preferred = _preferred(rule, rule.prefer or prefer, newer)
        told += _both(rule, base, left, right, preferred, decisions.get(rule.name))
    held = tuple(each for each in told if isinstance(each, Held))
    return Merge(tuple(each for each in told if isinstance(each, Change)), held)


def rebase(rules: Sequence[Rule], old: Base | None, left: Values, right: Values, held: Sequence[Held]) -> Base:
    """The base after a sync that left the sides at `left` and `right`.

    A field held back keeps its old base on the side it came from, or none at all: the edit stays known as not
    delivered, and goes as soon as the other side can take it. In a conflict that is so of both sides.
    """
    values = {Side.CRM: left, Side.BILLING: right}
    sides = {side: {rule.name: weighed(rule, side, values[side]) for rule in rules} for side in Side}
    for item in held:
        name, source = item.rule.name, item.side.other
        if item.rule.tags:
            sides[source][name] = delivered(sides[source][name], item.value, sides[item.side][name])
        elif old is not None and name in old.of(source):
            for kept in Side if item.conflict else (source,):
                sides[kept][name] = old.of(kept)[name]
        else:
            sides[Side.CRM].pop(name, None)
            sides[Side.BILLING].pop(name, None)
    return Base(sides[Side.CRM], sides[Side.BILLING])


def _preferred(rule: Rule, prefer: Prefer, newer: Side) -> Side | None:
    """Who wins a conflict; None: a person decides. Where values flow one way only, their source wins in any case."""
    if rule.direction is not Direction.BOTH:
        return Side.CRM if rule.direction is Direction.TO_BILLING else Side.BILLING
    if prefer is Prefer.ASK:
        return None
    return newer if prefer is Prefer.NEWEST else Side(prefer.value)


def changed(rule: Rule, side: Side, values: Values, base: Mapping[str, str]) -> bool:
    """Whether a side's record has another value than it had when both last agreed."""
    kind = Kind.TAGS if rule.tags else Kind.TEXT if rule.woven else rule.spec(side).kind
    before = base.get(rule.name, "")
    return not same(kind, weighed(rule, side, values), taking_part(rule, before) if rule.tags else before)


def merge_tags(rule: Rule, base: Base | None, left: Values, right: Values) -> Iterator[Change | Held]:
    """What each side added and removed, for the other one. A tag that one side just added is not removed again."""
    values = {Side.CRM: left, Side.BILLING: right}
    now = {side: tags_of(weighed(rule, side, values[side])) for side in Side}
    agreed = {side: tags_of(taking_part(rule, base.of(side).get(rule.name, ""))) if base else {} for side in Side}
    for source in Side:
        target = source.other
        if not rule.direction.reaches(target):
            continue
        added = {key: word for key, word in now[source].items() if key not in agreed[source]}
        removed = agreed[source].keys() - now[source].keys() - (now[target].keys() - agreed[target].keys())
        before = values[target].get(rule.spec(target).name, "")
        after, left_out = retagged(before, added, removed, rule.spec(target))
        if left_out:
            yield Held(rule, target, tag_text(left_out), "there is no room for it")
        if not same(Kind.TAGS, before, after):
            yield Change(rule, target, before, after, f"changed in {CALLED[source]}")


CALLED = {Side.CRM: "the CRM", Side.BILLING: "billing"}


def _both(
    rule: Rule, base: Base | None, left: Values, right: Values, preferred: Side | None, decision: Decision | None
) -> Iterator[Change | Held]:
    pair = {Side.CRM: left, Side.BILLING: right}
    if rule.tags:
        yield from merge_tags(rule, base, left, right)
    elif not agree(rule, pair) and (decided := _decide(rule, base, pair, preferred)):
        a, b = (pair[side].get(rule.spec(side).name, "") for side in Side)
        stands = decision and standing(decision, rule, a, b)
        yield from _obeyed(rule, stands, decided) if stands else (decided,)


def _obeyed(rule: Rule, decision: Decision, undecided: Change | Held) -> Sequence[Change | Held]:
    """What was decided, or the conflict as it is, with the reason why it cannot be done."""
    changes, refusal = as_decided(rule, decision)
    if refusal and isinstance(undecided, Held):
        return (replace(undecided, reason=f"{undecided.reason}. It cannot be as decided: {refusal}"),)
    return (undecided,) if refusal else changes


def as_decided(rule: Rule, decision: Decision) -> tuple[tuple[Change, ...], str]:
    """What a decision writes where, and why that cannot be; "" where it can."""
    if rule.woven:
        return (), "it is made of several fields: edit those"
    now = {Side.CRM: decision.crm, Side.BILLING: decision.billing}
    source = None if decision.take is Take.VALUE else Side(decision.take.value)
    changes: list[Change] = []
    for target in Side:
        if target is source:
            continue
        given = {} if source is None else {rule.spec(source).name: now[source]}
        wanted = carried(rule, target, given) if given else typed(rule, target, decision.value)
        if not wanted.refused and same(rule.spec(target).kind, now[target], wanted.value):
            continue
        if not rule.direction.reaches(target):
            return (), f"values of this field do not go to {CALLED[target]}"
        placed = _placed(rule, target, wanted, now[target], f"decided by {decision.by}", conflict=True)
        if isinstance(placed, Held):
            return (), placed.reason
        if placed.before != placed.after:
            changes.append(placed)
    return tuple(changes), ""


def _decide(rule: Rule, base: Base | None, pair: Pairing, preferred: Side | None) -> Change | Held | None:
    a, b = (pair[side].get(rule.spec(side).name, "") for side in Side)
    if base is None or rule.name not in base.crm:
        return _first_meeting(rule, pair, preferred)
    changed_left = (a or not rule.crm.sparse) and changed(rule, Side.CRM, pair[Side.CRM], base.crm)
    changed_right = (b or not rule.billing.sparse) and changed(rule, Side.BILLING, pair[Side.BILLING], base.billing)
    if changed_left and rule.billing.guarded and not is_ours(rule, base.crm[rule.name], pair):
        return Held(rule, Side.BILLING, a, BY_HAND)
    if changed_left and changed_right:
        return _conflict(rule, preferred, pair, "both sides changed it")
    if changed_left:
        return _write(rule, Side.CRM, pair, "changed in the CRM")
    if changed_right:
        return _write(rule, Side.BILLING, pair, "changed in billing")
    return None


def _first_meeting(rule: Rule, pair: Pairing, preferred: Side | None) -> Change | Held | None:
    a, b = (pair[side].get(rule.spec(side).name, "") for side in Side)
    full = {side: filled(rule, side, pair[side]) for side in Side}
    if not all(full.values()):
        # Where there is nothing on both sides, it is a step of the origin's that makes something.
        source = next((side for side in Side if full[side]), rule.origin)
        return _write(rule, source, pair, "the other side was empty")
    if rule.billing.guarded:
        return Held(rule, Side.BILLING, a, BY_HAND) if rule.direction.reaches(Side.BILLING) else None
    if rule.crm.kind is Kind.DOCUMENT:
        return _apart(rule, a, b, "they differed when first linked", (preferred or Side.CRM).other)
    return _conflict(rule, preferred, pair, "they differed when first linked")


def _conflict(rule: Rule, preferred: Side | None, pair: Pairing, why: str) -> Change | Held | None:
    if preferred is None:
        value = pair[Side.CRM].get(rule.crm.name, "")
        return Held(rule, Side.BILLING, value, f"{why}; a person decides", conflict=True)
    if spared(rule, preferred.other, pair):
        return _write(rule, preferred.other, pair, f"{why}; an empty value overwrites none", conflict=True)
    return _write(rule, preferred, pair, f"{why}; {preferred} is preferred", conflict=True)


def _apart(rule: Rule, a: str, b: str, why: str, side: Side) -> Held | None:
    """Two documents of which none is written; that they are worded in two ways does no harm, two sums do."""
    if total_of(a) == total_of(b):
        return None
    return Held(rule, side, a if side is Side.BILLING else b, f"{why} ({sums(a, b)})")


def _write(rule: Rule, source: Side, pair: Pairing, why: str, *, conflict: bool = False) -> Change | Held | None:
    """Carry `source`'s value to the other side, if the map's direction and the other side's field allow it."""
    target = source.other
    if not rule.direction.reaches(target):
        a, b = (pair[side].get(rule.spec(side).name, "") for side in Side)
        told = f"it was changed in {CALLED[source]}, and goes the other way only"
        return _apart(rule, a, b, told, target) if rule.spec(target).kind is Kind.DOCUMENT else None
    if spared(rule, target, pair):
        return None
    before = pair[target].get(rule.spec(target).name, "")
    return _placed(rule, target, carried(rule, target, pair[source]), before, why, conflict=conflict)


def _placed(rule: Rule, target: Side, wanted: Fitted, before: str, why: str, *, conflict: bool) -> Change | Held:
    spec = rule.spec(target)
    if spec.writable is not Writable.ALWAYS:
        return Held(rule, target, wanted.value, f"{spec.label} cannot be changed there through its API")
    if wanted.refused:
        return Held(rule, target, wanted.value, wanted.refused)
    return Change(rule, target, before, wanted.value, why, wanted.note, conflict)


def differs(rules: Sequence[Rule], side: Side, values: Values, base: Mapping[str, str]) -> bool:
    """Whether a side has other values than it had. A field without a base is held back, and known to differ; one that
    is not shown, for a list may show a part of a record, is not compared."""
    return any(
        changed(rule, side, values, base)
        for rule in rules
        if rule.name in base and all(name in values for name in rule.inputs(side))
    )

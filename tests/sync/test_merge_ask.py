"""Where a person decides: nothing of either side is written before, and a decision is about what was seen."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.canonical import text_of
from app.sync.conflicts import kind_of
from app.sync.decisions import ConflictKind, Decision, Take
from app.sync.fieldmap import Direction, Prefer, Rule
from app.sync.merge import Base, Held, Merge, as_decided, merge, rebase
from app.sync.records import FieldSpec, Kind, Side, Writable
from tests.sync.test_totals import document, line

CITY = Rule(FieldSpec(name="city", label="City"), FieldSpec(name="city", label="City", max_length=10))
PHONE = Rule(
    FieldSpec(name="phone", label="Phone", kind=Kind.PHONE, strict=True),
    FieldSpec(name="phone", label="Phone", kind=Kind.PHONE),
)
FIXED = Rule(FieldSpec(name="company", label="Company", writable=Writable.ON_CREATE), CITY.billing)
NAMES = [
    Rule(FieldSpec(name=name, label=name), FieldSpec(name=name, label=name)) for name in ("name", "street", "state")
]


def run(
    rule: Rule,
    base: tuple[str, str] | None,
    left: str,
    right: str,
    decision: Decision | None = None,
    *,
    prefer: Prefer = Prefer.ASK,
) -> Merge:
    agreed = Base({rule.name: base[0]}, {rule.name: base[1]}) if base else None
    decided = {rule.name: decision} if decision else {}
    values = {rule.crm.name: left}, {rule.billing.name: right}
    return merge(agreed, *values, [rule], prefer=prefer, decisions=decided)


def writes(merged: Merge) -> dict[Side, str]:
    return {change.side: change.after for change in merged.changes}


@pytest.mark.parametrize(
    ("base", "left", "right", "expected", "asked"),
    [
        (("a", "a"), "a", "a", {}, False),
        (("a", "a"), "b", "a", {Side.BILLING: "b"}, False),
        (("a", "a"), "a", "b", {Side.CRM: "b"}, False),
        (("a", "a"), "b", "b", {}, False),
        (("a", "a"), "b", "c", {}, True),
        (("a", "a"), "", "c", {}, True),
        (("a", "x"), "a", "x", {}, False),
        (None, "a", "", {Side.BILLING: "a"}, False),
        (None, "a", "b", {}, True),
        (None, "a", "a", {}, False),
    ],
)
def test_a_person_is_asked_where_a_policy_would_decide_and_nowhere_else(
    base: tuple[str, str] | None, left: str, right: str, expected: dict[Side, str], asked: bool
) -> None:
    merged = run(CITY, base, left, right)
    assert writes(merged) == expected
    assert [item.conflict for item in merged.held] == [True] * asked


def test_a_field_can_have_a_policy_of_its_own() -> None:
    assert writes(run(replace(CITY, prefer=Prefer.BILLING), ("a", "a"), "b", "c")) == {Side.CRM: "c"}
    merged = run(replace(CITY, prefer=Prefer.ASK), ("a", "a"), "b", "c", prefer=Prefer.CRM)
    assert (merged.changes, [item.conflict for item in merged.held]) == ((), [True])


@pytest.mark.parametrize("direction", [Direction.TO_BILLING, Direction.TO_CRM])
def test_where_values_flow_one_way_nobody_is_asked(direction: Direction) -> None:
    merged = run(replace(CITY, direction=direction), ("a", "a"), "b", "c")
    assert writes(merged) == ({Side.BILLING: "b"} if direction is Direction.TO_BILLING else {Side.CRM: "c"})


@pytest.mark.parametrize(
    ("take", "value", "expected"),
    [
        (Take.CRM, "", {Side.BILLING: "b"}),
        (Take.BILLING, "", {Side.CRM: "c"}),
        (Take.VALUE, "d", {Side.CRM: "d", Side.BILLING: "d"}),
        (Take.VALUE, "c", {Side.CRM: "c"}),
        (Take.VALUE, "", {Side.CRM: "", Side.BILLING: ""}),
    ],
)
@pytest.mark.parametrize("base", [("a", "a"), None])
def test_a_decision_is_carried_out_and_says_whose_it_was(
    base: tuple[str, str] | None, take: Take, value: str, expected: dict[Side, str]
) -> None:
    merged = run(CITY, base, "b", "c", Decision(take=take, crm="b", billing="c", value=value, by="jane@acme.example"))
    assert writes(merged) == expected
    assert {change.why for change in merged.changes} == {"decided by jane@acme.example"}
    assert all(change.conflict for change in merged.changes)
    assert merged.held == ()


def test_half_of_a_typed_decision_that_is_done_already_does_not_make_it_another_one() -> None:
    """The first side was written, and the second one refused for the moment."""
    long = Decision(take=Take.VALUE, crm="b", billing="c", value="a very long name")
    assert writes(run(CITY, ("a", "a"), "b", "a very lon", long)) == {Side.CRM: "a very long name"}
    half = Decision(take=Take.VALUE, crm="b", billing="c", value="d")
    assert writes(run(CITY, ("a", "a"), "d", "c", half)) == {Side.BILLING: "d"}
    assert writes(run(CITY, ("a", "a"), "e", "d", half)) == {}


@pytest.mark.parametrize(("left", "right"), [("b2", "c"), ("b", "c2"), ("b2", "c2")])
@pytest.mark.parametrize("take", Take)
def test_a_decision_about_other_values_is_none(left: str, right: str, take: Take) -> None:
    merged = run(CITY, ("a", "a"), left, right, Decision(take=take, crm="b", billing="c", value="d"))
    assert (merged.changes, [item.conflict for item in merged.held]) == ((), [True])


@pytest.mark.parametrize(
    ("rule", "take", "values", "reason"),
    [
        (PHONE, Take.VALUE, ("+442079460018", "+442079460019"), "“ask my wife” is not a phone number"),
        (FIXED, Take.BILLING, ("b", "c"), "Company cannot be changed there through its API"),
    ],
)
def test_a_decision_that_a_side_cannot_take_is_done_on_neither_and_the_conflict_stays_with_the_reason(
    rule: Rule, take: Take, values: tuple[str, str], reason: str
) -> None:
    crm, billing = values
    decision = Decision(take=take, crm=crm, billing=billing, value="ask my wife", by="jane")
    merged = run(rule, ("a", "a"), crm, billing, decision)
    (item,) = merged.held
    assert (merged.changes, item.conflict) == ((), True)
    assert item.reason.endswith(f"It cannot be as decided: {reason}")


def test_what_goes_one_way_cannot_be_decided_the_other_way() -> None:
    one_way = replace(CITY, direction=Direction.TO_BILLING)
    for take in (Take.BILLING, Take.VALUE):
        decision = Decision(take=take, crm="b", billing="c", value="d")
        assert as_decided(one_way, decision) == ((), "values of this field do not go to the CRM")


VALUES = st.sampled_from(["", "a", "b", "c", "d"])
SIDE = st.fixed_dictionaries({rule.name: VALUES for rule in NAMES})


def after(merged: Merge, left: dict[str, str], right: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    return {**left, **merged.values_for(Side.CRM)}, {**right, **merged.values_for(Side.BILLING)}


def settled(base: Base | None, left: dict[str, str], right: dict[str, str], rules: Sequence[Rule]) -> Merge:
    return merge(base, left, right, rules, prefer=Prefer.ASK)


@given(base=st.none() | SIDE, left=SIDE, right=SIDE)
def test_what_waits_is_written_nowhere_and_all_other_fields_flow(
    base: dict[str, str] | None, left: dict[str, str], right: dict[str, str]
) -> None:
    agreed = Base(base, base) if base is not None else None
    merged = settled(agreed, left, right, NAMES)
    crm, billing = after(merged, left, right)
    waiting = {item.rule.name for item in merged.held}
    for name in left:
        if name in waiting:
            assert (crm[name], billing[name]) == (left[name], right[name])
        else:
            assert crm[name] == billing[name]
            had = set() if base is None else {base[name]}
            assert crm[name] in {left[name], right[name]}
            assert {left[name], right[name]} - {crm[name]} <= had | {""}, "a new value was overwritten"


@given(
    base=st.none() | SIDE,
    edits=st.lists(st.tuples(st.sampled_from(Side), st.sampled_from([r.name for r in NAMES]), VALUES), max_size=6),
    left=SIDE,
    right=SIDE,
)
def test_an_undecided_conflict_survives_any_number_of_attempts_and_no_edit_is_overwritten_by_another(
    base: dict[str, str] | None,
    edits: list[tuple[Side, str, str]],
    left: dict[str, str],
    right: dict[str, str],
) -> None:
    agreed = Base(base, base) if base is not None else None
    for edit in [None, *edits]:
        if edit is not None:
            (left if edit[0] is Side.CRM else right)[edit[1]] = edit[2]
        merged = settled(agreed, left, right, NAMES)
        new_left, new_right = after(merged, left, right)
        agreed = rebase(NAMES, agreed, new_left, new_right, merged.held)
        again = settled(agreed, new_left, new_right, NAMES)
        assert again.changes == ()
        assert {item.rule.name for item in again.held} == {item.rule.name for item in merged.held}
        left, right = new_left, new_right
        for item in merged.held:
            assert left[item.rule.name] != right[item.rule.name]


@given(base=st.none() | VALUES, left=VALUES, right=VALUES, take=st.sampled_from(Take), typed=VALUES)
def test_whatever_is_decided_both_sides_agree_afterwards(
    base: str | None, left: str, right: str, take: Take, typed: str
) -> None:
    rule = NAMES[0]
    decided = Decision(take=take, crm=left, billing=right, value=typed)
    merged = run(rule, None if base is None else (base, base), left, right, decided)
    crm, billing = after(merged, {"name": left}, {"name": right})
    assert crm["name"] == billing["name"]
    agreed = rebase([rule], None, crm, billing, merged.held)
    assert settled(agreed, crm, billing, [rule]) == Merge()


def test_a_conflict_that_both_sides_end_by_themselves_is_over() -> None:
    base = Base({"city": "a"}, {"city": "a"})
    merged = merge(base, {"city": "b"}, {"city": "c"}, [CITY], prefer=Prefer.ASK)
    kept = rebase([CITY], base, {"city": "b"}, {"city": "c"}, merged.held)
    assert kept == base
    assert merge(kept, {"city": "c"}, {"city": "c"}, [CITY], prefer=Prefer.ASK) == Merge()


DOCUMENT = Rule(
    FieldSpec(name="document", label="Items", kind=Kind.DOCUMENT, required=True),
    FieldSpec(name="document", label="Lines", kind=Kind.DOCUMENT, required=True),
)
AMOUNT = Rule(
    FieldSpec(name="amount", label="Amount", required=True), FieldSpec(name="amount", label="Amount", required=True)
)


@pytest.mark.parametrize(
    ("item", "values", "kind"),
    [
        (Held(CITY, Side.BILLING, "b", "", conflict=True), ("b", "c"), ConflictKind.FIELD),
        (Held(CITY, Side.BILLING, "b", ""), ("b", "c"), None),
        (Held(AMOUNT, Side.BILLING, "", ""), ("50.00 USD", "60.00 USD"), ConflictKind.TOTAL),
        (Held(AMOUNT, Side.BILLING, "", ""), ("50.00 USD", "50.00 EUR"), ConflictKind.CURRENCY),
        (Held(AMOUNT, Side.BILLING, "", ""), ("red", "blue"), ConflictKind.REQUIRED),
        (Held(DOCUMENT, Side.BILLING, "", ""), ("USD", "USD"), ConflictKind.TOTAL),
        (Held(DOCUMENT, Side.BILLING, "", ""), ("USD", "EUR"), ConflictKind.CURRENCY),
    ],
)
def test_a_conflict_has_a_kind(item: Held, values: tuple[str, str], kind: ConflictKind | None) -> None:
    if item.rule is DOCUMENT:
        values = (text_of(document(line("1"))), text_of(document(line("1", currency=values[1]))))
    assert kind_of(item, *values) is kind

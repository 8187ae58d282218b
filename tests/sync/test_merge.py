"""The three-way merge, row by row of its table."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.fieldmap import Direction, Prefer, Rule
from app.sync.merge import Base, Merge, merge, rebase
from app.sync.records import FieldSpec, Kind, Side, Writable

NAME = Rule(FieldSpec(name="company", label="Company"), FieldSpec(name="name", label="Name", max_length=10))
EMAIL = Rule(
    FieldSpec(name="email", label="E-mail", kind=Kind.EMAIL, strict=True),
    FieldSpec(name="email", label="E-mail", kind=Kind.EMAIL, strict=True),
)
PHONE = Rule(
    FieldSpec(name="phone", label="Phone", kind=Kind.PHONE, strict=True),
    FieldSpec(name="phone", label="Phone", kind=Kind.PHONE),
)
FIXED = Rule(
    FieldSpec(name="company", label="Company", writable=Writable.ON_CREATE), FieldSpec(name="name", label="Name")
)


def run(rule: Rule, base: tuple[str, str] | None, left: str, right: str, **policy: object) -> Merge:
    agreed = Base({rule.name: base[0]}, {rule.name: base[1]}) if base else None
    prefer = policy.pop("prefer", Prefer.CRM)
    return merge(agreed, {rule.crm.name: left}, {rule.billing.name: right}, [rule], prefer=prefer, **policy)  # type: ignore[arg-type]


def writes(merged: Merge) -> dict[Side, str]:
    return {change.side: change.after for change in merged.changes}


@pytest.mark.parametrize(
    ("base", "left", "right", "expected"),
    [
        (("a", "a"), "a", "a", {}),
        (("a", "a"), "b", "a", {Side.BILLING: "b"}),
        (("a", "a"), "a", "b", {Side.CRM: "b"}),
        (("a", "a"), "b", "b", {}),
        (("a", "a"), "", "a", {Side.BILLING: ""}),
        (("a", "a"), "a", "", {Side.CRM: ""}),
        (("a", "x"), "a", "x", {}),
        (None, "a", "", {Side.BILLING: "a"}),
        (None, "", "b", {Side.CRM: "b"}),
        (None, "a", "a", {}),
        (None, "", "", {}),
    ],
)
def test_a_field_goes_where_the_table_says(
    base: tuple[str, str] | None, left: str, right: str, expected: dict[Side, str]
) -> None:
    assert writes(run(NAME, base, left, right)) == expected


@pytest.mark.parametrize(
    ("prefer", "newer", "expected"),
    [
        (Prefer.CRM, Side.BILLING, {Side.BILLING: "l"}),
        (Prefer.BILLING, Side.CRM, {Side.CRM: "r"}),
        (Prefer.NEWEST, Side.BILLING, {Side.CRM: "r"}),
        (Prefer.NEWEST, Side.CRM, {Side.BILLING: "l"}),
    ],
)
@pytest.mark.parametrize("base", [("a", "a"), None])
def test_when_both_sides_differ_the_policy_decides_and_the_passed_over_value_is_kept_in_the_change(
    prefer: Prefer, newer: Side, expected: dict[Side, str], base: tuple[str, str] | None
) -> None:
    merged = run(NAME, base, "l", "r", prefer=prefer, newer=newer)
    assert writes(merged) == expected
    (change,) = merged.changes
    assert change.conflict
    assert change.before == ("r" if change.side is Side.BILLING else "l")


def test_an_empty_winner_never_erases_what_it_never_had() -> None:
    assert writes(run(NAME, None, "", "kept", prefer=Prefer.CRM)) == {Side.CRM: "kept"}


def test_an_empty_winner_erases_what_it_had_and_cleared() -> None:
    assert writes(run(NAME, ("a", "a"), "", "b", prefer=Prefer.CRM)) == {Side.BILLING: ""}


def test_a_value_cut_at_the_other_sides_length_is_no_difference() -> None:
    assert run(NAME, None, "a very long name", "a very lon") == Merge()
    (change,) = run(NAME, ("a", "a"), "a very long name", "a").changes
    assert (change.after, change.note) == ("a very lon", "shortened to 10 characters")


def test_two_spellings_of_one_phone_number_are_no_difference() -> None:
    assert run(PHONE, None, "+442079460018", "+44 20 7946 0018") == Merge()


def test_a_phone_that_is_none_is_held_back_from_the_side_that_would_refuse_it_and_goes_to_the_other() -> None:
    merged = run(PHONE, ("+442079460018", "+442079460018"), "+442079460018", "ask my wife")
    assert merged.changes == ()
    assert [(item.side, item.reason) for item in merged.held] == [(Side.CRM, "“ask my wife” is not a phone number")]
    assert writes(run(PHONE, None, "ask my wife", "")) == {Side.BILLING: "ask my wife"}


def test_a_field_that_one_side_cannot_change_is_held_back_with_the_reason() -> None:
    (item,) = run(FIXED, ("a", "a"), "a", "b").held
    assert item.side is Side.CRM
    assert "cannot be changed" in item.reason


def test_what_is_held_back_keeps_its_base_so_that_it_goes_later() -> None:
    merged = run(FIXED, ("a", "a"), "a", "b")
    after = rebase([FIXED], Base({"name": "a"}, {"name": "a"}), {"company": "a"}, {"name": "b"}, merged.held)
    assert after.billing == {"name": "a"}
    assert run(FIXED, ("a", after.billing["name"]), "a", "b").held == merged.held


def test_what_was_held_back_at_the_first_meeting_is_still_a_first_meeting_later() -> None:
    merged = run(FIXED, None, "", "b")
    assert rebase([FIXED], None, {"company": ""}, {"name": "b"}, merged.held) == Base({}, {})


@pytest.mark.parametrize("base", [("a", "a"), None])
def test_where_values_flow_one_way_their_source_wins_whatever_the_policy_says(base: tuple[str, str] | None) -> None:
    one_way = Rule(NAME.crm, NAME.billing, Direction.TO_CRM)
    assert writes(run(one_way, base, "l", "r", prefer=Prefer.CRM)) == {Side.CRM: "r"}
    assert writes(run(one_way, ("a", "a"), "l", "a")) == {}


VALUES = st.sampled_from(["", "a", "b", "c", "a very long name indeed"])
DECIDES = st.sampled_from([each for each in Prefer if each is not Prefer.ASK])  # of asking, see test_merge_ask.py


@given(base=st.none() | st.tuples(VALUES, VALUES), left=VALUES, right=VALUES, prefer=DECIDES)
def test_after_its_writes_a_second_merge_has_nothing_to_do(
    base: tuple[str, str] | None, left: str, right: str, prefer: Prefer
) -> None:
    merged = run(NAME, base, left, right, prefer=prefer)
    after = {Side.CRM: left, Side.BILLING: right, **writes(merged)}
    agreed = rebase([NAME], None, {"company": after[Side.CRM]}, {"name": after[Side.BILLING]}, merged.held)
    assert merge(agreed, {"company": after[Side.CRM]}, {"name": after[Side.BILLING]}, [NAME], prefer=prefer) == Merge()


@given(base=st.none() | st.tuples(VALUES, VALUES), left=VALUES, right=VALUES, prefer=st.sampled_from(Prefer))
def test_nothing_is_erased_unless_a_side_had_it_and_cleared_it(
    base: tuple[str, str] | None, left: str, right: str, prefer: Prefer
) -> None:
    for change in run(NAME, base, left, right, prefer=prefer).changes:
        if not change.after:
            had = base is not None and (base[0] if change.side is Side.BILLING else base[1])
            assert had


@given(
    base=st.none() | st.tuples(VALUES, VALUES),
    left=VALUES,
    right=VALUES,
    prefer=st.sampled_from(Prefer),
    direction=st.sampled_from(Direction),
)
def test_where_what_is_emptied_is_kept_no_value_is_ever_overwritten_by_none_and_all_else_is_as_without(
    base: tuple[str, str] | None, left: str, right: str, prefer: Prefer, direction: Direction
) -> None:
    without = replace(NAME, direction=direction)
    keeping = replace(without, keeps=True)
    merged = run(keeping, base, left, right, prefer=prefer)
    assert all(change.after or not change.before for change in merged.changes)
    if left and right:
        assert writes(merged) == writes(run(without, base, left, right, prefer=prefer))
    after = {Side.CRM: left, Side.BILLING: right, **writes(merged)}
    old = Base({"name": base[0]}, {"name": base[1]}) if base else None
    agreed = rebase([keeping], old, {"company": after[Side.CRM]}, {"name": after[Side.BILLING]}, merged.held)
    if not merged.held:
        now = (agreed.crm["name"], agreed.billing["name"])
        assert run(keeping, now, after[Side.CRM], after[Side.BILLING], prefer=prefer) == Merge()
        if direction.reaches(Side.BILLING):
            later = run(keeping, now, "later", after[Side.BILLING], prefer=prefer)
            assert writes(later) == ({} if after[Side.BILLING] == "later" else {Side.BILLING: "later"})


@pytest.mark.parametrize(
    ("left", "right", "prefer", "expected"),
    [
        ("", "a", Prefer.CRM, {}),
        ("", "b", Prefer.CRM, {Side.CRM: "b"}),  # of two edits the one that is not empty
        ("", "b", Prefer.BILLING, {Side.CRM: "b"}),
        ("b", "", Prefer.BILLING, {Side.BILLING: "b"}),
        ("", "b", Prefer.ASK, {}),
    ],
)
def test_what_one_side_emptied_stays_on_the_other_where_it_is_kept(
    left: str, right: str, prefer: Prefer, expected: dict[Side, str]
) -> None:
    merged = run(replace(NAME, keeps=True), ("a", "a"), left, right, prefer=prefer)
    assert writes(merged) == expected
    assert [item.conflict for item in merged.held] == ([True] if prefer is Prefer.ASK else [])


@given(left=VALUES, right=VALUES, prefer=st.sampled_from(Prefer))
def test_an_edit_on_one_side_only_always_survives(left: str, right: str, prefer: Prefer) -> None:
    merged = run(NAME, (left, right), left + "!", right, prefer=prefer)
    assert Side.CRM not in writes(merged)


GUARDED = Rule(
    FieldSpec(name="amount", label="Amount"),
    FieldSpec(name="amount", label="Amount", guarded=True),
    Direction.TO_BILLING,
)
SPARSE = Rule(
    FieldSpec(name="status", label="Status"), FieldSpec(name="status", label="Status", sparse=True), Direction.TO_CRM
)


@pytest.mark.parametrize(
    ("base", "left", "right", "written", "held"),
    [
        (("10", "10"), "20", "10", {Side.BILLING: "20"}, ""),
        (("10", "10"), "20", "15", {}, "20"),
        (("10", "15"), "20", "15", {}, "20"),  # the edit was seen before, and is the billing side's base by now
        (("10", "15"), "15", "15", {}, ""),
        (("10", "10"), "10", "15", {}, ""),
        (None, "10", "15", {}, "10"),
        (None, "10", "", {Side.BILLING: "10"}, ""),
    ],
)
def test_what_people_entered_in_a_guarded_field_is_never_overwritten(
    base: tuple[str, str] | None, left: str, right: str, written: dict[Side, str], held: str
) -> None:
    merged = run(GUARDED, base, left, right)
    assert writes(merged) == written
    assert [item.value for item in merged.held] == ([held] if held else [])


@pytest.mark.parametrize(
    ("base", "right", "expected"),
    [
        (("open", ""), "won", {Side.CRM: "won"}),
        (("won", "won"), "", {}),
        (("open", ""), "", {}),
        (("won", ""), "won", {}),
    ],
)
def test_a_sparse_field_says_nothing_where_it_is_empty(
    base: tuple[str, str], right: str, expected: dict[Side, str]
) -> None:
    assert writes(run(SPARSE, base, base[0], right)) == expected

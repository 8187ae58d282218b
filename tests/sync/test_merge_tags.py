"""Tags are merged one by one: nobody's tag is lost, and none is cut."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.fieldmap import Direction, Pair, Prefer, Rule, resolve
from app.sync.merge import Base, Merge, changed, merge, rebase
from app.sync.records import FieldSpec, Kind, Side, Writable

CRM_TAGS = FieldSpec(name="tags", label="Tags", kind=Kind.TAGS)
VALUE = FieldSpec(name="custom_value1", label="Custom value 1", max_length=20)
TAGS = Rule(CRM_TAGS, VALUE)
NAME = "tags:custom_value1"


def run(left: str, right: str, base: tuple[str, str] | None = None, rule: Rule = TAGS) -> Merge:
    agreed = Base({NAME: base[0]}, {NAME: base[1]}) if base else None
    return merge(agreed, {"tags": left}, {"custom_value1": right}, [rule], prefer=Prefer.CRM)


def writes(merged: Merge) -> dict[Side, str]:
    return {change.side: change.after for change in merged.changes}


def after(left: str, right: str, merged: Merge) -> tuple[str, str]:
    now = writes(merged)
    return now.get(Side.CRM, left), now.get(Side.BILLING, right)


@pytest.mark.parametrize(
    ("base", "left", "right", "expected"),
    [
        (None, "a, b", "b, c", {Side.BILLING: "a, b, c", Side.CRM: "a, b, c"}),  # a first meeting is a union
        (None, "a, b", "", {Side.BILLING: "a, b"}),
        (None, "", "", {}),
        (("a", "a"), "a, b", "a", {Side.BILLING: "a, b"}),
        (("a", "a"), "a", "a, c", {Side.CRM: "a, c"}),
        (("a", "a"), "a, b", "a, c", {Side.BILLING: "a, b, c", Side.CRM: "a, b, c"}),
        (("a, b", "a, b"), "b", "a", {Side.BILLING: "", Side.CRM: ""}),
        (("a, b", "a, b"), "a, b, c", "a", {Side.BILLING: "a, c", Side.CRM: "a, c"}),
        (("a", "a"), "A", " a ,", {}),  # without case, blanks and order
        (("a, b", "a, b"), "b, a", "B, A", {}),
        (("a", "a"), "a, b", "a, B", {}),  # both added the same
        (("a", ""), "", "a", {Side.CRM: "a"}),  # added there, removed here: what is added wins
    ],
)
def test_issue_monicahq_monica_2119_each_tag_goes_its_own_way(
    base: tuple[str, str] | None, left: str, right: str, expected: dict[Side, str]
) -> None:
    assert writes(run(left, right, base)) == expected


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        (Direction.TO_BILLING, {Side.BILLING: "a, b, c"}),
        (Direction.TO_CRM, {Side.CRM: "a, b, c"}),
    ],
)
def test_one_way_adds_there_and_leaves_what_the_other_side_has(direction: Direction, expected: dict[Side, str]) -> None:
    assert writes(run("a, b", "a, c", ("a", "a"), replace(TAGS, direction=direction))) == expected


def test_only_the_chosen_tags_take_part_and_others_are_neither_copied_nor_removed() -> None:
    rule = replace(TAGS, crm=replace(CRM_TAGS, options=frozenset({"vip", "late"})))
    merged = run("vip, secret", "late, mine", ("late, secret, mine", "late, secret, mine"), rule)
    assert writes(merged) == {Side.BILLING: "mine, vip"}


def test_a_narrower_choice_removes_nothing_and_a_wider_one_brings_what_is_there() -> None:
    narrow = replace(TAGS, crm=replace(CRM_TAGS, options=frozenset({"vip"})))
    assert writes(run("vip, late", "vip, late", ("vip, late", "vip, late"), narrow)) == {}
    base = rebase([narrow], None, {"tags": "vip, late"}, {"custom_value1": "vip"}, ())
    merged = merge(base, {"tags": "vip, late"}, {"custom_value1": "vip"}, [TAGS], prefer=Prefer.CRM)
    assert writes(merged) == {Side.BILLING: "late, vip"}


def test_a_single_tag_that_is_too_long_is_held_back_and_the_others_go() -> None:
    rule = Rule(CRM_TAGS, replace(VALUE, kind=Kind.TAGS, max_length=None, longest_tag=5))
    merged = run("12345, 123456, a", "", rule=rule)
    assert writes(merged) == {Side.BILLING: "12345, a"}
    assert [held.value for held in merged.held] == ["123456"]


def test_no_tag_is_cut_and_what_has_no_room_is_held_back_until_there_is() -> None:
    left = "first tag, second tag, third"
    merged = run(left, "")
    assert writes(merged) == {Side.BILLING: "first tag, third"}
    assert [(held.value, held.reason) for held in merged.held] == [("second tag", "there is no room for it")]
    base = rebase([TAGS], None, {"tags": left}, {"custom_value1": "first tag, third"}, merged.held)

    again = merge(base, {"tags": left}, {"custom_value1": "first tag, third"}, [TAGS], prefer=Prefer.CRM)
    assert (again.changes, [held.value for held in again.held]) == ((), ["second tag"])

    freed = merge(base, {"tags": "second tag, third"}, {"custom_value1": "first tag, third"}, [TAGS], prefer=Prefer.CRM)
    assert (writes(freed), freed.held) == ({Side.BILLING: "second tag, third"}, ())


def test_a_field_that_held_something_else_before_loses_nothing_when_it_is_given_to_tags() -> None:
    """What both sides agreed on while it was an ordinary field was no tag, and was not removed."""
    old = Base({"custom_value1": "Gold plan"}, {"custom_value1": "Gold plan"})
    merged = merge(old, {"tags": "vip"}, {"custom_value1": "Gold plan"}, [TAGS], prefer=Prefer.CRM)
    assert writes(merged) == {Side.BILLING: "Gold plan, vip", Side.CRM: "Gold plan, vip"}


def test_whether_tags_changed_is_asked_of_those_that_take_part() -> None:
    rule = replace(TAGS, crm=replace(CRM_TAGS, options=frozenset({"vip"})))
    assert not changed(rule, Side.CRM, {"tags": "VIP, other"}, {NAME: "vip"})
    assert changed(rule, Side.CRM, {"tags": "other"}, {NAME: "vip"})


@pytest.mark.parametrize(
    "spec",
    [replace(VALUE, kind=Kind.COUNTRY), replace(VALUE, writable=Writable.NEVER)],
)
def test_tags_are_kept_in_text_only(spec: FieldSpec) -> None:
    rules, skipped = resolve([Pair("tags", "custom_value1")], {"tags": CRM_TAGS}, {"custom_value1": spec})
    assert rules == ()
    assert skipped[0].reason == "tags are kept in a field for text, and in no other"


WORDS = st.sets(st.sampled_from(["a", "b", "c", "d"]))


@given(base=WORDS, left=WORDS, right=WORDS)
def test_both_sides_end_alike_and_the_second_merge_is_silent(base: set[str], left: set[str], right: set[str]) -> None:
    agreed, one, other = (", ".join(sorted(each)) for each in (base, left, right))
    crm, billing = after(one, other, run(one, other, (agreed, agreed)))
    assert crm == billing
    assert set(filter(None, crm.split(", "))) == (base & left & right) | (left - base) | (right - base)
    settled = rebase([TAGS], None, {"tags": crm}, {"custom_value1": billing}, ())
    again = merge(settled, {"tags": crm}, {"custom_value1": billing}, [TAGS], prefer=Prefer.CRM)
    assert (again.changes, again.held) == ((), ())

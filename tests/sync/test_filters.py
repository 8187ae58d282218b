"""Filters: each condition by the kind of its field, and whose value is asked."""

import pytest

from app.sync.filters import Condition, Op, Seen, holds, refusal, unknown
from app.sync.records import FieldSpec, Kind, Side, Values

SPECS = {
    each.name: each
    for each in (
        FieldSpec(name="tags", label="Tags", kind=Kind.TAGS),
        FieldSpec(name="company", label="Company"),
        FieldSpec(name="phone", label="Phone", kind=Kind.PHONE),
        FieldSpec(name="amount", label="Amount"),
    )
}


def seen(values: Values) -> Seen:
    return Seen(values, SPECS)


@pytest.mark.parametrize(
    ("field", "op", "wanted", "value", "expected"),
    [
        ("tags", "has", "VIP", "late, vip", True),
        ("tags", "has", "vi", "late, vip", False),
        ("tags", "has", "late, vip", "vip, late, x", True),
        ("tags", "has_not", "vip", "", True),
        ("tags", "has_not", "vip", "Vip", False),
        ("tags", "is", "b, A", "a, B", True),
        ("company", "has", "GARDEN", "Acme Garden Design", True),
        ("company", "has", "acme, x", "Acme, x, y", True),
        ("company", "is", "acme", " Acme ", True),
        ("company", "is_not", "acme", "Acme Ltd", True),
        ("company", "is_not", "acme", "", True),
        ("company", "filled", "", " ", False),
        ("company", "empty", "", " ", True),
        ("phone", "is", "+1 (555) 010-0999", "+15550100999", True),
        ("amount", "at_least", "9.50", "10", True),
        ("amount", "at_least", "10", "9.99", False),
        ("amount", "at_least", "0", "", False),
        ("amount", "at_least", "0", "much", False),
        ("amount", "at_least", "0", "NaN", False),
        ("amount", "at_most", "0.1", "0.10", True),
        ("amount", "at_most", "0.1", "0.1000000000000000001", False),
        ("amount", "at_most", "5", "", False),
    ],
)
def test_a_condition_holds_by_the_kind_of_its_field(
    field: str, op: str, wanted: str, value: str, expected: bool
) -> None:
    condition = Condition(field=field, op=Op(op), value=wanted)
    assert holds(condition, seen({field: value})) is expected


def test_all_must_hold_and_the_first_that_does_not_is_said() -> None:
    conditions = [Condition(field="tags", op=Op.HAS, value="vip"), Condition(field="amount", op=Op.AT_LEAST, value="5")]
    assert refusal(conditions, {Side.CRM: seen({"tags": "vip", "amount": "6"})}) == ""
    said = refusal(conditions, {Side.CRM: seen({"tags": "vip", "amount": "4"})})
    assert said == "It takes no part: only records whose “amount” is at least 5 do."


def test_the_first_record_that_has_the_field_decides_unless_a_side_is_named() -> None:
    pair = {Side.CRM: seen({"company": "Acme"}), Side.BILLING: seen({"company": "Other", "amount": "1"})}
    assert refusal([Condition(field="company", op=Op.IS, value="acme")], pair) == ""
    assert refusal([Condition(field="company", op=Op.IS, value="acme", side=Side.BILLING)], pair) != ""
    assert refusal([Condition(field="amount", op=Op.IS, value="1")], pair) == ""


def test_what_no_record_can_answer_yet_is_left_open_and_what_no_side_has_is_named() -> None:
    conditions = [Condition(field="tags", op=Op.HAS, value="vip")]
    assert refusal(conditions, {Side.BILLING: seen({"company": "Acme"})}) == ""
    assert unknown(conditions, {Side.CRM: {"tags"}, Side.BILLING: set()}) == ""
    assert "“tags” has “vip”" in unknown(conditions, {Side.CRM: set(), Side.BILLING: {"company"}})
    named = [Condition(field="tags", op=Op.HAS, value="vip", side=Side.BILLING)]
    assert unknown(named, {Side.CRM: {"tags"}, Side.BILLING: set()}) != ""

"""The field map: which pairs work between two accounts, and why the others do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.highlevel import mapping as highlevel
from app.providers.invoice_ninja import mapping as invoice_ninja
from app.sync.fieldmap import Direction, Pair, resolve
from app.sync.objects.contact import DEFAULT_MAP
from app.sync.records import FieldSpec, Side


def fields(*names: str) -> dict[str, FieldSpec]:
    return {name: FieldSpec(name=name, label=name) for name in names}


CRM, BILLING = fields("email", "phone", "company"), fields("email", "phone", "name", "custom_value4")


def test_a_pair_whose_fields_exist_on_both_sides_is_a_rule() -> None:
    (rule,), skipped = resolve([Pair("company", "name")], CRM, BILLING)
    assert (rule.crm.name, rule.billing.name, rule.name) == ("company", "name", "name")
    assert (rule.spec(Side.CRM), rule.spec(Side.BILLING)) == (rule.crm, rule.billing)
    assert skipped == ()


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        (Pair("fax", "phone"), "the CRM account has no field “fax”"),
        (Pair("phone", "fax"), "the billing account has no field “fax”"),
        (Pair("phone", "custom_value4"), "“custom_value4” holds the link to the CRM and cannot be mapped"),
    ],
)
def test_a_pair_that_cannot_work_is_skipped_with_its_reason(pair: Pair, reason: str) -> None:
    rules, (skipped,) = resolve([pair], CRM, BILLING, reserved="custom_value4")
    assert (rules, skipped.pair, skipped.reason) == ((), pair, reason)


def test_a_field_that_an_account_lacks_is_skipped_with_its_own_reason() -> None:
    lacking = {"email": FieldSpec(name="email", label="E-mail", lacking="its version has none")}
    for crm, billing in ((lacking, BILLING), (CRM, lacking)):
        rules, (skipped,) = resolve([Pair("email", "email")], crm, billing)
        assert (rules, skipped.reason) == ((), "its version has none")


def test_a_billing_field_is_written_from_one_crm_field_only() -> None:
    (rule,), (skipped,) = resolve([Pair("phone", "phone"), Pair("company", "phone")], CRM, BILLING)
    assert rule.crm.name == "phone"
    assert skipped.reason == "“phone” is mapped already"


def test_a_crm_field_is_written_from_one_billing_field_only() -> None:
    """Two sources for one field would take turns for ever."""
    rules, _ = resolve([Pair("phone", "phone"), Pair("phone", "name")], CRM, BILLING)
    assert len([rule for rule in rules if rule.direction.reaches(Side.CRM)]) == 1


@pytest.mark.parametrize(
    ("whole", "pair", "meant"),
    [
        (Direction.BOTH, Direction.BOTH, Direction.BOTH),
        (Direction.BOTH, Direction.TO_CRM, Direction.TO_CRM),
        (Direction.TO_BILLING, Direction.BOTH, Direction.TO_BILLING),
        (Direction.TO_CRM, Direction.TO_CRM, Direction.TO_CRM),
    ],
)
def test_no_pair_goes_further_than_its_object(whole: Direction, pair: Direction, meant: Direction) -> None:
    (rule,), _ = resolve([Pair("email", "email", pair)], CRM, BILLING, direction=whole)
    assert rule.direction is meant


def test_a_pair_against_the_direction_of_its_object_is_skipped() -> None:
    rules, (skipped,) = resolve(
        [Pair("email", "email", Direction.TO_CRM)], CRM, BILLING, direction=Direction.TO_BILLING
    )
    assert rules == ()
    assert skipped.reason == "records go to_billing only, this field to_crm"


@pytest.mark.parametrize(
    ("direction", "reached"),
    [
        (Direction.BOTH, {Side.CRM, Side.BILLING}),
        (Direction.TO_BILLING, {Side.BILLING}),
        (Direction.TO_CRM, {Side.CRM}),
    ],
)
def test_a_direction_reaches_the_sides_it_names(direction: Direction, reached: set[Side]) -> None:
    assert {side for side in Side if direction.reaches(side)} == reached


@given(st.lists(st.builds(Pair, st.sampled_from([*CRM, "x"]), st.sampled_from([*BILLING, "y"])), max_size=12))
def test_every_pair_is_a_rule_or_skipped_with_a_reason(pairs: list[Pair]) -> None:
    rules, skipped = resolve(pairs, CRM, BILLING, reserved="custom_value4")
    assert len(rules) + len(skipped) == len(pairs)
    assert all(each.reason for each in skipped)
    assert len({rule.name for rule in rules}) == len(rules)


def test_the_default_map_works_with_both_vendors_own_fields() -> None:
    rules, skipped = resolve(
        DEFAULT_MAP, highlevel.fields({}), invoice_ninja.fields({}), reserved=invoice_ninja.SLOT_FIELDS[0]
    )
    assert {rule.crm.name for rule in rules} == {pair.crm for pair in DEFAULT_MAP if "custom." not in pair.crm}
    assert {each.pair.crm.partition(".")[0] for each in skipped} == {"custom"}


def test_no_default_pair_uses_the_default_slot() -> None:
    assert invoice_ninja.SLOT_FIELDS[0] not in {pair.billing for pair in DEFAULT_MAP}


def test_the_pairs_of_a_default_field_mean_the_same_kind_on_both_sides() -> None:
    rules, _ = resolve(DEFAULT_MAP, highlevel.fields({}), invoice_ninja.fields({}))
    assert all(rule.crm.kind is rule.billing.kind for rule in rules)

"""The merge with steps between the two values: each side has its own base, so it comes to rest and erases nothing."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.sync.decisions import Decision, Take
from app.sync.fieldmap import Direction, Pair, Prefer, Rule, resolve
from app.sync.merge import Base, Held, Merge, as_decided, merge, rebase
from app.sync.objects import ContactSettings, OpportunitySettings, ProductSettings
from app.sync.pairing import first_values
from app.sync.policy import BridgeSettings
from app.sync.records import FieldSpec, Kind, Record, Side, Values
from app.sync.steps import AnyStep, lossy
from app.sync.values import clean_text
from tests.sync.test_steps import SIZES, chain, chains

SPECS = (
    FieldSpec(name="x", label="X"),
    FieldSpec(name="x", label="X", kind=Kind.PHONE, strict=True),
    FieldSpec(name="x", label="X", kind=Kind.COUNTRY),
    FieldSpec(name="x", label="X", max_length=8),
)
CRM = FieldSpec(name="size", label="Size")
BILLING = FieldSpec(name="custom_value1", label="Custom value 1")


def rule(*steps: dict[str, Any], direction: Direction = Direction.BOTH, **more: Any) -> Rule:
    made: tuple[AnyStep, ...] = chain(*steps)  # type: ignore[assignment]
    origin = Side.BILLING if direction is Direction.TO_CRM else Side.CRM
    return replace(Rule(CRM, BILLING, direction, steps=made, origin=origin), **more)


def synced(
    one: Rule, base: Base | None, left: Values, right: Values, prefer: Prefer
) -> tuple[Base, Merge, Values, Values]:
    """As an attempt does it: merge, write, keep the base."""
    merged = merge(base, left, right, [one], prefer=prefer)
    left, right = {**left, **merged.values_for(Side.CRM)}, {**right, **merged.values_for(Side.BILLING)}
    return rebase([one], base, left, right, merged.held), merged, left, right


@settings(max_examples=300)
@given(
    chains(),
    st.sampled_from(SPECS),
    st.sampled_from(SPECS),
    st.sampled_from(Direction),
    st.sampled_from([Prefer.CRM, Prefer.BILLING, Prefer.NEWEST, Prefer.ASK]),
    st.lists(st.tuples(st.sampled_from(Side), st.just("") | st.text(max_size=10)), max_size=5),
    st.booleans(),
)
def test_a_sync_with_steps_comes_to_rest_and_erases_nothing(
    drawn: tuple[Any, str],
    left: FieldSpec,
    right: FieldSpec,
    direction: Direction,
    prefer: Prefer,
    edits: list[tuple[Side, str]],
    keeps: bool,
) -> None:
    steps, first = drawn
    one = rule(direction=direction, keeps=keeps)
    one = replace(one, steps=steps, crm=replace(left, name="a"), billing=replace(right, name="b"))
    assume(not (lossy(steps) and direction is Direction.BOTH))
    base, now = None, {Side.CRM: {"a": ""}, Side.BILLING: {"b": ""}}
    for side, value in [(one.origin, first), *edits]:
        now[side] = {one.spec(side).name: value}
        before = {each: now[each][one.spec(each).name] for each in Side}
        base, merged, crm, billing = synced(one, base, now[Side.CRM], now[Side.BILLING], prefer)
        now = {Side.CRM: dict(crm), Side.BILLING: dict(billing)}
        for change in merged.changes:
            assert change.after or not clean_text(before[change.side.other])
            assert change.after or not (keeps and change.before)
        base, again, crm, billing = synced(one, base, crm, billing, prefer)
        assert again.changes == ()


def test_a_table_goes_both_ways_and_its_echo_is_silent() -> None:
    one = rule(SIZES)
    base, merged, *_ = synced(one, None, {"size": "gold"}, {"custom_value1": ""}, Prefer.CRM)
    assert [(change.after, change.note) for change in merged.changes] == [("1", "made of “gold”")]
    assert base == Base({"custom_value1": "gold"}, {"custom_value1": "1"})
    assert merge(base, {"size": "gold"}, {"custom_value1": "1"}, [one], prefer=Prefer.CRM) == Merge()
    _, merged, *_ = synced(one, base, {"size": "gold"}, {"custom_value1": "2"}, Prefer.CRM)
    assert merged.values_for(Side.CRM) == {"size": "Silver"}


@pytest.mark.parametrize(("left", "right"), [("Bronze", "1"), ("Gold", "7")])
def test_what_is_not_in_the_table_is_held_and_nothing_is_written(left: str, right: str) -> None:
    """And it is tried again when something changes: it has not arrived."""
    one = rule(SIZES)
    base = Base({"custom_value1": "Gold"}, {"custom_value1": "1"})
    after, merged, *_ = synced(one, base, {"size": left}, {"custom_value1": right}, Prefer.CRM)
    assert merged.changes == ()
    assert [each.reason for each in merged.held] == [f"“{left if left != 'Gold' else right}” is not in the table"]
    assert after.of(merged.held[0].side.other)["custom_value1"] in ("Gold", "1")


def test_a_template_is_news_when_any_of_its_fields_is() -> None:
    one = rule({"do": "template", "text": "{value} ({city})"}, direction=Direction.TO_BILLING)
    left = {"size": "L", "city": "York"}
    base, merged, _, right = synced(one, None, left, {"custom_value1": ""}, Prefer.CRM)
    assert right == {"custom_value1": "L (York)"}
    assert merge(base, left, right, [one], prefer=Prefer.CRM) == Merge()
    _, merged, *_ = synced(one, base, {**left, "city": "Bath"}, right, Prefer.CRM)
    assert merged.values_for(Side.BILLING) == {"custom_value1": "L (Bath)"}
    edited = merge(base, left, {"custom_value1": "by hand"}, [one], prefer=Prefer.CRM)
    assert edited == Merge(), "what goes one way only is not taken back"


def test_a_default_fills_what_is_empty_and_never_what_is_not() -> None:
    one = rule({"do": "default", "value": "unknown"}, direction=Direction.TO_BILLING)
    *_, right = synced(one, None, {"size": ""}, {"custom_value1": ""}, Prefer.CRM)
    assert right == {"custom_value1": "unknown"}
    *_, right = synced(one, None, {"size": ""}, {"custom_value1": "XL"}, Prefer.CRM)
    assert right == {"custom_value1": "XL"}
    created = first_values((one,), Side.BILLING, Record(id="1", values={"size": ""}))
    assert created.values_for(Side.BILLING) == {"custom_value1": "unknown"}


def test_where_what_is_emptied_is_kept_it_counts_what_the_steps_make_of_a_value() -> None:
    filling = rule({"do": "default", "value": "unknown"}, direction=Direction.TO_BILLING, keeps=True)
    agreed = Base({"custom_value1": "XL"}, {"custom_value1": "XL"})
    *_, right = synced(filling, agreed, {"size": ""}, {"custom_value1": "XL"}, Prefer.CRM)
    assert right == {"custom_value1": "unknown"}
    trimming = rule({"do": "trim"}, direction=Direction.TO_BILLING, keeps=True)
    *_, right = synced(trimming, agreed, {"size": " \t"}, {"custom_value1": "XL"}, Prefer.CRM)
    assert right == {"custom_value1": "XL"}


def test_a_decision_goes_through_the_steps() -> None:
    one = rule(SIZES)
    for take, value, wanted in (
        (Take.CRM, "", {Side.BILLING: "1"}),
        (Take.BILLING, "", {Side.CRM: "Silver"}),
        (Take.VALUE, "Silver", {Side.CRM: "Silver"}),
    ):
        changes, refused = as_decided(one, Decision(take=take, crm="Gold", billing="2", value=value))
        assert ({each.side: each.after for each in changes}, refused) == (wanted, "")
    assert as_decided(one, Decision(take=Take.CRM, crm="Bronze", billing="2"))[1] == "“Bronze” is not in the table"


def test_a_required_field_that_cannot_be_read_is_for_a_person() -> None:
    one = rule(SIZES, billing=replace(BILLING, required=True))
    (held,) = first_values((one,), Side.BILLING, Record(id="1", values={"size": "Bronze"})).held
    assert isinstance(held, Held)
    assert held.rule.billing.required


FIELDS = {"size": CRM, "tags": FieldSpec(name="tags", label="Tags", kind=Kind.TAGS)}
THERE = {"custom_value1": BILLING}


@pytest.mark.parametrize(
    ("pair", "direction", "reason"),
    [
        (Pair("size", "custom_value1", steps=chain({"do": "case"})), Direction.BOTH, "cannot be turned back"),  # type: ignore[arg-type]
        (Pair("tags", "custom_value1", steps=chain({"do": "trim"})), Direction.BOTH, "carried as they are"),  # type: ignore[arg-type]
        (
            Pair("size", "custom_value1", steps=chain({"do": "template", "text": "{colour}"})),  # type: ignore[arg-type]
            Direction.TO_BILLING,
            "its template asks for “colour”",
        ),
    ],
)
def test_a_pair_whose_steps_cannot_work_is_skipped_with_its_reason(
    pair: Pair, direction: Direction, reason: str
) -> None:
    _, (skipped,) = resolve([pair], FIELDS, THERE, direction=direction)
    assert reason in skipped.reason


def test_a_chain_that_cannot_be_turned_back_works_one_way() -> None:
    pair = Pair("size", "custom_value1", steps=chain({"do": "case"}))  # type: ignore[arg-type]
    (one,), _ = resolve([pair], FIELDS, THERE, direction=Direction.TO_BILLING)
    assert (one.direction, one.origin) == (Direction.TO_BILLING, Side.CRM)
    back = Pair("size", "custom_value1", Direction.TO_CRM, pair.steps)
    (one,), _ = resolve([back], FIELDS, THERE)
    assert (one.direction, one.origin) == (Direction.TO_CRM, Side.BILLING)


def _pair(**more: Any) -> dict[str, Any]:
    return {"crm": "city", "billing": "city", **more}


def test_settings_say_what_to_do_about_a_chain_that_cannot_be_turned_back() -> None:
    upper = _pair(steps=[{"do": "case", "to": "upper"}])
    with pytest.raises(ValidationError, match="let it go to_billing or to_crm only, or take that step out"):
        ContactSettings.model_validate({"fields": [upper]})
    ContactSettings.model_validate({"fields": [{**upper, "direction": "to_billing"}]})
    ContactSettings.model_validate({"fields": [upper], "direction": "to_billing"})
    with pytest.raises(ValidationError, match="cannot be turned back"):
        ContactSettings.model_validate({"fields": [upper], "direction": "to_crm"})


@pytest.mark.parametrize(
    ("object_", "field"), [("contact", "email"), ("product", "name"), ("task", "title"), ("invoice", "number")]
)
def test_what_records_are_recognised_by_takes_no_steps(object_: str, field: str) -> None:
    pair = {"crm": field, "billing": field, "steps": [{"do": "trim"}]}
    with pytest.raises(ValidationError, match=f"recognised by their {field}"):
        BridgeSettings.model_validate({object_: {"fields": [pair]}})


def test_a_pair_with_other_steps_meets_anew() -> None:
    before, after = (
        BridgeSettings.model_validate({"contact": {"fields": [_pair(steps=steps)]}}) for steps in ([], [{"do": "trim"}])
    )
    assert after.remapped(before) == {"contact": ["city"]}
    assert after.remapped(after) == {}


def test_settings_without_steps_are_as_they_were() -> None:
    for kind in (ContactSettings, ProductSettings, OpportunitySettings):
        assert all(pair.steps == () for pair in kind().pairs())

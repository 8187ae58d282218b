"""What can go with what, what is suggested, and what two settings differ in: pure, with fields of our own."""

from dataclasses import replace
from enum import StrEnum
from inspect import isclass
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from app.mapping import wording
from app.mapping.board import Board
from app.mapping.differences import differences
from app.mapping.labels import Labels
from app.mapping.suggesting import MOST, plain, same_named, suggestions
from app.mapping.trying import tried
from app.sync.fieldmap import Direction, Pair
from app.sync.objects import OBJECTS, ContactSettings, ProductSettings
from app.sync.policy import BridgeSettings
from app.sync.records import FieldSpec, Kind, Record, Side, Writable
from tests.sync.test_steps import SIZES, chain


def specs(*fields: FieldSpec) -> dict[str, FieldSpec]:
    return {each.name: each for each in fields}


CRM = specs(
    FieldSpec(name="city", label="City"),
    FieldSpec(name="custom.piva", label="Partita IVA"),
    FieldSpec(name="custom.tier", label="Loyalty level"),
    FieldSpec(name="custom.id_number", label="Company registration"),
    FieldSpec(name="tags", label="Tags", kind=Kind.TAGS),
    FieldSpec(name="tag_group", label="Client group, by its tags", writable=Writable.NEVER),
)
BILLING = specs(
    FieldSpec(name="city", label="City"),
    FieldSpec(name="vat_number", label="VAT number"),
    FieldSpec(name="id_number", label="ID number"),
    FieldSpec(name="custom_value1", label="Level of loyalty"),
    FieldSpec(name="custom_value4", label="Client custom value 4"),
    FieldSpec(name="group", label="Client group"),
)
HERE = Board("contact", ContactSettings(fields=[]), CRM, BILLING, "custom_value4")


def test_suggestions_come_by_name_by_meaning_and_by_a_shared_word_the_surest_first() -> None:
    found = [(each.crm.name, each.billing.name, each.confidence) for each in suggestions(HERE, [])]
    assert found == [
        ("city", "city", 95),
        ("custom.id_number", "id_number", 95),
        ("custom.piva", "vat_number", 75),
        ("custom.tier", "custom_value1", 50),
    ]


def test_what_is_mapped_is_not_suggested() -> None:
    found = suggestions(HERE, [Pair("city", "vat_number"), Pair("custom.piva", "id_number")])
    assert [(each.crm.name, each.billing.name) for each in found] == [("custom.tier", "custom_value1")]


def test_all_that_have_the_same_name_are_found_however_many_and_nothing_that_is_only_alike() -> None:
    assert [each.crm.name for each in same_named(HERE, [])] == ["city", "custom.id_number"]
    assert [each.crm.name for each in same_named(HERE, [Pair("city", "city")])] == ["custom.id_number"]
    alike = specs(*(FieldSpec(name=f"custom.f{n}", label=f"Field {n}") for n in range(2 * MOST)))
    other = specs(*(FieldSpec(name=f"value{n}", label=f"Field {n}") for n in range(2 * MOST)))
    board = replace(HERE, crm=alike, billing=other)
    assert (len(suggestions(board, [])), len(same_named(board, []))) == (MOST, 2 * MOST)


def test_names_are_compared_without_signs_and_accents() -> None:
    assert plain("P. IVA") == plain("p_iva") == "p iva"
    assert plain("Città") == "citta"


@pytest.mark.parametrize(
    ("crm", "billing", "reason"),
    [
        ("city", "city", ""),
        ("city", "custom_value4", "“custom_value4” holds the link to the CRM and cannot be mapped"),
        ("tags", "city", ""),
        ("city", "nothing", "the billing account has no field “nothing”"),
    ],
)
def test_two_fields_that_cannot_go_together_say_why(crm: str, billing: str, reason: str) -> None:
    assert HERE.impossible(crm, billing) == reason


def test_a_required_field_that_nothing_fills_is_named() -> None:
    billing = {**BILLING, "city": replace(BILLING["city"], required=True)}
    here = replace(HERE, billing=billing)
    assert [each.name for each in here.lacking([])[Side.BILLING]] == ["city"]
    assert here.lacking([Pair("city", "city")]) == {}
    assert Side.BILLING in here.lacking([Pair("city", "city", Direction.TO_CRM)])


def test_five_records_are_tried_those_with_a_value_first() -> None:
    values = ["", "Gold", "", "Bronze", "", "", ""]
    records = [
        Record(id=str(n), values={"custom.tier": value, "first_name": f"P{n}"}) for n, value in enumerate(values)
    ]
    steps: Any = chain(SIZES)
    found = tried(HERE.rule(Pair("custom.tier", "custom_value1", steps=steps)), records)
    assert [(each.title, each.before, each.after, each.refused) for each in found[:2]] == [
        ("P1", "Gold", "1", ""),
        ("P3", "Bronze", "", "“Bronze” is not in the table"),
    ]
    assert len(found) == 5


def test_two_settings_differ_in_what_a_person_would_name() -> None:
    before = BridgeSettings()
    assert differences(before, before) == ()
    after = BridgeSettings.model_validate(
        {
            "prefer": "ask",
            "contact": {"tags": {"into": "custom_value1"}, "prefer": {"city": "billing"}},
            "product": {"enabled": True, "fields": [{"crm": "price", "billing": "price", "steps": [SIZES]}]},
        }
    )
    told = [(each.object, each.what, each.before, each.after) for each in differences(before, after)]
    assert ("", "who wins", "HighLevel", "a person decides") in told
    assert ("contact", "tags go to", "nowhere", "custom value1") in told
    assert ("contact", "who wins for city", "", "Invoice Ninja") in told
    assert ("product", "synced", "no", "yes") in told
    assert ("product", "field price", "price ↔ price", "price ↔ price: table (Gold = 1, Silver = 2)") in told
    assert ("product", "field name", "name ↔ name", "") in told
    assert len(ProductSettings().pairs()) == 3


def test_fields_go_by_their_labels_and_what_has_none_by_its_name() -> None:
    names = {"contact": {Side.CRM: {"custom.tier": "Tier"}, Side.BILLING: {"custom_value1": "Class", "city": "Town"}}}
    labels = Labels({(name, side): called for name, sides in names.items() for side, called in sides.items()})
    fields = [{"crm": "custom.tier", "billing": "custom_value1"}, {"crm": "custom.gone", "billing": "city"}]
    after = BridgeSettings.model_validate(
        {
            "slot": "custom_value1",
            "contact": {
                "fields": fields,
                "wins": "newest",
                "prefer": {"city": "billing"},
                "only": [{"field": "custom.tier", "op": "is", "value": "Gold"}, {"field": "tags", "op": "filled"}],
            },
            "opportunity": {"outcomes": [{"when": "quote_sent", "status": "open", "stage": "Offer"}]},
            "balance": {"tags": {"sent": "billed"}},
        }
    )
    told = {
        (each.object, each.what): (each.before, each.after) for each in differences(BridgeSettings(), after, labels)
    }
    assert told["contact", "field Class"] == ("custom.custom_value1 ↔ Class", "Tier ↔ Class")
    assert told["contact", "field Town"] == ("city ↔ Town", "custom.gone ↔ Town")
    assert told["contact", "field phone"] == ("phone ↔ phone", "")
    assert told["contact", "who wins for Town"] == ("", "Invoice Ninja")
    assert told["contact", "who wins"] == ("the bridge's choice", "the newest edit")
    assert told["contact", "filter"] == ("", "Tier is Gold; tags is filled in")
    assert told["", "field that holds HighLevel's id"] == ("", "Class")
    assert told["opportunity", "what becomes of the opportunity"][1] == "the quote was sent: open → Offer"
    assert told["balance", "tag for sent"] == ("invoice-sent", "billed")


@pytest.mark.parametrize("object_", OBJECTS)
def test_no_choice_of_a_setting_is_told_by_the_name_that_it_has_inside(object_: str) -> None:
    before = BridgeSettings()
    for name, spec in OBJECTS[object_].settings.model_fields.items():
        choices = [each for each in (spec.annotation, *get_args(spec.annotation)) if isclass(each)]
        for value in (each for kind in choices if issubclass(kind, StrEnum) for each in kind):
            data = before.model_dump(mode="json")
            data[object_][name] = value.value
            try:
                after = BridgeSettings.model_validate(data)
            except ValidationError:
                continue
            for told in differences(before, after):
                assert "_" not in f"{told.what} {told.before} {told.after}"
                assert told.after != value.value or value.value not in ("crm", "both", "to_crm", "sync")


def test_every_step_has_its_words() -> None:
    examples: dict[str, dict[str, Any]] = {
        **{name: {"do": name} for name in wording.STEPS},
        "table": SIZES,
        "default": {"do": "default", "value": "x"},
        "template": {"do": "template", "text": "{value}"},
    }
    for name, example in examples.items():
        (step,) = chain(example)
        assert wording.step(step), name
    (date,) = chain({"do": "date", "zone": "Europe/Rome", "to_zone": "UTC", "otherwise": "pass"})
    assert wording.step(date) == ("date, from DD/MM/YYYY to YYYY-MM-DD, Europe/Rome to UTC; what it cannot read passes")

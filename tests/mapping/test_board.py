"""What can go with what, what is suggested, and what two settings differ in: pure, with fields of our own."""

from dataclasses import replace
from typing import Any

import pytest

from app.mapping import wording
from app.mapping.board import Board
from app.mapping.differences import differences
from app.mapping.suggesting import plain, suggestions
from app.mapping.trying import tried
from app.sync.fieldmap import Direction, Pair
from app.sync.objects import ContactSettings, ProductSettings
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
    assert ("", "prefer", "crm", "ask") in told
    assert ("contact", "tags into", "off", "custom_value1") in told
    assert ("contact", "prefer city", "", "billing") in told
    assert ("product", "enabled", "no", "yes") in told
    assert ("product", "field price", "price ↔ price", "price ↔ price: table (Gold = 1, Silver = 2)") in told
    assert ("product", "field name", "name ↔ name", "") in told
    assert len(ProductSettings().pairs()) == 3


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

"""What a bridge is set to do: its defaults, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from app.sync.fieldmap import Direction, Pair, Prefer, Rule
from app.sync.objects import CrmDeleted
from app.sync.objects.contact import DEFAULT_MAP
from app.sync.policy import BridgeSettings
from app.sync.records import FieldSpec


def test_an_empty_document_is_the_default() -> None:
    settings = BridgeSettings.model_validate({})
    assert (settings.prefer, settings.slot, settings.contact.direction) == (Prefer.CRM, "", Direction.BOTH)
    assert settings.contact.crm_deleted is CrmDeleted.ARCHIVE
    assert settings.contact.pairs() == DEFAULT_MAP


def test_settings_survive_their_way_through_the_database() -> None:
    settings = BridgeSettings.model_validate(
        {
            "prefer": "newest",
            "slot": "custom_value1",
            "contact": {
                "direction": "to_billing",
                "crm_deleted": "keep",
                "fields": [{"crm": "custom.vat", "billing": "vat_number", "direction": "to_billing"}],
            },
        }
    )
    again = BridgeSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert again.contact.pairs() == (Pair("custom.vat", "vat_number", Direction.TO_BILLING),)


def test_a_field_of_the_map_can_have_a_policy_of_its_own() -> None:
    settings = BridgeSettings.model_validate({"contact": {"prefer": {"city": "billing", "vat_number": "ask"}}})
    assert settings.contact.prefer == {"city": Prefer.BILLING, "vat_number": Prefer.ASK}
    assert BridgeSettings.model_validate_json(settings.model_dump_json()) == settings


def test_a_field_has_its_own_winner_else_the_objects_else_the_bridges() -> None:
    settings = BridgeSettings.model_validate({"contact": {"wins": "billing", "prefer": {"city": "ask"}}})
    city, phone = (
        Rule(FieldSpec(name=name, label=name), FieldSpec(name=name, label=name)) for name in ("city", "phone")
    )
    assert settings.as_set(city, "contact").prefer is Prefer.ASK
    assert settings.as_set(phone, "contact").prefer is Prefer.BILLING
    assert settings.as_set(city, "task").prefer is None


@pytest.mark.parametrize(("object_", "keeps"), [("contact", True), ("balance", False), ("recurring", False)])
def test_what_is_emptied_is_kept_but_for_what_is_worked_out(object_: str, keeps: bool) -> None:
    rule = Rule(FieldSpec(name="x", label="X"), FieldSpec(name="x", label="X"))
    assert not BridgeSettings().as_set(rule, object_).keeps
    assert BridgeSettings(keep_filled=True).as_set(rule, object_).keeps is keeps


def test_an_empty_map_is_not_the_default_map() -> None:
    assert BridgeSettings.model_validate({"contact": {"fields": []}}).contact.pairs() == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"prefer": "loudest"},
        {"prefere": "crm"},
        {"contact": {"prefer": {"city": "loudest"}}},
        {"contact": {"prefer": {"town": "crm"}}},
        {"contact": {"prefer": {"city": "crm"}, "fields": [{"crm": "email", "billing": "email"}]}},
        {"contact": {"direction": "sideways"}},
        {"contact": {"crm_deleted": "destroy"}},
        {"contact": {"billing_deleted": "delete"}},
        {"contact": {"billing_archived": "stop"}},
        {"task": {"only": [{"field": "title", "op": "is"}]}},
        {"task": {"only": [{"field": "title", "op": "filled", "value": "x"}]}},
        {"task": {"only": [{"field": "title", "op": "at_least", "value": "much"}]}},
        {"task": {"only": [{"field": "a b", "op": "filled"}]}},
        {"contact": {"tags": {"into": "group"}}},
        {"contact": {"tags": {"groups": [{"tag": "a", "group": "b"}]}}},
        {"contact": {"tags": {"into": "custom_value1", "only": ["a, b"]}}},
        {"contact": {"fields": [{"crm": "email"}]}},
        {"contact": {"fields": [{"crm": "", "billing": "email"}]}},
        {"contact": {"fields": [{"crm": "x" * 201, "billing": "email"}]}},
        {"contact": {"fields": [{"crm": "email", "billing": "email", "both": True}]}},
        {"slot": "x" * 51},
        {"contact": None},
    ],
)
def test_what_is_not_a_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BridgeSettings.model_validate(wrong)

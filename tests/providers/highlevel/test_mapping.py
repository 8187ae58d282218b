from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Rejected
from app.providers.base import KeyKind, MatchKey
from app.providers.highlevel import mapping
from app.providers.highlevel.mapping import TAG_GROUP, TAGS
from app.sync.objects.contact import DEFAULT_MAP
from app.sync.records import Kind, Presence, Writable
from tests.providers.highlevel.recorded import CONTACT, DATA, LOCATION, load

FIELDS = mapping.fields(DATA).keys() - {TAG_GROUP.name}  # which is made of the tags
COUNTRIES = st.sampled_from(["", "DK", "IT", "US", "Atlantis"])
VALUES = st.fixed_dictionaries(
    {}, optional={name: COUNTRIES if name == "country" else st.text() for name in FIELDS if name != TAGS.name}
)


def stored(body: dict[str, Any]) -> dict[str, Any]:
    """The contact that HighLevel has after taking `body`: custom fields go in as field_value and come out as value."""
    custom = [{"id": each["id"], "value": each["field_value"]} for each in body.get("customFields", [])]
    return {"id": CONTACT, "locationId": LOCATION, **body, "customFields": custom}


@given(VALUES)
def test_what_is_written_is_what_is_read(values: dict[str, str]) -> None:
    record = mapping.read(stored(mapping.write(values, DATA)), DATA)
    assert record.values == dict.fromkeys(FIELDS, "") | values


def test_a_recorded_contact_in_our_words() -> None:
    record = mapping.read(load("contact")["contact"], DATA)
    assert record.id == CONTACT
    assert record.values == {
        "company": "North Quay ApS",
        "first_name": "Mira",
        "last_name": "Andersen",
        "email": "mira@northquay.example",
        "phone": "+4532101234",
        "address1": "Havnegade 12",
        "city": "København",
        "state": "",
        "postal_code": "1058",
        "country": "DK",
        "website": "https://northquay.example",
        "custom.vat_number": "DK10101010",
        "custom.invoice_email": "",
        "tags": "wholesale",
    }
    assert record.created_at == datetime(2026, 3, 2, 9, 15, 4, 120_000, tzinfo=UTC)
    assert record.updated_at == datetime(2026, 3, 5, 16, 40, 0, 7_000, tzinfo=UTC)
    assert (record.presence, record.slot, record.part) == (Presence.ACTIVE, "", "")
    assert record.raw["tags"] == ["wholesale"]


def test_a_contact_with_almost_nothing_has_empty_values() -> None:
    assert set(mapping.read(load("contact_with_almost_nothing")["contact"], DATA).values.values()) == {""}


def test_only_the_given_values_are_written() -> None:
    assert mapping.write({"email": "new@northquay.example"}, DATA) == {"email": "new@northquay.example"}
    assert mapping.write({"custom.vat_number": "DK2"}, DATA) == {
        "customFields": [{"id": "CufVatNumber00000001", "field_value": "DK2"}]
    }


def test_an_emptied_field_is_written_as_empty_text() -> None:
    assert mapping.write({"city": "", "custom.vat_number": ""}, DATA) == {
        "city": "",
        "customFields": [{"id": "CufVatNumber00000001", "field_value": ""}],
    }


def test_a_field_that_the_location_has_not_is_refused_by_name() -> None:
    with pytest.raises(Rejected, match=r"custom\.gone"):
        mapping.write({"email": "a@northquay.example", "custom.gone": "x"}, DATA)


def test_only_custom_fields_that_take_any_text_are_offered() -> None:
    specs = mapping.fields(DATA)
    assert "custom.shoe_size" not in specs
    assert specs["custom.vat_number"].label == "VAT number"
    assert (specs["custom.invoice_email"].kind, specs["custom.invoice_email"].strict) == (Kind.EMAIL, True)


def test_the_company_can_only_be_given_when_a_contact_is_made() -> None:
    """UpdateContactDto has no companyName (contracts/ghl, section 4)."""
    specs = mapping.fields({})
    bound = {name: spec.writable for name, spec in specs.items() if spec.writable is not Writable.ALWAYS}
    assert bound == {"company": Writable.ON_CREATE, TAG_GROUP.name: Writable.NEVER}


def test_email_phone_and_country_are_strict() -> None:
    assert {name for name, spec in mapping.fields({}).items() if spec.strict} == {"email", "phone", "country"}


def test_the_default_map_finds_its_plain_fields_here() -> None:
    names = {pair.crm for pair in DEFAULT_MAP if not pair.crm.startswith("custom.")}
    assert names == set(mapping.fields({})) - {TAGS.name, TAG_GROUP.name}


@pytest.mark.parametrize(("answered", "ours"), [("DK", "DK"), ("dk", "DK"), ("Denmark", "DK"), ("Nowhere", "Nowhere")])
def test_a_country_is_read_as_its_code_where_it_has_one(answered: str, ours: str) -> None:
    assert mapping.read({"id": "c", "country": answered}, {}).values["country"] == ours


def test_a_number_in_a_text_field_is_read_as_text() -> None:
    assert mapping.read({"id": "c", "postalCode": 1058}, {}).values["postal_code"] == "1058"


@pytest.mark.parametrize("value", [["a", "b"], {"street": "Havnegade"}])
def test_what_is_not_text_is_refused_and_never_read_as_empty(value: Any) -> None:
    with pytest.raises(Rejected, match="Street"):
        mapping.read({"id": "c", "address1": value}, {})


@pytest.mark.parametrize("moment", [None, 1_772_442_904_120, "", "soon", "2026-03-02 09:15:04"])
def test_a_time_without_a_zone_or_form_is_not_known(moment: Any) -> None:
    assert mapping.read({"id": "c", "dateUpdated": moment}, {}).updated_at is None


def test_a_time_in_another_zone_is_read_in_utc() -> None:
    moment = mapping.read({"id": "c", "dateAdded": "2026-03-02T10:15:04+01:00"}, {}).created_at
    assert str(moment) == "2026-03-02 09:15:04+00:00"


def test_a_deleted_contact_that_is_still_answered_is_deleted() -> None:
    assert mapping.read({"id": "c", "deleted": True}, {}).presence is Presence.DELETED


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (KeyKind.EMAIL, "MIRA@northquay.example", True),
        (KeyKind.EMAIL, "mira@northquay.exampl", False),
        (KeyKind.PHONE, "+45 32 10 12 34", True),
        (KeyKind.PHONE, "+4532101235", False),
        (KeyKind.NAME, "mira andersen", True),
        (KeyKind.NAME, "Mira", False),
    ],
)
def test_a_key_is_compared_exactly(kind: KeyKind, value: str, expected: bool) -> None:
    assert mapping.matches(MatchKey(kind, value), load("contact")["contact"]) is expected
    assert mapping.matches(MatchKey(kind, value), load("search_one")["contacts"][0]) is expected


def test_a_contact_without_a_persons_name_is_found_by_its_company() -> None:
    assert mapping.matches(MatchKey(KeyKind.NAME, "north quay aps"), {"id": "c", "companyName": "North Quay ApS"})


@pytest.mark.parametrize("kind", [KeyKind.EMAIL, KeyKind.PHONE, KeyKind.NAME])
def test_a_key_never_matches_a_contact_that_has_nothing_there(kind: KeyKind) -> None:
    for value in ("x", "", "---"):
        assert not mapping.matches(MatchKey(kind, value), {"id": "c", "email": None})

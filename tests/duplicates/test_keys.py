"""What a record may share with others, in one form, and what says nothing."""

from dataclasses import replace

import pytest

from app.duplicates.keys import LONGEST, keys_of, vat_field
from app.sync.fieldmap import Pair
from app.sync.records import Record, Side


def record(*parts: dict[str, str], **values: str) -> Record:
    persons = tuple(Record(id=f"c/{number}", values=each) for number, each in enumerate(parts))
    return replace(Record(id="c", values=values), parts=persons)


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({"email": " Jane@Acme.Example "}, [("email", "jane@acme.example")]),
        ({"email": "not an address"}, []),
        ({"email": "No-Reply@acme.example"}, []),
        ({"email": "jane@example.com"}, []),
        ({"phone": "(415) 555-0101", "country": "US"}, [("phone", "+14155550101")]),
        ({"phone": "(415) 555-0101"}, []),
        ({"client_phone": "+1 415 555 0101"}, [("phone", "+14155550101")]),
        ({"phone": "+14155550101", "client_phone": "+1 (415) 555-0101"}, [("phone", "+14155550101")]),
        ({"phone": "+1 999 999 9999"}, []),
        ({"name": "Müller & Söhne GmbH", "postal_code": "10 115"}, [("name_postcode", "müller söhne gmbh, 10115")]),
        (
            {"first_name": "Ann", "last_name": "Lee", "company": "Acme", "postal_code": "1"},
            [("name_postcode", "ann lee, 1")],
        ),
        ({"company": "Acme", "postal_code": "1"}, [("name_postcode", "acme, 1")]),
        ({"name": "Acme"}, []),
        ({"postal_code": "N1"}, []),
        ({"vat_number": "de 123.456.789"}, [("vat", "DE123456789")]),
        ({"vat_number": "n/a"}, []),
        ({"vat_number": "00 00 00"}, []),
        ({}, []),
    ],
)
def test_keys_in_their_normal_form(values: dict[str, str], keys: list[tuple[str, str]]) -> None:
    assert keys_of(record(**values), "vat_number") == keys


def test_each_person_of_a_client_has_keys_and_each_key_is_there_once() -> None:
    ann = {"first_name": "Ann", "last_name": "Lee", "email": "ann@acme.example", "phone": "020 7946 0958"}
    bob = {"first_name": "Bob", "last_name": "Lee", "email": "ANN@acme.example"}
    client = record(ann, bob, name="Acme", country="GB", postal_code="N1 1AA", **ann)
    assert sorted(keys_of(client, "vat_number")) == [
        ("email", "ann@acme.example"),
        ("name_postcode", "acme, n11aa"),
        ("name_postcode", "ann lee, n11aa"),
        ("name_postcode", "bob lee, n11aa"),
        ("phone", "+442079460958"),
    ]


def test_a_key_is_no_longer_than_an_index_can_hold() -> None:
    ((_, key),) = keys_of(record(name="x" * 5000, postal_code="1"), "vat_number")
    assert len(key) == LONGEST


def test_the_vat_number_of_the_crm_is_in_the_field_that_is_mapped_to_billings() -> None:
    pairs = (Pair("custom.tax_id", "vat_number"),)
    assert vat_field(Side.CRM, pairs) == "custom.tax_id"
    assert vat_field(Side.CRM, ()) == "custom.vat_number"
    assert vat_field(Side.BILLING, pairs) == "vat_number"

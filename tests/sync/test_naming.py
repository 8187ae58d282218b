"""What records are called, and the words that they are found by."""

import pytest

from app.sync.naming import LONGEST, called, name_of, query_of, words_of
from app.sync.records import Record, Side


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace", "company": "Cranes", "email": "a@b.example"}, "Ada Lovelace"),
        ({"company": "Cranes", "email": "a@b.example"}, "Cranes"),
        ({"name": "Bolt", "notes": "M8"}, "Bolt"),
        ({"email": "a@b.example", "phone": "1"}, "a@b.example"),
        ({"number": "INV-7", "total": "1.00 USD"}, "INV-7"),
        ({"title": "Call\n Dora", "body": "soon"}, "Call Dora"),
        ({"amount": "5.00 EUR", "paid_on": "2026-11-20"}, "5.00 EUR on 2026-11-20"),
        ({"body": "x" * 500}, "x" * (LONGEST - 1) + "…"),
        ({"city": "York"}, ""),
    ],
)
def test_a_record_is_called_what_people_call_it(values: dict[str, str], name: str) -> None:
    assert name_of(Record(id="1", values=values)) == name


def test_a_pair_has_the_crms_name_and_is_found_by_the_words_of_both() -> None:
    crm = Record(id="1", values={"first_name": "José", "last_name": "Müller", "email": "jose@acme.example"})
    billing = Record(id="2", values={"name": "ACME GmbH", "number": "", "email": "jose@acme.example"})
    assert called({Side.BILLING: billing, Side.CRM: crm}) == ("José Müller", "jose muller acme example gmbh")
    assert called({Side.BILLING: billing})[0] == "ACME GmbH"
    assert called({}) == ("", "")


def test_words_are_letters_and_digits_so_that_no_sign_reaches_a_query() -> None:
    assert words_of("O'Neil & Söhne: a_b!*") == ["o", "neil", "sohne", "a", "b"]
    assert query_of("An' | !x") == "'an':* & 'x':*"
    assert query_of(" %* ") == ""

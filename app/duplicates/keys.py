"""What records of one side may share, and so be one thing: each key in one normal form. Pure.

The persons of a client in billing are parts of it: what one of them has, the client has.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from app.sync.fieldmap import Pair
from app.sync.people import email_of
from app.sync.records import Record, Side, Values
from app.sync.values import alpha_2, clean_text, e164, is_email

LONGEST = 300
"""Characters: an index cannot hold a whole text."""
SHORTEST_VAT = 5
TAIL = 7
"""Last digits of a phone; where all of them are the same, somebody had to enter something."""


class Trait(StrEnum):
    EMAIL = "email"
    PHONE = "phone"
    PLACE = "name_postcode"
    VAT = "vat"


IN_WORDS = {
    Trait.EMAIL: "the same e-mail address",
    Trait.PHONE: "the same phone number",
    Trait.PLACE: "the same name and postcode",
    Trait.VAT: "the same VAT number",
}

# What people enter where a form insists on an address. Whatever else many share is found by counting.
_NOBODY = {"none", "na", "noemail", "nomail", "noreply", "donotreply", "nobody", "unknown", "test", "email", "xxx"}
_NOWHERE = {"example.com", "example.org", "example.net", "test.com", "none.com", "noemail.com", "email.com"}

VAT = "vat_number"


def vat_field(side: Side, pairs: tuple[Pair, ...]) -> str:
    """The field that holds the VAT number on this side; in the CRM it is the one that is mapped to billing's."""
    mapped = next((pair.crm for pair in pairs if pair.billing == VAT), f"custom.{VAT}")
    return VAT if side is Side.BILLING else mapped


def keys_of(record: Record, vat: str) -> list[tuple[str, str]]:
    """Each once. `vat`: the field that holds the VAT number."""
    found = dict.fromkeys(_keys(record, vat))
    return [(kind.value, key[:LONGEST]) for kind, key in found]


def card_of(record: Record) -> dict[str, Any]:
    """What people recognise a record by, and how much of it is filled in."""
    values = record.values
    return {
        "name": _person(values),
        "company": values.get("company", "") or values.get("name", ""),
        **{name: values.get(name, "") for name in ("email", "phone", "city")},
        "filled": sum(bool(clean_text(value)) for value in values.values()),
    }


def _keys(record: Record, vat: str) -> Iterator[tuple[Trait, str]]:
    values, people = record.values, (record, *record.parts)
    region = alpha_2(values.get("country", ""))
    for each in people:
        if email := _email(email_of(each)):
            yield Trait.EMAIL, email
        for name in ("phone", "client_phone"):
            if phone := _phone(each.values.get(name, ""), region):
                yield Trait.PHONE, phone
    if postcode := _squeezed(values.get("postal_code", "")).replace(" ", ""):
        for name in _names(record):
            yield Trait.PLACE, f"{name}, {postcode}"
    if number := _vat(values.get(vat, "")):
        yield Trait.VAT, number


def _names(record: Record) -> Iterator[str]:
    """Colleagues share their company and its postcode: a company counts where nobody is named, or it is the record."""
    persons = [_squeezed(_person(each.values)) for each in (record, *record.parts)]
    own = _squeezed(record.values.get("name", ""))
    company = "" if any(persons) else _squeezed(record.values.get("company", ""))
    yield from filter(None, (own, company, *persons))


def _person(values: Values) -> str:
    return " ".join(filter(None, (clean_text(values.get(part, "")) for part in ("first_name", "last_name"))))


def _email(address: str) -> str:
    local, _, domain = address.partition("@")
    if "".join(filter(str.isalnum, local)) in _NOBODY or domain in _NOWHERE:
        return ""
    return address if is_email(address) else ""


def _phone(written: str, region: str | None) -> str:
    number = e164(written, region) if written else None
    return number if number and len(set(number[-TAIL:])) > 1 else ""


def _vat(written: str) -> str:
    number = "".join(filter(str.isalnum, written.upper()))
    digits = {each for each in number if each.isdigit()}
    return number if len(number) >= SHORTEST_VAT and digits and digits != {"0"} else ""


def _squeezed(text: str) -> str:
    """Without case and punctuation, one blank between words."""
    letters = (each if each.isalnum() else " " for each in clean_text(text).casefold())
    return " ".join("".join(letters).split())

"""What HighLevel accepts in a contact body, and what it makes of it: lower-cased emails, E.164 phones, ISO birthdays.

Pure. The tables follow CreateContactDto, UpsertContactDto and UpdateContactDto of apps/contacts.json.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import phonenumbers
import pycountry

from app.sandbox.highlevel.errors import unprocessable
from app.sandbox.highlevel.store import Location

_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}")
_YEAR_FIRST = re.compile(r"(\d{4})[/._-](\d{2})[/._-](\d{2})(?:T.*)?")
_MONTH_FIRST = re.compile(r"(\d{2})[/._-](\d{2})[/._-](\d{4})")
# contracts/ghl, section 4: HighLevel's country list is older than ISO's.
COUNTRIES = {each.alpha_2 for each in pycountry.countries} - {"BL", "BQ", "CW", "SS"} | {"AN", "XK"}

_NULLABLE_TEXT = {"firstName", "lastName", "name", "email", "phone", "address1", "city", "state", "website", "timezone"}
_TEXT = _NULLABLE_TEXT | {"postalCode", "country", "source", "assignedTo", "companyName", "gender", "locationId"}
_OTHER = {"dnd", "dndSettings", "inboundDndSettings", "tags", "customFields", "dateOfBirth"}
_NEW_ONLY = {"companyName", "gender", "locationId"}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One of HighLevel's contact DTOs. A key that it does not have is refused, not ignored (highlevel-api-docs#262)."""

    allowed: frozenset[str]
    nullable: frozenset[str]
    required: tuple[str, ...] = ()


CREATE = Shape(
    allowed=frozenset(_TEXT | _OTHER),
    nullable=frozenset(_NULLABLE_TEXT | {"companyName", "dateOfBirth"}),
    required=("locationId",),
)
UPSERT = Shape(
    allowed=CREATE.allowed | {"createNewIfDuplicateAllowed"}, nullable=CREATE.nullable, required=("locationId",)
)
UPDATE = Shape(
    allowed=CREATE.allowed - _NEW_ONLY,
    nullable=frozenset(_NULLABLE_TEXT | {"source", "assignedTo", "dateOfBirth"}),
)
UPDATE_WITH_COMPANY = Shape(allowed=UPDATE.allowed | {"companyName"}, nullable=UPDATE.nullable | {"companyName"})


@dataclass(kw_only=True)
class Write:
    """`values` and `custom` hold None for what is to be cleared; `tags` None leaves the tags alone."""

    values: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] | None = None


def parse(body: Any, shape: Shape, location: Location) -> Write:
    if not isinstance(body, dict):
        raise unprocessable(["body must be an object"])
    problems = [f"property {key} should not exist" for key in body if key not in shape.allowed]
    problems += [f"{key} must be a string" for key in shape.required if key not in body]
    write = Write()
    for key, value in body.items():
        if key in shape.allowed:
            _take(write, key, value, shape, location, problems)
    if problems:
        raise unprocessable(problems)
    return write


def _take(write: Write, key: str, value: Any, shape: Shape, location: Location, problems: list[str]) -> None:
    if value is None and key in shape.nullable:
        write.values.update(_name_parts("") if key == "name" else {key: None})
    elif key in _TEXT:
        _take_text(write, key, value, location, problems)
    elif key == "dateOfBirth":
        write.values[key] = _birthday(value, problems)
    elif key == "dnd":
        if not isinstance(value, bool):
            problems.append("dnd must be a boolean value")
        write.values[key] = value
    elif key == "tags":
        write.tags = tags(value, problems)
    elif key == "customFields":
        _take_custom(write, value, location, problems)
    elif isinstance(value, dict):
        write.values[key] = value
    elif key != "createNewIfDuplicateAllowed":
        problems.append(f"{key} must be an object")


def _take_text(write: Write, key: str, value: Any, location: Location, problems: list[str]) -> None:
    if not isinstance(value, str):
        problems.append(f"{key} must be a string")
        return
    text = value.strip()
    if key == "email" and text and not _EMAIL.fullmatch(text):
        problems.append("email must be an email")
    elif key == "country" and text and text not in COUNTRIES:
        problems.append("country must be a valid enum value")
    elif key == "phone" and text and e164(text, location.country) is None:
        problems.append("phone must be a valid phone number")
    elif key == "email":
        write.values[key] = text.lower() or None
    elif key == "phone":
        write.values[key] = e164(text, location.country) if text else None
    elif key == "name":
        write.values.update({part: given for part, given in _name_parts(text).items() if part not in write.values})
    elif key not in ("gender", "locationId"):
        # highlevel-api-docs#313: gender is accepted and thrown away.
        write.values[key] = text or None


@lru_cache(maxsize=10_000)
def e164(text: str, country: str) -> str | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _name_parts(name: str) -> dict[str, str | None]:
    first, _, last = name.partition(" ")
    return {"firstName": first or None, "lastName": last.strip() or None}


def _birthday(value: Any, problems: list[str]) -> str | None:
    text = value if isinstance(value, str) else "?"
    if not text:
        return None
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found.groups()
    elif found := _MONTH_FIRST.fullmatch(text):
        month, day, year = found.groups()
    else:
        problems.append("dateOfBirth must be a valid date")
        return None
    return f"{year}-{month}-{day}T00:00:00.000Z"


def tags(value: Any, problems: list[str]) -> tuple[str, ...]:
    """HighLevel keeps tags in lower case, each once."""
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        problems.append("each value in tags must be a string")
        return ()
    return tuple(dict.fromkeys(each.strip().lower() for each in value if each.strip()))


def _take_custom(write: Write, value: Any, location: Location, problems: list[str]) -> None:
    if not isinstance(value, list):
        problems.append("customFields must be an array")
        return
    for position, entry in enumerate(value):
        if not isinstance(entry, Mapping) or not (entry.get("id") or entry.get("key")):
            problems.append(f"customFields.{position}.id must be a string")
            continue
        unknown = [key for key in entry if key not in ("id", "key", "field_value")]
        problems += [f"customFields.{position}.property {key} should not exist" for key in unknown]
        known = location.custom_field(id=entry.get("id", ""), key=entry.get("key", ""))
        if known is not None:
            write.custom[known["id"]] = _custom_value(entry.get("field_value"), known["dataType"])


def _custom_value(value: Any, data_type: str) -> Any:
    if value in ("", None, []):
        return None
    if data_type in ("NUMERICAL", "MONETORY") and isinstance(value, str):
        try:
            return float(value) if "." in value else int(value)
        except ValueError:
            return None
    return value

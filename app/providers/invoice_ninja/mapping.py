"""Our contact and Invoice Ninja's client with one of its contacts: one table, read both ways. Pure.

`part` is the id of that contact; by default the primary one. Raw clients are as `wire.Client` dumps them.
contracts/invoice_ninja, section 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.errors import Gone, Rejected
from app.providers.invoice_ninja.countries import codes, country_code, country_id
from app.sync.records import FieldSpec, Kind, Presence, Record, Values

SLOT_FIELDS = ("custom_value4", "custom_value3", "custom_value2", "custom_value1", "id_number")

# Longer text is cut without a word, and the answer to the write still shows all of it: section 2.
VARCHAR = 191
# The column of a contact's e-mail is narrower, by the vendor's own migrations.
EMAIL_VARCHAR = 100

# What must be said of every contact of a client when one of them changes. What is left out is kept: so nothing that a
# person edits elsewhere meanwhile is overwritten, and a portal password, shown as asterisks, does not become one.
SENT_BACK = ("id", "is_primary", "send_email")


class Place(StrEnum):
    CLIENT = "client"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Column:
    """One field of ours and where Invoice Ninja keeps it. `word` is the vendor's name for it."""

    spec: FieldSpec
    place: Place
    word: str


def _column(
    place: Place,
    name: str,
    label: str,
    *,
    word: str = "",
    kind: Kind = Kind.TEXT,
    keeps: int | None = VARCHAR,
    strict: bool = False,
) -> Column:
    whole = place is Place.CLIENT
    spec = FieldSpec(name=name, label=label, kind=kind, max_length=keeps, strict=strict, whole=whole)
    return Column(spec, place, word or name)


COLUMNS: tuple[Column, ...] = (
    _column(Place.CLIENT, "name", "Client name"),
    _column(Place.CONTACT, "first_name", "First name"),
    _column(Place.CONTACT, "last_name", "Last name"),
    _column(Place.CONTACT, "email", "E-mail", kind=Kind.EMAIL, keeps=EMAIL_VARCHAR, strict=True),
    _column(Place.CONTACT, "phone", "Phone", kind=Kind.PHONE),
    _column(Place.CLIENT, "client_phone", "Client phone", word="phone", kind=Kind.PHONE),
    _column(Place.CLIENT, "address1", "Street"),
    _column(Place.CLIENT, "address2", "Apt/Suite"),
    _column(Place.CLIENT, "city", "City"),
    _column(Place.CLIENT, "state", "State/Province"),
    _column(Place.CLIENT, "postal_code", "Postal code"),
    _column(Place.CLIENT, "country", "Country", word="country_id", kind=Kind.COUNTRY, keeps=None, strict=True),
    _column(Place.CLIENT, "website", "Website", kind=Kind.URL),
    _column(Place.CLIENT, "group", "Client group", word="group_settings_id", keeps=None),
    _column(Place.CLIENT, "vat_number", "VAT number"),
    _column(Place.CLIENT, "id_number", "ID number"),
    _column(Place.CLIENT, "public_notes", "Public notes", keeps=None),
    _column(Place.CLIENT, "private_notes", "Private notes", keeps=None),
    *(_column(Place.CLIENT, f"custom_value{n}", f"Client custom value {n}") for n in range(1, 5)),
    *(
        _column(Place.CONTACT, f"contact_custom_value{n}", f"Contact custom value {n}", word=f"custom_value{n}")
        for n in range(1, 5)
    ),
)

_BY_NAME = {column.spec.name: column for column in COLUMNS}


CLIENT_FIELDS = frozenset(name for name, column in _BY_NAME.items() if column.place is Place.CLIENT)


def fields(data: Mapping[str, Any]) -> Mapping[str, FieldSpec]:
    specs = {name: column.spec for name, column in _BY_NAME.items()}
    if known := data.get("countries"):
        specs["country"] = replace(specs["country"], refuses=codes().difference(known.values()))
    for place, start in ((Place.CLIENT, "custom_value"), (Place.CONTACT, "contact_custom_value")):
        for n in range(1, 5):
            if label := (data.get("labels") or {}).get(f"{place.value}{n}"):
                specs[f"{start}{n}"] = replace(specs[f"{start}{n}"], label=label)
    specs["group"] = replace(specs["group"], options=frozenset((data.get("groups") or {}).values()))
    return specs


def slot_field(data: Mapping[str, Any]) -> str:
    """The client's field that holds the CRM's id, as this connection has chosen it."""
    name = str(data.get("slot_field") or SLOT_FIELDS[0])
    if name not in SLOT_FIELDS:
        raise Rejected(f"the CRM's id cannot be kept in “{name}”: choose one of {', '.join(SLOT_FIELDS)}")
    return name


def read(client: Mapping[str, Any], *, part: str = "", data: Mapping[str, Any]) -> Record:
    """A client in our words. Raises Gone where `part` is not one of its contacts any more: absence is not blankness."""
    state = presence(client)
    contact = contact_of(client, "" if state is Presence.DELETED else part)
    holders = {Place.CLIENT: client, Place.CONTACT: contact}
    return Record(
        id=client["id"],
        values={column.spec.name: _ours(column, holders[column.place].get(column.word), data) for column in COLUMNS},
        presence=state,
        part=part or str(contact.get("id", "")),
        slot=_text(client.get(slot_field(data))),
        created_at=_moment(client.get("created_at")),
        updated_at=_moment(client.get("updated_at")),
        parts=tuple(_person(client, each, data) for each in client["contacts"] if not is_blank(each)),
        raw=client,
    )


def read_person(client: Mapping[str, Any], own: str, data: Mapping[str, Any]) -> Record:
    """One contact of a client as a record of its own. Raises Gone where the client has it no more."""
    return _person(client, contact_of(client, own), data)


def _person(client: Mapping[str, Any], contact: Mapping[str, Any], data: Mapping[str, Any]) -> Record:
    columns = [column for column in COLUMNS if column.place is Place.CONTACT]
    return Record(
        id=f"{client['id']}/{contact['id']}",
        parent=client["id"],
        values={column.spec.name: _ours(column, contact.get(column.word), data) for column in columns},
        presence=presence(client),
        created_at=_moment(contact.get("created_at")),
        updated_at=_moment(contact.get("updated_at")),
        raw=client,
    )


def is_blank(contact: Mapping[str, Any]) -> bool:
    """The nameless contact that the server makes for a client without any."""
    return not any(_text(contact.get(word)) for word in ("first_name", "last_name", "email", "phone"))


def add_payload(current: Mapping[str, Any], values: Values, data: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PUT that adds a person to the client; it takes the place of a blank one.

    Where it is not the first, no documents are sent to it until somebody says so there.
    """
    _, contact = _split({name: value for name, value in values.items() if value}, data)
    contacts: list[Mapping[str, Any]] = current["contacts"]
    blank = next((each["id"] for each in contacts if is_blank(each)), None)
    if blank is not None:
        return {"settings": current["settings"], "contacts": _contacts(current, blank, contact)}
    added = {**contact, "send_email": False} if contacts else contact
    return {"settings": current["settings"], "contacts": [*sent_back(current), added]}


def take_over_payload(current: Mapping[str, Any], person: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PUT that moves another client's contact here: what bears its id is that contact (section 3).

    It brings all its values along, for a server that makes it anew instead. A blank contact here makes room.
    """
    words = [column.word for column in COLUMNS if column.place is Place.CONTACT]
    brought = {word: person[word] for word in ("id", "send_email", *words) if word in person}
    blank = {each["id"] for each in current["contacts"] if is_blank(each)}
    kept = [each for each in sent_back(current) if each["id"] not in blank]
    return {"settings": current["settings"], "contacts": [*kept, brought]}


def take_away_payload(current: Mapping[str, Any], own: str) -> dict[str, Any]:
    """The body of a PUT that takes one person off the client, and keeps the others as they are."""
    kept = [each for each in sent_back(current) if each["id"] != own]
    return {"settings": current["settings"], "contacts": kept}


def sent_back(current: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every contact, so that none is deleted, with what must be said of it."""
    return [{word: contact[word] for word in SENT_BACK if word in contact} for contact in current["contacts"]]


def create_payload(values: Values, slot: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The body of POST /clients. No `number`: the server counts. No contact field: it makes a blank contact itself."""
    client, contact = _split({name: value for name, value in values.items() if value}, data)
    if slot:
        client[slot_field(data)] = slot
    return {**client, "contacts": [contact]} if contact else client


def update_payload(
    current: Mapping[str, Any], part: str, values: Values, slot: str, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of PUT /clients/{id}, empty where there is nothing to write. `current` is the client as just read.

    Without `settings` the client's currency and terms fall back to the company's; `contacts` replaces the whole set.
    So both travel as they were read, the contacts only when one of them changes. `number` never does: sent as null
    it is counted anew.
    """
    client, contact = _split(values, data)
    if slot and not _text(current.get(slot_field(data))):
        client[slot_field(data)] = slot
    if not client and not contact:
        return {}
    payload = {**client, "settings": current["settings"]}
    return {**payload, "contacts": _contacts(current, part, contact)} if contact else payload


def contact_of(client: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    """The contact `part`, or the primary one; {} for a client without contacts.

    A client has none while it is being created under QUEUE_CONNECTION=sync, and after another client took its
    contact (sections 8 and 3); it may have two primary ones after a merge.
    """
    contacts: list[Mapping[str, Any]] = client["contacts"]
    if part:
        named = [contact for contact in contacts if contact["id"] == part]
        if not named:
            raise Gone("the client has no such contact any more")
        return named[0]
    primary = [contact for contact in contacts if contact.get("is_primary")]
    return next(iter([*primary, *contacts]), {})


def presence(client: Mapping[str, Any]) -> Presence:
    """Deleting sets `archived_at` as well, so `is_deleted` is looked at first."""
    if client.get("is_deleted"):
        return Presence.DELETED
    return Presence.ARCHIVED if client.get("archived_at") else Presence.ACTIVE


def _contacts(current: Mapping[str, Any], part: str, changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All contacts, for one that is not in the list is deleted; one of them changed.

    No id travels that was not read from this very client: an id of another client would move that client's contact
    here, without a question (section 3).
    """
    target = contact_of(current, part).get("id")
    if target is None:
        return [dict(changed)]
    return [{**each, **changed} if each["id"] == target else each for each in sent_back(current)]


def _split(values: Values, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Values in the vendor's words: those of the client and those of the contact."""
    words: dict[Place, dict[str, Any]] = {Place.CLIENT: {}, Place.CONTACT: {}}
    for name, value in values.items():
        column = _BY_NAME[name]
        words[column.place][column.word] = _theirs(column, value, data)
    return words[Place.CLIENT], words[Place.CONTACT]


def _ours(column: Column, stored: Any, data: Mapping[str, Any]) -> str:
    # A blank contact's e-mail is one space: section 3.
    text = _text(stored)
    if column.spec.kind is Kind.COUNTRY:
        return country_code(text, data)
    if column.spec.name == "group":
        return str((data.get("groups") or {}).get(text, text))
    return text[: column.spec.max_length].rstrip()


def _theirs(column: Column, value: str, data: Mapping[str, Any]) -> str:
    if column.spec.name == "group":
        return next((id_ for id_, name in (data.get("groups") or {}).items() if name == value), "")
    return country_id(value, data) if column.spec.kind is Kind.COUNTRY and value else value


def _text(stored: Any) -> str:
    return "" if stored is None else str(stored).strip()


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None

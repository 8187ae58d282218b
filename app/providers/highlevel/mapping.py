"""Which of our fields is which of HighLevel's: one table, read both ways. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.errors import Rejected
from app.providers.base import KeyKind, MatchKey
from app.sync.records import FieldSpec, Kind, Presence, Record, Values, Writable
from app.sync.values import alpha_2, same, tag_text

CUSTOM = "custom."
Data = Mapping[str, Any]
"""`Profile.data`: {"custom_fields": [{"id", "key", "label", "type"}]}, as `provider.probe` learned it."""


@dataclass(frozen=True, slots=True)
class Field:
    """`theirs` is the vendor's property, or the id of a custom field."""

    ours: str
    theirs: str
    label: str
    kind: Kind = Kind.TEXT
    writable: Writable = Writable.ALWAYS
    strict: bool = False
    refuses: frozenset[str] = frozenset()

    @property
    def custom(self) -> bool:
        return self.ours.startswith(CUSTOM)

    @property
    def spec(self) -> FieldSpec:
        return FieldSpec(
            name=self.ours,
            label=self.label,
            kind=self.kind,
            writable=self.writable,
            strict=self.strict,
            refuses=self.refuses,
        )


# ISO 3166 codes that are not in the vendor's list (contracts/ghl/openapi, the contact's country).
UNKNOWN_COUNTRIES = frozenset({"BL", "BQ", "CW", "SS"})

CONTACT = (
    # POST takes companyName, PUT refuses it (contracts/ghl, section 4).
    Field("company", "companyName", "Company", writable=Writable.ON_CREATE),
    Field("first_name", "firstName", "First name"),
    Field("last_name", "lastName", "Last name"),
    Field("email", "email", "E-mail", Kind.EMAIL, strict=True),
    Field("phone", "phone", "Phone", Kind.PHONE, strict=True),
    Field("address1", "address1", "Street"),
    Field("city", "city", "City"),
    Field("state", "state", "State"),
    Field("postal_code", "postalCode", "Postal code"),
    Field("country", "country", "Country", Kind.COUNTRY, strict=True, refuses=UNKNOWN_COUNTRIES),
    Field("website", "website", "Website", Kind.URL),
)

# Only fields that take any text. An option must be one of the location's own, a date or an amount has another form.
TEXT_LIKE = {"TEXT": Kind.TEXT, "LARGE_TEXT": Kind.TEXT, "EMAIL": Kind.EMAIL, "PHONE": Kind.PHONE}


TAGS = FieldSpec(name="tags", label="Tags", kind=Kind.TAGS)
TAG_GROUP = FieldSpec(name="tag_group", label="Client group, by its tags", writable=Writable.NEVER)


def fields(data: Data) -> dict[str, FieldSpec]:
    return {**{each.ours: each.spec for each in table(data)}, TAGS.name: TAGS, TAG_GROUP.name: TAG_GROUP}


def read(contact: Mapping[str, Any], data: Data) -> Record:
    """A contact as HighLevel answers it. It leaves out what is empty."""
    custom = {each.get("id"): each.get("value") for each in contact.get("customFields") or ()}
    return Record(
        id=contact["id"],
        values={
            **{each.ours: text_of(each, custom if each.custom else contact) for each in table(data)},
            TAGS.name: tags(contact.get("tags") or ()),
        },
        presence=Presence.DELETED if contact.get("deleted") is True else Presence.ACTIVE,
        parent=contact.get("businessId") or "",
        created_at=moment(contact.get("dateAdded")),
        updated_at=moment(contact.get("dateUpdated")),
        raw=contact,
    )


def write(values: Values, data: Data) -> dict[str, Any]:
    """The body that sets these values and no other.

    An emptied field is sent as "". That this clears it is inferred: HighLevel documents which types a field takes, not
    what empties it.
    """
    known = {each.ours: each for each in table(data)}
    if unknown := sorted(values.keys() - known.keys()):
        raise Rejected(f"this HighLevel location has no field “{unknown[0]}”")
    given = [(known[ours], value) for ours, value in values.items()]
    body: dict[str, Any] = {field.theirs: value for field, value in given if not field.custom}
    if custom := [{"id": field.theirs, "field_value": value} for field, value in given if field.custom]:
        body["customFields"] = custom
    return body


def tags(given: Any) -> str:
    """A tag with a comma in it cannot be told from two, so it takes no part, and is left where it is."""
    if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
        raise Rejected("HighLevel answers “Tags” as something that is no list of texts")
    return tag_text(each.strip() for each in given if each.strip() and "," not in each)


def matches(key: MatchKey, contact: Mapping[str, Any]) -> bool:
    """Whether the contact has exactly this key. A search result may hold the names in lower case only.

    A contact without a person's name is called as its company.
    """
    kind, has = Kind.TEXT, _full_name(contact)
    if key.kind in (KeyKind.EMAIL, KeyKind.PHONE):
        kind, has = Kind(key.kind), contact.get(key.kind) or ""
    return bool(has) and same(kind, key.value.casefold(), has.casefold())


def _full_name(contact: Mapping[str, Any]) -> str:
    parts = (contact.get(name) or contact.get(f"{name}LowerCase") or "" for name in ("firstName", "lastName"))
    return " ".join(parts).strip() or contact.get("companyName") or ""


def table(data: Data) -> Iterator[Field]:
    yield from CONTACT
    for each in data.get("custom_fields", ()):
        if each["type"] in TEXT_LIKE:
            kind = TEXT_LIKE[each["type"]]
            name = CUSTOM + each["key"].removeprefix("contact.")
            yield Field(name, each["id"], each["label"], kind, strict=kind is not Kind.TEXT)


def text_of(field: Field, source: Mapping[str, Any]) -> str:
    """One field of a record as it was answered, "" where it is missing."""
    value = source.get(field.theirs)
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        # Read as "" it would look cleared, and the other side would be cleared as well.
        raise Rejected(f"HighLevel answers “{field.label}” as something that is not text")
    text = str(value)
    return (alpha_2(text) or text) if field.kind is Kind.COUNTRY else text


def moment(value: Any) -> datetime | None:
    """ISO 8601 with a zone, as aware UTC. None for anything else: then it is not known."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def id_of(raw: Mapping[str, Any]) -> str:
    return str(raw["id"])

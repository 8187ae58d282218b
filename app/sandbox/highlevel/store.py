"""What the simulator remembers: locations, their custom fields and contacts, and the search index that lags behind."""

import random
import string
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

COMPANY_ID = "sandboxCompany00001"
_ALPHABET = string.ascii_letters + string.digits
_random = random.Random()  # noqa: S311 (ids, not secrets)


def new_id() -> str:
    """20 letters and digits, as HighLevel's ids are; always with a digit, so that it cannot be taken for a word."""
    return "".join(_random.choices(_ALPHABET, k=19)) + _random.choice(string.digits)


def now() -> datetime:
    """Whole milliseconds, since that is what the API shows and a search cursor holds."""
    instant = datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Never changed in place: a search index entry is an older `Contact`."""

    id: str
    location_id: str
    values: Mapping[str, Any]
    """By HighLevel's names. A key that was cleared stays, with None."""
    custom: Mapping[str, Any]
    tags: tuple[str, ...]
    added: datetime
    updated: datetime

    @property
    def name(self) -> str:
        return " ".join(part for part in (self.values.get("firstName"), self.values.get("lastName")) if part)


class SearchIndex:
    """Contacts as the search sees them: each write becomes visible `lag` seconds after it."""

    def __init__(self) -> None:
        self._visible: dict[str, Contact] = {}
        self._waiting: deque[tuple[float, str, Contact | None]] = deque()

    def put(self, contact_id: str, contact: Contact | None, *, due: float, at: float) -> None:
        if due <= at and not self._waiting:
            self._apply(contact_id, contact)
        else:
            self._waiting.append((due, contact_id, contact))

    def visible(self, at: float) -> Mapping[str, Contact]:
        while self._waiting and self._waiting[0][0] <= at:
            _, contact_id, contact = self._waiting.popleft()
            self._apply(contact_id, contact)
        return self._visible

    def _apply(self, contact_id: str, contact: Contact | None) -> None:
        if contact is None:
            self._visible.pop(contact_id, None)
        else:
            self._visible[contact_id] = contact


@dataclass(kw_only=True)
class Location:
    id: str
    name: str
    country: str = "US"
    timezone: str = "America/New_York"
    active: bool = True
    installed: bool = True
    """Whether the agency's installation covers it."""
    allow_duplicate_contact: bool = False
    match_order: tuple[str, ...] = ("email", "phone")
    """The location's "Allow Duplicate Contact" setting names the fields that identify a contact, first one first."""
    custom_fields: list[dict[str, Any]] = field(default_factory=list)
    index: SearchIndex = field(default_factory=SearchIndex)
    same: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """("email" or "phone", value) -> contact ids, oldest first."""

    def custom_field(
        self,
        *,
        id: str = "",  # noqa: A002 (the wire's name)
        key: str = "",
        model: str = "contact",
    ) -> dict[str, Any] | None:
        wanted = key if key.startswith(f"{model}.") else f"{model}.{key}"
        for each in self.custom_fields:
            if each["model"] == model and (each["id"] == id or (key and each["fieldKey"] == wanted)):
                return each
        return None

    def add_custom_field(self, name: str, data_type: str = "TEXT", model: str = "contact") -> dict[str, Any]:
        slug = "_".join(name.lower().split())
        created = {
            "id": f"field{slug.title().replace('_', '')[:12]:0<12}{len(self.custom_fields):03d}",
            "name": name,
            "fieldKey": f"{model}.{slug}",
            "placeholder": "",
            "dataType": data_type,
            "position": 50 * len(self.custom_fields),
            "picklistOptions": [],
            "locationId": self.id,
            "model": model,
        }
        self.custom_fields.append(created)
        return created


class Store:
    def __init__(self, *, locations: int, allow_duplicate_contact: bool) -> None:
        self.contacts: dict[str, Contact] = {}
        self.locations: dict[str, Location] = {}
        for number in range(1, locations + 1):
            location = Location(
                id=location_id(number),
                name=f"Sandbox location {number}",
                allow_duplicate_contact=allow_duplicate_contact,
            )
            for name in ("VAT Number", "ID Number", "Client Notes", "Account Tier"):
                location.add_custom_field(name)
            self.locations[location.id] = location

    def put(self, contact: Contact, *, at: float, lag: float) -> None:
        location = self.locations[contact.location_id]
        self._forget_keys(location, self.contacts.get(contact.id))
        self.contacts[contact.id] = contact
        for key in _keys(contact):
            location.same.setdefault(key, []).append(contact.id)
        location.index.put(contact.id, contact, due=at + lag, at=at)

    def delete(self, contact: Contact, *, at: float, lag: float) -> None:
        location = self.locations[contact.location_id]
        self._forget_keys(location, contact)
        del self.contacts[contact.id]
        location.index.put(contact.id, None, due=at + lag, at=at)

    def same(self, location: Location, field_name: str, value: str | None) -> Contact | None:
        """The oldest contact with this email or phone."""
        ids = location.same.get((field_name, value)) if value else None
        return self.contacts[ids[0]] if ids else None

    def _forget_keys(self, location: Location, contact: Contact | None) -> None:
        for key in _keys(contact) if contact else ():
            ids = location.same[key]
            ids.remove(contact.id if contact else "")
            if not ids:
                del location.same[key]


def _keys(contact: Contact) -> Iterable[tuple[str, str]]:
    for name in ("email", "phone"):
        if value := contact.values.get(name):
            yield name, value


def location_id(number: int) -> str:
    return f"sandboxLocation{number:04d}"

"""Some custom fields and tags of a HighLevel contact as a record of their own: what billing says of it.

Only the fields and tags that are named in the settings are read and written; nobody's other tag is touched.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.errors import AnswerLost, Gone, Rejected
from app.providers.highlevel.definitions import Definitions
from app.providers.highlevel.replies import ContactReply, CustomField, UpdateReply, reply
from app.providers.highlevel.tags import retag
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.readonly import ReadOnly
from app.sync.objects import BalanceSettings, RecurringSettings
from app.sync.records import FieldSpec, Kind, Presence, Record, Values

# HighLevel's spelling. What a field takes is decided by its own type, where a person made it.
DATA_TYPES: Mapping[str, str] = {
    "balance_due": "MONETORY",
    "lifetime_value": "MONETORY",
    "days_overdue": "NUMERICAL",
    "last_paid": "DATE",
    "portal_link": "TEXT",
    "next_recurring": "DATE",
}
_KINDS = {"MONETORY": Kind.NUMBER, "NUMERICAL": Kind.NUMBER, "DATE": Kind.DATE, "TEXT": Kind.TEXT}
_NUMBERS = ("MONETORY", "MONETARY", "NUMERICAL")
_TAG = "tag."


@dataclass(frozen=True, slots=True)
class Standing(ReadOnly):
    """`data`: what the probe learned, with the process's `definitions`."""

    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: BalanceSettings | RecurringSettings = field(default_factory=BalanceSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        kinds = {name: _KINDS[DATA_TYPES[name]] for name in self._called}
        specs = [FieldSpec(name=name, label=self._called[name], kind=kind) for name, kind in kinds.items()]
        specs += [FieldSpec(name=name, label=f"Tag “{tag}”") for name, tag in self._tags.items()]
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        contact = reply(ContactReply, await self.wire.get(_path(external_id))).contact
        if contact["id"] != external_id:
            raise Rejected(f"HighLevel was asked for contact {external_id} and answers another one ({contact['id']})")
        there = await self._definitions.there(self.wire, self.location_id, self._called, self.data)
        return Record(
            id=external_id,
            parent=external_id,
            values={**self._custom(contact, there), **self._tagged(contact)},
            presence=Presence.DELETED if contact.get("deleted") is True else Presence.ACTIVE,
        )

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """The fields first: whatever a workflow does when a tag comes, it finds the amounts that go with it."""
        kept = dict(current.values)
        if custom := {name: value for name, value in values.items() if not name.startswith(_TAG)}:
            kept |= await self._write(current.id, custom)
        tags = {name: value for name, value in values.items() if name.startswith(_TAG)}
        add = [value for value in tags.values() if value]
        remove = [self._tags[name] for name, value in tags.items() if not value]
        await retag(self.wire, current.id, add=add, remove=remove)
        return replace(current, values={**kept, **tags})

    async def _write(self, contact_id: str, values: Values) -> Values:
        """What is missing is made all at once, also for what is empty so far: workflows and columns may name it."""
        there = await self._definitions.there(self.wire, self.location_id, self._called, self.data)
        if there.keys() != self._called.keys():
            there = await self._definitions.made(self.wire, self.location_id, self._called, DATA_TYPES)
        sent = [{"id": there[name].id, "field_value": _sent(there[name], value)} for name, value in values.items()]
        answer = await self.wire.write("PUT", _path(contact_id), {"customFields": sent})
        updated = reply(UpdateReply, answer, failure=AnswerLost)
        if not updated.succeeded:
            raise Rejected("HighLevel says that it did not change the contact, and not why")
        contact = updated.contact or reply(ContactReply, await self.wire.get(_path(contact_id))).contact
        found = self._custom(contact, there)
        if any(value and not found[name] for name, value in values.items()):
            self._definitions.forget(self.location_id)
        return {name: found[name] for name in values}

    def _custom(self, contact: Mapping[str, Any], there: Mapping[str, CustomField]) -> dict[str, str]:
        has = {each.get("id"): each.get("value") for each in contact.get("customFields") or ()}
        return {
            name: _text(_KINDS[DATA_TYPES[name]], has.get(there[name].id)) if name in there else ""
            for name in self._called
        }

    def _tagged(self, contact: Mapping[str, Any]) -> dict[str, str]:
        """HighLevel keeps tags in lower case, and so do the settings."""
        has = {str(tag).lower() for tag in contact.get("tags") or ()}
        return {name: tag if tag in has else "" for name, tag in self._tags.items()}

    @property
    def _called(self) -> dict[str, str]:
        """What each field is called there; those that are switched off are left out."""
        return {name: called for name, called in self.settings.custom_fields.model_dump().items() if called}

    @property
    def _tags(self) -> dict[str, str]:
        if not isinstance(self.settings, BalanceSettings):
            return {}
        return {f"{_TAG}{name}": tag for name, tag in self.settings.tags.model_dump().items() if tag}

    @property
    def _definitions(self) -> Definitions:
        definitions: Definitions = self.data["definitions"]
        return definitions


def _path(contact_id: str) -> str:
    if not ID.fullmatch(contact_id):
        raise Gone(f"“{contact_id[:40]}” is not the id of a HighLevel contact")
    return f"/contacts/{contact_id}"


def _text(kind: Kind, value: Any) -> str:
    """A date may come as text, with a time behind it, or as milliseconds."""
    if value is None or isinstance(value, list | dict | bool):
        return ""
    if kind is Kind.DATE and isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC).date().isoformat()
    return str(value)[:10] if kind is Kind.DATE else str(value)


def _sent(definition: CustomField, value: str) -> str | int | float:
    """Numbers travel as numbers, with every digit or not at all."""
    if not value or definition.data_type not in _NUMBERS:
        return value
    exact = Decimal(value)
    if exact == exact.to_integral_value():
        return int(exact)
    if Decimal(repr(float(exact))) != exact:
        raise Rejected(f"{exact} has more digits than HighLevel keeps")
    return float(exact)

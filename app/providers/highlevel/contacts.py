"""The contacts of one HighLevel location."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.errors import AnswerLost, Duplicate, Gone, Rejected, Unsupported
from app.providers.base import BEGINNING, KeyKind, MatchKey
from app.providers.highlevel import mapping
from app.providers.highlevel.replies import (
    ContactReply,
    CustomFieldsReply,
    DuplicateReply,
    SearchReply,
    UpdateReply,
    reply,
)
from app.providers.highlevel.tags import retag
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row
from app.sync.objects import ContactSettings
from app.sync.records import FieldSpec, Presence, Record, Values
from app.sync.values import e164, same, tags_of

JUST_NOW = timedelta(minutes=2)
PAGE = 20
EACH_PAGE = 500
QUERY_LENGTH = 75
"""Characters that HighLevel takes in a search's `query` (contracts/ghl, section 4)."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Contacts:
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: ContactSettings = field(default_factory=ContactSettings)
    clock: Callable[[], datetime] = utc_now

    @property
    def slot(self) -> str:
        return ""

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = mapping.fields(self.data)
        return {**specs, "tags": replace(specs["tags"], options=self.settings.tags.options)}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        body = await self.wire.get(_path(external_id))
        contact = reply(ContactReply, body).contact
        if contact["id"] != external_id:
            raise Rejected(f"HighLevel was asked for contact {external_id} and answers another one ({contact['id']})")
        return self._read(contact)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Newest change first where only the newer ones are wanted: how `dateUpdated` is filtered is not documented.

        One that changes meanwhile moves to the front, and is read the next time.
        """
        newest: dict[str, Any] = {"sort": [{"field": "dateUpdated", "direction": "desc"}]}
        question = newest if since > BEGINNING else {}

        async def ask(_: int) -> Page[dict[str, Any]]:
            found = await self._search(question, page_limit=EACH_PAGE)
            if len(found.contacts) == EACH_PAGE:
                if not found.contacts[-1].get("searchAfter"):
                    raise Rejected("HighLevel does not say where the next page of contacts begins")
                question["searchAfter"] = found.contacts[-1]["searchAfter"]
            return Page(found.contacts, found.total)

        async for each in each_row(ask, mapping.id_of, size=EACH_PAGE, what="HighLevel's contacts"):
            record = self._read(each)
            if record.updated_at and record.updated_at < since:
                return
            yield record

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """Search results are an index's view, seconds old and not whole, so each is fetched before it counts."""
        if key.kind is KeyKind.SLOT:
            return await self._live([key.value] if ID.fullmatch(key.value) else [])
        for question in _questions(key):
            hits = await self.search(question, page_limit=PAGE)
            found = await self._live([hit["id"] for hit in hits if mapping.matches(key, hit)])
            if exact := [record for record in found if mapping.matches(key, record.raw)]:
                return exact
        return await self._duplicates(key) if key.lost else []

    async def _duplicates(self, key: MatchKey) -> list[Record]:
        """Where HighLevel itself looks before it refuses a second contact; that this has no lag is inference."""
        words = {KeyKind.EMAIL: "email", KeyKind.PHONE: "number"}
        if key.kind not in words:
            return []
        params = {"locationId": self.location_id, words[key.kind]: key.value}
        contact = reply(DuplicateReply, await self.wire.get("/contacts/search/duplicate", params)).contact
        found = await self._live([contact["id"]] if contact else [])
        return [record for record in found if mapping.matches(key, record.raw)]

    async def search(self, question: Mapping[str, Any], *, page_limit: int) -> list[dict[str, Any]]:
        """The first contacts that answer `question` ({} for any), in HighLevel's words."""
        return (await self._search(question, page_limit=page_limit)).contacts

    async def _search(self, question: Mapping[str, Any], *, page_limit: int) -> SearchReply:
        body = {"locationId": self.location_id, "pageLimit": page_limit, **question}
        return reply(SearchReply, await self.wire.read("/contacts/search", body))

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """Raises Duplicate, with the other contact's id, where the location allows none."""
        given = {name: value for name, value in values.items() if value}
        tags = list(tags_of(given.pop("tags", "")).values())
        body = {"locationId": self.location_id, **mapping.write(given, self.data), **({"tags": tags} if tags else {})}
        try:
            answer = await self.wire.write("POST", "/contacts/", body)
        except Duplicate:
            raise
        except Rejected as refused:
            return await self._created_all_the_same(given, refused)
        made = self._read(reply(ContactReply, answer, failure=AnswerLost).contact)
        return await self.move(made.id, parent=parent, values=values) if parent else made

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """PUT changes only what it is given, but replaces `tags` as a whole: those go one by one, by other calls."""
        record = current
        if other := {name: value for name, value in values.items() if name != "tags"}:
            record = await self._put(current, other)
        return await self._retag(record, current, values["tags"]) if "tags" in values else record

    async def _retag(self, record: Record, before: Record, wanted: str) -> Record:
        """What was tagged or untagged by others meanwhile stays so."""
        have, want = tags_of(before.values["tags"]), tags_of(wanted)
        add = [word for key, word in want.items() if key not in have]
        remove = [word for key, word in have.items() if key not in want]
        await retag(self.wire, record.id, add=add, remove=remove)
        return replace(record, values={**record.values, "tags": wanted})

    async def _put(self, current: Record, values: Values) -> Record:
        answer = await self.wire.write("PUT", _path(current.id), mapping.write(values, self.data))
        updated = reply(UpdateReply, answer, failure=AnswerLost)
        if not updated.succeeded:
            raise Rejected("HighLevel says that it did not change the contact, and not why")
        record = self._read(updated.contact) if updated.contact else None
        if record is None or any(value and not record.values[name] for name, value in values.items()):
            return await self.fetch(current.id)  # accepted is not kept (highlevel-api-docs#313)
        return record

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        table = {each.ours: each.theirs for each in mapping.table(self.data) if each.custom and each.ours in names}
        if not table:
            return []
        body = await self.wire.get(f"/locations/{self.location_id}/customFields", {"model": "contact"})
        there = {each.id for each in reply(CustomFieldsReply, body).custom_fields}
        return [ours for ours, theirs in table.items() if theirs not in there]

    async def delete(self, current: Record) -> None:
        raise Unsupported("delete", "a contact is never deleted: conversations, notes and invoices hang on it")

    async def archive(self, current: Record) -> None:
        raise Unsupported("archive", "HighLevel contacts cannot be archived")

    async def stays(self, current: Record) -> str:
        return "HighLevel contacts cannot be archived"

    async def restore(self, current: Record) -> None:
        raise Unsupported("restore", "HighLevel contacts cannot be archived")

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        """Into a business, or out of its own."""
        body = {"locationId": self.location_id, "ids": [external_id], "businessId": parent or None}
        await self.wire.write("POST", "/contacts/bulk/business", body)
        moved = await self.fetch(external_id)
        if moved.parent != parent:
            raise Rejected(f"HighLevel accepted that contact {external_id} joins business {parent}, and did not do it")
        return moved

    async def leave(self, current: Record) -> str:
        raise Unsupported("leave", "HighLevel contacts leave nothing behind")

    def _read(self, contact: Mapping[str, Any]) -> Record:
        if (contact.get("locationId") or self.location_id) != self.location_id:
            raise Rejected(f"contact {contact['id']} belongs to another HighLevel location")
        record = mapping.read(contact, self.data)
        group = self.settings.tags.group_of(record.values["tags"])
        return replace(record, values={**record.values, "tag_group": group})

    async def _live(self, ids: Iterable[str]) -> list[Record]:
        records = []
        for each in ids:
            try:
                records.append(await self.fetch(each))
            except Gone:
                continue
        return [record for record in records if record.presence is Presence.ACTIVE]

    async def _created_all_the_same(self, values: Values, refused: Rejected) -> Record:
        """HighLevel may answer 422 and create the contact (highlevel-api-docs#64): look once before believing it."""
        keys = [MatchKey(kind, values[kind]) for kind in (KeyKind.EMAIL, KeyKind.PHONE) if values.get(kind)]
        if refused.status in (400, 422) and keys:
            found = await self.find(keys[0])
            if ours := next((each for each in found if self._is_ours(each, values)), None):
                return ours
        raise refused

    def _is_ours(self, record: Record, values: Values) -> bool:
        """Made just now and exactly as we asked."""
        if record.created_at is None or abs(self.clock() - record.created_at) > JUST_NOW:
            return False
        specs = mapping.fields(self.data)
        return all(same(specs[name].kind, value, record.values[name]) for name, value in values.items())


def _path(contact_id: str) -> str:
    if not ID.fullmatch(contact_id):
        raise Gone(f"“{contact_id[:40]}” is not the id of a HighLevel contact")
    return f"/contacts/{contact_id}"


def _questions(key: MatchKey) -> Iterator[dict[str, Any]]:
    """What to ask for a key, the most exact question first."""
    value = (e164(key.value) or key.value) if key.kind is KeyKind.PHONE else key.value
    if key.kind in (KeyKind.EMAIL, KeyKind.PHONE):
        yield {"filters": [{"field": key.kind.value, "operator": "eq", "value": value}]}
    # The phone filter can miss a contact that has the number (highlevel-api-docs#289).
    if key.kind in (KeyKind.PHONE, KeyKind.NAME):
        yield {"query": value[:QUERY_LENGTH]}

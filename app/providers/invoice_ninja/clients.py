"""The clients of one Invoice Ninja company. contracts/invoice_ninja, sections 3 and 4."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from app.errors import Forbidden, Gone, Rejected, Wait
from app.providers.base import BEGINNING, KeyKind, MatchKey
from app.providers.http import Wire
from app.providers.invoice_ninja import mapping
from app.providers.invoice_ninja.pages import each_of
from app.providers.invoice_ninja.persons import Persons, client_path
from app.providers.invoice_ninja.wire import Client, ClientAnswer, ClientPage, parse
from app.sync.objects import ContactSettings, ObjectSettings
from app.sync.records import FieldSpec, Kind, Presence, Record, Values, is_part
from app.sync.values import same

JUST_NOW = timedelta(minutes=2)
PER_PAGE = 200
MOST_ALIKE = 5000

# How many last digits of a phone to look for: people write the rest with blanks, brackets and prefixes.
PHONE_TAIL = 4


class Document(BaseModel):
    client_id: str = ""


class Documents(BaseModel):
    data: list[Document]

    def of(self, client_id: str) -> bool:
        """An unknown filter is ignored: compare."""
        return any(each.client_id == client_id for each in self.data)


@dataclass(frozen=True, slots=True)
class Clients:
    """One connected company. `data` is what the probe stored, with the connection's `slot_field`."""

    wire: Wire
    data: Mapping[str, Any]
    settings: ObjectSettings = field(default_factory=ContactSettings)
    _read: dict[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    """Clients that were looked into for a person; one of these objects lives as long as one job."""

    @property
    def slot(self) -> str:
        return mapping.slot_field(self.data)

    def fields(self) -> Mapping[str, FieldSpec]:
        return mapping.fields(self.data)

    @property
    def _persons(self) -> Persons:
        return Persons(self.wire, self.data, self._read)

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        if is_part(external_id):
            return await self._persons.fetch(external_id)
        record = self._record(await self.wire.get(client_path(external_id)), part=part)
        if record.id != external_id:
            raise Rejected(f"Invoice Ninja was asked for client {external_id} and answers another one ({record.id})")
        if _is_being_made(record):
            raise Wait(1, "Invoice Ninja is still creating it")
        return record

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """One second is added before: theirs are whole ones."""
        changed = {"updated_at": str(int(since.timestamp()) - 1)} if since > BEGINNING else {}
        async for client in self._pages(changed):
            yield mapping.read(client, part="", data=self.data)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """Clients that match exactly. The vendor's filters only narrow the search: unknown ones are ignored."""
        if key.parent:
            return await self._persons.find(key)
        query = _query(key)
        if query is None:
            return []
        found: list[Record] = []
        for client in await self._clients(query):
            part = _matching_part(client, key, mapping.slot_field(self.data))
            if part is not None and mapping.presence(client) is not Presence.DELETED:
                found.append(mapping.read(client, part=part, data=self.data))
        return found

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        if parent:
            return await self._persons.create(values, parent)
        payload = mapping.create_payload(values, slot, self.data)
        return self._record(await self.wire.write("POST", "/clients", payload))

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        if is_part(current.id):
            return await self._persons.update(current, values)
        payload = mapping.update_payload(current.raw, current.part, values, slot, self.data)
        if not payload:
            return current
        return self._record(await self.wire.write("PUT", client_path(current.id), payload), part=current.part)

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        return []

    async def delete(self, current: Record) -> None:
        """Into its bin, where `restore` finds it."""
        if await self._bulk("delete", current.id) is not Presence.DELETED:
            raise Forbidden("the API token's user may not delete this client in Invoice Ninja")

    async def archive(self, current: Record) -> None:
        if await self._bulk("archive", current.id) is Presence.ACTIVE:
            raise Forbidden("the API token's user may not archive this client in Invoice Ninja")

    async def stays(self, current: Record) -> str:
        money = any(Decimal(str(current.raw.get(name) or 0)) for name in ("balance", "paid_to_date"))
        params = {"client_id": current.id, "per_page": "1"}
        hangs = money or parse(Documents, await self.wire.get("/invoices", params)).of(current.id)
        return "the client has invoices or payments" if hangs else ""

    async def restore(self, current: Record) -> None:
        """Undo an archiving or a deletion."""
        if await self._bulk("restore", current.id) is not Presence.ACTIVE:
            raise Forbidden("the API token's user may not restore this client in Invoice Ninja")

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        if parent:
            return await self._persons.move(external_id, parent, values)
        made = await self.find(MatchKey(KeyKind.SLOT, slot)) if slot else []
        own = made[0] if made else await self.create(values, slot=slot)
        await self._persons.take_away(external_id)
        return own

    async def leave(self, current: Record) -> str:
        """A client with money in it, or with invoices, is left."""
        if await self.stays(current):
            return f"its own client {current.id} has invoices or payments, and was left as it is"
        if current.presence is Presence.ACTIVE:
            await self.archive(current)
        return f"its own client {current.id} was archived"

    def _record(self, body: Any, *, part: str = "") -> Record:
        return mapping.read(parse(ClientAnswer, body).data.model_dump(), part=part, data=self.data)

    async def _bulk(self, action: str, client_id: str) -> Presence:
        """The client's presence afterwards: without permission the answer is 200 and nothing is done (section 2)."""
        try:
            body = await self.wire.write("POST", "/clients/bulk", {"action": action, "ids": [client_id]})
        except Rejected as refusal:
            if "ids" in refusal.fields:
                raise Gone("Invoice Ninja has no such client any more") from refusal
            raise
        for client in parse(ClientPage, body).data:
            if client.id == client_id:
                return mapping.presence(client.model_dump())
        raise Gone("Invoice Ninja answers without the client")

    async def _clients(self, query: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        async for client in self._pages(query):
            found.append(client)
            if len(found) > MOST_ALIKE:
                raise Rejected(f"more than {MOST_ALIKE} clients are similar: too many to look for one among them")
        return found

    async def _pages(self, query: Mapping[str, str]) -> AsyncIterator[Mapping[str, Any]]:
        async def ask(number: int) -> tuple[Sequence[Client], int]:
            params = {"status": "active,archived", "sort": "id|asc", "per_page": str(PER_PAGE), "page": str(number)}
            answer = parse(ClientPage, await self.wire.get("/clients", {**query, **params}))
            return answer.data, answer.meta.pagination.total_pages

        async for client in each_of(ask, lambda client: client.id, "clients"):
            yield client.model_dump()


def _is_being_made(record: Record) -> bool:
    """Under QUEUE_CONNECTION=sync its create event comes before its contacts and number exist (section 8)."""
    young = record.created_at is not None and datetime.now(UTC) - record.created_at < JUST_NOW
    return young and not record.raw["contacts"] and not record.raw.get("number")


def _query(key: MatchKey) -> Mapping[str, str] | None:
    """The narrowest filter for a key; None where it would be empty, for an empty filter returns every client."""
    value = key.value.strip()
    match key.kind:
        case KeyKind.SLOT:
            # There is no filter by a custom value alone; this one is LIKE over several fields.
            query = {"filter": value}
        case KeyKind.EMAIL:
            query = {"email": value}
        case KeyKind.PHONE:
            query = {"filter": "".join(c for c in value if c.isdigit())[-PHONE_TAIL:]}
        case KeyKind.NAME | KeyKind.IDENTITY:
            query = {"name": value}
    return query if all(query.values()) else None


def _matching_part(client: Mapping[str, Any], key: MatchKey, slot_field: str) -> str | None:
    """The contact a key matches, "" for the default one where the client itself matches, None for no match."""
    match key.kind:
        case KeyKind.SLOT:
            return "" if str(client.get(slot_field) or "").strip() == key.value.strip() else None
        case KeyKind.NAME | KeyKind.IDENTITY:
            return "" if same(Kind.TEXT, str(client.get("name") or "").casefold(), key.value.casefold()) else None
        case KeyKind.EMAIL:
            return _contact_with(client, "email", Kind.EMAIL, key.value)
        case KeyKind.PHONE:
            return _contact_with(client, "phone", Kind.PHONE, key.value)


def _contact_with(client: Mapping[str, Any], word: str, kind: Kind, value: str) -> str | None:
    live = (contact for contact in client["contacts"] if not contact.get("archived_at"))
    hits = (contact["id"] for contact in live if same(kind, str(contact.get(word) or ""), value))
    return next(hits, None)

"""The contacts of a client as records of their own: `client/contact`. contracts/invoice_ninja, section 3.

There is no endpoint for them: each write sends the client's whole list, and whoever is not in it is deleted. So a list
is sent only as it was read in the same attempt, and the engine lets one attempt at a time work on a client.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import AnswerLost, Gone, Rejected
from app.providers.base import KeyKind, MatchKey
from app.providers.http import Wire
from app.providers.invoice_ninja import mapping
from app.providers.invoice_ninja.wire import ClientAnswer, parse
from app.sync.people import email_of, full_name
from app.sync.records import Kind, Presence, Record, Values, is_part, own_of, owner_of
from app.sync.values import same

_ID = re.compile(r"[0-9A-Za-z_-]+")


def client_path(client_id: str) -> str:
    """Nothing but an id may become a part of the URL: "" would list all clients, ".." leave the API."""
    if not _ID.fullmatch(client_id):
        raise Gone("no client of Invoice Ninja has such an id")
    return f"/clients/{client_id}"


@dataclass(frozen=True, slots=True)
class Persons:
    """`read`: clients as they were read in this attempt, by id."""

    wire: Wire
    data: Mapping[str, Any]
    read: dict[str, Mapping[str, Any]]

    async def fetch(self, external_id: str) -> Record:
        if not _ID.fullmatch(own_of(external_id)) or external_id.count("/") != 1:
            raise Gone("no contact of an Invoice Ninja client has such an id")
        client = await self._client(owner_of(external_id))
        return mapping.read_person(client, own_of(external_id), self.data)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """Persons of the client `key.parent` with this e-mail, phone or name."""
        return [each for each in self._persons(await self._client(key.parent)) if _matches(each, key)]

    async def create(self, values: Values, client_id: str) -> Record:
        client = await self._client(client_id)
        return await self._put_new(client, mapping.add_payload(client, values, self.data), values)

    async def update(self, current: Record, values: Values) -> Record:
        client = await self._client(current.parent)
        own = own_of(current.id)
        payload = mapping.update_payload(client, own, values, "", self.data)
        return mapping.read_person(await self._put(current.parent, payload), own, self.data) if payload else current

    async def move(self, external_id: str, client_id: str, values: Values) -> Record:
        """To this client: from another one, or from a client of its own, which keeps its contact."""
        there = await self._client(client_id)
        if external_id == client_id:  # its own client is the one
            return mapping.read_person(there, str(mapping.contact_of(there, "").get("id", "")), self.data)
        own = own_of(external_id)
        if is_part(external_id) and any(each["id"] == own for each in there["contacts"]):
            return mapping.read_person(there, own, self.data)
        person = await self._if_still(external_id)
        brought = mapping.read_person(person[0], own, self.data).values if person else values
        email = brought.get("email", "")
        met = [each for each in self._persons(there) if email and same(Kind.EMAIL, email_of(each), email)]
        if met:
            moved = met[0]
        elif person:
            moved = await self._put_new(there, mapping.take_over_payload(there, person[1]), brought, own)
        else:
            moved = await self._put_new(there, mapping.add_payload(there, values, self.data), values)
        if person and own_of(moved.id) != own:
            await self.take_away(external_id)
        return moved

    async def take_away(self, external_id: str) -> None:
        if person := await self._if_still(external_id):
            payload = mapping.take_away_payload(person[0], own_of(external_id))
            await self._put(owner_of(external_id), payload)

    async def _if_still(self, external_id: str) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """The client and its contact; None where it is no part of a client, or not any more."""
        if not is_part(external_id):
            return None
        try:
            client = await self._client(owner_of(external_id))
            return client, mapping.contact_of(client, own_of(external_id))
        except Gone:
            return None

    async def _client(self, client_id: str) -> Mapping[str, Any]:
        if client_id not in self.read:
            client = parse(ClientAnswer, await self.wire.get(client_path(client_id))).data.model_dump()
            if client["id"] != client_id:
                raise Rejected(
                    f"Invoice Ninja was asked for client {client_id} and answers another one ({client['id']})"
                )
            self.read[client_id] = client
        if mapping.presence(self.read[client_id]) is Presence.DELETED:
            raise Gone("the client is deleted")
        return self.read[client_id]

    async def _put(self, client_id: str, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = await self.wire.write("PUT", client_path(client_id), payload)
        self.read[client_id] = parse(ClientAnswer, answer).data.model_dump()
        return self.read[client_id]

    async def _put_new(
        self, client: Mapping[str, Any], payload: Mapping[str, Any], values: Values, own: str = ""
    ) -> Record:
        """Send the list with one person more, and find that person in the answer: by `own`, or among what is new."""
        before = {each["id"] for each in client["contacts"] if not mapping.is_blank(each)}
        after = await self._put(client["id"], payload)
        fresh = [each for each in self._persons(after) if own_of(each.id) not in before]
        wanted = Record(id="", values=values)
        for each in fresh:
            alike = same(Kind.EMAIL, email_of(each), email_of(wanted)) and full_name(each) == full_name(wanted)
            if own_of(each.id) == own or len(fresh) == 1 or alike:
                return each
        raise AnswerLost("Invoice Ninja answers without the contact that was added")

    def _persons(self, client: Mapping[str, Any]) -> Sequence[Record]:
        return mapping.read(client, data=self.data).parts


def _matches(person: Record, key: MatchKey) -> bool:
    match key.kind:
        case KeyKind.EMAIL:
            return same(Kind.EMAIL, email_of(person), key.value)
        case KeyKind.PHONE:
            return same(Kind.PHONE, person.values.get("phone", ""), key.value)
        case KeyKind.NAME:
            return full_name(person).casefold() == key.value.casefold()
    return False

"""Clients of Invoice Ninja as businesses: the same clients, without the persons in them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.providers.base import MatchKey
from app.providers.invoice_ninja import mapping
from app.providers.invoice_ninja.clients import Clients
from app.sync.people import email_of
from app.sync.records import FieldSpec, Record, Values

SEVERAL = 2
_ONE_PERSON = "Its client has less than two contacts with an e-mail: it is a contact, not a business."


class Companies(Clients):
    """A client with several persons is a business; one that has its partner stays one, whoever leaves it."""

    __slots__ = ()

    def fields(self) -> Mapping[str, FieldSpec]:
        return {name: spec for name, spec in mapping.fields(self.data).items() if name in mapping.CLIENT_FIELDS}

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        async for each in Clients.each(self, since):
            yield _company(each)

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return _company(await Clients.fetch(self, external_id))

    async def find(self, key: MatchKey) -> Sequence[Record]:
        return [_company(each) for each in await Clients.find(self, key)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        return _company(await Clients.create(self, values, slot=slot))

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        return _company(await Clients.update(self, current, values, slot=slot))


def _company(client: Record) -> Record:
    values = {name: value for name, value in client.values.items() if name in mapping.CLIENT_FIELDS}
    persons = [each for each in client.parts if email_of(each)]
    return replace(client, values=values, part="", parts=(), aside="" if len(persons) >= SEVERAL else _ONE_PERSON)

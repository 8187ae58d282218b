"""The businesses of one HighLevel location. contracts/ghl, section 5.

There is no search for them, and no event by their name: `Record...` events are a hint, and all are polled.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import AnswerLost, Gone, Rejected
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel.mapping import Field, id_of, moment, text_of
from app.providers.highlevel.replies import BusinessesReply, BusinessReply, reply
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row
from app.sync.objects import BusinessSettings
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import same

PAGE = 100

BUSINESS = (
    Field("name", "name", "Name"),
    Field("phone", "phone", "Phone", Kind.PHONE),
    Field("email", "email", "E-mail", Kind.EMAIL),
    Field("website", "website", "Website", Kind.URL),
    Field("address1", "address", "Street"),
    Field("city", "city", "City"),
    Field("state", "state", "State"),
    Field("postal_code", "postalCode", "Postal code"),
    # Free text there, unlike a contact's.
    Field("country", "country", "Country", Kind.COUNTRY),
    Field("description", "description", "Description"),
)


@dataclass(frozen=True, slots=True)
class Businesses(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: BusinessSettings = field(default_factory=BusinessSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {each.ours: each.spec for each in BUSINESS}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return self._read(reply(BusinessReply, await self.wire.get(_path(external_id))).business)

    def each(self, since: datetime) -> AsyncIterator[Record]:
        return self._all()

    async def _all(self) -> AsyncIterator[Record]:
        async def ask(skip: int) -> Page[dict[str, Any]]:
            params = {"locationId": self.location_id, "limit": str(PAGE), "skip": str(skip)}
            return Page(reply(BusinessesReply, await self.wire.get("/businesses/", params)).businesses)

        async for each in each_row(ask, id_of, size=PAGE, what="HighLevel's businesses"):
            yield self._read(each)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The business of this id, or those of this name."""
        if key.kind is KeyKind.SLOT:
            try:
                return [await self.fetch(key.value)]
            except Gone:
                return []
        wanted = key.value.casefold()
        return [each async for each in self._all() if same(Kind.TEXT, each.values["name"].casefold(), wanted)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        given = {name: value for name, value in values.items() if value}
        answer = await self.wire.write("POST", "/businesses/", {"locationId": self.location_id, **_body(given)})
        return self._read(reply(BusinessReply, answer, failure=AnswerLost).business)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        answer = await self.wire.write("PUT", _path(current.id), _body(values))
        return self._read(reply(BusinessReply, answer, failure=AnswerLost).business)

    def _read(self, business: Mapping[str, Any]) -> Record:
        if (business.get("locationId") or self.location_id) != self.location_id:
            raise Rejected(f"business {business['id']} belongs to another HighLevel location")
        return Record(
            id=business["id"],
            values={each.ours: text_of(each, business) for each in BUSINESS},
            created_at=moment(business.get("createdAt")),
            updated_at=moment(business.get("updatedAt")),
            raw=business,
        )


def _body(values: Values) -> dict[str, Any]:
    words = {each.ours: each.theirs for each in BUSINESS}
    return {words[name]: value for name, value in values.items()}


def _path(business_id: str) -> str:
    if not ID.fullmatch(business_id):
        raise Gone(f"“{business_id[:40]}” is not the id of a HighLevel business")
    return f"/businesses/{business_id}"

"""Reads shared by two passes over one record: what was read is not asked again, until something is written."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import Gone
from app.providers.base import Account, MatchKey, Records
from app.providers.merging import Merger
from app.sync.objects import ObjectSettings
from app.sync.records import FieldSpec, Record, Values


@dataclass(slots=True)
class ReadOnce:
    """`Records` that remember their answers. `known` is shared by all of one attempt."""

    real: Records
    known: dict[Any, Any]
    place: tuple[str, str]

    @property
    def slot(self) -> str:
        return self.real.slot

    def fields(self) -> Mapping[str, FieldSpec]:
        return self.real.fields()

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        key = (*self.place, "fetch", external_id, part)
        if key not in self.known:
            try:
                self.known[key] = await self.real.fetch(external_id, part=part)
            except Gone as gone:
                self.known[key] = gone
        answer = self.known[key]
        if isinstance(answer, Gone):
            raise answer
        return answer  # type: ignore[no-any-return]

    def each(self, since: datetime) -> AsyncIterator[Record]:
        return self.real.each(since)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        place = (*self.place, "find", key)
        if place not in self.known:
            self.known[place] = await self.real.find(key)
        return self.known[place]  # type: ignore[no-any-return]

    async def stays(self, current: Record) -> str:
        return await self.real.stays(current)

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        return await self.real.vanished(names)

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        self.known.clear()
        return await self.real.create(values, slot=slot, parent=parent)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        self.known.clear()
        return await self.real.update(current, values, slot=slot)

    async def delete(self, current: Record) -> None:
        self.known.clear()
        await self.real.delete(current)

    async def archive(self, current: Record) -> None:
        self.known.clear()
        await self.real.archive(current)

    async def restore(self, current: Record) -> None:
        self.known.clear()
        await self.real.restore(current)

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        self.known.clear()
        return await self.real.move(external_id, parent=parent, values=values, slot=slot)

    async def leave(self, current: Record) -> str:
        self.known.clear()
        return await self.real.leave(current)


@dataclass(frozen=True, slots=True)
class ReadOnceAccount:
    real: Account
    side: str
    known: dict[Any, Any] = field(default_factory=dict)

    def records(self, object_: str, settings: ObjectSettings) -> Records:
        return ReadOnce(self.real.records(object_, settings), self.known, (self.side, object_))

    def merger(self) -> Merger:
        return self.real.merger()

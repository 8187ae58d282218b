"""What most records of a vendor cannot do."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from app.errors import Unsupported
from app.sync.records import Record, Values


class Plain:
    """What a vendor's records mostly are: without a slot, without silent changes, not to be put away."""

    __slots__ = ()

    @property
    def slot(self) -> str:
        return ""

    def each(self, since: datetime) -> AsyncIterator[Record]:
        raise Unsupported("list", "these records cannot be gone through")

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        return ()

    async def delete(self, current: Record) -> None:
        raise Unsupported("delete", "these records are never deleted")

    async def archive(self, current: Record) -> None:
        raise Unsupported("archive", "the vendor has no archive for these records")

    async def stays(self, current: Record) -> str:
        return "the vendor has no archive for these records"

    async def restore(self, current: Record) -> None:
        raise Unsupported("restore", "the vendor has no archive for these records")

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        raise Unsupported("move", "these records stay below the record that they were made for")

    async def leave(self, current: Record) -> str:
        raise Unsupported("move", "these records stay below the record that they were made for")

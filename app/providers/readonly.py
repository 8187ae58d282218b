"""Records that are only read: one side of an object that goes one way."""

from collections.abc import Sequence

from app.errors import Unsupported
from app.providers.base import MatchKey, Plain
from app.sync.records import Record, Values


class ReadOnly(Plain):
    """Nothing is found by a key, made or written."""

    __slots__ = ()

    async def find(self, key: MatchKey) -> Sequence[Record]:
        return ()

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        raise Unsupported("create", "these records are not made by Crossledger")

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        raise Unsupported("update", "these records are not written by Crossledger")

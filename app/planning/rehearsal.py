"""A rehearsal: the engine decides as always, and nothing is written, neither at a vendor nor in our links.

Reads go through, to the vendor or to what was read before; a write is noted and answered as the vendor would.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from app.db import Database
from app.directory import BridgeView
from app.errors import Gone, Unsupported
from app.planning.snapshots import Snapshots
from app.providers.base import Account, MatchKey, Records
from app.providers.merging import Merger
from app.queue import RecordJob
from app.sync.objects import OBJECTS, ObjectSettings
from app.sync.records import FieldSpec, Record, Side, Values
from app.sync.store import LinkRow, Settlement, Store, Target

NEW = "new-"
"""How the id of a record begins that is not made yet."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One write: `verb` is create, update, archive, delete, restore or move."""

    side: Side
    verb: str
    values: Mapping[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        return {"side": self.side.value, "verb": self.verb, "values": dict(self.values)}


@dataclass(slots=True)
class Rehearsed:
    """`Records` that write nothing. `snapshots`: where records are read from; without, from the vendor. `known`: one
    that is in hand."""

    object: str
    side: Side
    real: Records
    effects: list[Effect]
    snapshots: Snapshots | None = None
    known: Record | None = None

    @property
    def slot(self) -> str:
        return self.real.slot

    def fields(self) -> Mapping[str, FieldSpec]:
        return self.real.fields()

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        if is_new(external_id):
            raise Gone("it is not made yet")
        known = self.known if self.known and self.known.id == external_id else None
        if known is None and self.snapshots:
            known = await self.snapshots.one(self.object, self.side, external_id)
        if known is None or (part and part != known.part):
            return await self.real.fetch(external_id, part=part)
        return known

    def each(self, since: datetime) -> AsyncIterator[Record]:
        return self.real.each(since)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        if is_new(key.parent) or (self.snapshots and not await self.snapshots.may_have(self.object, self.side, key)):
            return []
        return await self.real.find(key)

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        self._note("create", values)
        own = f"{NEW}{uuid4().hex}"
        below = OBJECTS[self.object].part and parent and self.side is Side.BILLING
        return Record(id=f"{parent}/{own}" if below else own, values=dict(values), parent=parent, slot=slot)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        self._note("update", values)
        return replace(current, values={**current.values, **values}, slot=slot or current.slot)

    async def stays(self, current: Record) -> str:
        return await self.real.stays(current)

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        return await self.real.vanished(names)

    async def delete(self, current: Record) -> None:
        self._note("delete")

    async def archive(self, current: Record) -> None:
        self._note("archive")

    async def restore(self, current: Record) -> None:
        self._note("restore")

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        self._note("move", values)
        known = Record(id=external_id, values={}) if is_new(external_id) else await self.fetch(external_id)
        return replace(known, parent=parent, values={**known.values, **values})

    async def leave(self, current: Record) -> str:
        return f"{current.id} is archived if nothing hangs on it"

    def _note(self, verb: str, values: Values | None = None) -> None:
        self.effects.append(Effect(self.side, verb, dict(values or {})))


@dataclass(frozen=True, slots=True)
class RehearsedAccount:
    real: Account
    side: Side
    effects: list[Effect]
    snapshots: Snapshots | None
    known: Mapping[tuple[str, Side], Record]

    def records(self, object_: str, settings: ObjectSettings) -> Records:
        real, known = self.real.records(object_, settings), self.known.get((object_, self.side))
        return Rehearsed(object_, self.side, real, self.effects, self.snapshots, known)

    def merger(self) -> Merger:
        raise Unsupported("merge", "two records are merged by a person only")


class DryStore(Store):
    """Reads our links, and keeps what would have been stored of them: `ends`, None for a row that would be dropped."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, claim_seconds=0)
        self.ends: list[tuple[Target, Settlement | None]] = []

    def end_of(self, target: Target) -> Settlement | None:
        """How the attempt at this record would have ended; None where nothing would be left of it."""
        return next((end for each, end in self.ends if each.external_id == target.external_id), None)

    async def claim(self, target: Target) -> LinkRow | None:
        known = await self.find(target, target.side, target.external_id)
        return known[0] if known else blank(target)

    async def reserve(self, link: LinkRow, target: Target, *, match_key: str, creating: Side | None) -> bool:
        return True

    async def settle(self, target: Target, link: LinkRow, end: Settlement) -> bool:
        self.ends.append((target, end))
        return True

    async def release(self, target: Target) -> None: ...

    async def cut(self, link: LinkRow, problem: str) -> bool:
        return True

    async def postpone(
        self, target: Target, link: LinkRow | None, columns: Mapping[str, Any], job: RecordJob | None
    ) -> None: ...

    async def queue(self, *targets: Target) -> None: ...

    async def wake(self, target: Target, columns: Mapping[str, Any]) -> None: ...

    async def dismiss(self, target: Target, reason: str) -> None: ...

    async def forget(self, target: Target, link: LinkRow, *, outcome: str) -> bool:
        self.ends.append((target, None))
        return True


class LastRehearsal(DryStore):
    """Of a record that is claimed, and written if all is as planned: its twins are kept away from now on, for what is
    read now is not read again."""

    async def reserve(self, link: LinkRow, target: Target, *, match_key: str, creating: Side | None) -> bool:
        return await Store.reserve(self, link, target, match_key=match_key, creating=None)


Open = Callable[[BridgeView, Side], Account]


def rehearsed(
    open_: Open,
    effects: list[Effect],
    snapshots: Snapshots | None = None,
    known: Mapping[tuple[str, Side], Record] = MappingProxyType({}),
) -> Open:
    """As `open_`, but what is written is only noted in `effects`. `known`: records that are in hand."""

    def opened(bridge: BridgeView, side: Side) -> Account:
        return RehearsedAccount(open_(bridge, side), side, effects, snapshots, known)

    return opened


def is_new(external_id: str) -> bool:
    return external_id.rpartition("/")[2].startswith(NEW) or external_id.startswith(NEW)


def blank(target: Target) -> LinkRow:
    """The row of a record that nobody has seen before."""
    ids = {side: target.external_id if side is target.side else None for side in Side}
    return LinkRow(
        id=0,
        crm_id=ids[Side.CRM],
        billing_id=ids[Side.BILLING],
        billing_part="",
        state="pending",
        problem="",
        detail="",
        origin="",
        base_crm=None,
        base_billing=None,
        held={},
        tries=0,
        creating="",
        created_at=datetime.now(UTC),
        synced_at=None,
        decisions={},
        apart=False,
    )

"""The notes of one Invoice Ninja company's clients. contracts/invoice_ninja, section 6.

A note is known to us as `client id/activity id`, one that is kept in a text of its client as
`client id/private_notes/block id`; so a pair stays where it is when the setting changes.
"""

import itertools
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.errors import Gone, Rejected, Retry
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja.activities import (
    Activity,
    ActivityAnswer,
    ActivityPage,
    EntityAnswer,
    Entry,
    Story,
    Told,
    correction,
    referring,
    standing,
)
from app.providers.invoice_ninja.blocks import Block, block_id, blocks, with_block
from app.providers.invoice_ninja.clients import Clients
from app.providers.invoice_ninja.wire import parse
from app.sync.objects import NoteSettings
from app.sync.objects.note import NoteInto
from app.sync.records import FieldSpec, Kind, Presence, Record, Values
from app.sync.values import fit, same

FEW, ALL = 200, 5000
FIRST_PAGE, PAGE = 100, 2000
LONGEST = 15_000
"""Characters: the column takes 65,535 bytes."""

_ID = re.compile(r"[0-9A-Za-z_-]+")
_SPEC = FieldSpec(name="body", label="Text", max_length=LONGEST)


@dataclass(frozen=True, slots=True)
class Notes(Plain):
    """`appointments`: these are notes made of appointments; each says in its last line which one it is of."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: NoteSettings = field(default_factory=NoteSettings)
    appointments: bool = False

    @property
    def slot(self) -> str:
        in_activity = self.settings.into is NoteInto.ACTIVITY
        return "" if in_activity and not self.appointments else "reference"

    def fields(self) -> Mapping[str, FieldSpec]:
        return {"body": _SPEC}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        client_id, *own = external_id.split("/")
        if not _ID.fullmatch(client_id) or not own:
            raise Gone("no note of Invoice Ninja has such an id")
        if len(own) == 2:
            client = await self._clients.fetch(client_id)
            found = [each for each in blocks(client.values.get(own[0], "")) if each.id == own[1]]
            if found and client.presence is not Presence.DELETED:
                return _of_block(client_id, own[0], found[0])
            raise Gone("the client's text has no such note any more")
        for rows in (FEW, ALL):
            notes, whole = await self._of_client(client_id, rows)
            if note := next((each for each in notes if each.id == own[0]), None):
                return _of_activity(note)
            if whole:
                raise Gone("the client has no such note any more")
        raise Rejected(f"the client has more than {ALL} activities: too many to look for one note among them")

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """By the note or appointment that it was made for, where that is written down; else by the text."""
        into = self.settings.into
        if not _ID.fullmatch(key.parent):
            return []
        if key.kind is KeyKind.SLOT and not self.appointments:
            text = (await self._clients.fetch(key.parent)).values[into]
            return [_of_block(key.parent, into, each) for each in blocks(text) if each.id == block_id(key.value)]
        notes, _ = await self._of_client(key.parent, ALL)
        if key.kind is KeyKind.SLOT:
            return [_of_activity(each) for each in notes if each.reference == key.value]
        if self.slot:
            return []  # the slot would have found it
        wanted = fit(_SPEC, key.value).value
        alive = (each for each in notes if not each.reference and not each.deleted)
        return [_of_activity(each) for each in alive if same(Kind.TEXT, each.text, wanted)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        into = self.settings.into
        if into is NoteInto.ACTIVITY:
            note = await self._add(parent, referring(values["body"], slot if self.appointments else ""))
            return _of_activity(note)
        block = Block(block_id(slot), datetime.now(UTC).date(), values["body"])
        return await self._put(parent, into, block)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        if "block" in current.raw:
            return await self._change(current, text=values["body"])
        note: Told = current.raw["note"]
        await self._add(current.parent, correction(note, values["body"]))
        return _of_activity(Told(note.id, note.client_id, values["body"], note.made_at, note.reference, note.deleted))

    async def archive(self, current: Record) -> None:
        await self._stands(current, deleted=True)

    async def restore(self, current: Record) -> None:
        await self._stands(current, deleted=False)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Activity notes on clients, newest first. One call reads a hundred activities of the whole company."""
        if self.settings.since:
            since = max(since, self.settings.since)
        story = Story()
        async for activity in self._activities():
            if activity.created_at < int(since.timestamp()):
                return
            entry = activity.entry()
            note = story.read(entry) if entry else None
            if note and not note.reference:
                yield _of_activity(note)

    async def _activities(self) -> AsyncIterator[Activity]:
        """All of them, newest first, as long as they are asked for. Its first page is short: mostly it is enough."""
        seen: set[str] = set()
        pages = itertools.chain([(FIRST_PAGE, 1)], ((PAGE, number) for number in itertools.count(1)))
        for size, number in pages:
            params = {"per_page": str(size), "page": str(number)}
            answer = parse(ActivityPage, await self.wire.get("/activities", params))
            fresh = [each for each in answer.data if each.id not in seen]
            for each in fresh:
                yield each
            seen |= {each.id for each in fresh}
            if not answer.data or size * number >= answer.meta.pagination.total:
                return
            if not fresh:
                raise Retry("Invoice Ninja gives the same page of activities again")

    async def _of_client(self, client_id: str, rows: int) -> tuple[Sequence[Told], bool]:
        """The notes among its newest activities, and whether these are all that it has."""
        asked = {"entity": "client", "entity_id": client_id, "rows": rows}
        found = parse(EntityAnswer, await self.wire.read("/activities/entity", asked)).data
        # The list is sorted by whole seconds; the numbers count up.
        newest_first = sorted(found, key=lambda each: each.id, reverse=True)
        story = Story()
        entries = (entry for each in newest_first if (entry := each.entry()) and entry.client_id == client_id)
        return [note for entry in entries if (note := story.read(entry))], len(found) < rows

    async def _add(self, client_id: str, text: str) -> Told:
        asked = {"entity": "clients", "entity_id": client_id, "notes": text}
        made = parse(ActivityAnswer, await self.wire.write("POST", "/activities/notes", asked)).data
        entry = Entry(made.id, client_id, text, datetime.fromtimestamp(made.created_at, UTC))
        return Story().read(entry) or Told(made.id, client_id, text, entry.made_at)

    async def _stands(self, current: Record, *, deleted: bool) -> None:
        if "block" in current.raw:
            await self._change(current, deleted=deleted)
        else:
            await self._add(current.parent, standing(current.raw["note"], deleted=deleted))

    async def _change(self, current: Record, *, text: str | None = None, deleted: bool | None = None) -> Record:
        block: Block = current.raw["block"]
        gone = block.deleted if deleted is None else deleted
        changed = Block(block.id, block.day, block.text if text is None else text, gone)
        return await self._put(current.parent, current.raw["into"], changed)

    async def _put(self, client_id: str, into: str, block: Block) -> Record:
        """The client is read again just before: others write into its texts, too."""
        client = await self._clients.fetch(client_id)
        if client.presence is Presence.DELETED:
            raise Gone("the client was deleted in Invoice Ninja")
        text = with_block(client.values[into], block)
        if len(text.encode()) > 65_535:
            raise Rejected(f"the client's {into.replace('_', ' ')} are full: the note does not fit any more")
        await self._clients.update(client, {into: text})
        return _of_block(client_id, into, block)

    @property
    def _clients(self) -> Clients:
        return Clients(self.wire, self.data)


def _of_activity(note: Told) -> Record:
    return Record(
        id=f"{note.client_id}/{note.id}",
        parent=note.client_id,
        values={"body": note.text},
        presence=Presence.ARCHIVED if note.deleted else Presence.ACTIVE,
        slot=note.reference,
        created_at=note.made_at,
        raw={"note": note},
    )


def _of_block(client_id: str, into: str, block: Block) -> Record:
    return Record(
        id=f"{client_id}/{into}/{block.id}",
        parent=client_id,
        values={"body": block.text},
        presence=Presence.ARCHIVED if block.deleted else Presence.ACTIVE,
        raw={"block": block, "into": into},
    )

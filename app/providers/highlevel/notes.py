"""The notes of one HighLevel location's contacts. contracts/ghl, section 5.

A note is known to us as `contact id/note id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.errors import AnswerLost
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel.markup import plain, written
from app.providers.highlevel.replies import Note, NoteReply, NotesReply, reply
from app.providers.highlevel.tasks import moment
from app.providers.highlevel.wire import ID, own_path, task_id
from app.providers.http import Wire
from app.sync.objects import NoteSettings, NoticeSettings
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import same


@dataclass(frozen=True, slots=True)
class Notes(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: NoteSettings | NoticeSettings = field(default_factory=NoteSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {"body": FieldSpec(name="body", label="Text")}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        body = await self.wire.get(own_path(external_id, "notes"))
        return _read(reply(NoteReply, body).note, external_id.partition("/")[0])

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The contact's notes with this text."""
        if key.kind is not KeyKind.IDENTITY or not ID.fullmatch(key.parent):
            return []
        found = reply(NotesReply, await self.wire.get(f"/contacts/{key.parent}/notes")).notes
        records = [_read(each, key.parent) for each in found]
        return [each for each in records if same(Kind.TEXT, each.values["body"], key.value)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        answer = await self.wire.write("POST", f"/contacts/{parent}/notes", {"body": written(values["body"])})
        return _read(reply(NoteReply, answer, failure=AnswerLost).note, parent)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        body = {"body": written(values["body"])}
        answer = await self.wire.write("PUT", own_path(current.id, "notes"), body)
        return _read(reply(NoteReply, answer, failure=AnswerLost).note, current.parent)


def _read(note: Note, contact_id: str) -> Record:
    return Record(
        id=task_id(contact_id, note.id),
        parent=contact_id,
        values={"body": plain(note.body or "")},
        created_at=moment(note.date_added),
        raw=note.model_dump(),
    )

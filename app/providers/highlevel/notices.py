"""Notes that are written to a HighLevel contact once, and then left to people. contracts/ghl, section 5.

A note is known to us as `contact id/note id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from app.errors import AnswerLost, Gone
from app.providers.base import MatchKey
from app.providers.highlevel.replies import reply
from app.providers.highlevel.wire import ID, task_id
from app.providers.http import Wire
from app.providers.readonly import ReadOnly
from app.sync.objects import NoticeSettings
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import same

LONGEST = 5000


class _Note(BaseModel):
    id: str
    body: str = ""


class _NoteReply(BaseModel):
    note: _Note


class _NotesReply(BaseModel):
    notes: list[_Note]


@dataclass(frozen=True, slots=True)
class Notices(ReadOnly):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: NoticeSettings = field(default_factory=NoticeSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {"text": FieldSpec(name="text", label="Note", max_length=LONGEST)}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        contact_id, _, own = external_id.partition("/")
        if not (ID.fullmatch(contact_id) and ID.fullmatch(own)):
            raise Gone(f"“{external_id[:80]}” is not the id of a HighLevel note")
        answer = await self.wire.get(f"/contacts/{contact_id}/notes/{own}")
        return _read(reply(_NoteReply, answer).note, contact_id)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The contact's notes with this text: one of them may be ours, written before its answer was lost."""
        if not ID.fullmatch(key.parent):
            return []
        found = reply(_NotesReply, await self.wire.get(f"/contacts/{key.parent}/notes")).notes
        wanted = key.value.casefold()
        return [_read(each, key.parent) for each in found if same(Kind.TEXT, each.body.casefold(), wanted)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        answer = await self.wire.write("POST", f"/contacts/{parent}/notes", {"body": values["text"]})
        return _read(reply(_NoteReply, answer, failure=AnswerLost).note, parent)


def _read(note: _Note, contact_id: str) -> Record:
    return Record(id=task_id(contact_id, note.id), parent=contact_id, values={"text": note.body})

"""Activity notes as they are told: a note, its corrections, its deletion. Pure. contracts/invoice_ninja, section 6.

An activity cannot be changed. So an edit is another activity that names the first one, and what a note says now is read
from all of them. The first one's id stays the note's id.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.providers.invoice_ninja.wire import Meta

NOTE = "141"
_ABOUT = r"the note of \d{4}-\d\d-\d\d \[#(?P<id>[0-9A-Za-z_-]+)\]"
_CORRECTION = re.compile(rf"Correction of {_ABOUT}:\s*(?P<text>.*)", re.DOTALL)
_STANDING = re.compile(rf"T{_ABOUT[1:]} (?P<how>was deleted in the CRM|is back in the CRM)\.\s*")
_REFERENCE = re.compile(r"\s*\[appointment ([0-9A-Za-z_/-]+)\]\s*\Z")
# Of every activity; anything else that has an id is what the note is on.
_OF_ALL = {"client_id", "user_id", "company_id", "token_id", "activity_type_id"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One activity note on a client."""

    id: str
    client_id: str
    text: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A note as it stands. `reference`: the appointment that it was made for."""

    id: str
    client_id: str
    text: str
    made_at: datetime
    reference: str = ""
    deleted: bool = False


@dataclass(slots=True)
class Story:
    """Reads entries, newest first, into notes."""

    _corrected: dict[str, str] = field(default_factory=dict)
    _deleted: dict[str, bool] = field(default_factory=dict)

    def read(self, entry: Entry) -> Told | None:
        """None: it tells of another note."""
        if found := _CORRECTION.fullmatch(entry.text):
            self._corrected.setdefault(found["id"], found["text"])
            return None
        if found := _STANDING.fullmatch(entry.text):
            self._deleted.setdefault(found["id"], found["how"].startswith("was"))
            return None
        reference = _REFERENCE.search(entry.text)
        own = entry.text[: reference.start()] if reference else entry.text
        text = self._corrected.get(entry.id, own).strip()
        gone = self._deleted.get(entry.id, False)
        return Told(entry.id, entry.client_id, text, entry.made_at, reference[1] if reference else "", gone)


def correction(note: Told, text: str) -> str:
    return f"Correction of {_name(note)}:\n\n{text}"


def standing(note: Told, *, deleted: bool) -> str:
    return f"T{_name(note)[1:]} {'was deleted' if deleted else 'is back'} in the CRM."


def referring(text: str, appointment: str) -> str:
    return f"{text}\n\n[appointment {appointment}]" if appointment else text


def _name(note: Told) -> str:
    return f"the note of {note.made_at:%Y-%m-%d} [#{note.id}]"


class Activity(BaseModel):
    """As GET /activities lists it, and as a new note is answered."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    id: str
    activity_type_id: str = ""
    client_id: str = ""
    notes: str | None = ""
    created_at: int = 0

    def entry(self) -> Entry | None:
        """None: no note, or one on an invoice, a task or anything else than the client itself."""
        others = (name for name, id_ in (self.model_extra or {}).items() if name.endswith("_id") and id_)
        if self.activity_type_id != NOTE or not self.client_id or set(others) - _OF_ALL:
            return None
        return Entry(self.id, self.client_id, self.notes or "", datetime.fromtimestamp(self.created_at, UTC))


class Labelled(BaseModel):
    label: str | None = ""
    hashed_id: str = ""


class EntityActivity(BaseModel):
    """As POST /activities/entity lists it: `id` counts up, `hashed_id` is the id that all else goes by."""

    model_config = ConfigDict(extra="allow")

    id: int
    hashed_id: str
    activity_type_id: int
    client: Labelled = Labelled()
    notes: str | None = ""
    created_at: int = 0

    def entry(self) -> Entry | None:
        extra: Mapping[str, Any] = self.model_extra or {}
        others = {name for name, value in extra.items() if isinstance(value, dict)} - {"user"}
        if str(self.activity_type_id) != NOTE or not self.client.hashed_id or others:
            return None
        made_at = datetime.fromtimestamp(self.created_at, UTC)
        return Entry(self.hashed_id, self.client.hashed_id, self.notes or "", made_at)


class ActivityAnswer(BaseModel):
    data: Activity


class ActivityPage(BaseModel):
    data: list[Activity]
    meta: Meta


class EntityAnswer(BaseModel):
    data: list[EntityActivity]

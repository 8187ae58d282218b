"""The appointments of one HighLevel location's contacts: read only. contracts/ghl, section 5."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from app.errors import Gone, Rejected, Unsupported
from app.providers.base import MatchKey, Plain
from app.providers.highlevel.markup import plain
from app.providers.highlevel.replies import Appointment, AppointmentReply, reply
from app.providers.highlevel.wire import CALENDARS_VERSION, ID, HighLevelDialect
from app.providers.http import Wire
from app.sync.objects import AppointmentSettings
from app.sync.objects.appointment import AppointmentStatus
from app.sync.records import FieldSpec, Kind, Presence, Record, Values

_SPECS = (
    FieldSpec(name="title", label="Title"),
    FieldSpec(name="body", label="Time, status, place and notes"),
    FieldSpec(name="due", label="Day", kind=Kind.DATE),
    FieldSpec(name="status", label="Status, by the table"),
    FieldSpec(name="assignee", label="Assignee", kind=Kind.EMAIL),
    FieldSpec(name="summary", label="All in one text"),
)


@dataclass(frozen=True, slots=True)
class Appointments(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: AppointmentSettings = field(default_factory=AppointmentSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {each.name: each for each in _SPECS}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        if not ID.fullmatch(external_id):
            raise Gone(f"“{external_id[:80]}” is not the id of a HighLevel appointment")
        body = await self._calendars.get(f"/calendars/events/appointments/{external_id}")
        found = reply(AppointmentReply, body).event
        if found.id != external_id:
            raise Rejected(f"HighLevel was asked for appointment {external_id} and answers another one ({found.id})")
        return self._read(found)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        return []

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> NoReturn:
        raise _one_way()

    async def update(self, current: Record, values: Values, *, slot: str = "") -> NoReturn:
        raise _one_way()

    @property
    def _calendars(self) -> Wire:
        """Calendars want another Version than everything else."""
        dialect = self.wire.dialect
        if isinstance(dialect, HighLevelDialect):
            dialect = replace(dialect, version=CALENDARS_VERSION)
        return replace(self.wire, dialect=dialect)

    def _read(self, appointment: Appointment) -> Record:
        title = " ".join((appointment.title or "").split()) or "Appointment"
        starts, ends = self._moment(appointment.start_time), self._moment(appointment.end_time)
        head = [self._when(starts, ends)]
        head += [f"Status: {appointment.status}"] if appointment.status else []
        head += [f"Where: {appointment.address}"] if appointment.address else []
        body = "\n".join(line for line in head if line)
        text = plain(appointment.text or "")
        body = f"{body}\n\n{text}" if text else body
        status = appointment.status if appointment.status in set(AppointmentStatus) else ""
        users: Mapping[str, str] = self.data.get("users") or {}
        return Record(
            id=appointment.id,
            parent=appointment.contact_id,
            values={
                "title": title,
                "body": body,
                "due": starts.date().isoformat() if starts else "",
                "status": self.settings.statuses.get(AppointmentStatus(status), "") if status else "",
                "assignee": users.get(appointment.assigned_to or "", ""),
                "summary": f"Appointment: {title}\n{body}",
            },
            presence=Presence.ARCHIVED if status in self.settings.put_away else Presence.ACTIVE,
            created_at=self._moment(appointment.date_added),
            updated_at=self._moment(appointment.date_updated),
            raw=appointment.model_dump(),
        )

    def _moment(self, text: str | None) -> datetime | None:
        """In the location's time zone; a time without a zone is taken to be of that zone."""
        try:
            moment = datetime.fromisoformat(text or "")
        except ValueError:
            return None
        return moment.astimezone(self._zone) if moment.tzinfo else moment.replace(tzinfo=self._zone)

    def _when(self, starts: datetime | None, ends: datetime | None) -> str:
        if starts is None:
            return ""
        until = ""
        if ends is not None:
            until = f" to {ends:%H:%M}" if ends.date() == starts.date() else f" to {ends:%Y-%m-%d %H:%M}"
        return f"{starts:%Y-%m-%d %H:%M}{until} ({self._zone.key})"

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.data.get("timezone") or "UTC")


def _one_way() -> Unsupported:
    return Unsupported("appointment", "appointments are never written to HighLevel")

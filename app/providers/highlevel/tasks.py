"""The tasks of one HighLevel location's contacts. contracts/ghl, section 5.

A task is known to us as `contact id/task id`. No event tells of an edit, and a task shows no times of its own. It has
no tags: those of its contact are read beside it where they are wanted. They are no part of what a write or a list
answers, so nothing takes them for delivered, or for emptied.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import AnswerLost, Gone
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel.replies import Task, TaskReply, TasksReply, reply
from app.providers.highlevel.tags import tags_of_contact
from app.providers.highlevel.wire import ID, own_path, task_id
from app.providers.http import Wire
from app.providers.paging import Page, each_row
from app.sync.objects import TaskSettings
from app.sync.records import FieldSpec, Kind, Record, Values
from app.sync.values import same

DUE_AT = time(17)
"""The hour of a due date that has none, in the location's time zone."""
PAGE = 100


@dataclass(frozen=True, slots=True)
class Tasks(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: TaskSettings = field(default_factory=TaskSettings)
    _tags: dict[str, str] = field(default_factory=dict, repr=False)
    """Of contacts that were asked for; one of these objects lives as long as one job."""

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="title", label="Title"),
            FieldSpec(name="body", label="Description"),
            FieldSpec(name="due", label="Due date", kind=Kind.DATE, strict=True),
            FieldSpec(name="completed", label="Completed"),
            FieldSpec(name="assignee", label="Assignee", kind=Kind.EMAIL, options=frozenset(self._users.values())),
            *((FieldSpec(name="tags", label="Tags of the contact", kind=Kind.TAGS),) if self.settings.tags else ()),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        contact_id, _, own = external_id.partition("/")
        if not ID.fullmatch(own):
            raise Gone(f"“{external_id[:80]}” is not the id of a HighLevel task")
        if not contact_id:
            return await self._tagged(self._read(await self._sought(own)))
        answer = reply(TaskReply, await self.wire.get(own_path(external_id, "tasks")))
        return await self._tagged(self._read(answer.task, contact_id))

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The task of this id, or the contact's tasks of this title."""
        if key.kind is KeyKind.SLOT:
            try:
                return [await self.fetch(key.value)]
            except Gone:
                return []
        if not ID.fullmatch(key.parent):
            return []
        found = reply(TasksReply, await self.wire.get(f"/contacts/{key.parent}/tasks")).tasks
        wanted = key.value.casefold()
        return [
            await self._tagged(self._read(each, key.parent))
            for each in found
            if same(Kind.TEXT, (each.title or "").casefold(), wanted)
        ]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """HighLevel wants a due date: without one it is today."""
        today = datetime.now(self._zone).date().isoformat()
        body = {"completed": False, **self._body({"due": today, **{k: v for k, v in values.items() if v}})}
        answer = await self.wire.write("POST", f"/contacts/{parent}/tasks", body)
        return self._read(reply(TaskReply, answer, failure=AnswerLost).task, parent)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """A due date cannot be taken away there; that it stays is told."""
        body = self._body({k: v for k, v in values.items() if v or k != "due"}, current)
        if not body:
            return current
        answer = await self.wire.write("PUT", own_path(current.id, "tasks"), body)
        return self._read(reply(TaskReply, answer, failure=AnswerLost).task, current.parent)

    async def delete(self, current: Record) -> None:
        await self.wire.write("DELETE", own_path(current.id, "tasks"))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        async for task in self._all():
            if task.contact_id:
                yield self._read(task)

    async def _all(self) -> AsyncIterator[Task]:
        async def ask(skip: int) -> Page[Task]:
            body = {"limit": PAGE, "skip": skip}
            answer = await self.wire.read(f"/locations/{self.location_id}/tasks/search", body)
            return Page(reply(TasksReply, answer).tasks)

        async for each in each_row(ask, lambda task: task.id, size=PAGE, what="HighLevel's tasks"):
            yield each

    async def _sought(self, own: str) -> Task:
        """A task whose contact is not known: TaskCreate may leave it out (highlevel-api-docs#332)."""
        async for task in self._all():
            if task.id == own:
                return task
        raise Gone(f"HighLevel has no task {own}")

    async def _tagged(self, record: Record) -> Record:
        if not (self.settings.tags and ID.fullmatch(record.parent)):
            return record
        if record.parent not in self._tags:
            self._tags[record.parent] = await tags_of_contact(self.wire, record.parent)
        return replace(record, values={**record.values, "tags": self._tags[record.parent]})

    def _read(self, task: Task, contact_id: str = "") -> Record:
        contact_id = contact_id or task.contact_id
        due = moment(task.due_date)
        return Record(
            id=task_id(contact_id, task.id),
            parent=contact_id,
            values={
                "title": task.title or "",
                "body": task.body or "",
                "due": due.astimezone(self._zone).date().isoformat() if due else "",
                "completed": "yes" if task.completed else "no",
                "assignee": self._users.get(task.assigned_to or "", ""),
            },
            raw=task.model_dump(),
        )

    def _body(self, values: Values, current: Record | None = None) -> dict[str, Any]:
        words = {"title": "title", "body": "body"}
        body: dict[str, Any] = {words[name]: value for name, value in values.items() if name in words}
        if "due" in values:
            body["dueDate"] = self._due(values["due"], moment(current.raw["due_date"]) if current else None)
        if "completed" in values:
            body["completed"] = values["completed"] == "yes"
        if "assignee" in values:
            ids = {email.casefold(): id_ for id_, email in self._users.items()}
            body["assignedTo"] = ids.get(values["assignee"].casefold(), "")
        return body

    def _due(self, day: str, before: datetime | None) -> str:
        """The day at the hour that it had."""
        hour = before.astimezone(self._zone).time() if before else DUE_AT
        moment = datetime.combine(date.fromisoformat(day), hour, self._zone)
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def _users(self) -> Mapping[str, str]:
        """E-mail addresses by user id, as the probe learned them."""
        users: Mapping[str, str] = self.data.get("users") or {}
        return users

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.data.get("timezone") or "UTC")


def moment(text: str | None) -> datetime | None:
    """An ISO 8601 moment; without a zone it is UTC. None where it is none."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

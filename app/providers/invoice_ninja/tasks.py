"""The tasks of one Invoice Ninja company. contracts/invoice_ninja, section 6.

They have neither title nor due date nor a completed flag. The title is the first line of the description; the due date
is kept in a custom value, and in the description's last line for people to see; completed is what a status says.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.errors import Forbidden, Gone, Rejected
from app.providers.base import BEGINNING, KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja.pages import each_of
from app.providers.invoice_ninja.task_tags import TaskTags
from app.providers.invoice_ninja.wire import Meta, Pagination, parse
from app.sync.objects import TaskSettings
from app.sync.records import FieldSpec, Kind, Presence, Record, Values
from app.sync.values import is_date, same

PER_PAGE = 200
MOST = 5000

_ID = re.compile(r"[0-9A-Za-z_-]+")
_DUE = re.compile(r"\n*^Due: (\d{4}-\d\d-\d\d)\s*\Z", re.MULTILINE)

# A PUT that leaves these out wipes or renumbers them; the rest of a task it keeps.
_SENT_BACK = ("time_log", "number", "description", "status_id", "client_id", "project_id", "assigned_user_id", "rate")


class Task(BaseModel):
    """Everything else that it has is kept as it came, to be sent back whole."""

    model_config = ConfigDict(extra="allow")

    id: str
    client_id: str = ""
    description: str = ""
    status_id: str = ""
    assigned_user_id: str = ""
    archived_at: int = 0
    is_deleted: bool = False
    created_at: int = 0
    updated_at: int = 0

    @property
    def presence(self) -> Presence:
        if self.is_deleted:
            return Presence.DELETED
        return Presence.ARCHIVED if self.archived_at else Presence.ACTIVE


class TaskAnswer(BaseModel):
    data: Task


class TaskPage(BaseModel):
    data: list[Task]
    meta: Meta = Meta(pagination=Pagination(total=0, total_pages=1))


class TaskStatus(BaseModel):
    id: str
    name: str = ""


class TaskStatuses(BaseModel):
    data: list[TaskStatus]


class CompanyPerson(BaseModel):
    id: str
    email: str = ""


class CompanyPersons(BaseModel):
    data: list[CompanyPerson]


@dataclass(frozen=True, slots=True)
class Tasks(Plain):
    """`data`: what the probe learned (`task_statuses`, `users`).

    `made_of`: the other object that these tasks are made of, "appointment"; its slot begins with that word, so that
    each object leaves the other's tasks alone.
    """

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: TaskSettings = field(default_factory=TaskSettings)
    made_of: str = ""
    _lists: dict[str, Sequence[Record]] = field(default_factory=dict, repr=False)
    """Of clients that were asked for; one of these objects lives as long as one job."""
    _tags_seen: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def slot(self) -> str:
        return self.settings.slot

    def fields(self) -> Mapping[str, FieldSpec]:
        reachable = {word for word, id_ in (("yes", self._done_id), ("no", self._open_id)) if id_}
        specs = (
            FieldSpec(name="title", label="Title (first line of the description)"),
            FieldSpec(name="body", label="Description"),
            FieldSpec(name="due", label="Due date", kind=Kind.DATE, strict=True),
            FieldSpec(name="status", label="Status by name", options=frozenset(self._statuses.values())),
            FieldSpec(name="completed", label="Status", options=frozenset(reachable)),
            FieldSpec(name="assignee", label="Assignee", kind=Kind.EMAIL, options=frozenset(self._users.values())),
            *self._tags.fields(),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        task = parse(TaskAnswer, await self.wire.get(_path(external_id))).data
        if _made_of(task) != self.made_of:
            raise Gone("it belongs to another object: an appointment is a task here, too")
        return await self._tags.shown(self._read(task))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """One second is added before: theirs are whole ones."""
        changed = {"updated_at": str(int(since.timestamp()) - 1)} if since > BEGINNING else {}
        async for each in self._pages({**changed, "status": "active,archived"}):
            if _made_of(each) == self.made_of:
                yield await self._tags.shown(self._read(each))

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The client's live tasks that carry this external id, or have this title."""
        if not _ID.fullmatch(key.parent):
            return []
        if key.parent not in self._lists:
            self._lists[key.parent] = [
                await self._tags.shown(self._read(each))
                for each in await self._of_client(key.parent)
                if _made_of(each) == self.made_of
            ]
        there, wanted = self._lists[key.parent], key.value.casefold()
        if key.kind is KeyKind.SLOT:
            return [each for each in there if each.slot == key.value]
        return [each for each in there if same(Kind.TEXT, each.values["title"].casefold(), wanted)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        given = {name: value for name, value in values.items() if value}
        body = {"client_id": parent, self.slot: self._marked(slot), **self._body(given, {})}
        body |= await self._tags.body(given, {})
        made = parse(TaskAnswer, await self.wire.write("POST", "/tasks", body)).data
        return await self._tags.shown(self._read(made))

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        kept = {name: current.raw[name] for name in _SENT_BACK if name in current.raw}
        body = {**kept, **({self.slot: self._marked(slot)} if slot else {}), **self._body(values, current.raw)}
        body |= await self._tags.body(values, current.raw)
        changed = parse(TaskAnswer, await self.wire.write("PUT", _path(current.id), body)).data
        return await self._tags.shown(self._read(changed))

    async def delete(self, current: Record) -> None:
        """Into its bin, where `restore` finds it."""
        if await self._bulk("delete", current.id) is not Presence.DELETED:
            raise Forbidden("the API token's user may not delete this task in Invoice Ninja")

    async def archive(self, current: Record) -> None:
        if await self._bulk("archive", current.id) is Presence.ACTIVE:
            raise Forbidden("the API token's user may not archive this task in Invoice Ninja")

    async def stays(self, current: Record) -> str:
        return "the task is on an invoice" if current.raw.get("invoice_id") else ""

    async def restore(self, current: Record) -> None:
        if await self._bulk("restore", current.id) is not Presence.ACTIVE:
            raise Forbidden("the API token's user may not restore this task in Invoice Ninja")

    async def _bulk(self, action: str, task_id: str) -> Presence:
        body = await self.wire.write("POST", "/tasks/bulk", {"action": action, "ids": [task_id]})
        for task in parse(TaskPage, body).data:
            if task.id == task_id:
                return task.presence
        raise Gone("Invoice Ninja answers without the task")

    async def _of_client(self, client_id: str) -> Sequence[Task]:
        found: list[Task] = []
        async for each in self._pages({"client_id": client_id, "status": "active"}):
            found += [each] if each.client_id == client_id else []  # an unknown filter is ignored: compare
            if len(found) > MOST:
                raise Rejected(f"the client has more than {MOST} tasks")
        return found

    def _pages(self, query: Mapping[str, str]) -> AsyncIterator[Task]:
        async def ask(number: int) -> tuple[Sequence[Task], int]:
            params = {**query, "sort": "id|asc", "per_page": str(PER_PAGE), "page": str(number)}
            answer = parse(TaskPage, await self.wire.get("/tasks", params))
            return answer.data, answer.meta.pagination.total_pages

        return each_of(ask, lambda task: task.id, "tasks")

    def _read(self, task: Task) -> Record:
        title, body, told = _parts(task.description)
        kept = str((task.model_extra or {}).get(self._due_field) or "").strip()
        return Record(
            id=task.id,
            parent=task.client_id,
            values={
                "title": title,
                "body": body,
                "due": kept if is_date(kept) else told,
                "status": self._statuses.get(task.status_id, ""),
                "completed": "yes" if task.status_id in self._done_ids else "no",
                "assignee": self._users.get(task.assigned_user_id, ""),
            },
            presence=task.presence,
            slot=str((task.model_extra or {}).get(self.slot) or "").strip().removeprefix(self._marked("")),
            created_at=_moment(task.created_at),
            updated_at=_moment(task.updated_at),
            raw=task.model_dump(),
        )

    def _body(self, values: Values, current: Mapping[str, Any]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if values.keys() & {"title", "body", "due"}:
            now = self._read(Task.model_validate({"id": "new", **current})).values
            title, text, due = (values.get(name, now[name]) for name in ("title", "body", "due"))
            body["description"] = "\n\n".join(part for part in (title, text, due and f"Due: {due}") if part)
            body[self._due_field] = due
        if "completed" in values:
            body["status_id"] = self._done_id if values["completed"] == "yes" else self._open_id
        if "status" in values:
            names = {name: id_ for id_, name in self._statuses.items()}
            body["status_id"] = names.get(values["status"]) or self._open_id
        if "assignee" in values:
            ids = {email.casefold(): id_ for id_, email in self._users.items()}
            body["assigned_user_id"] = ids.get(values["assignee"].casefold(), "")
        return body

    def _marked(self, slot: str) -> str:
        return f"{self.made_of}:{slot}" if self.made_of else slot

    @property
    def _tags(self) -> TaskTags:
        return TaskTags(self.wire, self.data, self.settings.tags, self._tags_seen)

    @property
    def _due_field(self) -> str:
        return self.settings.due_field

    @property
    def _statuses(self) -> Mapping[str, str]:
        """Names by id, in the board's order."""
        statuses: Mapping[str, str] = self.data.get("task_statuses") or {}
        return statuses

    @property
    def _users(self) -> Mapping[str, str]:
        """E-mail addresses by user id."""
        users: Mapping[str, str] = self.data.get("users") or {}
        return users

    @property
    def _done_ids(self) -> Sequence[str]:
        """Of the statuses that mean completed, in the order of the settings."""
        wanted = [name.casefold() for name in self.settings.done]
        return [id_ for name in wanted for id_, status in self._statuses.items() if status.casefold() == name]

    @property
    def _done_id(self) -> str:
        return next(iter(self._done_ids), "")

    @property
    def _open_id(self) -> str:
        wanted = self.settings.open.casefold()
        open_ = {id_: name for id_, name in self._statuses.items() if id_ not in self._done_ids}
        return next((id_ for id_, name in open_.items() if name.casefold() == wanted), next(iter(open_), ""))


def _made_of(task: Task) -> str:
    """The settings of the two objects may name different fields, so all are looked at."""
    kept = (str((task.model_extra or {}).get(f"custom_value{n}") or "") for n in range(1, 5))
    return "appointment" if any(each.startswith("appointment:") for each in kept) else ""


def _parts(description: str) -> tuple[str, str, str]:
    """Title, body and the due date of a description."""
    told = _DUE.search(description)
    text = description[: told.start()] if told else description
    title, _, body = text.strip().partition("\n")
    return title.strip(), body.strip(), told[1] if told and is_date(told[1]) else ""


def _path(task_id: str) -> str:
    if not _ID.fullmatch(task_id):
        raise Gone("no task of Invoice Ninja has such an id")
    return f"/tasks/{task_id}"


def _moment(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None

"""Tasks: apps/contacts.json, and the search of all of a location's in apps/locations.json."""

from datetime import UTC
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, flag, instant, mentions, moment, number, page, text, texts
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import iso
from app.sandbox.highlevel.tables import Kind, Row
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

CREATE = Dto(
    fields={"title": text, "body": text, "dueDate": instant, "completed": flag, "assignedTo": text},
    required=("title", "dueDate", "completed"),
)
UPDATE = CREATE.but()
COMPLETED = Dto(fields={"completed": flag}, required=("completed",))
SEARCH = Dto(
    fields={
        "contactId": texts,
        "completed": flag,
        "assignedTo": texts,
        "query": text,
        "limit": number,
        "skip": number,
        "businessId": text,
    }
)


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "contacts.readonly")
    write = partial(endpoint, sandbox, "contacts.write")
    search = endpoint(sandbox, "locations/tasks.readonly", _search)
    every, one = "/contacts/{contact_id}/tasks", "/contacts/{contact_id}/tasks/{task_id}"
    return [
        Route(every, read(_list), methods=["GET"]),
        Route(every, write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(partial(_update, UPDATE)), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
        Route(f"{one}/completed", write(partial(_update, COMPLETED)), methods=["PUT"]),
        Route("/locations/{location_id}/tasks/search", search, methods=["POST"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="tasks",
        fields=frozenset(CREATE.fields) | {"contactId"},
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown(task: Row) -> dict[str, Any]:
    """It has no dates of its own: neither the spec nor its examples show when a task was added or changed."""
    return {"id": task.id, **task.values}


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    task = sandbox.tables.tasks.add(Row(location_id=location_id, values={"completed": False, **_clean(values)}))
    _tell(sandbox, "TaskCreate", task)
    return task


def change(sandbox: Sandbox, task: Row, values: dict[str, Any]) -> Row:
    """Of all edits, HighLevel tells of the completion only (contracts/ghl, section 2.4)."""
    if "completed" in task.take(_clean(values)) and task.values["completed"]:
        _tell(sandbox, "TaskComplete", task)
    return task


def remove(sandbox: Sandbox, task: Row) -> None:
    del sandbox.tables.tasks[task.id]
    _tell(sandbox, "TaskDelete", task)


def _clean(values: dict[str, Any]) -> dict[str, Any]:
    due = moment(values.get("dueDate"))
    return {**values, "dueDate": iso(due.astimezone(UTC) if due.tzinfo else due)} if due else values


def _tell(sandbox: Sandbox, event: str, task: Row) -> None:
    left_out = {"completed"}
    if event == "TaskCreate" and sandbox.config.task_create_is_short:
        left_out |= {"contactId", "body"}
    body = {name: value for name, value in task.values.items() if name not in left_out}
    sandbox.webhooks.emit(event, task.location_id, {"id": task.id, **body, "dateAdded": iso(task.added)})


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    found = sandbox.tables.tasks.of(contact.location_id, contactId=contact.id)
    return 200, {"tasks": [shown(task) for task in found]}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    values = CREATE.parse(await json_body(request))
    return 201, {"task": shown(make(sandbox, contact.location_id, {**values, "contactId": contact.id}))}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    contact_id, task_id = request.path_params["contact_id"], request.path_params["task_id"]
    return sandbox.of_contact(owner, sandbox.tables.tasks, contact_id, task_id, "Task")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"task": shown(_one(sandbox, request, owner))}


async def _update(dto: Dto, sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    task = _one(sandbox, request, owner)
    return 200, {"task": shown(change(sandbox, task, dto.parse(await json_body(request))))}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner))
    return 200, {"succeded": True}


async def _search(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """By skip and limit (25), and the answer has no total."""
    location = sandbox.location(owner, request.path_params["location_id"])
    wanted = SEARCH.parse(await json_body(request))
    found = [task for task in sandbox.tables.tasks.of(location.id) if _fits(sandbox, task, wanted)]
    return 200, {"tasks": [shown(task) for task in found[page(wanted, default=25)]]}


def _fits(sandbox: Sandbox, task: Row, wanted: dict[str, Any]) -> bool:
    for name in ("contactId", "assignedTo"):
        if wanted.get(name) and task.values.get(name) not in wanted[name]:
            return False
    if "completed" in wanted and task.values["completed"] != wanted["completed"]:
        return False
    contact = sandbox.store.contacts[task.values["contactId"]]
    if wanted.get("businessId") and contact.values.get("businessId") != wanted["businessId"]:
        return False
    return mentions(wanted.get("query", ""), (task.values.get("title"), task.values.get("body")))

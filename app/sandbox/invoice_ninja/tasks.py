"""Tasks, with their two traps: an update without `time_log` wipes it, one without `number` renumbers (section 6)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from app.sandbox.invoice_ninja import catalogue, columns, tags
from app.sandbox.invoice_ninja.answers import InvalidError, server_error
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.lists import equals
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Kind
from app.sandbox.invoice_ninja.store import Row

_WRITABLE = ("assigned_user_id", "description", "rate", *columns.CUSTOM, "is_date_based")


def _blank() -> Row:
    return {
        "user_id": ME,
        "assigned_user_id": "",
        "number": "",
        "description": "",
        "duration": 0,
        "rate": 0,
        "invoice_id": "",
        "client_id": "",
        "project_id": "",
        "time_log": "[]",
        "is_running": False,
        **columns.customs(),
        "status_id": "",
        "status_sort_order": 0,
        "is_date_based": False,
        "status_order": None,
        "date": "",
        "documents": [],
        "_hash": "",
    }


async def create(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    body = dict(call.body)
    if call.asks("start"):
        body["time_log"] = json.dumps([[ninja.now(), 0]])
    log = _check(ninja, body, None)
    first = next(iter(ninja.tables["task_statuses"].rows))
    tagged: Row = {"tags": []} if ninja.config.task_tags else {}
    row = ninja.insert("tasks", _blank() | {"status_id": first} | tagged)
    _assign(ninja, row, body, log)
    row["number"] = columns.take_number(ninja, "tasks", body)
    ninja.tables["tasks"].put(row)
    await _tell(ninja, row, 18)
    # The create answer still has the full time; later answers have the date (recorded).
    started = datetime.fromtimestamp(log[0][0], UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z") if log else ""
    return row, _with_project(ninja, row) | {"date": started}


async def update(ninja: Ninja, call: Call, row: Row) -> None:
    log = _check(ninja, call.body, row)
    _assign(ninja, row, call.body, log)
    row["number"] = columns.take_number(ninja, "tasks", call.body)
    ninja.save("tasks", row)
    await _tell(ninja, row, 19)


async def _tell(ninja: Ninja, row: Row, event: int) -> None:
    """A new task in a project is told as an update of the project as well (section 8)."""
    project = ninja.tables["projects"].rows.get(row["project_id"])
    if project is not None and event == 18:
        await ninja.emit(26, lambda: catalogue.with_client(ninja, project))
    await ninja.emit(event, lambda: _with_project(ninja, row))


def _with_project(ninja: Ninja, row: Row) -> Row:
    project = ninja.tables["projects"].rows.get(row["project_id"])
    return shown(row) | ({"project": shown(project)} if project else {})


def _assign(ninja: Ninja, row: Row, body: Mapping[str, Any], log: list[list[Any]]) -> None:
    columns.assign(row, body, _WRITABLE)
    if "hash" in body:
        row["_hash"] = text(body["hash"])
    if "client_id" in body:
        row["client_id"] = text(body["client_id"])
    if "project_id" in body:
        project = ninja.tables["projects"].rows.get(text(body["project_id"]))
        row["project_id"] = project["id"] if project else ""
        row["client_id"] = project["client_id"] if project else row["client_id"]
    if "status_id" in body:
        known = ninja.tables["task_statuses"].rows
        row["status_id"] = text(body["status_id"]) if text(body["status_id"]) in known else ""
    if "tags" in body and "tags" in row:
        row["tags"] = list(dict.fromkeys(body["tags"]))
    row["time_log"] = json.dumps(log, separators=(",", ":"))
    row["is_running"] = bool(log) and log[-1][1] == 0
    row["date"] = datetime.fromtimestamp(log[0][0], UTC).strftime("%Y-%m-%d") if log else ""


def _check(ninja: Ninja, body: Mapping[str, Any], row: Row | None) -> list[list[Any]]:
    errors = columns.check_client(ninja, body, required=False) | columns.check_number(ninja, "tasks", body, row)
    errors |= tags.check(ninja, body)
    log = _time_log(body.get("time_log"))
    if bad := next((entry for entry in log if not all(isinstance(at, int) for at in entry[:2])), None):
        listed = "".join(f"    [{place}] => {value}\n" for place, value in enumerate(bad))
        errors["time_log"] = [f"The time_log - Array\n(\n{listed})\n is invalid. Unix timestamps only."]
    elif any(later[0] < (earlier[1] or later[0] + 1) for earlier, later in pairwise(log)):
        errors["time_log"] = ["Please correct overlapping values"]
    if errors:
        raise InvalidError(errors)
    return log


def _time_log(given: Any) -> list[list[Any]]:
    """It must be JSON inside a string; a real list is a server error."""
    if given is None:
        return []
    if not isinstance(given, str):
        raise server_error()
    try:
        log = json.loads(given)
    except ValueError:
        return []
    return sorted(log, key=lambda entry: str(entry[0])) if isinstance(log, list) else []


def present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    body = shown(row)
    for name, path, column in (
        ("client", "clients", "client_id"),
        ("project", "projects", "project_id"),
        ("invoice", "invoices", "invoice_id"),
        ("status", "task_statuses", "status_id"),
    ):
        related = ninja.tables[path].rows.get(row[column])
        if name in includes and related is not None:
            body[name] = shown(related)
    return body


KIND = Kind(
    path="tasks",
    entity="task",
    model="Task",
    create=create,
    update=update,
    present=present,
    told=_with_project,
    filters={
        "number": equals("number"),
        "hash": equals("_hash"),
        "client_id": equals("client_id"),
        "task_status": equals("status_id"),
        "filter": columns.searched("description", "number", *columns.CUSTOM),
    },
    includes=frozenset({"client", "status", "project", "user", "invoice", "assigned_user"}),
    events={"delete": 20, "archive": 36, "restore": 44},
)

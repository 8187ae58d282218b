"""Notes of a contact: apps/contacts.json."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, filled, flag, text
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import iso
from app.sandbox.highlevel.tables import Kind, Row
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

CREATE = Dto(
    fields={"userId": text, "body": filled, "title": text, "color": text, "pinned": flag},
    required=("body",),
)
UPDATE = CREATE.but()


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "contacts.readonly")
    write = partial(endpoint, sandbox, "contacts.write")
    every, one = "/contacts/{contact_id}/notes", "/contacts/{contact_id}/notes/{note_id}"
    return [
        Route(every, read(_list), methods=["GET"]),
        Route(every, write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="notes",
        fields=frozenset(CREATE.fields) | {"contactId"},
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown(note: Row) -> dict[str, Any]:
    return {"id": note.id, "dateAdded": iso(note.added), **note.values}


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    note = sandbox.tables.notes.add(Row(location_id=location_id, values={**values}))
    _tell(sandbox, "NoteCreate", note)
    return note


def change(sandbox: Sandbox, note: Row, values: dict[str, Any]) -> Row:
    if note.take(values):
        _tell(sandbox, "NoteUpdate", note)
    return note


def remove(sandbox: Sandbox, note: Row) -> None:
    del sandbox.tables.notes[note.id]
    _tell(sandbox, "NoteDelete", note)


def _tell(sandbox: Sandbox, event: str, note: Row) -> None:
    body = {"id": note.id, "body": note.values["body"], "contactId": note.values["contactId"]}
    sandbox.webhooks.emit(event, note.location_id, {**body, "dateAdded": iso(note.added)})


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    found = sandbox.tables.notes.of(contact.location_id, contactId=contact.id)
    return 200, {"notes": [shown(note) for note in found]}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    values = CREATE.parse(await json_body(request))
    return 201, {"note": shown(make(sandbox, contact.location_id, {**values, "contactId": contact.id}))}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    contact_id, note_id = request.path_params["contact_id"], request.path_params["note_id"]
    return sandbox.of_contact(owner, sandbox.tables.notes, contact_id, note_id, "Note")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"note": shown(_one(sandbox, request, owner))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    note = _one(sandbox, request, owner)
    return 200, {"note": shown(change(sandbox, note, UPDATE.parse(await json_body(request))))}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner))
    return 200, {"succeded": True}

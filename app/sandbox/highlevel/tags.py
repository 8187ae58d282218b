"""The tags of a location: apps/locations.json. Those of a contact are in contacts.py.

A tag that is renamed or deleted here stays on the contacts that have it: what becomes of it there is not documented.
"""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, filled
from app.sandbox.highlevel.errors import bad_request
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.tables import Kind, Row, silent
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

TAG = Dto(fields={"name": filled}, required=("name",))


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "locations/tags.readonly")
    write = partial(endpoint, sandbox, "locations/tags.write")
    every, one = "/locations/{location_id}/tags", "/locations/{location_id}/tags/{tag_id}"
    return [
        Route(every, read(_list), methods=["GET"]),
        Route(every, write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return silent("tags", sandbox.tables.tags, TAG.fields, shown)


def shown(tag: Row) -> dict[str, Any]:
    return {"id": tag.id, "locationId": tag.location_id, **tag.values}


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    location = sandbox.location(owner, request.path_params["location_id"])
    return 200, {"tags": [shown(tag) for tag in sandbox.tables.tags.of(location.id)]}


async def _name(sandbox: Sandbox, request: Request, location_id: str) -> dict[str, str]:
    name = TAG.parse(await json_body(request))["name"].strip().lower()
    if sandbox.tables.tags.of(location_id, name=name):
        raise bad_request("The tag name already exists.")
    return {"name": name}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    location = sandbox.location(owner, request.path_params["location_id"])
    values = await _name(sandbox, request, location.id)
    return 200, {"tag": shown(sandbox.tables.tags.add(Row(location_id=location.id, values=values)))}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    sandbox.location(owner, request.path_params["location_id"])
    return sandbox.row(owner, sandbox.tables.tags, request.path_params["tag_id"], "Tag")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"tag": shown(_one(sandbox, request, owner))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    tag = _one(sandbox, request, owner)
    tag.take(await _name(sandbox, request, tag.location_id))
    return 200, {"tag": shown(tag)}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    del sandbox.tables.tags[_one(sandbox, request, owner).id]
    return 200, {"succeded": True}

"""Businesses and the contacts that belong to them: apps/businesses.json, apps/contacts.json."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel import contacts, shapes
from app.sandbox.highlevel.dto import Dto, asked, filled, mentions, nullable, page, text, texts
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import Contact, iso
from app.sandbox.highlevel.tables import Kind, Row, object_id
from app.sandbox.highlevel.tokens import Owner
from app.sandbox.highlevel.writes import Write

Answer = tuple[int, dict[str, Any]]

_DETAILS = ("phone", "email", "website", "address", "city", "postalCode", "state", "country", "description")
UPDATE = Dto(fields={"name": filled, **dict.fromkeys(_DETAILS, text)})
CREATE = UPDATE.but(required=("name", "locationId"), locationId=text)
MOVE = Dto(
    fields={"locationId": text, "ids": texts, "businessId": nullable(text)},
    required=("locationId", "ids", "businessId"),
)
_OF_A_MEMBER = ("id", "locationId", "email", "timezone", "country", "source", "dateAdded", "customFields", "tags")


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "businesses.readonly")
    write = partial(endpoint, sandbox, "businesses.write")
    every, one = "/businesses/", "/businesses/{business_id}"
    members = endpoint(sandbox, "contacts.readonly", _members)
    return [
        Route(every, read(_list), methods=["GET"]),
        Route(every, write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
        Route("/contacts/business/{business_id}", members, methods=["GET"]),
        Route("/contacts/bulk/business", endpoint(sandbox, "contacts.write", _move), methods=["POST"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="businesses",
        fields=frozenset(UPDATE.fields),
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown(business: Row) -> dict[str, Any]:
    dates = {"createdAt": iso(business.added), "updatedAt": iso(business.updated)}
    return {"id": business.id, "locationId": business.location_id, **business.values, **dates}


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    business = sandbox.tables.businesses.add(Row(id=object_id(), location_id=location_id, values={**values}))
    _tell(sandbox, "RecordCreate", business)
    return business


def change(sandbox: Sandbox, business: Row, values: dict[str, Any]) -> Row:
    if business.take(values):
        _tell(sandbox, "RecordUpdate", business)
    return business


def remove(sandbox: Sandbox, business: Row) -> None:
    """Its contacts stay, without it."""
    del sandbox.tables.businesses[business.id]
    for contact in _contacts(sandbox, business):
        move(sandbox, contact, None)
    _tell(sandbox, "RecordDelete", business)


def move(sandbox: Sandbox, contact: Contact, business_id: str | None) -> None:
    """No event of ours, unless the setting says otherwise: `Config.business_move_is_told`."""
    if contact.values.get("businessId") == business_id:
        return
    moved = contacts.change(sandbox, contact, Write(values={"businessId": business_id}))
    if sandbox.config.business_move_is_told:
        sandbox.webhooks.emit("ContactUpdate", moved.location_id, shapes.webhook(moved))


def move_by_hand(sandbox: Sandbox, contact: Contact, business_id: str | None) -> None:
    if business_id and sandbox.tables.businesses[business_id].location_id != contact.location_id:
        raise ValueError("the business is in another location")
    move(sandbox, contact, business_id)


def _tell(sandbox: Sandbox, event: str, business: Row) -> None:
    """There is no event for businesses by that name: they are records (contracts/ghl, section 2.4)."""
    properties = [{"key": key, "valueString": value} for key, value in business.values.items()]
    body = {"id": business.id, "locationId": business.location_id, "owners": [], "followers": []}
    sandbox.webhooks.emit_unnamed(event, {**body, "properties": properties})


def _contacts(sandbox: Sandbox, business: Row) -> list[Contact]:
    return [each for each in sandbox.store.contacts.values() if each.values.get("businessId") == business.id]


async def _list(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """Nothing says how many there are: the pages end where one is not full."""
    location = sandbox.location(owner, request.query_params.get("locationId"))
    found = sandbox.tables.businesses.of(location.id)
    return 200, {"businesses": [shown(each) for each in found[page(request.query_params, default=100)]]}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = CREATE.parse(await json_body(request))
    location = sandbox.location(owner, values.pop("locationId"))
    return 201, {"success": True, "buiseness": shown(make(sandbox, location.id, values))}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    return sandbox.row(owner, sandbox.tables.businesses, request.path_params["business_id"], "Business")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"business": shown(_one(sandbox, request, owner))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    business = _one(sandbox, request, owner)
    changed = change(sandbox, business, UPDATE.parse(await json_body(request)))
    return 200, {"success": True, "buiseness": shown(changed)}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner))
    return 200, {"success": True}


async def _members(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    query = request.query_params
    sandbox.location(owner, asked(query, "locationId")["locationId"])
    found = [
        contact
        for contact in _contacts(sandbox, _one(sandbox, request, owner))
        if mentions(query.get("query", ""), (contact.name, contact.values.get("email"), contact.values.get("phone")))
    ]
    return 200, {"contacts": [_member(contact) for contact in found[page(query, default=25)]], "count": len(found)}


def _member(contact: Contact) -> dict[str, Any]:
    """Neither a name nor a phone: the spec shows no more of a contact here."""
    shown = {name: value for name, value in shapes.read(contact).items() if name in _OF_A_MEMBER and value is not None}
    return {**shown, "businessId": contact.values["businessId"]}


async def _move(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """businessId null takes the contacts out of theirs."""
    values = MOVE.parse(await json_body(request))
    location = sandbox.location(owner, values["locationId"])
    if values["businessId"]:
        sandbox.row(owner, sandbox.tables.businesses, values["businessId"], "Business")
    known = [sandbox.store.contacts.get(each) for each in values["ids"]]
    moved = [each for each in known if each is not None and each.location_id == location.id]
    for contact in moved:
        move(sandbox, contact, values["businessId"])
    return 200, {"success": True, "ids": [contact.id for contact in moved]}

"""The contact endpoints: apps/contacts.json and contracts/ghl, sections 4 and 5."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel import search, shapes, writes
from app.sandbox.highlevel.errors import bad_request, unprocessable
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import Contact, Location, new_id, now
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "contacts.readonly")
    write = partial(endpoint, sandbox, "contacts.write")
    return [
        Route("/contacts/", write(_create), methods=["POST"]),
        Route("/contacts/upsert", write(_upsert), methods=["POST"]),
        Route("/contacts/search", read(_search), methods=["POST"]),
        Route("/contacts/search/duplicate", read(_duplicate), methods=["GET"]),
        Route("/contacts/{contact_id}", read(_get), methods=["GET"]),
        Route("/contacts/{contact_id}", write(_update), methods=["PUT"]),
        Route("/contacts/{contact_id}", write(_delete), methods=["DELETE"]),
        Route("/contacts/{contact_id}/tags", write(_add_tags), methods=["POST"]),
        Route("/contacts/{contact_id}/tags", write(_remove_tags), methods=["DELETE"]),
    ]


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    body = await json_body(request)
    location = sandbox.location(owner, _named_location(body))
    write = writes.parse(body, writes.CREATE, location)
    _refuse_duplicate(sandbox, location, write)
    return 201, {"contact": shapes.written(create(sandbox, location, write))}


async def _upsert(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    body = await json_body(request)
    location = sandbox.location(owner, _named_location(body))
    write = writes.parse(body, writes.UPSERT, location)
    match = None
    if not (location.allow_duplicate_contact and body.get("createNewIfDuplicateAllowed") is True):
        match = next(_matches(sandbox, location, write), None)
    if match is None:
        return 200, {"new": True, "contact": shapes.written(create(sandbox, location, write))}
    for other in _matches(sandbox, location, write):
        if other[1].id != match[1].id:
            # The value belongs to another contact: ignored, and nobody is told (highlevel-api-docs#37).
            del write.values[other[0]]
    return 200, {"new": False, "contact": shapes.written(change(sandbox, match[1], write))}


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"contact": shapes.read(sandbox.contact(owner, request.path_params["contact_id"]))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    body = await json_body(request)
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    shape = writes.UPDATE
    if sandbox.config.put_company_name == "accept":
        shape = writes.UPDATE_WITH_COMPANY
    elif sandbox.config.put_company_name == "ignore" and isinstance(body, dict):
        body.pop("companyName", None)
    location = sandbox.store.locations[contact.location_id]
    write = writes.parse(body, shape, location)
    _refuse_duplicate(sandbox, location, write, but=contact.id)
    return 200, {"succeded": True, "contact": shapes.written(change(sandbox, contact, write))}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    sandbox.store.delete(contact, at=time.monotonic(), lag=sandbox.config.index_lag)
    sandbox.tables.forget_contact(contact.id)
    sandbox.webhooks.emit("ContactDelete", contact.location_id, shapes.webhook(contact))
    return 200, {"succeded": True}


async def _search(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    body = await json_body(request)
    location = sandbox.location(owner, _named_location(body))
    asked = search.parse({key: value for key, value in body.items() if key != "locationId"})
    found = search.run(asked, _candidates(sandbox, location, asked))
    shown = [shapes.found(contact, cursor) for contact, cursor in found.contacts]
    return 200, {"contacts": shown, "total": found.total}


async def _duplicate(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    asked = request.query_params
    location = sandbox.location(owner, asked.get("locationId"))
    if not asked.get("email") and not asked.get("number"):
        raise bad_request("email or number is required")
    phone = writes.e164(asked.get("number", ""), location.country)
    contact = sandbox.store.same(location, "email", asked.get("email", "").strip().lower())
    contact = contact or sandbox.store.same(location, "phone", phone)
    return 200, {"contact": shapes.read(contact) if contact else None}


async def _add_tags(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 201, await _change_tags(sandbox, request, owner, lambda have, given: have + given)


async def _remove_tags(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    def without(have: tuple[str, ...], given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(tag for tag in have if tag not in given)

    return 200, await _change_tags(sandbox, request, owner, without)


async def _change_tags(
    sandbox: Sandbox,
    request: Request,
    owner: Owner,
    combine: Callable[[tuple[str, ...], tuple[str, ...]], tuple[str, ...]],
) -> dict[str, Any]:
    body = await json_body(request)
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    problems: list[str] = []
    given = writes.tags(body.get("tags") if isinstance(body, dict) else None, problems)
    if problems:
        raise unprocessable(problems)
    wanted = tuple(dict.fromkeys(combine(contact.tags, given)))
    return {"tags": list(change(sandbox, contact, writes.Write(tags=wanted)).tags)}


def create(sandbox: Sandbox, location: Location, write: writes.Write) -> Contact:
    at = now()
    contact = Contact(
        id=new_id(),
        location_id=location.id,
        values={name: value for name, value in write.values.items() if value is not None},
        custom={field: value for field, value in write.custom.items() if value is not None},
        tags=write.tags or (),
        added=at,
        updated=at,
    )
    sandbox.store.put(contact, at=time.monotonic(), lag=sandbox.config.index_lag)
    sandbox.tables.learn_tags(location.id, contact.tags)
    sandbox.webhooks.emit("ContactCreate", location.id, shapes.webhook(contact))
    return contact


def change(sandbox: Sandbox, contact: Contact, write: writes.Write) -> Contact:
    """Store what a write changes, and send one webhook per kind of change: none when nothing changed."""
    custom = {**contact.custom, **write.custom}
    changed = replace(
        contact,
        values={**contact.values, **write.values},
        custom={field: value for field, value in custom.items() if value is not None},
        tags=contact.tags if write.tags is None else write.tags,
        updated=now(),
    )
    sandbox.store.put(changed, at=time.monotonic(), lag=sandbox.config.index_lag)
    sandbox.tables.learn_tags(changed.location_id, changed.tags)
    body = shapes.webhook(changed)
    for event in _events(contact, changed):
        extra = {"dndSettings": changed.values.get("dndSettings") or {}} if event == "ContactDndUpdate" else {}
        sandbox.webhooks.emit(event, changed.location_id, {**body, **extra})
    return changed


def _events(before: Contact, after: Contact) -> Iterable[str]:
    names = {name for name in after.values if after.values[name] != before.values.get(name)}
    if names - {"dnd", "dndSettings", "inboundDndSettings", "businessId"} or before.custom != after.custom:
        yield "ContactUpdate"
    # highlevel-api-docs#264: a change of the inbound settings alone fires nothing.
    if names & {"dnd", "dndSettings"}:
        yield "ContactDndUpdate"
    if set(before.tags) != set(after.tags):
        yield "ContactTagUpdate"


def _named_location(body: Any) -> Any:
    if not isinstance(body, dict) or not body.get("locationId"):
        raise unprocessable(["locationId must be a string"])
    return body["locationId"]


def _matches(sandbox: Sandbox, location: Location, write: writes.Write) -> Iterator[tuple[str, Contact]]:
    """The contacts that already have the email or phone of a write, in the order of the location's setting."""
    for name in location.match_order:
        if contact := sandbox.store.same(location, name, write.values.get(name)):
            yield name, contact


def _refuse_duplicate(sandbox: Sandbox, location: Location, write: writes.Write, but: str = "") -> None:
    if location.allow_duplicate_contact:
        return
    for name, contact in _matches(sandbox, location, write):
        if contact.id != but:
            meta = {"contactId": contact.id, "contactName": contact.name, "matchingField": name}
            raise bad_request("This location does not allow duplicated contacts.", meta=meta)


def _candidates(sandbox: Sandbox, location: Location, asked: search.Search) -> Iterable[Contact]:
    visible = location.index.visible(time.monotonic())
    if asked.only and not sandbox.config.index_lag:
        # One lookup in place of a walk over all: a load test asks for an email before every create.
        return [visible[contact_id] for contact_id in location.same.get(asked.only, ()) if contact_id in visible]
    return visible.values()

"""What `/_control` offers beyond the shared part: settings, webhooks, locations, tokens, and a person's own edits."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.sandbox.control import PREFIX
from app.sandbox.highlevel import businesses, contacts, invoice_routes, people, shapes, writes
from app.sandbox.highlevel.errors import ApiError
from app.sandbox.highlevel.sandbox import Sandbox, json_body
from app.sandbox.highlevel.store import COMPANY_ID
from app.sandbox.highlevel.tokens import SCOPES, Owner

Handler = Callable[[Sandbox, Request], Awaitable[Any]]


def routes(sandbox: Sandbox) -> list[Route]:
    def of(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(await handler(sandbox, request))
            except ApiError as error:
                return JSONResponse(error.body, error.status)
            except (KeyError, ValueError, TypeError) as error:
                return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

        return answer

    async def public_key(request: Request) -> Response:
        kind = request.query_params.get("kind", "ed25519")
        return PlainTextResponse(sandbox.webhooks.signer.public_key(kind))

    return [
        Route(f"{PREFIX}/public-key", public_key, methods=["GET"]),
        Route(f"{PREFIX}/settings", of(_settings), methods=["GET", "POST"]),
        Route(f"{PREFIX}/webhooks", of(_webhooks), methods=["GET", "POST", "DELETE"]),
        Route(f"{PREFIX}/workflow", of(_workflow), methods=["POST"]),
        Route(f"{PREFIX}/tokens", of(_add_token), methods=["POST"]),
        Route(f"{PREFIX}/tokens/{{token}}", of(_revoke), methods=["DELETE"]),
        Route(f"{PREFIX}/install", of(_install), methods=["POST"]),
        Route(f"{PREFIX}/uninstall", of(_uninstall), methods=["POST"]),
        Route(f"{PREFIX}/locations/{{location_id}}", of(_location), methods=["GET", "POST"]),
        Route(f"{PREFIX}/locations/{{location_id}}/custom-fields", of(_add_custom_field), methods=["POST"]),
        Route(f"{PREFIX}/contacts/{{contact_id}}", of(_edit_contact), methods=["PATCH"]),
        Route(f"{PREFIX}/invoices/{{invoice_id}}/{{act}}", of(invoice_routes.act), methods=["POST"]),
        Route(f"{PREFIX}/mails", of(invoice_routes.mails), methods=["GET"]),
        Route(f"{PREFIX}/objects", of(people.counts), methods=["GET"]),
        Route(f"{PREFIX}/objects/{{kind}}", of(people.objects), methods=["GET", "POST"]),
        Route(f"{PREFIX}/objects/{{kind}}/{{row_id}}", of(people.one_object), methods=["GET", "PATCH", "DELETE"]),
    ]


def state(sandbox: Sandbox) -> dict[str, Any]:
    counts = dict.fromkeys(sandbox.store.locations, 0)
    for contact in sandbox.store.contacts.values():
        counts[contact.location_id] += 1
    return {
        "locations": counts,
        "contacts": [shapes.read(contact) for contact in sandbox.store.contacts.values()],
        "webhooks": sandbox.webhooks.urls,
        "appId": sandbox.config.app_id,
    }


async def _settings(sandbox: Sandbox, request: Request) -> Any:
    if request.method == "POST":
        changes = await json_body(request)
        sandbox.config = sandbox.config.changed(changes)
        if "allow_duplicate_contact" in changes:  # a setting of each location, and this of all of them
            for location in sandbox.store.locations.values():
                location.allow_duplicate_contact = bool(changes["allow_duplicate_contact"])
    shown = {name: getattr(sandbox.config, name) for name in sandbox.config.__dataclass_fields__}
    return {**shown, "client_secret": None}


async def _webhooks(sandbox: Sandbox, request: Request) -> Any:
    """`{"url": ..., "events": {"ContactCreate": url}}`; `events` may also be a list, or "all"."""
    if request.method == "DELETE":
        sandbox.webhooks.subscribe("", {})
    if request.method == "POST":
        body = await json_body(request)
        url, events = body.get("url") or "", body.get("events", "all")
        if isinstance(events, dict):
            sandbox.webhooks.subscribe(url, events)
        elif events == "all":
            sandbox.webhooks.subscribe(url, {})
        else:
            sandbox.webhooks.subscribe("", dict.fromkeys(events, url))
    return {"appId": sandbox.config.app_id, "webhooks": sandbox.webhooks.urls}


async def _workflow(sandbox: Sandbox, request: Request) -> Any:
    body = await json_body(request)
    contact = sandbox.store.contacts[body["contactId"]]
    location = sandbox.store.locations[contact.location_id]
    sent = shapes.workflow(contact, location, body.get("customData") or {})
    sandbox.webhooks.post_plain(body["url"], body.get("headers") or {}, sent)
    return sent


async def _add_token(sandbox: Sandbox, request: Request) -> Any:
    """`{"token", "label", "locationId", "scopes", "seconds"}`; without locationId it is an agency's token."""
    body = await json_body(request)
    location = body.get("locationId") or ""
    owner = Owner(
        user_type="Location" if location else "Company",
        location_id=sandbox.store.locations[location].id if location else "",
        label=body.get("label", "service"),
        scopes=frozenset(body.get("scopes", SCOPES)),
    )
    sandbox.tokens.add(body["token"], owner, seconds=body.get("seconds"))
    return {"token": body["token"]}


async def _revoke(sandbox: Sandbox, request: Request) -> Any:
    sandbox.tokens.revoke(request.path_params["token"])
    return {}


async def _install(sandbox: Sandbox, request: Request) -> Any:
    """`{"locationId"}`: the agency installs the app there, and no browser of ours takes part."""
    location = sandbox.store.locations[(await json_body(request))["locationId"]]
    location.installed = True
    sandbox.webhooks.emit("INSTALL", location.id, {"companyId": COMPANY_ID, "installType": "Location"})
    return {}


async def _uninstall(sandbox: Sandbox, request: Request) -> Any:
    """`{"locationId"}`, or `{}` for the whole agency: what OAuth issued is forgotten, and the app is told."""
    if location_id := (await json_body(request)).get("locationId"):
        location = sandbox.store.locations[location_id]
        location.installed = False
        sandbox.tokens.revoke_location(location.id)
        sandbox.webhooks.emit("UNINSTALL", location.id, {})
    else:
        for location in sandbox.store.locations.values():
            location.installed = False
        sandbox.tokens.revoke_company()
        sandbox.webhooks.emit("UNINSTALL", "", {"companyId": COMPANY_ID})
    return {}


async def _location(sandbox: Sandbox, request: Request) -> Any:
    location = sandbox.store.locations[request.path_params["location_id"]]
    if request.method == "POST":
        changes = await json_body(request)
        names = {"name", "country", "timezone", "active", "allow_duplicate_contact", "match_order"}
        if unknown := set(changes) - names:
            raise ValueError(f"unknown location field: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(location, name, value)
    return {**shapes.location_details(location, ""), "active": location.active, "match_order": location.match_order}


async def _add_custom_field(sandbox: Sandbox, request: Request) -> Any:
    """`{"name", "dataType", "model"}`"""
    body = await json_body(request)
    location = sandbox.store.locations[request.path_params["location_id"]]
    return location.add_custom_field(body["name"], body.get("dataType", "TEXT"), body.get("model", "contact"))


async def _edit_contact(sandbox: Sandbox, request: Request) -> Any:
    """What a person can do in HighLevel's own pages but PUT does not allow: companyName and businessId."""
    body = await json_body(request)
    contact = sandbox.store.contacts[request.path_params["contact_id"]]
    location = sandbox.store.locations[contact.location_id]
    if "businessId" in body:
        businesses.move_by_hand(sandbox, contact, body.pop("businessId"))
        contact = sandbox.store.contacts[contact.id]
    write = writes.parse(body, writes.UPDATE_WITH_COMPANY, location)
    return {"contact": shapes.read(contacts.change(sandbox, contact, write))}

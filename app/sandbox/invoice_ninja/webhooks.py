"""Subscriptions: one event id and one URL each (contracts/invoice_ninja, section 8)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.sandbox.invoice_ninja.answers import ApiError, InvalidError, data
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Handler, Kind, row_of
from app.sandbox.invoice_ninja.store import Row

LAST_EVENT = 65
_RETRY = {"client": "clients", "invoice": "invoices", "quote": "quotes", "payment": "payments", "task": "tasks"}
_RETRY |= {"product": "products", "project": "projects", "recurring_invoice": "recurring_invoices"}


async def create(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = _insert(ninja, call.body)
    # The column's default is not in the create answer yet (recorded).
    return row, present(ninja, row, []) | {"format": ""}


def _insert(ninja: Ninja, body: Mapping[str, Any]) -> Row:
    _check(body)
    fields = {"company_id": ME, "user_id": ME, "format": "JSON", "rest_method": "post", "headers": []}
    return ninja.insert("webhooks", {**fields, **_given(body)})


def subscribe(ninja: Ninja) -> Callable[[Request], Awaitable[Response]]:
    """For `/_control`: one subscription for each of `events`, whose id stands for {event_id} in `target_url`."""

    async def handle(request: Request) -> Response:
        body = await request.json()
        for event_id in body["events"]:
            _insert(
                ninja, body | {"event_id": event_id, "target_url": body["target_url"].replace("{event_id}", event_id)}
            )
        return JSONResponse({"subscribed": len(body["events"])})

    return handle


async def update(ninja: Ninja, call: Call, row: Row) -> None:
    _check(call.body)
    row |= _given(call.body)
    ninja.save("webhooks", row)


def present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    return shown(row)


def _given(body: Mapping[str, Any]) -> Row:
    given = {name: text(body[name]) for name in ("target_url", "event_id", "rest_method") if body.get(name)}
    return given | ({"headers": body["headers"] or []} if "headers" in body else {})


def _check(body: Mapping[str, Any]) -> None:
    errors: dict[str, list[str]] = {}
    url = text(body.get("target_url"))
    if not url:
        errors["target_url"] = ["The target url field is required."]
    elif urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        errors["target_url"] = ["The target url must be a valid URL."]
    if not body.get("event_id"):
        errors["event_id"] = ["The event id field is required."]
    if body.get("rest_method") not in (None, "post", "put"):
        errors["rest_method"] = ["The selected rest method is invalid."]
    if errors:
        raise InvalidError(errors)
    event = text(body["event_id"])
    if not event.isdigit() or not 1 <= int(event) <= LAST_EVENT:
        raise ApiError(400, "Invalid event")


KIND = Kind(
    path="webhooks",
    entity="webhook",
    model="Webhook",
    create=create,
    update=update,
    present=present,
    admin_only=True,
    delete_archives=True,
)


def retry(kinds: Mapping[str, Kind]) -> Handler:
    """Send one entity through one subscription, now: the only test of a subscription that there is."""

    async def handle(ninja: Ninja, call: Call) -> Response:
        hook = row_of(ninja, KIND, call.path["id"])
        KIND.require(ninja, call, "edit")
        path = _RETRY.get(text(call.input("entity")))
        if path is None:
            raise InvalidError({"entity": ["The selected entity is invalid."]})
        kind = kinds[path]
        row = row_of(ninja, kind, text(call.input("entity_id")))
        if sent := ninja.deliver(hook, lambda: kind.body(ninja, row)):
            await sent
        return data(shown(hook))

    return handle

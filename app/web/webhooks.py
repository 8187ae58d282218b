"""Where the vendors call. Verify, store, answer; nothing is looked up at a vendor here.

    202 stored, also for a repetition          401 not proven to come from the vendor: nothing is stored
    400 proven but unreadable                  413 larger than the limit
    429 cannot be stored now: come back (HighLevel repeats after a 429 under every policy it has published)

Never 404, 405 or 410 on any path below /webhooks/: one of them makes Invoice Ninja drop the subscription
(contracts/invoice_ninja, section 8). Never 5xx for a fault of ours: it would be lost at a vendor that does not repeat.
"""

import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from app.directory import ConnectionView, Directory
from app.errors import BadPayload, BadSignature
from app.inbox import Full, Inbox
from app.metrics import DELIVERIES
from app.providers.base import Event, Verdict
from app.providers.highlevel import webhook as highlevel
from app.providers.invoice_ninja import webhook as invoice_ninja
from app.providers.sandboxed import is_sandbox
from app.settings import Settings
from app.vault import digest
from app.web.problems import documented, problem

log = structlog.get_logger()

SECRET_HEADER = invoice_ninja.SECRET_HEADER
_REFUSALS = {
    400: "Proven to come from the vendor, but unreadable",
    401: "Not proven to come from the vendor; nothing is stored",
    413: "Larger than the limit",
    429: "Cannot be stored now: send it again",
}
ACCEPTED = Response(b'{"status":"accepted"}', 202, media_type="application/json")
"""The one answer for all of them: it holds nothing of a request."""


Delivery = tuple[Event, Sequence[ConnectionView]]


class TooLarge(Exception):
    """The body is larger than the limit."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the endpoints need. Made once: without a key there is no door (fail closed)."""

    inbox: Inbox
    directory: Directory
    body_limit: int
    keys: Sequence[Ed25519PublicKey]
    legacy_keys: Sequence[RSAPublicKey]
    app_id: str

    @classmethod
    def make(cls, settings: Settings, inbox: Inbox, directory: Directory) -> "Door":
        keys = settings.highlevel_webhook_public_keys or (highlevel.HIGHLEVEL_PUBLIC_KEY,)
        legacy = settings.highlevel_legacy_public_keys or (highlevel.HIGHLEVEL_LEGACY_PUBLIC_KEY,)
        return cls(
            inbox=inbox,
            directory=directory,
            body_limit=settings.body_limit,
            keys=[highlevel.load_ed25519(key) for key in keys],
            legacy_keys=[highlevel.load_rsa(key) for key in legacy] if settings.highlevel_legacy_signature else [],
            app_id=settings.highlevel_client_id.split("-")[0],
        )

    async def connection(self, key: str, secret: str) -> ConnectionView:
        """The connection behind an unguessable path, its secret header compared in constant time."""
        connection = await self.directory.connection_by_key(digest(key))
        expected = connection.secret_digest if connection else digest("")
        if not hmac.compare_digest(digest(secret), expected) or connection is None or not secret:
            raise BadSignature("the path or the secret header is not one of ours")
        return connection

    async def from_highlevel(self, request: Request) -> Response:
        """Events of the Marketplace app, signed."""
        return await self.from_highlevel_named(request, "")

    async def from_highlevel_named(self, request: Request, event: str) -> Response:
        """The same; the path names those that do not name themselves."""

        async def read() -> Delivery:
            raw = await body_of(request, self.body_limit)
            highlevel.verify(raw, request.headers, self.keys, self.legacy_keys)
            said = highlevel.read(raw, event=event, app_id=self.app_id)
            known = await self.directory.connections_of("highlevel", said.account)
            return said, [each for each in known if not is_sandbox(each.base_url)]

        return await answer(self.inbox, "highlevel", read)

    async def from_workflow(self, request: Request, key: str) -> Response:
        """The "Webhook" action of a workflow in one location. The body names the contact."""

        async def read() -> Delivery:
            connection = await self.connection(key, request.headers.get(SECRET_HEADER, ""))
            said = highlevel.read_workflow(await body_of(request, self.body_limit))
            if said.account not in ("", connection.account_id):
                raise BadPayload(f"the workflow belongs to another location ({said.account})")
            return said, (connection,)

        return await answer(self.inbox, "highlevel", read)

    async def from_invoice_ninja(self, request: Request, key: str, event_id: str) -> Response:
        """One URL per event id: the body does not say what happened."""

        async def read() -> Delivery:
            connection = await self.connection(key, request.headers.get(SECRET_HEADER, ""))
            return invoice_ninja.read(await body_of(request, self.body_limit), event_id), (connection,)

        return await answer(self.inbox, "invoice_ninja", read)


class Bare(APIRoute):
    """The endpoint takes the request as it is: what FastAPI does around one costs a sixth of an acknowledgement."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.app = self._serve

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered: Response = await self.endpoint(Request(scope, receive, send), **scope["path_params"])
        await answered(scope, receive, send)


_SECRET = {
    "parameters": [{"name": SECRET_HEADER, "in": "header", "required": True, "schema": {"type": "string"}}],
}


def install(app: FastAPI, door: Door) -> None:
    """Put them in front, and not below a router of their own: that costs as much again."""
    for methods, path, endpoint, described in (
        (["POST"], "/highlevel", door.from_highlevel, None),
        (["POST"], "/highlevel/{event}", door.from_highlevel_named, None),
        (["POST"], "/highlevel/workflow/{key}", door.from_workflow, _SECRET),
        (["POST"], "/invoice-ninja/{key}/{event_id}", door.from_invoice_ninja, _SECRET),
        (["PUT"], "/invoice-ninja/{key}/{event_id}", door.from_invoice_ninja, _SECRET),
    ):
        app.router.add_api_route(
            f"/webhooks{path}",
            endpoint,
            methods=methods,
            status_code=202,
            tags=["webhooks"],
            responses=documented(_REFUSALS),
            openapi_extra=described,
            route_class_override=Bare,
        )


async def body_of(request: Request, limit: int) -> bytes:
    """The raw body. Raises TooLarge without reading on."""
    if int(request.headers.get("content-length") or 0) > limit:
        raise TooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)


async def answer(inbox: Inbox, provider: str, read: Callable[[], Awaitable[Delivery]]) -> Response:
    """Read it, store it, and say what the sender is to do. `read` raises BadSignature, BadPayload and TooLarge."""
    status, answered = await _receive(inbox, provider, read)
    DELIVERIES.labels(provider, str(status)).inc()
    return answered


async def _receive(inbox: Inbox, provider: str, read: Callable[[], Awaitable[Delivery]]) -> tuple[int, Response]:
    try:
        event, connections = await read()
        await inbox.accept(provider, event, connections)
    except BadSignature as error:
        log.warning("webhook.refused", provider=provider, reason=str(error))
        return 401, problem(401, str(error))
    except BadPayload as error:
        log.warning("webhook.unreadable", provider=provider, reason=str(error))
        return 400, problem(400, str(error))
    except TooLarge:
        return 413, problem(413, "The body is larger than this server accepts.")
    except (Full, SQLAlchemyError, OSError) as error:
        log.error("webhook.cannot_store", provider=provider, reason=str(error).partition("\n")[0])
        return 429, problem(429, "This cannot be stored at the moment; send it again.", headers={"Retry-After": "10"})
    if event.verdict is Verdict.UNKNOWN:
        log.warning("webhook.unknown_event", provider=provider, kind=event.kind)
    return 202, ACCEPTED

"""The parts of one running simulator, and the gate that every API request passes."""

import json
import uuid
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from app.sandbox.deliveries import Deliveries
from app.sandbox.highlevel import errors
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.limits import Limits
from app.sandbox.highlevel.store import COMPANY_ID, Contact, Location, Store
from app.sandbox.highlevel.tables import Row, Table, seeded
from app.sandbox.highlevel.tokens import Owner, Tokens
from app.sandbox.highlevel.webhooks import Signer, Webhooks

# contracts/ghl, section 4 ("Supported list")
VERSIONS = {"2021-04-15", "2021-07-28", "2023-02-21", "v3"}
_SHAPES_WITHOUT_TRACE = {401, 403, 429}


class Sandbox:
    def __init__(self, config: Config) -> None:
        self._start = config
        self.config = config
        self.deliveries = Deliveries()
        self.webhooks = Webhooks(self.deliveries, Signer(config.signing_seed), lambda: self.config)
        self.reset()

    def reset(self) -> None:
        self.config = self._start
        self.store = Store(locations=self.config.locations, allow_duplicate_contact=self.config.allow_duplicate_contact)
        self.tables = seeded(self.store.locations)
        self.tokens = Tokens(self.config)
        self.limits = Limits()
        self.webhooks.reset()

    def label(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"authorization":
                return self.tokens.label(bearer(value.decode("latin-1")))
        return ""

    def location(self, owner: Owner, location_id: Any) -> Location:
        """The location a request names, if its token may see it."""
        location = self.store.locations.get(location_id) if isinstance(location_id, str) else None
        if location is None or (owner.user_type == "Location" and owner.location_id != location_id):
            raise errors.other_location()
        return location

    def contact(self, owner: Owner, contact_id: str) -> Contact:
        contact = self.store.contacts.get(contact_id)
        if contact is None:
            raise errors.ApiError(self.config.missing_contact_status, f"Contact with id {contact_id} not found")
        self.location(owner, contact.location_id)
        return contact

    def row(self, owner: Owner, table: Table, row_id: Any, what: str) -> Row:
        """`what` is the word for it in the answer when there is none."""
        row = table.get(row_id)
        if row is None:
            raise errors.ApiError(self.config.missing_object_status, f"{what} with id {row_id} not found")
        self.location(owner, row.location_id)
        return row

    def of_contact(self, owner: Owner, table: Table, contact_id: str, row_id: str, what: str) -> Row:
        """A row whose path goes through its contact."""
        self.contact(owner, contact_id)
        row = self.row(owner, table, row_id, what)
        if row.values["contactId"] != contact_id:
            raise errors.ApiError(self.config.missing_object_status, f"{what} with id {row_id} not found")
        return row


Handler = Callable[[Sandbox, Request, Owner], Awaitable[tuple[int, dict[str, Any]]]]


def endpoint(
    sandbox: Sandbox, scope: str, handler: Handler, *, agency: bool = False, versions: Collection[str] = VERSIONS
) -> Callable[[Request], Awaitable[Response]]:
    """`handler` behind the token, the scope, the rate limit and the Version header. `agency`: "Agency-Access-Only"."""

    async def answer(request: Request) -> Response:
        headers: dict[str, str] = {}
        try:
            owner = _admit(sandbox, request, headers, versions)
            if scope not in owner.scopes:
                raise errors.missing_scope()
            if agency and owner.user_type != "Company":
                raise errors.unauthorized("This authClass type is not allowed to access this scope.")
            status, body = await handler(sandbox, request, owner)
        except errors.ApiError as error:
            return refusal(error, headers)
        return JSONResponse({**body, "traceId": str(uuid.uuid4())}, status, headers)

    return answer


def refusal(error: errors.ApiError, headers: dict[str, str] | None = None) -> Response:
    traced = {} if error.status in _SHAPES_WITHOUT_TRACE else {"traceId": str(uuid.uuid4())}
    return JSONResponse({**error.body, **traced}, error.status, headers)


def bearer(header: str) -> str:
    kind, _, value = header.partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def _admit(sandbox: Sandbox, request: Request, headers: dict[str, str], versions: Collection[str]) -> Owner:
    """`headers` takes the rate limit headers, which an answer carries whatever becomes of it."""
    owner = sandbox.tokens.find(bearer(request.headers.get("authorization", "")))
    if owner is None:
        raise errors.unauthorized()
    allowed, shown = sandbox.limits.take(owner.label, owner.location_id or COMPANY_ID, sandbox.config)
    headers.update(shown)
    if not allowed:
        raise errors.too_many()
    # Both answers are 401 although nothing is wrong with the token.
    version = request.headers.get("version")
    if not version:
        raise errors.unauthorized("version header was not found.")
    if version not in versions:
        raise errors.unauthorized("version header is invalid.")
    return owner


async def json_body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise errors.bad_request("Unexpected token in JSON body") from error

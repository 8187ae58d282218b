"""What a person does in HighLevel's own pages, for tests and demos: `/_control/objects/{kind}`.

It fires the webhooks that the same act through the API fires, and asks for no token.
"""

from typing import Any

from starlette.requests import Request

from app.sandbox.highlevel import businesses, calendars, invoices, notes, opportunities, products, tags, tasks, users
from app.sandbox.highlevel.sandbox import Sandbox, json_body
from app.sandbox.highlevel.store import COMPANY_ID
from app.sandbox.highlevel.tables import Kind, Row, Table

MAKERS = (
    tasks.kind,
    notes.kind,
    tags.kind,
    businesses.kind,
    users.kind,
    calendars.kind,
    calendars.calendar_kind,
    opportunities.kind,
    opportunities.pipeline_kind,
    invoices.kind,
    products.kind,
    products.price_kind,
)


def kinds(sandbox: Sandbox) -> dict[str, Kind]:
    return {each.name: each for each in (maker(sandbox) for maker in MAKERS)}


async def objects(sandbox: Sandbox, request: Request) -> Any:
    """GET lists all there are; POST `{"locationId" or "contactId", ...}` makes one."""
    kind, table = _named(sandbox, request)
    if request.method == "GET":
        return {kind.name: [kind.shown(row) for row in table.values()]}
    values = await json_body(request)
    location_id = COMPANY_ID if kind.name == "users" else values.pop("locationId", None)
    if "contactId" in values:
        location_id = sandbox.store.contacts[values["contactId"]].location_id
    if location_id not in (COMPANY_ID, *sandbox.store.locations):
        raise ValueError("locationId or contactId is missing")
    return kind.shown(kind.make(location_id, _allowed(kind, values)))


async def one_object(sandbox: Sandbox, request: Request) -> Any:
    """GET, PATCH with what is to change, DELETE."""
    kind, table = _named(sandbox, request)
    row: Row = table[request.path_params["row_id"]]
    if request.method == "PATCH":
        kind.change(row, _allowed(kind, await json_body(request)))
    if request.method == "DELETE":
        kind.remove(row)
    return kind.shown(row)


async def counts(sandbox: Sandbox, request: Request) -> Any:
    return {name: len(getattr(sandbox.tables, name)) for name in kinds(sandbox)}


def _named(sandbox: Sandbox, request: Request) -> tuple[Kind, Table]:
    kind = kinds(sandbox)[request.path_params["kind"]]
    return kind, getattr(sandbox.tables, kind.name)


def _allowed(kind: Kind, values: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(values) - kind.fields:
        raise ValueError(f"{kind.name} have no {', '.join(sorted(unknown))}")
    return values

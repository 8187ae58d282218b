"""The people of the company: apps/users.json. Edits of them fire nothing (contracts/ghl, section 2.4)."""

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, asked, mentions, page, text
from app.sandbox.highlevel.errors import ApiError, bad_request
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import COMPANY_ID
from app.sandbox.highlevel.tables import Kind, Row, silent
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

FIELDS = ("firstName", "lastName", "email", "phone", "locationIds")
BY_EMAIL = Dto(
    fields=dict.fromkeys(("companyId", "emails", "skip", "limit"), text),
    required=("companyId", "emails"),
)


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "users.readonly")
    return [
        Route("/users/search", read(_search), methods=["GET"]),
        Route("/users/search/filter-by-email", read(_by_email, agency=True), methods=["POST"]),
        Route("/users/{user_id}", read(_get), methods=["GET"]),
    ]


def kind(sandbox: Sandbox) -> Kind:
    return silent("users", sandbox.tables.users, FIELDS, shown)


def shown(user: Row) -> dict[str, Any]:
    values = {name: value for name, value in user.values.items() if name != "locationIds"}
    roles = {"type": "account", "role": "admin", "locationIds": user.values.get("locationIds", [])}
    name = f"{values.get('firstName', '')} {values.get('lastName', '')}".strip()
    return {"id": user.id, "name": name, **values, "roles": roles}


def _seen(sandbox: Sandbox, owner: Owner, company_id: str) -> list[Row]:
    """A location's token sees the people of that location."""
    if company_id != COMPANY_ID:
        raise bad_request("companyId is invalid")
    place = owner.location_id
    return [user for user in sandbox.tables.users.values() if not place or place in user.values.get("locationIds", [])]


async def _search(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    query = request.query_params
    found = _seen(sandbox, owner, asked(query, "companyId")["companyId"])
    if location_id := query.get("locationId"):
        location = sandbox.location(owner, location_id)
        found = [user for user in found if location.id in user.values.get("locationIds", [])]
    if ids := query.get("ids"):
        found = [user for user in found if user.id in ids.split(",")]
    people = [shown(user) for user in found]
    text = query.get("query", "")
    people = [each for each in people if mentions(text, (each["name"], each.get("email"), each.get("phone")))]
    return 200, {"users": people[page(query, default=25)], "count": len(people)}


async def _by_email(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """`emails` is one text, with commas between."""
    values = BY_EMAIL.parse(await json_body(request))
    emails = {each.strip().lower() for each in values["emails"].split(",")}
    found = [each for each in _seen(sandbox, owner, values["companyId"]) if each.values.get("email") in emails]
    return 200, {"users": [shown(each) for each in found[page(values, default=25)]], "count": len(found)}


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """The user itself, with nothing around."""
    user_id = request.path_params["user_id"]
    for user in _seen(sandbox, owner, COMPANY_ID):
        if user.id == user_id:
            return 200, shown(user)
    raise ApiError(sandbox.config.missing_object_status, f"User with id {user_id} not found")

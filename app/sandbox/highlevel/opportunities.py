"""Opportunities and their pipelines: apps/opportunities.json."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, array, asked, filled, flag, mentions, nested, number, one_of, text
from app.sandbox.highlevel.errors import bad_request, unprocessable
from app.sandbox.highlevel.sandbox import Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import Location, iso, now
from app.sandbox.highlevel.tables import Kind, Row, silent
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

STATUSES = ("open", "won", "lost", "abandoned", "all")
UPDATE = Dto(
    fields={
        "pipelineId": text,
        "name": filled,
        "pipelineStageId": text,
        "status": one_of(*STATUSES),
        "monetaryValue": number,
        "assignedTo": text,
        "customFields": array,
    }
)
CREATE = UPDATE.but(
    required=("pipelineId", "locationId", "name", "status", "contactId"), locationId=text, contactId=text
)
STATUS = Dto(fields={"status": one_of(*STATUSES), "lostReasonId": text}, required=("status",))
_DETAILS = dict.fromkeys(("notes", "tasks", "calendarEvents", "unReadConversations"), flag)
_SEARCH = {"locationId": text, "query": text, "limit": number, "page": number, "searchAfter": array}
SEARCH = Dto(
    fields={**_SEARCH, "additionalDetails": nested(Dto(fields=_DETAILS, required=tuple(_DETAILS)))},
    required=(*_SEARCH, "additionalDetails"),
)
FILTERS = {
    "pipeline_id": "pipelineId",
    "pipeline_stage_id": "pipelineStageId",
    "contact_id": "contactId",
    "status": "status",
    "assigned_to": "assignedTo",
}
PARAMETERS = {*FILTERS, "location_id", "q", "id", "limit", "page", "startAfter", "startAfterId"}
TOLD = {
    "pipelineStageId": "OpportunityStageUpdate",
    "status": "OpportunityStatusUpdate",
    "monetaryValue": "OpportunityMonetaryValueUpdate",
    "assignedTo": "OpportunityAssignedToUpdate",
}


def routes(sandbox: Sandbox) -> list[Route]:
    read = partial(endpoint, sandbox, "opportunities.readonly")
    write = partial(endpoint, sandbox, "opportunities.write")
    one = "/opportunities/{opportunity_id}"
    return [
        Route("/opportunities/", write(_create), methods=["POST"]),
        Route("/opportunities/search", read(_search), methods=["GET"]),
        Route("/opportunities/search", read(_search_by_body), methods=["POST"]),
        Route("/opportunities/pipelines", read(_pipelines), methods=["GET"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route(one, write(_delete), methods=["DELETE"]),
        Route(f"{one}/status", write(_status), methods=["PUT"]),
    ]


def pipeline_kind(sandbox: Sandbox) -> Kind:
    return silent("pipelines", sandbox.tables.pipelines, ("name", "stages"), shown_pipeline)


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="opportunities",
        fields=frozenset(CREATE.fields) - {"locationId", "customFields"} | {"source"},
        shown=partial(shown, sandbox),
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown_pipeline(pipeline: Row) -> dict[str, Any]:
    charts = {"showInFunnel": True, "showInPieChart": True}
    return {"id": pipeline.id, "locationId": pipeline.location_id, **pipeline.values, **charts}


def shown(sandbox: Sandbox, opportunity: Row) -> dict[str, Any]:
    contact = sandbox.store.contacts.get(opportunity.values["contactId"])
    whose: dict[str, Any] = {}
    if contact is not None:
        values = {name: contact.values.get(name) for name in ("companyName", "email", "phone")}
        whose = {"id": contact.id, "name": contact.name, "tags": list(contact.tags)}
        whose |= {name: value for name, value in values.items() if value}
    fields = opportunity.values.get("customFields", {})
    return {
        "id": opportunity.id,
        "locationId": opportunity.location_id,
        **opportunity.values,
        "customFields": [{"id": field, "fieldValue": value} for field, value in fields.items()],
        "createdAt": iso(opportunity.added),
        "updatedAt": iso(opportunity.updated),
        "contact": whose,
        **{name: [] for name in ("notes", "tasks", "calendarEvents", "followers")},
    }


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    """Without a stage it starts in the pipeline's first one."""
    pipeline = sandbox.tables.pipelines[values["pipelineId"]]
    at = iso(now())
    given = {"monetaryValue": 0, "status": "open", "pipelineStageId": pipeline.values["stages"][0]["id"]}
    changed_at = {"lastStatusChangeAt": at, "lastStageChangeAt": at}
    row = Row(location_id=location_id, values={**given, **changed_at, "source": "", **values})
    sandbox.webhooks.emit("OpportunityCreate", location_id, _told(sandbox.tables.opportunities.add(row)))
    return row


def change(sandbox: Sandbox, opportunity: Row, values: dict[str, Any]) -> Row:
    """OpportunityUpdate for any change, and one more for each field that has an event of its own."""
    changed = opportunity.take(values)
    at = iso(opportunity.updated)
    for name, date in (("status", "lastStatusChangeAt"), ("pipelineStageId", "lastStageChangeAt")):
        if name in changed:
            opportunity.values[date] = at
    events = ["OpportunityUpdate", *(event for name, event in TOLD.items() if name in changed)]
    for event in events if changed else ():
        sandbox.webhooks.emit(event, opportunity.location_id, _told(opportunity))
    return opportunity


def remove(sandbox: Sandbox, opportunity: Row) -> None:
    del sandbox.tables.opportunities[opportunity.id]
    sandbox.webhooks.emit("OpportunityDelete", opportunity.location_id, _told(opportunity))


def _told(opportunity: Row) -> dict[str, Any]:
    names = ("assignedTo", "contactId", "monetaryValue", "name", "pipelineId", "pipelineStageId", "source", "status")
    body = {name: opportunity.values[name] for name in names if name in opportunity.values}
    return {"id": opportunity.id, **body, "dateAdded": iso(opportunity.added)}


def _checked(
    sandbox: Sandbox, owner: Owner, location: Location, values: dict[str, Any], have: Mapping[str, Any]
) -> None:
    """Puts the custom fields by id, beside those that are there; refuses a stage of another pipeline."""
    pipeline = sandbox.row(owner, sandbox.tables.pipelines, {**have, **values}["pipelineId"], "Pipeline")
    stages = {stage["id"] for stage in pipeline.values["stages"]}
    if "pipelineStageId" in values and values["pipelineStageId"] not in stages:
        raise bad_request("The pipeline stage id is invalid.")
    if "pipelineId" in values and have and values["pipelineId"] != have["pipelineId"]:
        values.setdefault("pipelineStageId", pipeline.values["stages"][0]["id"])
    if "customFields" in values:
        fields = dict(have.get("customFields", {}))
        for each in values["customFields"]:
            known = location.custom_field(id=each.get("id", ""), key=each.get("key", ""), model="opportunity")
            if known is not None:
                fields[known["id"]] = each.get("field_value")
        values["customFields"] = {field: value for field, value in fields.items() if value not in (None, "", [])}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = CREATE.parse(await json_body(request))
    location = sandbox.location(owner, values.pop("locationId"))
    sandbox.contact(owner, values["contactId"])
    _checked(sandbox, owner, location, values, {})
    return 201, {"opportunity": shown(sandbox, make(sandbox, location.id, values))}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    return sandbox.row(owner, sandbox.tables.opportunities, request.path_params["opportunity_id"], "Opportunity")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"opportunity": shown(sandbox, _one(sandbox, request, owner))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    opportunity = _one(sandbox, request, owner)
    values = UPDATE.parse(await json_body(request))
    _checked(sandbox, owner, sandbox.store.locations[opportunity.location_id], values, opportunity.values)
    return 200, {"opportunity": shown(sandbox, change(sandbox, opportunity, values))}


async def _status(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    change(sandbox, _one(sandbox, request, owner), STATUS.parse(await json_body(request)))
    return 200, {"succeded": True}


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner))
    return 200, {"succeded": True}


async def _pipelines(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    location = sandbox.location(owner, request.query_params.get("locationId"))
    return 200, {"pipelines": [shown_pipeline(each) for each in sandbox.tables.pipelines.of(location.id)]}


async def _search(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """Snake case here, and a parameter that is not known is refused: `locationId` is one."""
    query = request.query_params
    if unknown := [name for name in query if name not in PARAMETERS]:
        raise unprocessable([f"property {name} should not exist" for name in unknown])
    location = sandbox.location(owner, asked(query, "location_id")["location_id"])
    wanted = {FILTERS[name]: query[name] for name in FILTERS if query.get(name) and query[name] != "all"}
    found = _found(sandbox, location, query.get("q", ""), wanted)
    if "id" in query:
        found = [each for each in found if each.id == query["id"]]
    after = (query["startAfter"], query["startAfterId"]) if query.get("startAfterId") else None
    number, rows = _page(found, query, after, default=20)
    meta: dict[str, Any] = {"total": len(found), "currentPage": number}
    if rows:
        meta |= {"startAfterId": rows[-1].id, "startAfter": _milliseconds(rows[-1])}
    return 200, {"opportunities": [shown(sandbox, each) for each in rows], "meta": meta}


async def _search_by_body(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    wanted = SEARCH.parse(await json_body(request))
    found = _found(sandbox, sandbox.location(owner, wanted["locationId"]), wanted["query"], {})
    after = tuple(wanted["searchAfter"]) if wanted["searchAfter"] else None
    _, rows = _page(found, wanted, after, default=20)
    return 200, {"opportunities": [shown(sandbox, each) for each in rows], "total": len(found)}


def _found(sandbox: Sandbox, location: Location, query: str, wanted: dict[str, str]) -> list[Row]:
    """Newest first."""
    rows = [
        each
        for each in sandbox.tables.opportunities.of(location.id, **wanted)
        if mentions(query, (each.values["name"], shown(sandbox, each)["contact"].get("name")))
    ]
    return sorted(rows, key=_place, reverse=True)


def _place(row: Row) -> tuple[int, str]:
    return _milliseconds(row), row.id


def _milliseconds(row: Row) -> int:
    return round(row.added.timestamp() * 1000)


def _page(found: list[Row], query: Mapping[str, Any], after: Any, *, default: int) -> tuple[int, list[Row]]:
    """By number, or behind a row."""
    try:
        size, page = int(query.get("limit", default)), int(query.get("page", 1))
        behind = (int(after[0]), str(after[1])) if after else None
    except (ValueError, IndexError) as error:
        raise unprocessable(["limit, page and startAfter must be numbers"]) from error
    if not 1 <= size <= 100 or page < 1:
        raise unprocessable(["limit must not be greater than 100"])
    if behind is not None:
        return page, [each for each in found if _place(each) < behind][:size]
    return page, found[(page - 1) * size : page * size]

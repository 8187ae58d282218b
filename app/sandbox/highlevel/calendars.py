"""Calendars and appointments: apps/calendars.json, whose Version is another than that of all other files."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.routing import Route

from app.sandbox.highlevel.dto import Dto, asked, flag, instant, moment, one_of, text
from app.sandbox.highlevel.errors import bad_request, unprocessable
from app.sandbox.highlevel.sandbox import VERSIONS, Sandbox, endpoint, json_body
from app.sandbox.highlevel.store import iso
from app.sandbox.highlevel.tables import Kind, Row, silent
from app.sandbox.highlevel.tokens import Owner

Answer = tuple[int, dict[str, Any]]

STATUSES = ("new", "confirmed", "cancelled", "showed", "noshow", "invalid")
_HOW = ("ignoreDateRange", "toNotify", "ignoreFreeSlotValidation", "overrideLocationConfig")
"""How to book, and nothing to keep."""
_KEPT = (
    "title",
    "meetingLocationType",
    "assignedUserId",
    "description",
    "address",
    "rrule",
    "calendarId",
    "meetingLocationId",
)
UPDATE = Dto(
    fields={
        **dict.fromkeys(_KEPT, text),
        **dict.fromkeys(_HOW, flag),
        "appointmentStatus": one_of(*STATUSES),
        "startTime": instant,
        "endTime": instant,
    }
)
CREATE = UPDATE.but(
    required=("calendarId", "locationId", "contactId", "startTime"),
    locationId=text,
    contactId=text,
)
_IN_A_WRITE = ("title", "meetingLocationType", "assignedUserId", "address", "rrule")


def routes(sandbox: Sandbox) -> list[Route]:
    versions = VERSIONS - {"2021-07-28"}
    read = partial(endpoint, sandbox, "calendars/events.readonly", versions=versions)
    write = partial(endpoint, sandbox, "calendars/events.write", versions=versions)
    calendars = endpoint(sandbox, "calendars.readonly", _calendars, versions=versions)
    of_contact = endpoint(sandbox, "contacts.readonly", _of_contact)
    one = "/calendars/events/appointments/{event_id}"
    return [
        Route("/calendars/", calendars, methods=["GET"]),
        Route("/calendars/events", read(_between), methods=["GET"]),
        Route("/calendars/events/appointments", write(_create), methods=["POST"]),
        Route(one, read(_get), methods=["GET"]),
        Route(one, write(_update), methods=["PUT"]),
        Route("/calendars/events/{event_id}", write(_delete), methods=["DELETE"]),
        Route("/contacts/{contact_id}/appointments", of_contact, methods=["GET"]),
    ]


def calendar_kind(sandbox: Sandbox) -> Kind:
    return silent("calendars", sandbox.tables.calendars, ("name", "slotDuration", "isActive"), shown_calendar)


def kind(sandbox: Sandbox) -> Kind:
    return Kind(
        name="appointments",
        fields=frozenset(CREATE.fields) - {*_HOW, "locationId"},
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown_calendar(calendar: Row) -> dict[str, Any]:
    return {"id": calendar.id, "locationId": calendar.location_id, "slotDurationUnit": "mins", **calendar.values}


def shown(appointment: Row) -> dict[str, Any]:
    values = appointment.values
    user = values.get("assignedUserId", "")
    body = {
        "id": appointment.id,
        "title": values.get("title", ""),
        "locationId": appointment.location_id,
        "groupId": "",
        "assignedUserId": user,
        "users": [user] if user else [],
        "dateAdded": iso(appointment.added),
        "dateUpdated": iso(appointment.updated),
    }
    names = ("calendarId", "contactId", "appointmentStatus", "startTime", "endTime", "address", "description", "rrule")
    return {**body, **{name: values[name] for name in names if name in values}}


def written(appointment: Row) -> dict[str, Any]:
    values = appointment.values
    body = {name: values[name] for name in _IN_A_WRITE if name in values}
    body |= {name: values[name] for name in ("calendarId", "contactId", "appointmentStatus", "startTime", "endTime")}
    return {"id": appointment.id, "locationId": appointment.location_id, **body, "isRecurring": bool(body.get("rrule"))}


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    calendar = sandbox.tables.calendars[values["calendarId"]]
    values = {"appointmentStatus": "confirmed", **values}
    if "endTime" not in values:
        values["endTime"] = _later(values["startTime"], timedelta(minutes=calendar.values["slotDuration"]))
    appointment = sandbox.tables.appointments.add(Row(location_id=location_id, values=values))
    _tell(sandbox, "AppointmentCreate", appointment)
    return appointment


def change(sandbox: Sandbox, appointment: Row, values: dict[str, Any]) -> Row:
    """One that gets a new start alone stays as long as it was."""
    if "startTime" in values and "endTime" not in values:
        started, ended = _times(appointment)
        values = {**values, "endTime": _later(values["startTime"], ended - started)}
    if appointment.take(values):
        _tell(sandbox, "AppointmentUpdate", appointment)
    return appointment


def remove(sandbox: Sandbox, appointment: Row) -> None:
    del sandbox.tables.appointments[appointment.id]
    _tell(sandbox, "AppointmentDelete", appointment)


def _tell(sandbox: Sandbox, event: str, appointment: Row) -> None:
    body = {name: value for name, value in shown(appointment).items() if name not in ("locationId", "rrule")}
    body = {**body, "notes": body.pop("description", ""), "source": "booking_widget"}
    wrong = {"type": "AppointmentCreate"} if sandbox.config.appointment_type_is_wrong else {}
    sandbox.webhooks.emit(event, appointment.location_id, {**wrong, "appointment": body})


def _later(start: str, by: timedelta) -> str:
    begins = moment(start)
    return (begins + by).isoformat() if begins else start


def _times(appointment: Row) -> tuple[datetime, datetime]:
    """A time without a zone is UTC here."""
    first, last = (datetime.fromisoformat(appointment.values[name]) for name in ("startTime", "endTime"))
    return _aware(first), _aware(last)


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo("UTC"))


def _refuse_taken(sandbox: Sandbox, values: dict[str, Any], wanted: Row) -> None:
    """Two at once in one calendar, unless the caller does not mind."""
    starts, ends = _times(wanted)
    for other in sandbox.tables.appointments.of(wanted.location_id, calendarId=wanted.values["calendarId"]):
        begun, ended = _times(other)
        free = other.id == wanted.id or other.values["appointmentStatus"] in ("cancelled", "invalid")
        if not free and not values.get("ignoreFreeSlotValidation") and begun < ends and starts < ended:
            raise bad_request("The slot you have selected is no longer available.")


async def _calendars(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    location = sandbox.location(owner, request.query_params.get("locationId"))
    return 200, {"calendars": [shown_calendar(each) for each in sandbox.tables.calendars.of(location.id)]}


async def _create(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    values = CREATE.parse(await json_body(request))
    location = sandbox.location(owner, values.pop("locationId"))
    sandbox.contact(owner, values["contactId"])
    calendar = sandbox.row(owner, sandbox.tables.calendars, values["calendarId"], "Calendar")
    end = _later(values["startTime"], timedelta(minutes=calendar.values["slotDuration"]))
    _refuse_taken(sandbox, values, Row(location_id=location.id, values={"endTime": end, **values}))
    return 200, written(make(sandbox, location.id, _without_how(values)))


def _without_how(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _HOW}


def _one(sandbox: Sandbox, request: Request, owner: Owner) -> Row:
    return sandbox.row(owner, sandbox.tables.appointments, request.path_params["event_id"], "Event")


async def _get(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    return 200, {"event": shown(_one(sandbox, request, owner))}


async def _update(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    appointment = _one(sandbox, request, owner)
    values = UPDATE.parse(await json_body(request))
    if "calendarId" in values:
        sandbox.row(owner, sandbox.tables.calendars, values["calendarId"], "Calendar")
    return 200, written(change(sandbox, appointment, _without_how(values)))


async def _delete(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    remove(sandbox, _one(sandbox, request, owner))
    return 201, {"succeeded": True}


async def _between(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """Times are milliseconds, and whose events they are has to be said."""
    query = request.query_params
    given = asked(query, "locationId", "startTime", "endTime")
    location = sandbox.location(owner, given["locationId"])
    named = {"userId": "assignedUserId", "calendarId": "calendarId", "groupId": "groupId"}
    wanted = {value: query[name] for name, value in named.items() if query.get(name)}
    if not wanted or not given["startTime"].isdigit() or not given["endTime"].isdigit():
        raise unprocessable(["one of userId, calendarId, groupId, and startTime and endTime as milliseconds"])
    found = [
        each
        for each in sandbox.tables.appointments.of(location.id, **wanted)
        if int(given["startTime"]) <= _times(each)[0].timestamp() * 1000 < int(given["endTime"])
    ]
    return 200, {"events": _in_order(found)}


def _in_order(appointments: Iterable[Row]) -> list[dict[str, Any]]:
    return [shown(each) for each in sorted(appointments, key=_times)]


async def _of_contact(sandbox: Sandbox, request: Request, owner: Owner) -> Answer:
    """Its times have no zone (contracts/ghl, section 5); here they are the location's."""
    contact = sandbox.contact(owner, request.path_params["contact_id"])
    zone = ZoneInfo(sandbox.store.locations[contact.location_id].timezone)
    events = []
    for each in sandbox.tables.appointments.of(contact.location_id, contactId=contact.id):
        local = {
            name: time.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
            for name, time in zip(("startTime", "endTime"), _times(each), strict=True)
        }
        body = {name: value for name, value in shown(each).items() if name not in ("description", "rrule")}
        events.append({**body, **local})
    return 200, {"events": events}

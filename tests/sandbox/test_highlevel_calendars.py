from typing import Any

from tests.sandbox.bench import HERE, Bench, documented

CALENDAR = "sandboxCalendar0001"
PATH = "/calendars/events/appointments"
TALK = {"title": "Crane inspection", "startTime": "2031-04-05T09:30:00+02:00", "address": "Pier 7"}
DAY: dict[str, Any] = {"startTime": 1_933_106_400_000, "endTime": 1_933_192_800_000}


def made(bench: Bench, contact: str, **values: Any) -> dict[str, Any]:
    wanted = {"calendarId": CALENDAR, "locationId": HERE, "contactId": contact, **TALK, **values}
    return dict(bench.api("POST", PATH, wanted))


def test_the_calendars_of_a_location_are_listed(bench: Bench) -> None:
    (calendar,) = bench.api("GET", "/calendars/", locationId=HERE)["calendars"]
    assert (calendar["id"], calendar["name"], calendar["slotDuration"]) == (CALENDAR, "First talks", 30)


def test_an_appointment_is_made_read_moved_and_deleted(bench: Bench) -> None:
    contact = bench.contact()
    appointment = made(bench, contact, assignedUserId="sandboxUser000000001")
    assert appointment["endTime"] == "2031-04-05T10:00:00+02:00"
    assert appointment["appointmentStatus"] == "confirmed"
    path = f"{PATH}/{appointment['id']}"
    event = bench.api("GET", path)["event"]
    assert (event["contactId"], event["users"], event["address"]) == (contact, ["sandboxUser000000001"], "Pier 7")
    moved = bench.api("PUT", path, {"startTime": "2031-04-05T11:00:00+02:00", "appointmentStatus": "showed"})
    assert (moved["endTime"], moved["appointmentStatus"]) == ("2031-04-05T11:30:00+02:00", "showed")
    deleted = bench.ask("DELETE", f"/calendars/events/{appointment['id']}", {})
    assert (deleted.status_code, deleted.json()["succeeded"]) == (201, True)
    assert bench.ask("GET", path).status_code == 404


def test_calendars_want_their_own_version(bench: Bench) -> None:
    answer = bench.ask("GET", "/calendars/", locationId=HERE, headers={"Version": "2021-07-28"})
    assert (answer.status_code, answer.json()["message"]) == (401, "version header is invalid.")


def test_events_are_listed_between_two_times_and_a_contacts_without_a_zone(bench: Bench) -> None:
    contact = bench.contact()
    bench.api("POST", PATH, {"calendarId": CALENDAR, "locationId": HERE, "contactId": contact, **TALK})
    made(bench, contact, startTime="2031-04-06T09:30:00+02:00")
    asked = {"locationId": HERE, "calendarId": CALENDAR}
    assert len(bench.api("GET", "/calendars/events", **asked, startTime=0, endTime=2_000_000_000_000)["events"]) == 2
    (event,) = bench.api("GET", "/calendars/events", **asked, **DAY)["events"]
    assert event["startTime"] == TALK["startTime"]
    assert bench.ask("GET", "/calendars/events", locationId=HERE, **DAY).status_code == 422
    first, _ = bench.api("GET", f"/contacts/{contact}/appointments")["events"]
    assert (first["startTime"], first["endTime"]) == ("2031-04-05 03:30:00", "2031-04-05 04:00:00")


def test_a_slot_is_taken_once_unless_the_caller_does_not_mind(bench: Bench) -> None:
    contact = bench.contact()
    appointment = made(bench, contact)
    wanted = {"calendarId": CALENDAR, "locationId": HERE, "contactId": contact, **TALK}
    assert bench.ask("POST", PATH, wanted).status_code == 400
    made(bench, contact, ignoreFreeSlotValidation=True)
    assert "ignoreFreeSlotValidation" not in bench.api("GET", f"{PATH}/{appointment['id']}")["event"]


def test_an_appointment_tells_inside_its_own_object(bench: Bench) -> None:
    contact = bench.contact()
    bench.events()
    appointment = made(bench, contact, description="Bring the plans")
    ((event, body),) = bench.events()
    assert (event, body["locationId"]) == ("AppointmentCreate", HERE)
    assert documented(body).keys() == {"type", "locationId", "appointment"}
    told = body["appointment"]
    assert (told["id"], told["title"], told["notes"]) == (appointment["id"], TALK["title"], "Bring the plans")
    bench.control("PATCH", f"objects/appointments/{appointment['id']}", {"appointmentStatus": "noshow"})
    ((event, body),) = bench.events()
    assert (body["type"], body["appointment"]["appointmentStatus"]) == (event, "noshow")
    assert event == "AppointmentUpdate"


def test_an_update_and_an_end_may_call_themselves_a_creation_as_the_documentation_does(bench: Bench) -> None:
    bench.control("POST", "settings", {"appointment_type_is_wrong": True})
    contact = bench.contact()
    bench.events()
    path = f"objects/appointments/{made(bench, contact)['id']}"
    bench.control("PATCH", path, {"title": "Crane test"})
    bench.control("DELETE", path)
    sent = bench.events()
    assert [event for event, _ in sent] == ["AppointmentCreate", "AppointmentDelete", "AppointmentUpdate"]
    assert {body["type"] for _, body in sent} == {"AppointmentCreate"}

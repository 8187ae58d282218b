"""Appointments, to billing, between the running service and both simulators."""

from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.test_notes import activities, crm_notes, pair, poll
from tests.flows.test_tasks import add_task, tasks

CALENDARS = {"Version": "2021-04-15"}
STARTS, ENDS = "2026-12-01T16:30:00-05:00", "2026-12-01T17:00:00-05:00"
WHEN = "2026-12-01 16:30 to 17:00 (America/New_York)"
EVENTS = "/calendars/events/appointments"


@pytest.fixture
async def booked(bare_world: World) -> World:
    """A bridge with appointments switched on, and tasks and notes as well: they must not meet."""
    on = {"enabled": True}
    await connect(bare_world, appointment={**on, "open": "Backlog"}, task=on, note=on)
    return bare_world


async def book(world: World, contact: str, **fields: Any) -> str:
    asked = {"params": {"locationId": LOCATION}, "headers": CALENDARS}
    calendars = (await world.highlevel.get("/calendars/", **asked)).raise_for_status().json()["calendars"]  # type: ignore[arg-type]
    body = {
        "calendarId": calendars[0]["id"],
        "locationId": LOCATION,
        "contactId": contact,
        "title": "Consultation",
        "startTime": STARTS,
        "endTime": ENDS,
        "ignoreFreeSlotValidation": True,
        **fields,
    }
    made = await world.highlevel.post(EVENTS, json=body, headers=CALENDARS)
    return str(made.raise_for_status().json()["id"])


async def change(world: World, appointment: str, **fields: Any) -> None:
    (await world.highlevel.put(f"{EVENTS}/{appointment}", json=fields, headers=CALENDARS)).raise_for_status()
    await world.quiet()


async def arrived(world: World, count: int = 1) -> None:
    async def ok() -> bool:
        return [row["state"] for row in await world.rows("links", object="appointment")] == ["ok"] * count

    await until(ok, 20)
    await world.quiet()


async def status_of(world: World, task: dict[str, Any]) -> str:
    found = (await world.ninja.get("/api/v1/task_statuses")).raise_for_status().json()["data"]
    return next((str(each["name"]) for each in found if each["id"] == task["status_id"]), "")


async def crm_tasks(world: World, contact: str) -> list[Any]:
    return list((await world.highlevel.get(f"/contacts/{contact}/tasks")).raise_for_status().json()["tasks"])


async def test_an_appointment_becomes_a_task_and_no_task_of_the_contact(booked: World) -> None:
    contact, client = await pair(booked)
    appointment = await book(booked, contact, address="Main Street 1", description="<p>Bring the <b>plan</b></p>")
    await arrived(booked)
    (made,) = await tasks(booked)
    assert made["client_id"] == client
    text = f"Consultation\n\n{WHEN}\nStatus: confirmed\nWhere: Main Street 1\n\nBring the plan\n\nDue: 2026-12-01"
    assert made["description"] == text
    assert made["custom_value3"] == "2026-12-01"
    assert made["custom_value4"] == f"appointment:{appointment}"
    assert await crm_tasks(booked, contact) == []
    await booked.ninja.put(f"/api/v1/tasks/{made['id']}", json={**made, "rate": 5})
    await booked.quiet()
    assert await crm_tasks(booked, contact) == []
    assert await booked.rows("links", object="task") == []


@pytest.mark.parametrize("status", ["showed", "noshow", "cancelled", "invalid"])
async def test_what_became_of_it_follows_and_can_be_undone(booked: World, status: str) -> None:
    contact, _ = await pair(booked)
    appointment = await book(booked, contact)
    await arrived(booked)
    (made,) = await tasks(booked)
    await change(booked, appointment, appointmentStatus=status)
    (done,) = await tasks(booked)
    assert (await status_of(booked, done), done["number"]) == ("Done", made["number"])
    assert f"Status: {status}" in done["description"]
    await change(booked, appointment, appointmentStatus="confirmed", startTime="2026-12-02T09:00:00-05:00")
    (again,) = await tasks(booked)
    assert await status_of(booked, again) == "Backlog"
    assert "2026-12-02 09:00 to 09:30 (America/New_York)\nStatus: confirmed" in again["description"]


async def test_one_that_is_put_away_is_archived_and_comes_back(bare_world: World) -> None:
    await connect(bare_world, appointment={"enabled": True, "put_away": ["cancelled"], "statuses": {}})
    contact, _ = await pair(bare_world)
    appointment = await book(bare_world, contact)
    await arrived(bare_world)
    (made,) = await tasks(bare_world)
    await change(bare_world, appointment, appointmentStatus="cancelled")
    there = (await bare_world.ninja.get(f"/api/v1/tasks/{made['id']}")).json()["data"]
    assert there["archived_at"] > 0
    assert "Status: cancelled" in there["description"]
    (row,) = await bare_world.rows("links", object="appointment")
    assert (row["state"], row["problem"]) == ("unlinked", "crm_put_away")
    await change(bare_world, appointment, title="Still cancelled")
    assert await tasks(bare_world) == []
    await change(bare_world, appointment, appointmentStatus="confirmed")
    (back,) = await tasks(bare_world)
    assert back["id"] == made["id"]
    assert back["description"].startswith("Still cancelled\n")


async def test_one_that_is_deleted_is_archived_also_where_its_event_is_misnamed(booked: World) -> None:
    await booked.highlevel.post("/_control/settings", json={"appointment_type_is_wrong": True})
    contact, _ = await pair(booked)
    appointment = await book(booked, contact)
    await arrived(booked)
    (made,) = await tasks(booked)
    await change(booked, appointment, title="Moved")
    assert (await tasks(booked))[0]["description"].startswith("Moved\n")
    (await booked.highlevel.delete(f"/calendars/events/{appointment}", headers=CALENDARS)).raise_for_status()
    await booked.quiet()
    assert (await booked.ninja.get(f"/api/v1/tasks/{made['id']}")).json()["data"]["archived_at"] > 0


async def test_what_people_do_with_the_task_stays(booked: World) -> None:
    contact, _ = await pair(booked)
    await book(booked, contact)
    await arrived(booked)
    (made,) = await tasks(booked)
    await booked.ninja.put(f"/api/v1/tasks/{made['id']}", json={**made, "description": "Mine"})
    await booked.quiet()
    assert (await tasks(booked))[0]["description"] == "Mine"


async def test_as_a_note_a_change_is_a_correction(bare_world: World) -> None:
    await connect(bare_world, appointment={"enabled": True, "into": "note"}, note={"enabled": True})
    contact, client = await pair(bare_world)
    appointment = await book(bare_world, contact)
    await arrived(bare_world)
    first = f"Appointment: Consultation\n{WHEN}\nStatus: confirmed"
    assert await activities(bare_world, client) == [f"{first}\n\n[appointment {appointment}]"]
    await change(bare_world, appointment, appointmentStatus="noshow")
    (_, second) = await activities(bare_world, client)
    assert second.endswith("]:\n\n" + first.replace("confirmed", "noshow"))
    await poll(bare_world)
    assert await crm_notes(bare_world, contact) == []
    assert await tasks(bare_world) == []


@pytest.mark.parametrize(("into", "path"), [("task", "^/api/v1/tasks$"), ("note", "^/api/v1/activities/notes$")])
async def test_a_lost_answer_makes_no_second_one(bare_world: World, into: str, path: str) -> None:
    await connect(bare_world, appointment={"enabled": True, "into": into}, task={"enabled": True})
    contact, client = await pair(bare_world)
    await bare_world.fault(bare_world.ninja, kind="drop_after", method="POST", path=path, times=1)
    await book(bare_world, contact)
    await arrived(bare_world)
    assert len(await tasks(bare_world)) + len(await activities(bare_world, client)) == 1


async def test_a_task_of_the_same_title_is_left_alone(booked: World) -> None:
    contact, _ = await pair(booked)
    await add_task(booked, contact, title="Consultation")
    await booked.quiet()
    fault = {"kind": "status", "status": 503, "method": "POST", "path": "^/api/v1/tasks$", "times": 1}
    await booked.fault(booked.ninja, **fault)
    await book(booked, contact)
    await arrived(booked)
    assert len(await tasks(booked)) == 2
    assert [row["state"] for row in await booked.rows("links", object="task")] == ["ok"]


async def test_an_appointment_waits_for_its_contact(booked: World) -> None:
    fault = {"kind": "status", "status": 503, "method": "POST", "path": "^/api/v1/clients$", "times": 3}
    await booked.fault(booked.ninja, **fault)
    contact = await booked.add_contact(firstName="Ada", email="ada@example.com")
    await book(booked, contact)
    await until(lambda: booked.rows("links", object="appointment", state="waiting_for_parent"))
    await arrived(booked)


async def test_a_change_costs_three_calls(bare_world: World) -> None:
    await connect(bare_world, appointment={"enabled": True})
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    appointment = await book(bare_world, contact)
    await arrived(bare_world)
    assert len([*await bare_world.calls(bare_world.highlevel), *await bare_world.calls(bare_world.ninja)]) <= 3
    await bare_world.forget_calls()
    await change(bare_world, appointment, title="Moved")
    assert len([*await bare_world.calls(bare_world.highlevel), *await bare_world.calls(bare_world.ninja)]) <= 3


async def test_where_appointments_are_off_nothing_is_asked(bare_world: World) -> None:
    await connect(bare_world)
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    await book(bare_world, contact)
    await bare_world.quiet()
    (event,) = await bare_world.rows("events", kind="AppointmentCreate")
    assert (event["state"], event["outcome"]) == ("ignored", "appointments are switched off on this bridge")
    assert await bare_world.calls(bare_world.ninja) == []


async def test_no_other_direction_can_be_chosen(bare_world: World) -> None:
    await connect(bare_world)
    change_ = {"settings": {"appointment": {"direction": "both"}}}
    answer = await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json=change_)
    assert answer.status_code == 422

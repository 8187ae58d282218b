"""Pauses: nothing that changes meanwhile is lost, whoever pauses what; each ends once, when its time has come."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app import pausing
from tests.conftest import World, connect, until
from tests.flows.test_contacts import linked
from tests.flows.test_notes import add_note, arrived, noted, pair
from tests.flows.test_policies import second_location
from tests.planning.conftest import person

__all__ = ["noted"]  # a fixture

SOON = timedelta(hours=1)


def at(world: World, path: str = "") -> str:
    return f"/api/v1/bridges/{world.bridge_id}{path}"


async def post(world: World, path: str, **body: Any) -> Any:
    return (await world.admin.post(f"/api/v1/{path}", json=body)).raise_for_status().json()


async def pause(world: World, **more: Any) -> dict[str, Any]:
    return dict((await world.admin.patch(at(world), json={"enabled": False, **more})).raise_for_status().json())


async def live(world: World) -> list[int]:
    return sorted(each["id"] for each in await world.rows("bridges") if each["enabled"])


async def sources(world: World, bridge_id: int = 0) -> list[str]:
    shown = (await world.admin.get(f"/api/v1/bridges/{bridge_id or world.bridge_id}")).json()
    return [each["source"] for each in shown["pauses"]]


async def time_passes(world: World) -> None:
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE pauses SET ends_at = now() - interval '1 s' WHERE ends_at IS NOT NULL"))


async def held(world: World, count: int) -> None:
    """So many events wait, and no job is left that would look at them."""

    async def waiting() -> bool:
        async with world.service.engine.connect() as connection:
            jobs = await connection.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync'"))
        return not jobs and len(await world.rows("events", state="pending")) >= count

    await until(waiting)


async def test_what_changes_while_a_bridge_is_paused_arrives_when_it_goes_on(noted: World) -> None:
    """Also a note of HighLevel's, which no sweep can find."""
    contact, client = await pair(noted)
    await pause(noted)
    await noted.forget_calls()
    await noted.edit_contact(contact, city="Leeds")
    await add_note(noted, contact)
    await held(noted, 2)
    assert await noted.calls(noted.ninja) == []
    assert (await noted.admin.get("/readyz")).status_code == 200
    (await noted.admin.patch(at(noted), json={"enabled": True})).raise_for_status()
    await arrived(noted)
    assert (await noted.client(client))["city"] == "Leeds"
    assert await sources(noted) == []


async def test_events_that_are_held_are_not_late_and_get_no_job_again_and_again(world: World) -> None:
    contact, _ = await linked(world)
    await pause(world)
    await world.edit_contact(contact, city="Leeds")
    await held(world, 1)
    async with world.service.engine.begin() as connection:
        await connection.execute(
            text("UPDATE events SET received_at = now() - interval '1 day' WHERE state = 'pending'")
        )
    assert (await world.admin.get("/readyz")).status_code == 200
    await world.service.worker._rescue_orphans()
    async with world.service.engine.connect() as connection:
        assert not await connection.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync'"))


async def test_an_object_is_paused_while_the_rest_goes_on(noted: World) -> None:
    contact, client = await pair(noted)
    (said,) = await post(noted, f"bridges/{noted.bridge_id}/objects/note/pause")
    assert (said["source"], said["ends_at"], said["actor"]) == ("object/note", None, "admin token")
    await add_note(noted, contact)
    await noted.edit_contact(contact, city="Leeds")

    async def moved() -> bool:
        return bool((await noted.client(client))["city"] == "Leeds")

    await until(moved)
    await held(noted, 1)
    assert await noted.rows("links", object="note") == []
    view = await noted.service.directory.one(noted.bridge_id)
    assert (view.enabled, view.settings.note.enabled, view.paused_objects) == (True, True, frozenset({"note"}))
    assert await post(noted, f"bridges/{noted.bridge_id}/objects/note/resume") == []
    await arrived(noted)


async def test_a_record_whose_job_comes_while_its_object_is_paused_is_looked_at_afterwards(noted: World) -> None:
    """No event tells of it: it was asked for by the service itself."""
    contact, _ = await pair(noted)
    await add_note(noted, contact)
    await arrived(noted)
    (link,) = await noted.rows("links", object="note")
    await post(noted, f"bridges/{noted.bridge_id}/objects/note/pause")
    await post(noted, f"links/{link['id']}/sync")
    await held(noted, 1)
    (event,) = await noted.rows("events", state="pending")
    assert (event["object"], event["external_id"]) == ("note", link["crm_id"])
    await post(noted, f"bridges/{noted.bridge_id}/objects/note/resume")
    await noted.quiet()


async def test_a_timed_pause_ends_by_itself_and_exactly_once(world: World) -> None:
    contact, client = await linked(world)
    until_ = datetime.now(UTC) + SOON
    (said,) = (await pause(world, paused_until=until_.isoformat()))["pauses"]
    assert datetime.fromisoformat(said["ends_at"]) == until_
    await world.edit_contact(contact, city="Leeds")
    await held(world, 1)
    assert await pausing.resume_due(world.service.engine) == []  # it is not over
    await time_passes(world)
    gone_on = await asyncio.gather(*(pausing.resume_due(world.service.engine) for _ in range(5)))
    assert [each for each in gone_on if each] == [[world.bridge_id]]

    async def arrived_there() -> bool:
        return bool((await world.client(client))["city"] == "Leeds")

    await until(arrived_there)
    assert (await live(world), await sources(world)) == ([world.bridge_id], [])
    await pause(world)
    await world.service.worker._resume_paused()  # what is over is no reason to go on later
    assert await live(world) == []


async def test_the_worker_looks_for_pauses_that_are_over(world: World) -> None:
    await pause(world, paused_until=(datetime.now(UTC) + SOON).isoformat())
    await time_passes(world)
    await world.service.worker._resume_paused()
    assert await live(world) == [world.bridge_id]
    tasks = world.service.queue.periodic_registry.periodic_tasks.values()
    assert "resume_paused" in {each.task.name for each in tasks}


@pytest.mark.parametrize("meanwhile", ["paused for good", "stopped", "connection paused", "deleted"])
async def test_a_timed_pause_does_not_end_what_somebody_else_holds(world: World, meanwhile: str) -> None:
    await pause(world, paused_until=(datetime.now(UTC) + SOON).isoformat())
    if meanwhile == "paused for good":
        await pause(world)
    elif meanwhile == "stopped":
        await post(world, "bridges/stop")
    elif meanwhile == "connection paused":
        await post(world, f"connections/{world.crm_connection_id}/pause")
    else:
        (await world.admin.delete(at(world))).raise_for_status()
    await time_passes(world)
    assert await pausing.resume_due(world.service.engine) == []
    assert await live(world) == []


async def test_a_bridge_goes_on_when_the_last_that_holds_it_lets_go(world: World) -> None:
    other = await second_location(world)
    await pause(world)
    assert await post(world, f"connections/{world.billing_connection_id}/pause") == {"paused": 1}
    assert (await post(world, "bridges/stop"))["paused"] == 0
    assert await live(world) == []
    assert await sources(world, other) == [f"connection/{world.billing_connection_id}", "everything"]
    assert await post(world, f"connections/{world.billing_connection_id}/resume") == {"resumed": []}
    assert await post(world, "bridges/resume") == {"resumed": [other]}
    assert await sources(world) == ["bridge"]
    (await world.admin.patch(at(world), json={"enabled": True})).raise_for_status()
    assert await live(world) == sorted([world.bridge_id, other])


async def test_a_person_who_resumes_a_bridge_ends_whatever_holds_it(world: World) -> None:
    await post(world, "bridges/stop")
    await post(world, f"connections/{world.crm_connection_id}/pause")
    await post(world, f"bridges/{world.bridge_id}/objects/contact/pause")
    (await world.admin.patch(at(world), json={"enabled": True})).raise_for_status()
    assert (await live(world), await sources(world)) == ([world.bridge_id], ["object/contact"])


async def test_everything_is_stopped_and_goes_on(bare_world: World) -> None:
    """What was not live before does not go live by it, and runs are cancelled on every bridge."""
    world = bare_world
    await connect(world, live=False)
    other = await second_location(world)
    await world.add_contact(**person(1))
    plans = []
    for bridge_id in (world.bridge_id, other):
        plans.append((await post(world, f"bridges/{bridge_id}/plan"))["id"])
        await world.admin.post(f"/api/v1/runs/{plans[-1]}/pause")
    stopped = await post(world, "bridges/stop")
    states = {each["id"]: each["state"] for each in await world.rows("runs")}
    assert stopped["paused"] == 1
    assert {states[each] for each in stopped["cancelled"]} <= {"cancelled", "done"}
    assert not {"running", "paused"} & set(states.values())
    assert await live(world) == []
    assert await post(world, "bridges/resume") == {"resumed": [other]}
    assert await live(world) == [other]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"enabled": False, "paused_until": "2020-01-01T00:00:00Z"}, "must be in the future"),
        ({"enabled": False, "paused_until": "2999-01-01T00:00:00"}, "timezone"),
        ({"enabled": True, "paused_until": "2999-01-01T00:00:00Z"}, "goes with `enabled` false"),
        ({"paused_until": "2999-01-01T00:00:00Z"}, "goes with `enabled` false"),
    ],
)
async def test_a_moment_that_cannot_be_is_refused(world: World, body: dict[str, Any], sentence: str) -> None:
    answer = await world.admin.patch(at(world), json=body)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert await live(world) == [world.bridge_id]


async def test_what_is_not_there_or_not_live_cannot_be_paused(bare_world: World) -> None:
    await connect(bare_world, live=False)
    moment = (datetime.now(UTC) + SOON).isoformat()
    answer = await bare_world.admin.patch(at(bare_world), json={"enabled": False, "paused_until": moment})
    assert "dry run" in answer.json()["detail"]
    for path in ("bridges/99/objects/note/pause", "connections/99/pause", "connections/99/resume"):
        assert (await bare_world.admin.post(f"/api/v1/{path}", json={})).status_code == 404
    answer = await bare_world.admin.post(at(bare_world, "/objects/note/pause"), json={})
    assert (answer.status_code, "no object “note” that is on" in answer.json()["detail"]) == (422, True)

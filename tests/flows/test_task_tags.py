"""The contact's tags on its tasks, between the running service and a simulated Invoice Ninja that has task tags."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.processes import Simulator
from tests.conftest import World, connect, until
from tests.flows.resting import swept, unhurried
from tests.flows.test_tags import tag, untag
from tests.flows.test_tasks import add_task, edit, link, pair, tasks

TASK = "App\\Models\\Task"
OLDER = pytest.mark.parametrize("ninja_process", ["5.10.42"], indirect=True)


@pytest.fixture(scope="module")
def newer() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja", delivery_delay=0.01, task_tags=True) as simulator:
        yield simulator


@pytest.fixture
def ninja_process(request: pytest.FixtureRequest, newer: Simulator, ninja_process: Simulator) -> Simulator:
    """One that has task tags, but for a test that is about an older one."""
    return ninja_process if hasattr(request, "param") else newer


@pytest.fixture
async def tagging(bare_world: World) -> World:
    await connect(bare_world, task={"enabled": True, "tags": True})
    return bare_world


async def catalogue(world: World) -> dict[str, str]:
    """Names of the task tags by id."""
    answer = await world.ninja.get("/api/v1/tags", params={"entity_type": TASK, "per_page": "500"})
    return {each["id"]: each["name"] for each in answer.raise_for_status().json()["data"]}


async def new_tag(world: World, name: str) -> str:
    answer = await world.ninja.post("/api/v1/tags", json={"entity_type": TASK, "name": name})
    return str(answer.raise_for_status().json()["data"]["id"])


async def shown(world: World) -> list[list[str]]:
    """The names of each task's tags."""
    names = await catalogue(world)
    return [sorted(names[each] for each in task["tags"]) for task in await tasks(world)]


async def tagged_task(world: World, *tags: str) -> tuple[str, str]:
    """A contact with these tags, and its task."""
    contact, _ = await pair(world)
    await tag(world, contact, *tags)
    task = await add_task(world, contact)
    await world.quiet()
    return contact, task


async def complete(world: World, contact: str, task: str) -> None:
    """The task's next change that an event tells of."""
    path = f"/contacts/{contact}/tasks/{task}/completed"
    (await world.highlevel.put(path, json={"completed": True})).raise_for_status()
    await world.quiet()


async def writes(world: World, path: str) -> list[str]:
    calls = await world.calls(world.ninja)
    return [each["method"] for each in calls if each["path"].startswith(path) and each["method"] != "GET"]


async def test_the_tags_of_the_contact_come_with_its_task(tagging: World) -> None:
    await new_tag(tagging, "VIP")
    await tagging.forget_calls()
    await tagged_task(tagging, "vip", "late payer")
    assert await shown(tagging) == [["VIP", "late payer"]]
    assert (await link(tagging))["state"] == "ok"
    assert await writes(tagging, "/api/v1/tags") == ["POST"]
    assert await writes(tagging, "/api/v1/tasks") == ["POST"]  # the echo is silent
    assert [each for each in await tagging.calls(tagging.highlevel) if each["method"] not in ("GET", "POST")] == []


async def test_a_tag_added_or_removed_at_the_contact_follows_with_the_next_change(tagging: World) -> None:
    contact, task = await tagged_task(tagging, "vip", "late payer")
    await untag(tagging, contact, "late payer")
    await tag(tagging, contact, "new")
    await tagging.quiet()
    assert await shown(tagging) == [["late payer", "vip"]]
    await complete(tagging, contact, task)
    assert await shown(tagging) == [["new", "vip"]]


async def test_what_people_tagged_the_task_with_stays_and_goes_nowhere(tagging: World) -> None:
    """Also a tag whose name cannot be read as one, and one that no list shows any more."""
    contact, task = await tagged_task(tagging, "vip", "old")
    own = [await new_tag(tagging, name) for name in ("mine", "with, comma", "put away")]
    (made,) = await tasks(tagging)
    await edit(tagging, made, tags=[*made["tags"], *own])
    body = {"action": "archive", "ids": [own[2]]}
    (await tagging.ninja.post("/api/v1/tags/bulk", json=body)).raise_for_status()
    await tagging.quiet()
    await untag(tagging, contact, "old")
    await complete(tagging, contact, task)
    assert await shown(tagging) == [["mine", "put away", "vip", "with, comma"]]
    assert (await tagging.contact(contact))["tags"] == ["vip"]
    assert (await link(tagging))["held"] == {}


async def test_a_tag_that_people_took_off_the_task_stays_off(tagging: World) -> None:
    contact, task = await tagged_task(tagging, "vip", "late payer")
    (made,) = await tasks(tagging)
    names = await catalogue(tagging)
    await edit(tagging, made, tags=[each for each in made["tags"] if names[each] == "vip"])
    await tagging.quiet()
    await complete(tagging, contact, task)
    assert await shown(tagging) == [["vip"]]
    assert sorted((await tagging.contact(contact))["tags"]) == ["late payer", "vip"]
    assert (await link(tagging))["held"] == {}


async def test_a_task_that_is_made_in_billing_gets_the_tags_of_its_contact(tagging: World) -> None:
    contact, client = await pair(tagging)
    await tag(tagging, contact, "vip")
    body = {"client_id": client, "description": "Send the offer", "tags": [await new_tag(tagging, "mine")]}
    (await tagging.ninja.post("/api/v1/tasks", json=body)).raise_for_status()

    async def arrived() -> bool:
        return await shown(tagging) == [["mine", "vip"]]

    await until(arrived)
    await tagging.quiet()
    assert (await tagging.contact(contact))["tags"] == ["vip"]


async def test_many_tasks_at_once_make_a_tag_once(tagging: World) -> None:
    contact, _ = await pair(tagging)
    await tag(tagging, contact, "vip", "🦊 ברוך", "x" * 191)
    for number in range(6):
        await add_task(tagging, contact, title=f"Task {number}")
    await tagging.quiet()
    assert sorted((await catalogue(tagging)).values()) == ["vip", "x" * 191, "🦊 ברוך"]
    assert await shown(tagging) == [["vip", "x" * 191, "🦊 ברוך"]] * 6
    assert {row["state"] for row in await tagging.rows("links", object="task")} == {"ok"}


async def test_a_lost_answer_makes_no_second_tag(tagging: World) -> None:
    await tagging.fault(tagging.ninja, kind="drop_after", method="POST", path="^/api/v1/tags$", times=1)
    await tagging.forget_calls()
    await tagged_task(tagging, "vip")
    assert list((await catalogue(tagging)).values()) == ["vip"]
    assert await shown(tagging) == [["vip"]]
    assert await writes(tagging, "/api/v1/tags") == ["POST"]


async def test_a_lost_answer_of_the_task_makes_no_second_one_and_loses_no_tag(tagging: World) -> None:
    await tagging.fault(tagging.ninja, kind="drop_after", method="POST", path="^/api/v1/tasks$", times=1)
    contact, _ = await pair(tagging)
    await tag(tagging, contact, "vip")
    await add_task(tagging, contact)
    await until(lambda: tagging.rows("links", object="task", state="ok"))
    assert await shown(tagging) == [["vip"]]
    assert await writes(tagging, "/api/v1/tasks") == ["POST"]  # found again as it was made


async def test_a_tag_that_is_too_long_is_held_back_whole_and_said(tagging: World) -> None:
    await tagged_task(tagging, "vip", "x" * 300)
    assert await shown(tagging) == [["vip"]]
    row = await link(tagging)
    assert (row["state"], row["held"]["tags:tags"]["value"]) == ("ok", "x" * 300)


async def test_a_name_that_was_put_away_is_said_with_the_tag(tagging: World) -> None:
    body = {"action": "delete", "ids": [await new_tag(tagging, "vip")]}
    (await tagging.ninja.post("/api/v1/tags/bulk", json=body)).raise_for_status()
    await tagged_task(tagging, "vip")
    row = await link(tagging)
    assert row["state"] == "failed"
    assert "the task tag “vip” cannot be made" in row["detail"]


async def test_polling_does_not_take_a_list_without_tags_for_a_change(tagging: World) -> None:
    await tagged_task(tagging, "vip")
    await tagging.forget_calls()
    await swept(tagging)
    await tagging.quiet()
    assert len(await tagging.calls(tagging.highlevel)) == 1
    assert await tagging.calls(tagging.ninja, "PUT") == []
    assert await shown(tagging) == [["vip"]]


async def test_the_tags_cost_one_read_on_each_side(tagging: World) -> None:
    contact, task = await tagged_task(tagging, "vip")
    await unhurried(tagging)
    await tagging.forget_calls()
    body = {"completed": True}
    (await tagging.highlevel.put(f"/contacts/{contact}/tasks/{task}/completed", json=body)).raise_for_status()
    await until(lambda: tagging.rows("events", kind="EVENT_UPDATE_TASK", state="done"))
    await tagging.quiet()
    asked = [each["path"] for each in await tagging.calls(tagging.highlevel)]
    assert asked == [f"/contacts/{contact}/tasks/{task}", f"/contacts/{contact}"] * 2  # and for the echo
    assert [each["path"] for each in await tagging.calls(tagging.ninja)].count("/api/v1/tags") == 2


async def test_where_it_is_off_no_tag_is_asked_for(bare_world: World) -> None:
    world = bare_world
    await connect(world, task={"enabled": True})
    own = await new_tag(world, "mine")
    await world.forget_calls()
    contact, task = await tagged_task(world, "vip")
    (made,) = await tasks(world)
    await edit(world, made, tags=[own])
    await complete(world, contact, task)
    assert await shown(world) == [["mine"]]
    assert [each for each in await world.calls(world.ninja) if "/tags" in each["path"]] == []


async def change(world: World, **choice: Any) -> httpx.Response:
    body = {"settings": {"task": {"enabled": True, "tags": True, **choice}}}
    return await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json=body)


async def test_a_version_that_has_task_tags_takes_the_setting(bare_world: World) -> None:
    await connect(bare_world)
    assert (await change(bare_world)).status_code == 200
    answer = await change(bare_world, direction="to_crm")
    assert answer.status_code == 422
    assert "tags cannot go to tags: records go to_crm only" in answer.text


@OLDER
async def test_a_version_without_task_tags_is_refused_with_the_reason(bare_world: World) -> None:
    await connect(bare_world)
    answer = await change(bare_world)
    assert answer.status_code == 422
    assert "Invoice Ninja had no task tags when the connection was last checked" in answer.text


async def test_only_administrators_make_tags(bare_world: World) -> None:
    """Told when the setting is made, and not by each task."""
    world = bare_world
    await connect(world)
    token = {"api_token": "sandbox-ninja-clerk-token"}
    path = f"/api/v1/connections/{world.billing_connection_id}/check"
    (await world.admin.post(path, json=token)).raise_for_status()
    answer = await change(world)
    assert answer.status_code == 422
    assert "only an administrator" in answer.text

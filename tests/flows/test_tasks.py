"""Tasks, both ways, between the running service and both simulators."""

from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import rest, swept, unhurried

DUE = "2026-12-01T16:30:00Z"


@pytest.fixture
async def tasked(bare_world: World) -> World:
    """A bridge with tasks switched on, and one pair that tasks can belong to."""
    await connect(bare_world, task={"enabled": True})
    return bare_world


async def pair(world: World) -> tuple[str, str]:
    contact = await world.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.com")
    (made,) = await until(lambda: world.rows("links", object="contact", state="ok"), 20)
    await world.quiet()
    return contact, str(made["billing_id"])


async def add_task(world: World, contact: str, **fields: Any) -> str:
    body = {"title": "Call Dora", "dueDate": DUE, "completed": False, **fields}
    answer = await world.highlevel.post(f"/contacts/{contact}/tasks", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["task"]["id"])


async def crm_task(world: World, contact: str, task: str) -> dict[str, Any]:
    return dict((await world.highlevel.get(f"/contacts/{contact}/tasks/{task}")).raise_for_status().json()["task"])


async def tasks(world: World, **filters: str) -> list[dict[str, Any]]:
    answer = await world.ninja.get("/api/v1/tasks", params={"per_page": "500", "status": "active", **filters})
    return list(answer.raise_for_status().json()["data"])


async def edit(world: World, task: dict[str, Any], **fields: Any) -> None:
    """As a person does in the web application: the whole record goes back."""
    whole = (await world.ninja.get(f"/api/v1/tasks/{task['id']}")).raise_for_status().json()["data"]
    (await world.ninja.put(f"/api/v1/tasks/{task['id']}", json={**whole, **fields})).raise_for_status()


async def status_id(world: World, name: str) -> str:
    answer = (await world.ninja.get("/api/v1/task_statuses")).raise_for_status()
    return next(str(each["id"]) for each in answer.json()["data"] if each["name"] == name)


async def link(world: World) -> dict[str, Any]:
    (row,) = await world.rows("links", object="task")
    return row


async def test_a_task_of_a_contact_becomes_one_of_its_client(tasked: World) -> None:
    contact, client = await pair(tasked)
    task = await add_task(tasked, contact, body="About the bill\nand the rest")
    await tasked.quiet()
    (made,) = await tasks(tasked)
    assert made["client_id"] == client
    assert made["description"] == "Call Dora\n\nAbout the bill\nand the rest\n\nDue: 2026-12-01"
    assert made["custom_value3"] == "2026-12-01"
    assert ((await link(tasked))["crm_id"], (await link(tasked))["state"]) == (f"{contact}/{task}", "ok")


async def test_completing_in_the_crm_moves_it_to_done_and_harms_neither_time_nor_number(tasked: World) -> None:
    contact, _ = await pair(tasked)
    task = await add_task(tasked, contact)
    await tasked.quiet()
    (made,) = await tasks(tasked)
    await edit(tasked, made, time_log='[[1795211800,1795215400,"first hour",true]]')
    await tasked.quiet()
    await tasked.highlevel.put(f"/contacts/{contact}/tasks/{task}/completed", json={"completed": True})
    await tasked.quiet()
    (done,) = await tasks(tasked)
    assert done["status_id"] == await status_id(tasked, "Done")
    assert done["time_log"] == '[[1795211800,1795215400,"first hour",true]]'
    assert done["number"] == made["number"]


async def test_a_task_of_a_client_becomes_one_of_its_contact_and_its_edits_follow(tasked: World) -> None:
    contact, client = await pair(tasked)
    body = {"client_id": client, "description": "Send the offer\n\nBy post"}
    made = (await tasked.ninja.post("/api/v1/tasks", json=body)).raise_for_status().json()["data"]
    await tasked.quiet()
    row = await link(tasked)
    (there,) = (await tasked.highlevel.get(f"/contacts/{contact}/tasks")).json()["tasks"]
    assert row["crm_id"] == f"{contact}/{there['id']}"
    assert (there["title"], there["body"], there["completed"]) == ("Send the offer", "By post", False)

    await edit(tasked, made, description="Send the offer\n\nBy mail", status_id=await status_id(tasked, "Done"))
    await tasked.quiet()
    there = await crm_task(tasked, contact, there["id"])
    assert (there["title"], there["body"], there["completed"]) == ("Send the offer", "By mail", True)


async def test_a_due_date_goes_both_ways_and_keeps_its_hour(tasked: World) -> None:
    contact, _ = await pair(tasked)
    task = await add_task(tasked, contact, dueDate="2026-12-01T16:30:00Z")
    await tasked.quiet()
    (made,) = await tasks(tasked)
    await edit(tasked, made, custom_value3="2026-12-24")
    await tasked.quiet()
    there = await crm_task(tasked, contact, task)
    assert there["dueDate"].startswith("2026-12-24T16:30:00")
    (made,) = await tasks(tasked)
    assert made["custom_value3"] == "2026-12-24"


async def test_a_change_and_its_echo_cost_no_more_than_they_must(tasked: World) -> None:
    contact, _ = await pair(tasked)
    await unhurried(tasked)
    await tasked.forget_calls()
    task = await add_task(tasked, contact)
    await until(lambda: tasked.rows("events", kind="EVENT_CREATE_TASK", state="done"))
    await rest(tasked)
    writes = [each for vendor in (tasked.highlevel, tasked.ninja) for each in await tasked.calls(vendor)]
    assert len(writes) <= 3 + 2  # the create, and its echo of two reads
    await tasked.forget_calls()
    await tasked.highlevel.put(f"/contacts/{contact}/tasks/{task}/completed", json={"completed": True})
    await until(lambda: tasked.rows("events", kind="EVENT_UPDATE_TASK", state="done"))
    await rest(tasked)
    calls = [each for vendor in (tasked.highlevel, tasked.ninja) for each in await tasked.calls(vendor)]
    assert len([each for each in calls if each["method"] == "PUT"]) == 1
    assert len(calls) <= 3 + 2


async def test_a_task_waits_for_the_contact_that_it_belongs_to(tasked: World) -> None:
    """The client cannot be made for a while: the task waits, burns no try, and comes when it is."""
    fault = {"kind": "status", "status": 503, "method": "POST", "path": "^/api/v1/clients$", "times": 3}
    await tasked.fault(tasked.ninja, **fault)
    contact = await tasked.add_contact(firstName="Ada", email="ada@example.com")
    await add_task(tasked, contact)
    waiting = await until(lambda: tasked.rows("links", object="task", state="waiting_for_parent"))
    assert waiting[0]["detail"] == f"It waits until its contact {contact} is linked."
    assert waiting[0]["tries"] == 0

    async def arrived() -> bool:
        return [row["state"] for row in await tasked.rows("links", object="task")] == ["ok"]

    await until(arrived, 20)
    (made,) = await tasks(tasked)
    assert made["client_id"] == (await tasked.rows("links", object="contact"))[0]["billing_id"]


async def test_a_task_of_a_contact_from_before_the_bridge_brings_the_contact_along(tasked: World) -> None:
    await tasked.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    contact = await tasked.add_contact(firstName="Old", email="old@example.com")
    subscribed = {"url": f"{tasked.url}/webhooks/highlevel", "events": "all"}
    await tasked.highlevel.post("/_control/webhooks", json=subscribed)
    await add_task(tasked, contact)

    async def arrived() -> bool:
        return [row["state"] for row in await tasked.rows("links")] == ["ok", "ok"]

    await until(arrived)


async def test_issue_highlevel_api_docs_332_an_event_without_its_contact_is_found(tasked: World) -> None:
    contact, client = await pair(tasked)
    await tasked.highlevel.post("/_control/settings", json={"task_create_is_short": True})
    await add_task(tasked, contact)

    async def arrived() -> bool:
        return [row["state"] for row in await tasked.rows("links", object="task")] == ["ok"]

    await until(arrived)
    assert [each["client_id"] for each in await tasks(tasked)] == [client]


async def test_a_task_deleted_in_the_crm_is_archived_and_one_deleted_in_billing_stays(tasked: World) -> None:
    contact, _ = await pair(tasked)
    first = await add_task(tasked, contact, title="First")
    second = await add_task(tasked, contact, title="Second")
    await tasked.quiet()
    made = {each["description"].partition("\n")[0]: each for each in await tasks(tasked)}
    await tasked.highlevel.delete(f"/contacts/{contact}/tasks/{first}")
    await tasked.ninja.delete(f"/api/v1/tasks/{made['Second']['id']}")
    await tasked.quiet()
    assert (await tasked.ninja.get(f"/api/v1/tasks/{made['First']['id']}")).json()["data"]["archived_at"] > 0
    assert (await crm_task(tasked, contact, second))["title"] == "Second"
    states = {row["problem"] for row in await tasked.rows("links", object="task", state="unlinked")}
    assert states == {"crm_gone_archived", "billing_gone"}


async def test_many_tasks_of_one_title_are_many_pairs(tasked: World) -> None:
    contact, _ = await pair(tasked)
    for _ in range(4):
        await add_task(tasked, contact, title="Follow up")
    await tasked.quiet()
    assert len(await tasks(tasked)) == 4
    assert [row["state"] for row in await tasked.rows("links", object="task")] == ["ok"] * 4


async def test_a_lost_answer_makes_no_second_task(tasked: World) -> None:
    contact, _ = await pair(tasked)
    await tasked.fault(tasked.ninja, kind="drop_after", method="POST", path="^/api/v1/tasks$", times=1)
    await add_task(tasked, contact)

    async def arrived() -> bool:
        return [row["state"] for row in await tasked.rows("links", object="task")] == ["ok"]

    await until(arrived)
    assert len(await tasks(tasked)) == 1


async def test_an_assignee_is_known_by_e_mail_and_an_unknown_one_is_held(tasked: World) -> None:
    contact, _ = await pair(tasked)
    await tasked.service.connections.renew(tasked.crm_connection_id)
    found = await tasked.highlevel.get(
        "/users/search", params={"companyId": "sandboxCompany00001", "locationId": LOCATION}
    )
    users = found.json().get("users", [])
    assert users
    await add_task(tasked, contact, assignedTo=users[0]["id"])
    await tasked.quiet()
    row = await link(tasked)
    assert row["state"] == "ok"
    assert row["held"]["assignee"]["value"] == users[0]["email"]


async def test_where_tasks_are_off_nothing_is_asked(bare_world: World) -> None:
    await connect(bare_world)
    contact, _ = await pair(bare_world)
    await bare_world.forget_calls()
    await add_task(bare_world, contact)
    await bare_world.quiet()
    (event,) = await bare_world.rows("events", kind="TaskCreate")
    assert (event["state"], event["outcome"]) == ("ignored", "tasks are switched off on this bridge")
    assert await bare_world.calls(bare_world.ninja) == []


async def test_an_edit_that_no_event_tells_of_is_found_by_polling(tasked: World) -> None:
    contact, _ = await pair(tasked)
    task = await add_task(tasked, contact)
    await add_task(tasked, contact, title="Another")
    await tasked.quiet()
    await tasked.forget_calls()
    await swept(tasked)
    assert [each["path"] for each in await tasked.calls(tasked.highlevel)] == [f"/locations/{LOCATION}/tasks/search"]
    await tasked.quiet()
    assert await tasked.calls(tasked.ninja) == []

    await tasked.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Call Dora twice"})
    await swept(tasked)
    await tasked.quiet()
    titles = sorted(each["description"].partition("\n")[0] for each in await tasks(tasked))
    assert titles == ["Another", "Call Dora twice"]
    assert [row["kind"] for row in await tasked.rows("events", kind="sweep")] == ["sweep"]


async def test_polling_finds_what_was_made_while_no_event_came(tasked: World) -> None:
    contact, client = await pair(tasked)
    await tasked.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    for number in range(120):  # more than a page
        await add_task(tasked, contact, title=f"Task {number}")
    await swept(tasked)
    await tasked.quiet(60)
    assert {each["client_id"] for each in await tasks(tasked)} == {client}
    assert len(await tasks(tasked)) == 120

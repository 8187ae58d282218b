"""Filters, and what the owner has chosen for deletions and archives, between the service and both simulators."""

from typing import Any

import pytest

from tests.conftest import World, connect, until
from tests.flows.test_tags import tag, untag
from tests.flows.test_tasks import add_task, crm_task, edit, link, pair, tasks

CUSTOMERS = {"only": [{"field": "tags", "op": "has", "value": "Customer"}]}
ADA = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@example.com"}


async def contact_link(world: World) -> dict[str, Any]:
    (row,) = await world.rows("links", object="contact")
    return row


async def writes(world: World) -> list[tuple[str, str]]:
    calls = [*await world.calls(world.highlevel), *await world.calls(world.ninja)]
    return [(each["method"], each["path"]) for each in calls if each["method"] != "GET"]


async def bulk(world: World, what: str, action: str, record: str) -> None:
    answer = await world.ninja.post(f"/api/v1/{what}/bulk", json={"action": action, "ids": [record]})
    answer.raise_for_status()


# -- filters --------------------------------------------------------------------------------------------------------


async def test_a_contact_comes_in_when_it_passes_and_its_waiting_task_with_it(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact=CUSTOMERS, task={"enabled": True})
    contact = await world.add_contact(**ADA)
    await add_task(world, contact)
    (row,) = await until(lambda: world.rows("links", object="contact", state="excluded"))
    assert row["problem"] == "filtered"
    assert row["detail"] == "It takes no part: only records whose “tags” has “Customer” do."
    await until(lambda: world.rows("links", object="task", state="waiting_for_parent"))
    assert await world.clients() == []

    await tag(world, contact, "customer")
    await until(lambda: world.rows("links", object="task", state="ok"))
    (client,) = await world.clients()
    assert [each["client_id"] for each in await tasks(world)] == [client["id"]]


async def test_a_pair_that_leaves_the_filter_is_left_alone_and_goes_on_where_it_was(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact=CUSTOMERS)
    contact = await world.add_contact(**ADA, city="London", tags=["customer"])
    (made,) = await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    await world.forget_calls()
    await untag(world, contact, "customer")
    await world.quiet()
    await world.edit_contact(contact, city="York")
    await world.edit_client(made["billing_id"], vat_number="GB1")
    await world.quiet()
    assert await writes(world) == []
    assert (await contact_link(world))["problem"] == "filtered"
    assert len(await world.rows("activities", action="excluded")) == 1  # said once
    client = await world.client(made["billing_id"])
    assert (client["city"], client["archived_at"], client["is_deleted"]) == ("London", 0, False)

    await world.edit_contact(contact, state="Yorkshire")
    await tag(world, contact, "customer")
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    client = await world.client(made["billing_id"])
    assert (client["city"], client["state"], client["vat_number"]) == ("York", "Yorkshire", "GB1")
    assert (await world.rows("activities", action="linked"))[0]["detail"] == "it takes part again"


async def test_a_contact_that_is_deleted_outside_the_filter_takes_nothing_with_it(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={**CUSTOMERS, "crm_deleted": "delete"})
    contact = await world.add_contact(**ADA, tags=["customer"])
    (made,) = await until(lambda: world.rows("links", state="ok"))
    await untag(world, contact, "customer")
    await until(lambda: world.rows("links", state="excluded"))
    (await world.highlevel.delete(f"/contacts/{contact}")).raise_for_status()
    await until(lambda: world.rows("links", state="unlinked"))
    await world.quiet()
    client = await world.client(made["billing_id"])
    assert (client["archived_at"], client["is_deleted"]) == (0, False)


async def test_a_client_without_a_tagged_contact_makes_none_and_one_with_is_linked(bare_world: World) -> None:
    world = bare_world
    await world.add_contact(**ADA, tags=["customer"])
    await connect(world, contact=CUSTOMERS)
    stranger = await world.add_client(name="Rossi", contacts=[{"email": "mia@rossi.example"}])
    known = await world.add_client(name="", contacts=[{"first_name": "Ada", "email": "ada@example.com"}])
    await until(lambda: world.rows("links", billing_id=known["id"], state="ok"))
    await world.quiet()
    (row,) = await world.rows("links", billing_id=stranger["id"])
    assert (row["state"], row["problem"]) == ("excluded", "filtered")
    assert len((await world.highlevel.get("/_control/state")).json()["contacts"]) == 1


async def test_the_tasks_of_a_pair_that_left_wait_for_it(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact=CUSTOMERS, task={"enabled": True})
    contact = await world.add_contact(**ADA, tags=["customer"])
    await until(lambda: world.rows("links", object="contact", state="ok"))
    await world.quiet()
    task = await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    await untag(world, contact, "customer")
    await until(lambda: world.rows("links", object="contact", state="excluded"))
    (made,) = await tasks(world)
    await edit(world, made, description="Edited")
    await until(lambda: world.rows("links", object="task", state="waiting_for_parent"))
    await world.quiet()
    assert (await crm_task(world, contact, task))["title"] == "Call Dora"
    await tag(world, contact, "customer")
    await until(lambda: world.rows("links", object="task", state="ok"))
    assert (await crm_task(world, contact, task))["title"] == "Edited"


async def test_other_settings_are_applied_to_what_was_left_out(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact=CUSTOMERS)
    await world.add_contact(**ADA)
    await until(lambda: world.rows("links", state="excluded"))
    answer = await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": {}})
    answer.raise_for_status()
    await until(lambda: world.rows("links", state="ok"))


async def test_a_condition_on_a_field_that_nobody_has_is_refused(bare_world: World) -> None:
    world = bare_world
    await connect(world)
    settings = {"contact": {"only": [{"field": "custom.nowhere", "op": "filled"}]}}
    answer = await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": settings})
    assert answer.status_code == 422
    assert "“custom.nowhere” is filled" in answer.text


# -- deletions and archives -----------------------------------------------------------------------------------------


async def test_a_deleted_contacts_client_can_be_deleted_and_comes_back_with_it(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"crm_deleted": "delete"})
    contact, client = await pair(world)
    missing = {"statusCode": 400, "message": f"Contact with id {contact} not found"}
    await world.fault(world.highlevel, kind="status", status=400, method="GET", path=contact, body=missing)
    await tag(world, contact, "news")
    (row,) = await until(lambda: world.rows("links", state="unlinked"))
    await world.quiet()
    assert row["problem"] == "crm_gone_deleted"
    assert (await world.client(client))["is_deleted"] is True
    await world.mend()
    await world.edit_contact(contact, city="York")
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    after = await world.client(client)
    assert (after["is_deleted"], after["city"]) == (False, "York")


@pytest.mark.parametrize("what", ["contact", "task"])
async def test_a_deletion_in_the_crm_that_meets_an_edit_deletes_nothing(bare_world: World, what: str) -> None:
    world = bare_world
    await connect(world, contact={"crm_deleted": "delete"}, task={"enabled": True, "crm_deleted": "delete"})
    contact, client = await pair(world)
    task = await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    (made,) = await tasks(world)
    await world.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    path = f"/contacts/{contact}" + (f"/tasks/{task}" if what == "task" else "")
    (await world.highlevel.delete(path)).raise_for_status()
    if what == "task":
        await edit(world, made, description="Edited")
    else:
        await world.edit_client(client, city="York")
    (row,) = await until(lambda: world.rows("links", object=what, state="conflict"))
    await world.quiet()
    assert row["problem"] == "deletion_met_edit"
    assert (await world.client(client))["is_deleted"] is False
    assert [each["description"].partition("\n")[0] for each in await tasks(world)] == [
        "Edited" if what == "task" else "Call Dora"
    ]
    assert len(await world.rows("activities", action="conflict")) == 1


async def test_a_task_deleted_in_billing_can_be_deleted_in_the_crm_and_is_made_anew_when_restored(
    bare_world: World,
) -> None:
    world = bare_world
    await connect(world, task={"enabled": True, "billing_deleted": "delete"})
    contact, _ = await pair(world)
    await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    (made,) = await tasks(world)
    (await world.ninja.delete(f"/api/v1/tasks/{made['id']}")).raise_for_status()
    await world.quiet()
    assert (await world.highlevel.get(f"/contacts/{contact}/tasks")).json()["tasks"] == []
    assert (await link(world))["problem"] == "billing_gone_deleted"

    await bulk(world, "tasks", "restore", made["id"])
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    (there,) = (await world.highlevel.get(f"/contacts/{contact}/tasks")).json()["tasks"]
    assert there["title"] == "Call Dora"
    assert (await link(world))["crm_id"] == f"{contact}/{there['id']}"


@pytest.mark.parametrize("choice", ["keep", "delete"])
async def test_a_deletion_in_billing_destroys_nothing_unless_chosen_and_never_an_edit(
    bare_world: World, choice: str
) -> None:
    world = bare_world
    await connect(world, task={"enabled": True, "billing_deleted": choice})
    contact, _ = await pair(world)
    task = await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    (made,) = await tasks(world)
    if choice == "delete":  # HighLevel tells nobody of this edit
        await world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Edited"})
    (await world.ninja.delete(f"/api/v1/tasks/{made['id']}")).raise_for_status()
    await world.quiet()
    assert (await crm_task(world, contact, task))["title"] == ("Edited" if choice == "delete" else "Call Dora")
    assert (await link(world))["problem"] == ("deletion_met_edit" if choice == "delete" else "billing_gone")


async def test_a_task_that_billing_hides_is_not_taken_for_a_deleted_one(bare_world: World) -> None:
    world = bare_world
    await connect(world, task={"enabled": True, "billing_deleted": "delete"})
    contact, _ = await pair(world)
    task = await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    body = {"message": "No query results for model"}
    await world.fault(world.ninja, kind="status", status=400, method="GET", path="/tasks/", body=body)
    await world.highlevel.put(f"/contacts/{contact}/tasks/{task}/completed", json={"completed": True})
    await until(lambda: world.rows("links", object="task", state="unlinked"))
    assert (await crm_task(world, contact, task))["completed"] is True


async def test_an_archived_client_can_pause_its_pair_until_it_is_restored(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"billing_archived": "pause"})
    contact, client = await pair(world)
    await bulk(world, "clients", "archive", client)
    await until(lambda: world.rows("links", state="excluded"))
    await world.edit_contact(contact, city="York")
    await world.quiet()
    assert (await world.client(client))["city"] == ""
    await bulk(world, "clients", "restore", client)
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    assert (await world.client(client))["city"] == "York"


# -- tasks one way --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["to_billing", "to_crm"])
async def test_tasks_go_one_way_only(bare_world: World, direction: str) -> None:
    """Made, edited and deleted on both sides: nothing is written against the direction."""
    world = bare_world
    await connect(world, task={"enabled": True, "direction": direction, "billing_deleted": "delete"})
    contact, client = await pair(world)
    await world.forget_calls()
    task = await add_task(world, contact, title="From the CRM")
    body = {"client_id": client, "description": "From billing"}
    made = (await world.ninja.post("/api/v1/tasks", json=body)).raise_for_status().json()["data"]
    await world.quiet()
    assert [row["problem"] for row in await world.rows("links", object="task", state="excluded")] == ["direction"]
    there = (await world.highlevel.get(f"/contacts/{contact}/tasks")).json()["tasks"]
    titles = {each["description"].partition("\n")[0] for each in await tasks(world)}
    against = world.highlevel if direction == "to_billing" else world.ninja
    if direction == "to_billing":
        assert ([each["title"] for each in there], titles) == (["From the CRM"], {"From the CRM", "From billing"})
        copy = next(each for each in await tasks(world) if each["id"] != made["id"])
        await edit(world, copy, description="Edited")
        await world.quiet()
        (await world.ninja.delete(f"/api/v1/tasks/{copy['id']}")).raise_for_status()
    else:
        assert (sorted(each["title"] for each in there), titles) == (["From billing", "From the CRM"], {"From billing"})
        (copied,) = [each["id"] for each in there if each["id"] != task]
        await world.highlevel.put(f"/contacts/{contact}/tasks/{copied}/completed", json={"completed": True})
        await world.quiet()
        await world.highlevel.delete(f"/contacts/{contact}/tasks/{copied}")
    await until(lambda: world.rows("links", object="task", state="unlinked"))
    await world.quiet()
    assert [each for each in await world.calls(against) if each["method"] != "GET"] == []

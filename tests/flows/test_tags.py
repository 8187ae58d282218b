"""Tags of contacts, between the running service and both simulators: one by one, and nobody's is lost."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.conftest import World, connect, until
from tests.flows.test_tasks import add_task, pair, tasks

INTO = {"into": "custom_value1"}


async def tag(world: World, contact: str, *tags: str) -> None:
    (await world.highlevel.post(f"/contacts/{contact}/tags", json={"tags": list(tags)})).raise_for_status()


async def untag(world: World, contact: str, *tags: str) -> None:
    body = {"tags": list(tags)}
    (await world.highlevel.request("DELETE", f"/contacts/{contact}/tags", json=body)).raise_for_status()


async def tagged(world: World, **settings: Any) -> tuple[str, str]:
    await connect(world, contact={"tags": {**INTO, **settings}})
    contact, client = await pair(world)
    await tag(world, contact, "vip", "late payer")
    await world.quiet()
    return contact, client


async def test_tags_go_into_a_custom_value_and_back_one_by_one(bare_world: World) -> None:
    world = bare_world
    contact, client = await tagged(world)
    assert (await world.client(client))["custom_value1"] == "late payer, vip"
    await world.forget_calls()
    await world.edit_client(client, custom_value1="vip, Wholesale")
    await world.quiet()
    assert sorted((await world.contact(contact))["tags"]) == ["vip", "wholesale"]
    calls = [(each["method"], each["path"]) for each in await world.calls(world.highlevel)]
    writes = [each for each in calls if each[0] != "GET"]
    assert writes == [("POST", f"/contacts/{contact}/tags"), ("DELETE", f"/contacts/{contact}/tags")]
    assert await world.calls(world.ninja, "PUT") == []


async def test_issue_mautic_1602_an_edit_of_the_contact_wipes_no_tag(bare_world: World) -> None:
    """Neither our PUT nor a tag that was added between our reading and our writing."""
    world = bare_world
    contact, client = await tagged(world)
    await world.forget_calls()
    await world.edit_client(client, city="York", custom_value1="late payer, new, vip")
    await tag(world, contact, "from a workflow")
    await world.quiet()
    there = await world.contact(contact)
    assert there["city"] == "York"
    assert set(there["tags"]) == {"vip", "late payer", "new", "from a workflow"}
    assert (await world.client(client))["custom_value1"] == "from a workflow, late payer, new, vip"
    for put in await world.calls(world.highlevel, "PUT"):
        assert "tags" not in str(put.get("body"))


async def test_a_contact_and_a_client_are_made_with_their_tags(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"tags": INTO})
    contact = await world.add_contact(firstName="Ada", email="ada@example.com", tags=["vip", "b"])
    (row,) = await until(lambda: world.rows("links", crm_id=contact, state="ok"))
    assert (await world.client(row["billing_id"]))["custom_value1"] == "b, vip"
    client = await world.add_client(name="Rossi", custom_value1="x, y", contacts=[{"email": "mia@rossi.example"}])
    (row,) = await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    assert sorted((await world.contact(row["crm_id"]))["tags"]) == ["x", "y"]


async def test_only_the_chosen_tags_take_part(bare_world: World) -> None:
    world = bare_world
    contact, client = await tagged(world, only=["VIP"])
    assert (await world.client(client))["custom_value1"] == "vip"
    await world.edit_client(client, custom_value1="mine")
    await world.quiet()
    assert (await world.contact(contact))["tags"] == ["late payer"]
    assert (await world.client(client))["custom_value1"] == "mine"


async def test_one_way_never_writes_to_the_crm(bare_world: World) -> None:
    world = bare_world
    contact, client = await tagged(world, direction="to_billing")
    await world.forget_calls()
    await world.edit_client(client, custom_value1="mine")
    await world.quiet()
    assert [each for each in await world.calls(world.highlevel) if each["method"] != "GET"] == []
    assert sorted((await world.contact(contact))["tags"]) == ["late payer", "vip"]


async def test_what_has_no_room_is_held_back_whole_and_said(bare_world: World) -> None:
    world = bare_world
    contact, client = await tagged(world)
    await tag(world, contact, "a" * 120, "b" * 120)
    await world.quiet()
    assert (await world.client(client))["custom_value1"] == f"{'a' * 120}, late payer, vip"
    (row,) = await world.rows("links", object="contact")
    assert row["held"]["tags:custom_value1"]["value"] == "b" * 120
    await untag(world, contact, "a" * 120)
    await world.quiet()
    assert (await world.client(client))["custom_value1"] == f"{'b' * 120}, late payer, vip"


async def test_where_tags_are_off_none_travels(bare_world: World) -> None:
    world = bare_world
    await connect(world)
    contact, client = await pair(world)
    await tag(world, contact, "vip")
    await world.quiet()
    assert (await world.client(client))["custom_value1"] == ""
    assert (await world.contact(contact))["tags"] == ["vip"]


async def test_the_first_tag_of_the_table_decides_the_client_group(bare_world: World) -> None:
    world = bare_world
    for name in ("Gold", "Silver"):
        (await world.ninja.post("/api/v1/group_settings", json={"name": name})).raise_for_status()
    ids = {each["name"]: each["id"] for each in (await world.ninja.get("/api/v1/group_settings")).json()["data"]}
    table = [{"tag": "VIP", "group": "Gold"}, {"tag": "regular", "group": "Silver"}]
    await connect(world, contact={"tags": {"into": "group", "groups": table}})
    contact, client = await pair(world)
    for tags, group in ((["regular", "x"], ids["Silver"]), (["vip"], ids["Gold"])):
        await tag(world, contact, *tags)
        await world.quiet()
        assert (await world.client(client))["group_settings_id"] == group
    await untag(world, contact, "vip", "regular")
    await world.quiet()
    assert (await world.client(client))["group_settings_id"] == ""
    assert (await world.contact(contact))["tags"] == ["x"]


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"into": "custom_value4"}, "holds the link to the CRM"),
        ({"into": "group", "groups": [{"tag": "vip", "group": "Nowhere"}]}, "Nowhere"),
    ],
)
async def test_a_choice_that_cannot_work_is_refused_with_the_reason(
    bare_world: World, choice: dict[str, Any], reason: str
) -> None:
    world = bare_world
    await connect(world)
    answer: httpx.Response = await world.admin.patch(
        f"/api/v1/bridges/{world.bridge_id}", json={"settings": {"contact": {"tags": choice}}}
    )
    assert answer.status_code == 422, answer.text
    assert reason in answer.text


async def test_a_child_whose_wake_was_lost_is_found(bare_world: World) -> None:
    """As after a crash between the parent's settlement and the wake of those that waited for it."""
    world = bare_world
    await connect(world, task={"enabled": True})
    contact, _ = await pair(world)
    await add_task(world, contact)
    await world.quiet()
    lost = text(
        "UPDATE links SET billing_id = NULL, base_crm = NULL, base_billing = NULL, state = 'waiting_for_parent',"
        " waits_for = :parent WHERE object = 'task'"
    )
    async with world.service.engine.begin() as connection:
        await connection.execute(lost, {"parent": f"contact/crm/{contact}"})
    await world.service.worker._rescue_orphans()
    await until(lambda: world.rows("links", object="task", state="ok"))
    assert len(await tasks(world)) == 1

"""What went wrong for others, tried on the whole system. Each test names the report; tests/README.md has the list."""

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.test_contacts import JANE, linked
from tests.flows.test_failures import contact_has, contacts, has
from tests.flows.test_tasks import add_task, crm_task, edit, pair, tasks


async def writes(world: World) -> list[str]:
    """What the service changed at the vendors since the last `forget_calls`."""
    calls = [call for vendor in (world.highlevel, world.ninja) for call in await world.calls(vendor)]
    return [f"{c['method']} {c['path']}" for c in calls if c["method"] != "GET" and not c["path"].endswith("/search")]


async def lose_or_bend(vendor: httpx.AsyncClient, **fault: Any) -> None:
    """A fault of the vendor's deliveries."""
    (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()


async def told(world: World, kind: str, number: int = 1) -> None:
    """Wait until so many events of this kind are answered."""

    async def answered() -> bool:
        return len(await world.rows("events", kind=kind, state="done")) >= number

    await until(answered)
    await world.quiet()


# -- lost, doubled and wrong events ----------------------------------------------------------------------------------


async def test_issue_invoiceninja_6578_an_update_that_is_told_twice_is_written_once(world: World) -> None:
    contact_id, client_id = await linked(world)
    await lose_or_bend(world.ninja, kind="duplicate")
    await world.forget_calls()
    await world.edit_client(client_id, city="York")
    await until(lambda: contact_has(world, contact_id, "city", "York"))
    await world.quiet()
    assert await writes(world) == [f"PUT /contacts/{contact_id}"]


@pytest.mark.parametrize("event_id", ["11", "37"], ids=["deleted", "archived"])
async def test_issue_invoiceninja_12051_a_client_that_is_told_gone_and_is_there_stays_linked(
    world: World, event_id: str
) -> None:
    contact_id, client_id = await linked(world)
    hooks = (await world.ninja.get("/api/v1/webhooks", params={"per_page": "100"})).raise_for_status().json()["data"]
    hook = next(each["id"] for each in hooks if each["event_id"] == event_id)
    await world.forget_calls()
    body = {"entity": "client", "entity_id": client_id}
    (await world.ninja.post(f"/api/v1/webhooks/{hook}/retry", json=body)).raise_for_status()
    await told(world, {"11": "EVENT_DELETE_CLIENT", "37": "EVENT_ARCHIVE_CLIENT"}[event_id])
    assert [link["state"] for link in await world.rows("links", crm_id=contact_id)] == ["ok"]
    assert await writes(world) == []


async def test_issue_highlevel_api_docs_77_what_no_event_told_of_arrives_with_the_next_one(world: World) -> None:
    contact_id, client_id = await linked(world)
    await lose_or_bend(world.highlevel, kind="lose", times=1)
    await world.edit_contact(contact_id, city="York")
    await world.edit_contact(contact_id, website="https://new.example")
    await until(lambda: has(world, client_id, "website", "https://new.example"))
    assert (await world.client(client_id))["city"] == "York"


async def test_issue_highlevel_api_docs_264_do_not_disturb_is_left_as_it_is_whatever_its_event_says(
    world: World,
) -> None:
    contact_id, client_id = await linked(world)
    await world.forget_calls()
    inbound = {"all": {"status": "active", "message": "asked for it"}}
    await world.edit_contact(contact_id, dnd=True, inboundDndSettings=inbound)
    await told(world, "ContactDndUpdate")
    assert await writes(world) == []
    await world.edit_client(client_id, city="York")
    await until(lambda: contact_has(world, contact_id, "city", "York"))
    contact = await world.contact(contact_id)
    assert (contact["dnd"], contact["inboundDndSettings"]) == (True, inbound)


async def test_issue_reapit_foundations_5518_an_older_event_that_arrives_last_changes_nothing(world: World) -> None:
    contact_id, client_id = await linked(world)
    await lose_or_bend(world.highlevel, kind="reorder", times=1)
    await world.edit_contact(contact_id, city="First")
    await world.edit_contact(contact_id, city="Second")
    await told(world, "ContactUpdate", 2)
    assert (await world.client(client_id))["city"] == "Second"
    assert (await world.contact(contact_id))["city"] == "Second"


async def test_issue_reapit_foundations_9608_an_edit_that_is_told_after_the_deletion_brings_nothing_back(
    world: World,
) -> None:
    contact_id, client_id = await linked(world)
    await lose_or_bend(world.highlevel, kind="reorder", times=1)
    await world.edit_contact(contact_id, city="York")
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await told(world, "ContactUpdate")
    await told(world, "ContactDelete")
    (link,) = await world.rows("links")
    assert (link["state"], link["problem"]) == ("unlinked", "crm_gone_archived")
    client = await world.client(client_id)
    assert (client["archived_at"] > 0, client["city"], await contacts(world)) == (True, "London", [])


async def test_issue_mautic_6532_a_create_and_updates_at_the_same_moment_are_one_client(world: World) -> None:
    await lose_or_bend(world.highlevel, kind="duplicate")
    contact_id = await world.add_contact(**JANE)
    await asyncio.gather(*(world.edit_contact(contact_id, city=f"City {number}") for number in range(5)))
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    (client,) = await world.clients()
    assert client["city"] == (await world.contact(contact_id))["city"]
    assert len(await world.rows("links")) == 1


# -- loops -----------------------------------------------------------------------------------------------------------


async def test_issue_opencti_9824_quick_edits_on_both_sides_come_to_rest(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.forget_calls()
    for number in range(2):
        await asyncio.gather(
            world.edit_contact(contact_id, city=f"Crmton {number}"),
            world.edit_client(client_id, city=f"Billingham {number}"),
        )
    await world.quiet()
    assert (await world.contact(contact_id))["city"] == (await world.client(client_id))["city"]
    assert len(await writes(world)) <= 4, "no more than there were edits"


async def test_issue_woocommerce_62507_looking_at_a_record_writes_nothing(world: World) -> None:
    contact_id, _ = await linked(world)
    (event, *_) = await world.rows("events", external_id=contact_id)
    await world.forget_calls()
    heard = len(await world.rows("events"))
    for _ in range(3):
        (await world.admin.post(f"/api/v1/events/{event['id']}/replay")).raise_for_status()
        await until(lambda: world.calls(world.ninja))
        await world.quiet()
    assert await writes(world) == []
    assert len(await world.rows("events")) == heard


async def test_issue_twenty_11322_a_workflow_that_our_own_write_starts_changes_nothing(world: World) -> None:
    contact_id, client_id = await linked(world)
    path = f"/api/v1/connections/{world.crm_connection_id}/webhook-secrets"
    shown = (await world.admin.post(path)).raise_for_status().json()
    own_path = shown["url"].partition("/webhooks/")[2]
    call = {"url": f"{world.url}/webhooks/{own_path}", "headers": {shown["header"]: shown["secret"]}}
    await world.forget_calls()
    await world.edit_client(client_id, city="York")
    await until(lambda: contact_has(world, contact_id, "city", "York"))
    for turn in range(3):  # as a workflow "contact changed" does after each of our writes
        (await world.highlevel.post("/_control/workflow", json={"contactId": contact_id, **call})).raise_for_status()
        await until(partial(_workflows, world, more_than=turn))
        await world.quiet()
        assert await writes(world) == [f"PUT /contacts/{contact_id}"], f"turn {turn}"


async def _workflows(world: World, *, more_than: int) -> bool:
    events = await world.rows("events", kind="Workflow")
    return sum(each["deliveries"] for each in events) > more_than


# -- duplicates and merges -------------------------------------------------------------------------------------------


async def test_issue_invoiceninja_2076_a_client_merged_into_another_leaves_the_contact_as_it_is(world: World) -> None:
    contact_id, ours = await linked(world)
    before = await world.contact(contact_id)
    other = await world.add_client(name="Acme Holding", contacts=[{"email": "office@acme.example"}])
    await world.quiet()
    password = {"X-API-PASSWORD": "sandbox-password"}
    merged = await world.ninja.post(f"/api/v1/clients/{other['id']}/{ours}/merge", headers=password)
    assert merged.status_code == 200, merged.text
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.quiet()
    assert [client["id"] for client in await world.clients()] == [other["id"]], "and no new client is made of it"
    after = await world.contact(contact_id)
    assert {**after, "dateUpdated": ""} == {**before, "city": "York", "dateUpdated": ""}


async def test_issue_highlevel_api_docs_337_an_additional_email_never_takes_the_place_of_the_first(
    world: World,
) -> None:
    """HighLevel refuses the second contact, for the first has this address as an additional one."""
    john = await world.add_contact(firstName="John", lastName="Doe", email="john@doe.example")
    await until(lambda: world.rows("links", crm_id=john, state="ok"))
    await world.quiet()
    refusal = {
        "statusCode": 400,
        "message": "This location does not allow duplicated contacts.",
        "meta": {"contactId": john, "matchingField": "email"},
    }
    await world.fault(world.highlevel, kind="status", status=400, method="POST", path="^/contacts/$", body=refusal)
    await world.forget_calls()
    await world.add_client(name="Doe", contacts=[{"first_name": "John", "email": "jane@doe.example"}])
    (job,) = await until(lambda: world.rows("jobs", state="conflict"))
    await world.quiet()
    assert [candidate["id"] for candidate in job["candidates"]] == [john]
    assert (await world.contact(john))["email"] == "john@doe.example"
    assert await writes(world) == ["POST /contacts/"]


# -- days ------------------------------------------------------------------------------------------------------------


async def due_days_hold(world: World, zone: str, first: tuple[str, str], second: tuple[str, str]) -> None:
    """A task due at a moment is due on the location's day, and on another day at the same hour there."""
    await world.highlevel.post(f"/_control/locations/{LOCATION}", json={"timezone": zone})
    await connect(world, task={"enabled": True})
    contact, _ = await pair(world)
    (moment, day), (later_moment, later_day) = first, second
    task = await add_task(world, contact, dueDate=moment)
    await world.quiet()
    (made,) = await tasks(world)
    assert made["custom_value3"] == day
    await edit(world, made, custom_value3=later_day)
    await world.quiet()
    assert (await crm_task(world, contact, task))["dueDate"].startswith(later_moment.removesuffix("Z"))
    (made,) = await tasks(world)
    assert made["custom_value3"] == later_day


async def test_issue_killbill_1074_a_day_east_of_greenwich_stays_that_day(bare_world: World) -> None:
    first, second = ("2026-12-01T20:30:00Z", "2026-12-02"), ("2026-12-23T20:30:00Z", "2026-12-24")
    await due_days_hold(bare_world, "Pacific/Auckland", first, second)


async def test_issue_odoo_249445_a_day_west_of_greenwich_stays_that_day(bare_world: World) -> None:
    first, second = ("2026-12-02T07:30:00Z", "2026-12-01"), ("2026-12-25T07:30:00Z", "2026-12-24")
    await due_days_hold(bare_world, "America/Los_Angeles", first, second)


async def test_issue_customeros_9214_a_day_on_the_other_side_of_a_clock_change_keeps_its_hour(
    bare_world: World,
) -> None:
    first, second = ("2026-10-30T23:15:00Z", "2026-10-30"), ("2026-11-06T00:15:00Z", "2026-11-05")
    await due_days_hold(bare_world, "America/New_York", first, second)

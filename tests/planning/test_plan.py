"""A plan says what would be done, and writes nothing; applied, exactly that is done."""

import csv
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import World, connect, until
from tests.flows.resting import rest
from tests.flows.test_conflicts import differing
from tests.flows.test_tasks import add_task
from tests.planning.conftest import apply, client, ended, items, person, plan


async def writes(world: World) -> list[tuple[str, str]]:
    """What the service has written to both vendors."""
    asked = [*await world.calls(world.highlevel), *await world.calls(world.ninja)]
    return [
        (each["method"], each["path"])
        for each in asked
        if each["method"] in ("PUT", "DELETE") or (each["method"] == "POST" and not each["path"].endswith("search"))
    ]


def counts(shown: dict[str, Any]) -> dict[str, int]:
    return {action: sum(states.values()) for action, states in shown["items"].items()}


async def test_a_bridge_begins_in_dry_run(dry: World) -> None:
    (bridge,) = await dry.rows("bridges")
    assert (bridge["enabled"], bridge["live_since"]) == (False, None)
    await dry.add_contact(**person(1))
    await dry.quiet()
    assert await dry.clients() == []


async def test_a_plan_counts_and_lists_and_writes_nothing(dry: World) -> None:
    await dry.add_contact(**person(1))
    await dry.add_contact(**person(2, city="York"))
    await dry.add_contact(locationId="sandboxLocation0001", phone="")
    await dry.add_client(**client(2, city="Hull"))
    await dry.add_client(**client(3))
    await dry.add_client(**client(4), custom_value4="copied")
    await dry.add_client(**client(4), custom_value4="copied")
    await dry.forget_calls()
    shown = await plan(dry)
    assert await writes(dry) == []
    assert counts(shown) == {"create": 4, "link": 1, "skip": 1}
    assert await dry.rows("links") == []
    (linked,) = await items(dry, shown["id"], action="link")
    city = next(each for each in linked["changes"] if each["field"] == "city")
    assert (city["side"], city["before"], city["after"]) == ("billing", "Hull", "York")
    assert linked["title"] == "Jane Doe 2"
    (skipped,) = await items(dry, shown["id"], action="skip")
    assert "nothing to recognise it by" in skipped["detail"]
    shared = {(each["side"], each["kind"], each["key"], each["records"]) for each in shown["shared_keys"]}
    assert shared == {("billing", "email", "jane4@acme.example", 2), ("billing", "slot", "copied", 2)}
    matching = (await dry.admin.get(f"/api/v1/set-ups/{dry.bridge_id}/matching")).raise_for_status().json()
    for each in matching["shared_keys"]:
        assert [one["id"] for one in each["named"]] == each["ids"]
        assert [(one["name"], one["link_id"]) for one in each["named"]] == [("Jane Doe 4", None)] * 2


async def test_ambiguous_records_are_conflicts_of_the_plan(dry: World) -> None:
    await dry.add_contact(**person(1, lastName="Other"))
    for number in (1, 2):
        await dry.add_client(**client(1, name=f"Acme {number}"))
    shown = await plan(dry)
    assert counts(shown) == {"conflict": 1, "skip": 2}
    (found,) = await items(dry, shown["id"], action="conflict")
    assert found["problem"] == "ambiguous"
    assert len(found["candidates"]) == 2
    assert {each["problem"] for each in await items(dry, shown["id"], action="skip")} == {"undecided"}


async def test_what_waits_for_a_person_on_a_live_bridge_is_to_be_decided_and_not_in_step(bare_world: World) -> None:
    await connect(bare_world, prefer="ask", task={"enabled": True})
    contact, client_id, _ = await differing(bare_world, city=("Leeds", "Bath"))
    await add_task(bare_world, contact)
    await until(lambda: bare_world.rows("links", object="task", state="ok"))
    await bare_world.add_contact(**person(2))
    await rest(bare_world)
    await bare_world.forget_calls()
    shown = await plan(bare_world)
    assert (counts(shown), shown["counts"]["in step"]) == ({"conflict": 1}, 2)
    (item,) = await items(bare_world, shown["id"], action="conflict")
    assert (item["crm_id"], item["billing_id"].partition("/")[0], item["problem"]) == (contact, client_id, "conflict")
    told = {each["side"]: (each["field"], each["held"], each["conflict"]) for each in item["changes"]}
    assert told == {"billing": ("city", "Leeds", True), "crm": ("city", "Bath", True)}
    assert (await apply(bare_world, shown["id"]))["total"] == 0
    assert await writes(bare_world) == []


async def test_applying_does_what_the_plan_says(dry: World) -> None:
    for number in range(1, 6):
        await dry.add_contact(**person(number))
    await dry.add_client(**client(5, city="Hull"))
    await dry.add_client(**client(6))
    shown = await plan(dry)
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"done": 6}
    assert (run["done"], run["total"]) == (6, 6)
    assert len(await dry.clients()) == 6
    links = await dry.rows("links", limit=50)
    assert {each["state"] for each in links} == {"ok"}
    assert len(links) == 6
    activities = await dry.rows("activities", run_id=run["id"], limit=50)
    assert len(activities) == 6
    again = await plan(dry)
    assert counts(again) == {}
    assert again["counts"]["in step"] == 6


async def test_ten_first_and_then_the_rest(dry: World) -> None:
    for number in range(1, 15):
        await dry.add_contact(**person(number))
    shown = await plan(dry)
    run = await apply(dry, shown["id"], first=10)
    assert run["counts"] == {"done": 10}
    assert len(await dry.clients()) == 10
    run = await apply(dry, shown["id"], go_live=True)
    assert run["counts"] == {"done": 4}
    assert (await dry.rows("bridges"))[0]["enabled"]


async def test_a_record_that_was_changed_since_is_shown_and_not_overwritten(dry: World) -> None:
    contact = await dry.add_contact(**person(1, city="York"))
    made = await dry.add_client(**client(1, city="Hull"))
    shown = await plan(dry)
    await dry.edit_client(made["id"], city="Leeds")
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"changed": 1}
    assert ((await dry.client(made["id"]))["city"], (await dry.contact(contact))["city"]) == ("Leeds", "York")
    (item,) = await items(dry, shown["id"], state="changed")
    city = next(each for each in item["changes"] if each["field"] == "city")
    assert (city["before"], city["after"]) == ("Leeds", "York")
    assert await dry.rows("links") == []
    run = await apply(dry, shown["id"], changed=True)
    assert run["counts"] == {"done": 1}
    assert (await dry.client(made["id"]))["city"] == "York"


async def test_an_event_of_a_record_that_is_put_back_is_still_to_be_answered(dry: World) -> None:
    contact = await dry.add_contact(**person(1))
    shown = await plan(dry)
    await dry.edit_contact(contact, city="York")
    await dry.quiet()
    told = (
        "INSERT INTO events (delivery, bridge_id, provider, side, kind, object, external_id)"
        " VALUES ('told', %s, 'highlevel', 'crm', 'ContactUpdate', 'contact', %s)"
    )
    async with dry.service.engine.begin() as connection:
        await connection.exec_driver_sql(told, (dry.bridge_id, contact))
    assert (await apply(dry, shown["id"]))["counts"] == {"changed": 1}
    assert [each["external_id"] for each in await dry.rows("events", state="pending")] == [contact]


async def test_a_record_that_is_gone_since_is_not_made(dry: World) -> None:
    contact = await dry.add_contact(**person(1))
    shown = await plan(dry)
    (await dry.highlevel.delete(f"/contacts/{contact}")).raise_for_status()
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"changed": 1}
    assert await dry.clients() == []


async def test_other_settings_are_tried_and_cannot_be_applied(dry: World) -> None:
    await dry.add_contact(**person(1))
    await dry.add_client(**client(2))
    (bridge,) = await dry.rows("bridges")
    settings = {**bridge["settings"], "contact": {**bridge["settings"]["contact"], "direction": "to_billing"}}
    shown = await plan(dry, settings=settings)
    assert counts(shown) == {"create": 1, "skip": 1}
    refused = await dry.admin.post(f"/api/v1/plans/{shown['id']}/apply", json={})
    assert refused.status_code == 409
    made = await plan(dry)
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"settings": settings})
    assert (await dry.admin.post(f"/api/v1/plans/{made['id']}/apply", json={})).status_code == 409


async def test_what_another_map_would_have_done_with_last_week(bare_world: World) -> None:
    """Of the records that events have named; one of them was edited before that."""
    await connect(bare_world)
    ids = [await bare_world.add_contact(**person(number, city="York")) for number in (1, 2)]
    await until(lambda: linked(bare_world, 2))
    await bare_world.quiet()
    start = datetime.now(UTC)
    await bare_world.edit_contact(ids[0], city="Hull")
    await until(lambda: bare_world.rows("activities", action="updated"))
    await bare_world.quiet()
    (bridge,) = await bare_world.rows("bridges")
    contact = {**bridge["settings"]["contact"], "fields": [{"crm": "city", "billing": "custom_value1"}]}
    settings = {**bridge["settings"], "contact": contact}
    await bare_world.forget_calls()
    shown = await plan(bare_world, settings=settings, start=start.isoformat())
    assert await writes(bare_world) == []
    (item,) = await items(bare_world, shown["id"])
    assert (item["action"], item["crm_id"]) == ("update", ids[0])
    assert [(each["field"], each["after"]) for each in item["changes"]] == [("custom_value1", "Hull")]
    assert counts(await plan(bare_world, start=start.isoformat())) == {}


async def linked(world: World, count: int) -> bool:
    return len(await world.rows("links", state="ok")) == count


async def test_a_plan_is_exported(dry: World) -> None:
    await dry.add_contact(**person(1, lastName="=1+1"))
    shown = await plan(dry)
    text = (await dry.admin.get(f"/api/v1/plans/{shown['id']}/export")).text
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["field"] for row in rows} >= {"email", "first_name"}
    assert next(row["after"] for row in rows if row["field"] == "last_name") == "'=1+1"
    lines = (await dry.admin.get(f"/api/v1/plans/{shown['id']}/export", params={"form": "json"})).text
    assert [json.loads(line)["action"] for line in lines.splitlines()] == ["create"]


async def test_businesses_come_before_their_contacts(dry: World) -> None:
    settings = {"business": {"enabled": True}}
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"settings": settings})
    made = await dry.highlevel.post("/businesses/", json={"locationId": "sandboxLocation0001", "name": "Acme"})
    business = made.json()["buiseness" if "buiseness" in made.json() else "business"]["id"]
    ids = [await dry.add_contact(**person(number)) for number in (1, 2)]
    body = {"locationId": "sandboxLocation0001", "ids": ids, "businessId": business}
    (await dry.highlevel.post("/contacts/bulk/business", json=body)).raise_for_status()
    shown = await plan(dry)
    assert counts(shown) == {"create": 3}
    assert [each["object"] for each in reversed(await items(dry, shown["id"]))] == ["business", "contact", "contact"]
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"done": 3}
    (whole,) = await dry.clients()
    assert sorted(each["email"] for each in whole["contacts"]) == ["jane1@acme.example", "jane2@acme.example"]


@pytest.mark.parametrize("kind", ["plan", "backfill"])
async def test_what_is_no_plan_is_not_applied(dry: World, kind: str) -> None:
    shown = await plan(dry)
    if kind == "backfill":
        run = await apply(dry, shown["id"])
        assert (await dry.admin.post(f"/api/v1/plans/{run['id']}/apply", json={})).status_code == 404
    else:
        assert (await dry.admin.post("/api/v1/plans/999/apply", json={})).status_code == 404
    await ended(dry, shown["id"])


async def test_what_belongs_to_a_client_of_several_persons_is_planned_with_them(dry: World) -> None:
    """One of its persons speaks for it, whose item was kept with a page before."""
    settings = {"business": {"enabled": True}, "task": {"enabled": True}}
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"settings": settings})
    people = [client(number)["contacts"][0] for number in (1, 2)]
    whole = await dry.add_client(name="Acme", contacts=people)
    body = {"client_id": whole["id"], "description": "Call back"}
    (await dry.ninja.post("/api/v1/tasks", json=body)).raise_for_status()
    shown = await plan(dry)
    made = await items(dry, shown["id"], action="create")
    assert [each["object"] for each in reversed(made)] == ["business", "contact", "contact", "task"], counts(shown)
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"done": 4}

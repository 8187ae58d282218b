"""Replay of a window: each record that its events named, once, as it is now."""

from datetime import UTC, datetime, timedelta

from tests.conftest import World, until
from tests.flows.resting import rest
from tests.flows.test_contacts import linked
from tests.undo.conftest import ended, undo
from tests.undo.test_mapping import replay


async def test_what_was_missed_is_repaired_and_told(world: World) -> None:
    contact_id, client_id = await linked(world)
    await rest(world)
    await world.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await world.edit_contact(contact_id, city="York")
    await rest(world)
    await world.highlevel.delete("/_control/webhook-faults")
    assert (await world.client(client_id))["city"] == "London"
    answer = await replay(world, since="2000-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["kind"]) == (202, "replay")
    run = await ended(world, answer.json()["id"])
    assert (run["total"], run["done"]) == (2, 2)  # the contact, and the client that we made
    assert run["counts"] == {"queued": 2, "updated": 1}
    assert (await world.client(client_id))["city"] == "York"
    (activity, *_) = await world.rows("activities")
    assert activity["run_id"] == run["id"]


async def test_a_window_is_narrowed_and_has_an_end(world: World) -> None:
    contact_id, _ = await linked(world)
    await rest(world)
    for only, total in (({"side": "crm"}, 1), ({"object": "task"}, 0), ({"state": "failed"}, 0)):
        answer = await replay(world, since="2000-01-01T00:00:00Z", **only)
        assert (await ended(world, answer.json()["id"]))["total"] == total
    later = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    assert (await replay(world, since=later)).status_code == 422
    body = {"bridge_id": 77, "from": "2000-01-01T00:00:00Z", "to": later}
    assert (await world.admin.post("/api/v1/replay", json=body)).status_code == 404
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": False})
    assert (await replay(world, since="2000-01-01T00:00:00Z")).status_code == 409
    assert contact_id


async def test_what_was_undone_stays_undone(world: World) -> None:
    _, client_id = await linked(world)
    await rest(world)
    (link,) = await world.rows("links")
    await undo(world, link_id=link["id"])
    await rest(world)
    answer = await replay(world, since="2000-01-01T00:00:00Z")
    await ended(world, answer.json()["id"])
    assert (await world.rows("links"))[0]["problem"] == "undone"
    assert (await world.client(client_id))["archived_at"] > 0


async def test_a_bridge_that_is_switched_off_can_be_undone(world: World) -> None:
    contact_id, client_id = await linked(world)
    await rest(world)
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("activities", action="updated"))
    await rest(world)
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": False})
    (activity,) = await world.rows("activities", action="updated")
    assert (await undo(world, activity_id=activity["id"]))["counts"] == {"restored": 1}
    assert (await world.client(client_id))["city"] == "London"
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": True})
    await world.edit_client(client_id, address1="9 Ash Way")
    await until(lambda: world.rows("activities", action="updated", link_id=activity["link_id"]))
    await rest(world)
    contact = await world.contact(contact_id)
    assert (contact["city"], contact["address1"]) == ("York", "9 Ash Way")

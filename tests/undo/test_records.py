"""Taking back records: what we made is put away, and not made again before somebody asks for it."""

import pytest

from tests.conftest import World, connect, until
from tests.flows.resting import rest
from tests.flows.test_contacts import JANE, linked
from tests.flows.test_notes import add_note
from tests.flows.test_tags import INTO, tag, untag
from tests.undo.conftest import items, newest, preview, undo


async def only_link(world: World) -> dict[str, object]:
    (link,) = await world.rows("links", object="contact")
    return link


async def unmade(world: World) -> tuple[str, str, dict[str, object]]:
    """A client that we made, and its making undone; the run."""
    contact_id, client_id = await linked(world)
    await rest(world)
    run = await undo(world, link_id=(await only_link(world))["id"])
    await rest(world)
    return contact_id, client_id, run


async def test_a_client_that_we_made_is_archived_and_not_made_again(world: World) -> None:
    contact_id, client_id, run = await unmade(world)
    assert (await world.client(client_id))["archived_at"] > 0
    assert run["counts"] == {"restored": 1}
    (item,) = await items(world, run)
    assert (item["field"], item["side"], item["now"], item["outcome"]) == ("record", "billing", "active", "restored")
    await world.forget_calls()
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("events", external_id=contact_id, state="done"))
    await rest(world)
    link = await only_link(world)
    assert (link["state"], link["problem"]) == ("unlinked", "undone")
    assert (await world.client(client_id))["city"] == "London"
    assert await world.clients() == []
    for vendor in (world.highlevel, world.ninja):
        assert not {"PUT", "POST"} & {call["method"] for call in await world.calls(vendor)}


@pytest.mark.parametrize("how", ["retry", "replay", "undo"])
async def test_it_comes_back_when_somebody_asks(world: World, how: str) -> None:
    contact_id, client_id, run = await unmade(world)
    if how == "undo":
        await undo(world, run_id=run["id"])
    else:
        (event, *_) = await world.rows("events", external_id=contact_id)
        path = f"jobs/{(await only_link(world))['id']}/retry" if how == "retry" else f"events/{event['id']}/replay"
        assert (await world.admin.post(f"/api/v1/{path}")).json() == {"queued": 1}
    await until(lambda: world.rows("links", state="ok"))
    await rest(world)
    assert (await world.client(client_id))["archived_at"] == 0
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("activities", action="updated"))
    await rest(world)
    assert (await world.client(client_id))["city"] == "York"
    assert len(await world.clients()) == 1


async def test_a_client_that_somebody_has_edited_stays_and_stays_linked(world: World) -> None:
    contact_id, client_id = await linked(world)
    await rest(world)
    await world.edit_client(client_id, city="York")
    await until(lambda: world.rows("activities", action="updated"))
    await rest(world)
    created = await newest(world, action="created")
    run = await undo(world, activity_id=created["id"])
    await rest(world)
    assert run["counts"] == {"changed_since": 1}
    assert (await world.client(client_id))["archived_at"] == 0
    assert (await only_link(world))["state"] == "ok"
    assert (await world.contact(contact_id))["city"] == "York"


async def test_a_client_with_an_invoice_is_kept_with_the_reason(world: World) -> None:
    _, client_id = await linked(world)
    body = {"client_id": client_id, "line_items": [{"quantity": 1, "cost": 5, "product_key": "a"}]}
    (await world.ninja.post("/api/v1/invoices", json=body)).raise_for_status()
    await rest(world)
    shown = await preview(world, link_id=(await only_link(world))["id"])
    run = await undo(world, link_id=(await only_link(world))["id"])
    (item,) = await items(world, run, outcome="cannot")
    assert item["reason"] == shown["items"][0]["reason"] == "the client has invoices or payments"
    assert (await world.client(client_id))["archived_at"] == 0
    assert (await only_link(world))["problem"] == "undone"


async def test_a_contact_that_we_made_is_never_deleted_and_has_no_second_client(world: World) -> None:
    client = await world.add_client(name="Rossi", city="Roma", contacts=[{"email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await rest(world)
    run = await undo(world, link_id=(await only_link(world))["id"])
    (item,) = await items(world, run, outcome="cannot")
    assert (item["field"], item["side"], item["reason"]) == ("record", "crm", "HighLevel contacts cannot be archived")
    await world.edit_client(client["id"], city="Milano")
    await rest(world)
    link = await only_link(world)
    assert (link["state"], link["problem"]) == ("unlinked", "undone")
    assert (await world.contact(str(link["crm_id"])))["city"] == "Roma"
    assert len((await world.highlevel.get("/_control/state")).json()["contacts"]) == 1


async def test_of_a_pair_that_we_linked_the_values_go_back_and_the_link_stays(bare_world: World) -> None:
    world = bare_world
    client = await world.add_client(name="Acme", city="Leeds", contacts=[{"email": "jane@acme.example"}])
    await connect(world)
    contact_id = await world.add_contact(**JANE)
    await until(lambda: world.rows("links", state="ok"))
    await rest(world)
    assert (await world.client(client["id"]))["city"] == "London"
    await undo(world, link_id=(await only_link(world))["id"])
    await rest(world)
    after = await world.client(client["id"])
    assert (after["city"], after["address1"], after["archived_at"]) == ("Leeds", "", 0)
    assert (await only_link(world))["state"] == "ok"
    assert (await world.contact(contact_id))["city"] == "London"


async def test_a_client_that_was_archived_for_its_deleted_contact_is_brought_back(world: World) -> None:
    contact_id, client_id = await linked(world)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await until(lambda: world.rows("links", state="unlinked"))
    await rest(world)
    assert (await world.client(client_id))["archived_at"] > 0
    run = await undo(world, activity_id=(await newest(world, action="unlinked"))["id"])
    await rest(world)
    assert run["counts"] == {"restored": 1}
    assert (await world.client(client_id))["archived_at"] == 0
    link = await only_link(world)
    assert (link["state"], link["problem"]) == ("unlinked", "crm_gone")


async def test_notes_stay_and_are_listed(bare_world: World) -> None:
    world = bare_world
    await connect(world, note={"enabled": True})
    contact_id, _ = await linked(world)
    await add_note(world, contact_id)
    await until(lambda: world.rows("links", object="note", state="ok"))
    await rest(world)
    (note,) = await world.rows("links", object="note")
    run = await undo(world, link_id=note["id"])
    (item,) = await items(world, run)
    assert (item["outcome"], item["field"]) == ("cannot", "record")
    assert "notes stay" in item["reason"]
    assert (await world.rows("links", object="note"))[0]["state"] == "ok"


async def test_tags_go_back_word_by_word(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"tags": INTO})
    contact_id, client_id = await linked(world)
    await tag(world, contact_id, "kept", "left")
    await rest(world)
    assert (await world.client(client_id))["custom_value1"] == "kept, left"
    await tag(world, contact_id, "added", "removed later")
    await untag(world, contact_id, "left")
    await rest(world)
    since = (await world.rows("activities", action="updated"))[0]
    await world.edit_client(client_id, custom_value1="added, by hand, kept")
    await rest(world)
    run = await undo(world, activity_id=since["id"])
    await rest(world)
    assert run["counts"] == {"restored": 1}
    after = (await world.client(client_id))["custom_value1"]
    assert set(after.split(", ")) >= {"by hand", "kept"}
    assert "removed later" not in after
    assert sorted((await world.contact(contact_id))["tags"]) == ["added", "by hand", "kept"]

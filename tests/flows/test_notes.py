"""Notes, both ways, between the running service and both simulators."""

import asyncio
from typing import Any

import pytest

from tests.conftest import World, connect, until
from tests.flows.resting import rest, swept

FIELDS = [{"crm": "first_name", "billing": "first_name"}, {"crm": "email", "billing": "email"}]
ODD = ["x" * 300, "🧾 ✅", "שלום עולם", "a < b & c > d", "<script>no</script>", "one\n\ntwo", "Tom &amp; Jerry"]


@pytest.fixture
async def noted(bare_world: World) -> World:
    """A bridge with notes switched on."""
    await connect(bare_world, note={"enabled": True})
    return bare_world


@pytest.fixture
async def kept(bare_world: World) -> World:
    """A bridge where notes are kept in the client's private notes."""
    await connect(bare_world, note={"enabled": True, "into": "private_notes"}, contact={"fields": FIELDS})
    return bare_world


async def pair(world: World, email: str = "ada@example.com") -> tuple[str, str]:
    contact = await world.add_contact(firstName="Ada", email=email)

    async def made() -> str:
        rows = await world.rows("links", object="contact", state="ok")
        return next((str(row["billing_id"]) for row in rows if row["crm_id"] == contact), "")

    client = await until(made, 20)
    await world.quiet()
    return contact, str(client)


async def add_note(world: World, contact: str, body: str = "He wants an offer.") -> str:
    answer = await world.highlevel.post(f"/contacts/{contact}/notes", json={"body": body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["note"]["id"])


async def crm_notes(world: World, contact: str) -> list[str]:
    found = (await world.highlevel.get(f"/contacts/{contact}/notes")).raise_for_status().json()["notes"]
    return [str(each["body"]) for each in found]


async def say(world: World, client: str, text: str, entity: str = "clients") -> None:
    """As a person does in the web application."""
    body = {"entity": entity, "entity_id": client, "notes": text}
    (await world.ninja.post("/api/v1/activities/notes", json=body)).raise_for_status()


async def activities(world: World, client: str) -> list[str]:
    """The texts on a client, oldest first."""
    body = {"entity": "client", "entity_id": client, "rows": 500}
    found = (await world.ninja.post("/api/v1/activities/entity", json=body)).raise_for_status().json()["data"]
    return [str(each["notes"]) for each in reversed(found) if each["activity_type_id"] == 141]


async def poll(world: World) -> None:
    await swept(world)
    await world.quiet()


async def arrived(world: World, count: int = 1) -> None:
    async def ok() -> bool:
        return [row["state"] for row in await world.rows("links", object="note")] == ["ok"] * count

    await until(ok, 20)
    await world.quiet()


async def private_notes(world: World, client: str) -> str:
    return str((await world.client(client))["private_notes"])


async def test_a_note_of_a_contact_becomes_an_activity_note_and_never_comes_back(noted: World) -> None:
    contact, client = await pair(noted)
    await add_note(noted, contact, "<p>He wants an <b>offer</b> &amp; a call.</p><p>Soon.</p>")
    await arrived(noted)
    assert await activities(noted, client) == ["He wants an offer & a call.\nSoon."]
    await poll(noted)
    assert len(await crm_notes(noted, contact)) == 1
    assert await noted.rows("events", kind="sweep") == []


async def test_an_edit_is_a_correction_and_a_deletion_a_line(noted: World) -> None:
    contact, client = await pair(noted)
    note = await add_note(noted, contact)
    await arrived(noted)
    (row,) = await noted.rows("links", object="note")
    own = row["billing_id"].partition("/")[2]
    for body in ("He wants two offers.", "He wants three."):
        await noted.highlevel.put(f"/contacts/{contact}/notes/{note}", json={"body": body})
        await noted.quiet()
    await poll(noted)
    await noted.highlevel.delete(f"/contacts/{contact}/notes/{note}")
    await noted.quiet()
    first, second, third, last = await activities(noted, client)
    assert first == "He wants an offer."
    assert second.startswith("Correction of the note of 20")
    assert second.endswith(f" [#{own}]:\n\nHe wants two offers.")
    assert third.endswith(f" [#{own}]:\n\nHe wants three.")
    assert last.endswith(f" [#{own}] was deleted in the CRM.")
    (row,) = await noted.rows("links", object="note")
    assert (row["state"], row["problem"]) == ("unlinked", "crm_gone_archived")
    await poll(noted)
    assert await crm_notes(noted, contact) == []
    assert len(await activities(noted, client)) == 4


async def test_what_a_notice_has_written_is_no_note_for_billing(bare_world: World) -> None:
    """It comes back as news of a note, and again when a person edits it."""
    await connect(bare_world, note={"enabled": True}, notice={"enabled": True})
    contact, client = await pair(bare_world)
    body = {"client_id": client, "line_items": [{"cost": 100, "quantity": 1}]}
    (await bare_world.ninja.post("/api/v1/invoices", json=body, params={"mark_sent": "true"})).raise_for_status()
    await until(lambda: bare_world.rows("links", object="notice", state="ok"), 20)
    await rest(bare_world)
    (told,) = (await bare_world.highlevel.get(f"/contacts/{contact}/notes")).json()["notes"]
    assert told["body"].endswith("was sent.")
    path = f"/contacts/{contact}/notes/{told['id']}"
    (await bare_world.highlevel.put(path, json={"body": "They have it."})).raise_for_status()
    await add_note(bare_world, contact, "A note of a person's.")
    await rest(bare_world)
    assert await activities(bare_world, client) == ["A note of a person's."]
    assert {row["kind"] for row in await bare_world.rows("events", external_id=f"{contact}/{told['id']}")} == {
        "NoteCreate",
        "NoteUpdate",
    }
    assert await bare_world.rows("activities", action="excluded") == []


async def test_a_deleted_note_is_kept_without_a_word_where_the_owner_wants_it(bare_world: World) -> None:
    await connect(bare_world, note={"enabled": True, "crm_deleted": "keep"})
    contact, client = await pair(bare_world)
    note = await add_note(bare_world, contact)
    await arrived(bare_world)
    await bare_world.highlevel.delete(f"/contacts/{contact}/notes/{note}")
    await bare_world.quiet()
    assert await activities(bare_world, client) == ["He wants an offer."]


async def test_a_new_activity_note_becomes_one_note_of_the_contact(noted: World) -> None:
    contact, client = await pair(noted)
    await say(noted, client, "Paid by cheque <b>today</b>")
    for _ in range(3):
        await poll(noted)
    assert len(await crm_notes(noted, contact)) == 1
    assert len(await activities(noted, client)) == 1
    (row,) = await noted.rows("links", object="note")
    assert row["base_crm"] == row["base_billing"] == {"body": "Paid by cheque <b>today</b>"}
    await noted.highlevel.put(f"/contacts/{contact}/notes/{row['crm_id'].partition('/')[2]}", json={"body": "By card"})
    await noted.quiet()
    await poll(noted)
    assert await crm_notes(noted, contact) == ["By card"]
    assert (await activities(noted, client))[1].endswith("\n\nBy card")


async def test_a_poll_that_finds_the_note_before_its_pair_is_made_makes_no_twin(noted: World) -> None:
    """The activity is there, its answer was lost: the poll finds it before the one who wrote it looks again."""
    contact, client = await pair(noted)
    await noted.fault(noted.ninja, kind="drop_after", method="POST", path="^/api/v1/activities/notes$", times=1)
    await add_note(noted, contact, "Slow <i>one</i> <b>x</b>")
    await until(lambda: activities(noted, client), 20)
    await swept(noted)
    assert len(await noted.rows("events", kind="sweep")) == 1
    await arrived(noted)
    assert len(await crm_notes(noted, contact)) == 1
    assert len(await activities(noted, client)) == 1


async def test_polling_is_one_call_and_sees_notes_on_clients_only(noted: World) -> None:
    contact, client = await pair(noted)
    task = (await noted.ninja.post("/api/v1/tasks", json={"client_id": client})).raise_for_status().json()["data"]
    await say(noted, str(task["id"]), "on a task", entity="tasks")
    await noted.quiet()
    await noted.forget_calls()
    await poll(noted)
    assert [each["path"] for each in await noted.calls(noted.ninja)] == ["/api/v1/activities"]
    assert await crm_notes(noted, contact) == []


async def test_more_notes_than_a_page_are_all_found(noted: World) -> None:
    contact, client = await pair(noted)
    for number in range(130):
        await say(noted, client, f"Note {number}")
    await swept(noted)
    await noted.quiet(120)
    assert sorted(await crm_notes(noted, contact)) == sorted(f"Note {number}" for number in range(130))


async def test_notes_from_before_the_bridge_stay_where_they_are(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    await say(bare_world, client, "Old")
    await asyncio.sleep(1.1)  # its times have whole seconds
    await bare_world.admin.delete(f"/api/v1/bridges/{bare_world.bridge_id}")
    bridge = {
        "name": "Later",
        "crm_connection_id": bare_world.crm_connection_id,
        "billing_connection_id": bare_world.billing_connection_id,
        "settings": {"note": {"enabled": True}},
        "live": True,
    }
    assert (await bare_world.admin.post("/api/v1/bridges", json=bridge)).status_code == 201
    await say(bare_world, client, "New")
    await poll(bare_world)
    await bare_world.edit_contact(contact, lastName="Lovelace")
    await arrived(bare_world)
    assert await crm_notes(bare_world, contact) == ["New"]


async def test_a_lost_answer_makes_no_second_note(noted: World) -> None:
    contact, client = await pair(noted)
    await add_note(noted, contact, "Called")
    await arrived(noted)
    await noted.fault(noted.ninja, kind="drop_after", method="POST", path="^/api/v1/activities/notes$", times=1)
    second = await add_note(noted, contact, "Called")
    await arrived(noted, 2)
    assert await activities(noted, client) == ["Called"] * 2
    await noted.fault(noted.ninja, kind="drop_after", method="POST", path="^/api/v1/activities/notes$", times=1)
    await noted.highlevel.put(f"/contacts/{contact}/notes/{second}", json={"body": "Called twice"})
    await arrived(noted, 2)
    assert len(await activities(noted, client)) == 3


async def test_a_lost_answer_of_the_crm_makes_no_second_note(noted: World) -> None:
    contact, client = await pair(noted)
    await noted.fault(noted.highlevel, kind="drop_after", method="POST", path="/notes$", times=1)
    await say(noted, client, "Paid")
    await swept(noted)
    await arrived(noted)
    assert await crm_notes(noted, contact) == ["Paid"]


async def test_odd_texts_arrive_whole_both_ways(noted: World) -> None:
    contact, client = await pair(noted)
    for text in ODD:
        await add_note(noted, contact, text)
    await arrived(noted, len(ODD))
    assert sorted(await activities(noted, client)) == sorted(ODD)
    other, theirs = await pair(noted, "bob@example.com")
    for text in [*ODD, "<b>x</b>\n\ny & z"]:
        await say(noted, theirs, text)
    await poll(noted)
    assert sorted(await crm_notes(noted, other)) == sorted([*ODD, "<p>&lt;b&gt;x&lt;/b&gt;<br><br>y &amp; z</p>"])
    assert len(await activities(noted, theirs)) == len(ODD) + 1


async def test_a_change_costs_three_calls(noted: World) -> None:
    contact, _ = await pair(noted)
    await noted.forget_calls()
    note = await add_note(noted, contact)
    await arrived(noted)
    assert len([*await noted.calls(noted.highlevel), *await noted.calls(noted.ninja)]) <= 3
    await noted.forget_calls()
    await noted.highlevel.put(f"/contacts/{contact}/notes/{note}", json={"body": "Another"})
    await until(lambda: noted.rows("events", kind="NoteUpdate", state="done"))
    await noted.quiet()
    assert len([*await noted.calls(noted.highlevel), *await noted.calls(noted.ninja)]) <= 3


async def test_a_note_waits_for_its_contact(noted: World) -> None:
    fault = {"kind": "status", "status": 503, "method": "POST", "path": "^/api/v1/clients$", "times": 3}
    await noted.fault(noted.ninja, **fault)
    contact = await noted.add_contact(firstName="Ada", email="ada@example.com")
    await add_note(noted, contact)
    await until(lambda: noted.rows("links", object="note", state="waiting_for_parent"))
    await arrived(noted)


async def test_where_notes_are_off_or_go_one_way_nothing_is_asked(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    await bare_world.forget_calls()
    await add_note(bare_world, contact)
    await say(bare_world, client, "Hello")
    await poll(bare_world)
    assert await bare_world.calls(bare_world.ninja) == []
    change = {"settings": {"note": {"enabled": True, "direction": "to_billing"}}}
    (await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json=change)).raise_for_status()
    await poll(bare_world)
    assert await bare_world.calls(bare_world.ninja) == []


async def test_notes_in_the_private_notes_are_blocks_and_all_else_stays(kept: World) -> None:
    contact, client = await pair(kept)
    await kept.edit_client(client, private_notes="Mine, above")
    await kept.quiet()
    first, second = [await add_note(kept, contact, f"Note {n}") for n in (1, 2)]
    await arrived(kept, 2)
    settings = (await kept.client(client))["settings"]
    await kept.edit_client(client, private_notes=f"{await private_notes(kept, client)}\n\nMine, below")
    await kept.highlevel.put(f"/contacts/{contact}/notes/{first}", json={"body": "Note one"})
    await kept.highlevel.delete(f"/contacts/{contact}/notes/{second}")
    await kept.quiet()
    text = await private_notes(kept, client)
    assert text.startswith("Mine, above\n\n[Note of 20")
    assert text.endswith("\n\nMine, below")
    assert "\nNote one\n[End of note #" in text
    assert ", deleted in the CRM]\nNote 2\n" in text
    assert text.count("[Note of") == 2
    assert (await kept.client(client))["settings"] == settings
    assert await activities(kept, client) == []


async def test_many_notes_at_once_lose_none_of_their_blocks(kept: World) -> None:
    contact, client = await pair(kept)
    notes = await asyncio.gather(*(add_note(kept, contact, f"Note {n}.") for n in range(8)))
    await arrived(kept, 8)
    text = await private_notes(kept, client)
    assert [text.count(f"\nNote {n}.\n") for n in range(8)] == [1] * 8
    change = {note: f"Changed {n}." for n, note in enumerate(notes)}
    await asyncio.gather(
        *(kept.highlevel.put(f"/contacts/{contact}/notes/{note}", json={"body": b}) for note, b in change.items())
    )
    await kept.quiet()
    text = await private_notes(kept, client)
    assert [text.count(f"\nChanged {n}.\n") for n in range(8)] == [1] * 8


async def test_a_lost_answer_makes_no_second_block(kept: World) -> None:
    contact, client = await pair(kept)
    await kept.fault(kept.ninja, kind="drop_after", method="PUT", path="^/api/v1/clients/", times=1)
    await add_note(kept, contact)
    await arrived(kept)
    assert (await private_notes(kept, client)).count("[Note of") == 1


async def test_activity_notes_still_come_where_notes_are_kept_as_blocks(kept: World) -> None:
    contact, client = await pair(kept)
    await say(kept, client, "Paid")
    await poll(kept)
    assert await crm_notes(kept, contact) == ["Paid"]


async def test_a_text_that_is_mapped_already_is_refused(bare_world: World) -> None:
    await connect(bare_world)
    change: dict[str, Any] = {"settings": {"note": {"enabled": True, "into": "private_notes"}}}
    answer = await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json=change)
    assert answer.status_code == 422
    assert "notes cannot go into private_notes: the contact's field map has it as well" in answer.text

"""A person leaves a record out, or cuts a pair, and takes it back."""

from typing import Any

from sqlalchemy import text

from tests.conftest import World, until

JANE = {"firstName": "Jane", "lastName": "Doe", "email": "jane@acme.example", "city": "York"}
REFUSAL = {"message": "The given data was invalid.", "errors": {"phone": ["This phone is none."]}}


async def pair(world: World) -> tuple[str, str]:
    contact_id = await world.add_contact(**JANE)
    await until(world.clients)
    await world.quiet()
    (client,) = await world.clients()
    return contact_id, client["id"]


async def ask(world: World, what: str, status: int) -> dict[str, Any]:
    answer = await world.admin.post(f"/api/v1/links/1/{what}")
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_what_is_left_out_is_neither_read_nor_written_until_it_is_taken_in_again(world: World) -> None:
    contact_id, client_id = await pair(world)
    link = await ask(world, "exclude", 200)
    assert (link["state"], link["problem"]) == ("excluded", "left_out")
    assert link["explanation"]["title"] == "A person leaves it out"
    await world.forget_calls()
    await world.edit_contact(contact_id, city="Leeds")
    await world.edit_client(client_id, address1="1 Elm Row")
    await world.quiet()
    assert await world.calls(world.highlevel) == await world.calls(world.ninja) == []
    assert {each["state"] for each in await world.rows("events")} == {"done"}

    await ask(world, "include", 202)
    await world.quiet()
    assert (await world.client(client_id))["city"] == "Leeds"
    assert (await world.contact(contact_id))["address1"] == "1 Elm Row"
    (row,) = await world.rows("links")
    assert (row["state"], row["problem"]) == ("ok", "")
    assert [each["action"] for each in await world.rows("activities")] == ["linked", "excluded", "created"]


async def test_a_deletion_of_what_is_left_out_leaves_its_partner_alone(world: World) -> None:
    contact_id, client_id = await pair(world)
    await ask(world, "exclude", 200)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await world.quiet()
    client = await world.client(client_id)
    assert (client["is_deleted"], client["archived_at"]) == (False, 0)
    assert (await world.rows("links"))[0]["problem"] == "left_out"


async def test_a_job_that_works_on_it_in_this_moment_does_not_take_it_in_again(world: World) -> None:
    contact_id, _ = await pair(world)
    await world.fault(world.ninja, kind="latency", seconds=1.0, method="GET")
    await world.edit_contact(contact_id, city="Leeds")
    await until(lambda: world.calls(world.highlevel, "GET"))
    await ask(world, "exclude", 200)
    await world.mend()
    await world.quiet()
    assert (await world.rows("links"))[0]["problem"] == "left_out"


async def test_a_record_that_fails_can_be_left_out_and_is_tried_when_it_is_taken_in(world: World) -> None:
    await world.fault(world.ninja, kind="status", status=422, method="POST", path="/clients", body=REFUSAL)
    await world.add_contact(**JANE)
    await until(lambda: world.rows("jobs", state="failed"))
    await ask(world, "exclude", 200)
    assert await world.rows("jobs") == []
    await world.mend()
    await ask(world, "include", 202)
    await until(world.clients)


async def test_a_pair_that_is_cut_goes_on_as_two_until_it_is_linked_again(world: World) -> None:
    contact_id, client_id = await pair(world)
    await ask(world, "unlink", 202)
    await world.quiet()
    assert (await world.rows("links"))[0]["state"] == "unlinked"
    await world.edit_contact(contact_id, city="Leeds")
    await world.quiet()
    assert (await world.client(client_id))["city"] == "York"
    assert len(await world.clients()) == 1
    await ask(world, "relink", 202)
    await world.quiet()
    assert (await world.client(client_id))["city"] == "Leeds"
    assert (await world.rows("links"))[0]["state"] == "ok"


async def test_what_makes_no_sense_is_refused_in_a_sentence(world: World) -> None:
    await pair(world)
    for what in ("include", "relink"):
        assert (await ask(world, what, 409))["detail"]
    await ask(world, "exclude", 200)
    for what in ("exclude", "unlink"):
        assert "left out" in (await ask(world, what, 409))["detail"]
    assert (await world.admin.post("/api/v1/links/99/exclude")).status_code == 404


async def test_a_connection_that_waits_for_a_log_in_does_not_take_it_in_again(world: World) -> None:
    contact_id, _ = await pair(world)
    await ask(world, "exclude", 200)
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET state = 'needs_reconnect' WHERE provider = 'highlevel'"))
    await world.service.connections.directory.refresh()
    await world.edit_contact(contact_id, city="Leeds")
    await world.quiet()
    assert (await world.rows("links"))[0]["problem"] == "left_out"

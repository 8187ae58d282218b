"""Taking back values: what we wrote, and nobody has changed since, and nothing else."""

from tests.conftest import World, until
from tests.flows.resting import rest
from tests.flows.test_contacts import linked
from tests.undo.conftest import items, newest, preview, undo


async def edited(world: World) -> tuple[str, str, int]:
    """A pair whose contact moved to Cambridge, and its client with it; the activity that did so."""
    contact_id, client_id = await linked(world)
    await rest(world)
    await world.edit_contact(contact_id, city="Cambridge", address1="5 Oak Lane")
    await until(lambda: world.rows("activities", action="updated"))
    await rest(world)
    return contact_id, client_id, int((await newest(world, action="updated"))["id"])


async def test_an_activity_is_undone_and_does_not_echo(world: World) -> None:
    contact_id, client_id, activity = await edited(world)
    await world.forget_calls()
    run = await undo(world, activity_id=activity)
    await rest(world)
    client = await world.client(client_id)
    assert (client["city"], client["address1"]) == ("London", "1 Elm Row")
    assert (await world.contact(contact_id))["city"] == "Cambridge"
    assert run["counts"] == {"restored": 2}
    assert len(await world.calls(world.ninja, "PUT")) == 1
    assert await world.calls(world.highlevel, "PUT") == []
    told = await newest(world)
    assert (told["action"], told["run_id"]) == ("undone", run["id"])
    assert {(c["field"], c["side"], c["before"], c["after"]) for c in told["changes"]} == {
        ("city", "billing", "Cambridge", "London"),
        ("address1", "billing", "5 Oak Lane", "1 Elm Row"),
    }
    events = await world.rows("events", external_id=client_id)
    assert events[0]["outcome"] == "unchanged"


async def test_later_edits_flow_again(world: World) -> None:
    contact_id, client_id, activity = await edited(world)
    await undo(world, activity_id=activity)
    await rest(world)
    await world.edit_client(client_id, city="York")
    await until(lambda: world.calls(world.highlevel, "PUT"))
    await rest(world)
    assert (await world.contact(contact_id))["city"] == "York"
    await world.edit_contact(contact_id, address1="9 Ash Way")
    await rest(world)
    assert (await world.client(client_id))["address1"] == "9 Ash Way"


async def test_a_preview_writes_nothing_and_says_what_will_be(world: World) -> None:
    _, client_id, activity = await edited(world)
    await world.forget_calls()
    shown = await preview(world, activity_id=activity, fields=["city"])
    assert (shown["records"], shown["counts"]) == (1, {"restoring": 1})
    (value,) = shown["items"]
    assert (value["field"], value["side"], value["now"], value["back"]) == ("city", "billing", "Cambridge", "London")
    for vendor in (world.highlevel, world.ninja):
        assert {call["method"] for call in await world.calls(vendor)} == {"GET"}
    assert (await world.client(client_id))["city"] == "Cambridge"


async def test_what_somebody_changed_since_is_left_and_listed(world: World) -> None:
    _, client_id, activity = await edited(world)
    await world.edit_client(client_id, city="Oxford")
    await rest(world)
    run = await undo(world, activity_id=activity)
    await rest(world)
    client = await world.client(client_id)
    assert (client["city"], client["address1"]) == ("Oxford", "1 Elm Row")
    (left,) = await items(world, run, outcome="changed_since")
    assert (left["field"], left["now"], left["wrote"], left["back"]) == ("city", "Oxford", "Cambridge", "London")
    assert run["counts"] == {"restored": 1, "changed_since": 1}


async def test_only_the_named_fields_go_back(world: World) -> None:
    _, client_id, activity = await edited(world)
    await undo(world, activity_id=activity, fields=["address1"])
    client = await world.client(client_id)
    assert (client["city"], client["address1"]) == ("Cambridge", "1 Elm Row")


async def test_an_undo_can_be_undone(world: World) -> None:
    contact_id, client_id, activity = await edited(world)
    first = await undo(world, activity_id=activity)
    await rest(world)
    await undo(world, run_id=first["id"])
    await rest(world)
    client = await world.client(client_id)
    assert (client["city"], client["address1"]) == ("Cambridge", "5 Oak Lane")
    assert (await world.contact(contact_id))["city"] == "Cambridge"


async def test_several_writes_of_a_field_go_back_to_the_first(world: World) -> None:
    contact_id, client_id, activity = await edited(world)
    await world.edit_contact(contact_id, city="Oxford")
    await until(lambda: world.calls(world.ninja, "PUT"))
    await rest(world)
    assert (await world.client(client_id))["city"] == "Oxford"
    at = (await world.admin.get(f"/api/v1/activities/{activity}")).json()["at"]
    run = await undo(world, bridge_id=world.bridge_id, since=at)
    await rest(world)
    client = await world.client(client_id)
    assert (client["city"], client["address1"]) == ("London", "1 Elm Row")
    assert run["counts"] == {"restored": 2}
    link = (await world.rows("links"))[0]
    history = (await world.admin.get(f"/api/v1/links/{link['id']}/history")).json()["fields"]
    (city,) = [each for each in history if (each["field"], each["side"]) == ("city", "billing")]
    assert city["writer"] == "crossledger"
    assert [(w["before"], w["after"]) for w in city["writes"]] == [
        ("Oxford", "London"),
        ("Cambridge", "Oxford"),
        ("London", "Cambridge"),
        ("", "London"),
    ]
    assert city["writes"][0]["run_id"] == run["id"]
    assert city["writes"][1]["event_id"]
    (source,) = [each for each in history if (each["field"], each["side"]) == ("city", "crm")]
    assert (source["writer"], source["writes"]) == ("crm", [])

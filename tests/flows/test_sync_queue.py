"""Invoice Ninja's default queue calls our webhook from inside the API request that we are waiting for."""

from collections.abc import Iterator

import pytest

from app.sandbox.processes import Simulator
from tests.conftest import World, until
from tests.flows.test_contacts import JANE


@pytest.fixture(scope="module")
def ninja_process() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja", queue="sync") as simulator:
        yield simulator


async def test_the_event_of_our_own_create_comes_before_its_answer_and_makes_no_second_contact(world: World) -> None:
    contact_id = await world.add_contact(**JANE)
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    assert len(await world.clients()) == 1
    assert len((await world.highlevel.get("/_control/state")).json()["contacts"]) == 1
    assert len(await world.rows("links")) == 1


async def test_an_edit_in_highlevel_arrives_once(world: World) -> None:
    contact_id = await world.add_contact(**JANE)
    (link,) = await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    await world.forget_calls()
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.calls(world.ninja, "PUT"))
    await world.quiet()
    assert (await world.client(link["billing_id"]))["city"] == "York"
    assert len(await world.calls(world.ninja, "PUT")) == 1
    assert await world.calls(world.highlevel, "PUT") == []


async def test_a_client_made_there_becomes_one_contact(world: World) -> None:
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    assert len((await world.highlevel.get("/_control/state")).json()["contacts"]) == 1
    assert len(await world.clients()) == 1

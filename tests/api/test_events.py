"""Events: shown as they came, and looked at again on demand."""

import asyncio
from typing import Any

import pytest

from app.models import Event
from tests.api.rows import bridge, put
from tests.conftest import World, until

JANE = {"firstName": "Jane", "lastName": "Roe", "email": "jane@example.com"}


async def replay(world: World, event_id: int) -> Any:
    return await world.admin.post(f"/api/v1/events/{event_id}/replay")


async def test_a_replay_brings_the_record_in_step_as_it_is_now(world: World) -> None:
    contact_id = await world.add_contact(**JANE)
    (link,) = await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    await world.highlevel.delete("/_control/webhooks")
    await world.edit_contact(contact_id, city="York")
    event = (await world.rows("events", external_id=contact_id))[-1]
    answer = await replay(world, event["id"])
    assert (answer.status_code, answer.json()) == (202, {"queued": 1})
    await until(lambda: _lives_in(world, link["billing_id"], "York"))


async def _lives_in(world: World, client_id: str, city: str) -> bool:
    return bool((await world.client(client_id))["city"] == city)


async def test_many_replays_of_one_event_at_once_are_all_accepted(world: World) -> None:
    await world.add_contact(**JANE)
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    event = (await world.rows("events"))[0]
    answers = await asyncio.gather(*(replay(world, event["id"]) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    await world.quiet()
    assert len(await world.clients()) == 1


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"bridge_id": None}, "No bridge takes this event"),
        ({"external_id": ""}, "names no record"),
        ({"object": ""}, "names no record"),
        ({}, "switched off"),
    ],
)
async def test_an_event_without_a_record_to_look_at_is_refused_with_a_sentence(
    bare_world: World, changed: dict[str, Any], sentence: str
) -> None:
    row = {
        "delivery": "d",
        "bridge_id": await bridge(bare_world, enabled=False),
        "side": "crm",
        "object": "contact",
        "external_id": "c1",
        "state": "ignored",
        **changed,
    }
    (event_id,) = await put(bare_world, Event, [row])
    answer = await replay(bare_world, event_id)
    assert answer.status_code == 409
    assert sentence in answer.json()["detail"]

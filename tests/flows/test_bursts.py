"""Many quick changes of one record are taken together: the first goes at once, the rest when no more comes."""

import asyncio

import pytest
from sqlalchemy import text

from app.settings import Settings
from tests.conftest import World, until
from tests.flows.test_contacts import linked

CHANGES = 50


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"burst_seconds": Settings.model_fields["burst_seconds"].default})


async def at_rest(world: World) -> None:
    """The pair is no longer fresh: what comes now is the first change after a while."""
    await world.quiet()
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET written_at = now() - interval '1 hour'"))
    await world.forget_calls()


async def test_fifty_changes_of_one_contact_cost_at_most_two_syncs(world: World) -> None:
    contact, client = await linked(world)
    await at_rest(world)
    clock = asyncio.get_running_loop().time
    pauses, before = 0, clock()
    for number in range(CHANGES):
        await world.edit_contact(contact, address1=f"{number} Elm Row")
        await asyncio.sleep(0.02)  # as quick as a person's automation, slower than a sync
        # Where the machine itself pauses, no more comes for a while: that ends a burst.
        pauses += clock() - before > world.service.settings.burst_seconds / 2
        before = clock()
    last = f"{CHANGES - 1} Elm Row"
    await until(lambda: _address(world, client, last))
    await world.quiet()
    assert len(await world.calls(world.ninja, "PUT")) <= 2 + pauses
    assert await world.calls(world.highlevel, "PUT") == []
    assert (await world.client(client))["address1"] == last


async def _address(world: World, client: str, wanted: str) -> bool:
    return bool((await world.client(client))["address1"] == wanted)

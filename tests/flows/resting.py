"""Waiting until nothing is on its way: neither a delivery of a vendor's, nor an event, nor a job."""

from tests.conftest import World, until


async def rest(world: World, seconds: float = 30) -> None:
    async def delivered() -> bool:
        asked = [await vendor.get("/_control/deliveries") for vendor in (world.highlevel, world.ninja)]
        return not any(answer.json()["pending"] for answer in asked)

    await until(delivered, seconds, "deliveries are still on their way")
    await world.quiet(seconds)
    if not await delivered():  # what was written meanwhile is told of as well
        await rest(world, seconds)

"""Waiting until nothing is on its way: neither a delivery of a vendor's, nor an event, nor a job."""

from typing import Any

from app.models.run import RunKind
from app.sweep.readings import Scope
from tests.conftest import World, until


async def unhurried(world: World) -> None:
    """Both vendors tell of a change a moment after they have answered, as the real ones do.

    An event that meets our own write before that is settled asks once more; where calls are counted, none does.
    """
    for vendor in (world.highlevel, world.ninja):
        fault = {"kind": "delay", "share": 1.0, "seconds": 0.6}
        (await vendor.post("/_control/webhook-faults", json=fault)).raise_for_status()


async def rest(world: World, seconds: float = 30) -> None:
    async def delivered() -> bool:
        asked = [await vendor.get("/_control/deliveries") for vendor in (world.highlevel, world.ninja)]
        return not any(answer.json()["pending"] for answer in asked)

    await until(delivered, seconds, "deliveries are still on their way")
    await world.quiet(seconds)
    if not await delivered():  # what was written meanwhile is told of as well
        await rest(world, seconds)


async def swept(
    world: World, scope: Scope = Scope.SILENT, state: str = "done", *, scheduled: bool = False
) -> dict[str, Any]:
    """Sweep every bridge as a person does, and wait until that has ended; what it queued may still be under way."""
    options = {"scope": scope, "scheduled": scheduled}
    run: dict[str, Any] = {}
    for bridge in await world.rows("bridges"):
        run_id = await world.service.runs.begin(bridge["id"], RunKind.SWEEP, options, "test")

        async def ended(path: str = f"/api/v1/runs/{run_id}") -> Any:
            found = (await world.admin.get(path)).raise_for_status().json()
            return found if found["ended_at"] else None

        run = dict(await until(ended, 40, "the sweep did not end"))
        assert run["state"] == state, run
    return run

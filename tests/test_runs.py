"""Runs: checkpoints, pauses, and what ends one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.errors import Forbidden, Gone, Rejected, Retry
from app.models.run import RunKind
from app.runs import Progress, Runs, RunView
from tests.conftest import World, connect, until

Work = Callable[[RunView, Progress], Awaitable[None]]


@pytest.fixture
async def world(bare_world: World) -> World:
    await connect(bare_world)
    return bare_world


def runs(world: World, work: Work) -> Runs:
    world.service.runs.works = {RunKind.SWEEP: work}
    return world.service.runs


async def shown(world: World, run_id: int) -> dict[str, Any]:
    return dict((await world.admin.get(f"/api/v1/runs/{run_id}")).raise_for_status().json())


async def ended(world: World, run_id: int, state: str) -> dict[str, Any]:
    async def there() -> bool:
        return bool((await shown(world, run_id))["state"] == state)

    await until(there, 20, f"the run never was {state}")
    return await shown(world, run_id)


async def begin(world: World, **options: Any) -> int:
    return await world.service.runs.begin(world.bridge_id, RunKind.SWEEP, options, "Jane")


async def count_to(number: int, run: RunView, progress: Progress) -> None:
    for each in range(int(run.position.get("next", 0)), number):
        await progress.checkpoint(position={"next": each + 1}, done=1, total=number, counts={"seen": 1})


async def test_a_run_tells_how_far_it_is_and_ends(world: World) -> None:
    async def work(run: RunView, progress: Progress) -> None:
        await count_to(run.options["to"], run, progress)

    runs(world, work)
    run = await ended(world, await begin(world, to=5), "done")
    assert (run["done"], run["total"], run["counts"], run["actor"]) == (5, 5, {"seen": 5}, "Jane")
    assert min(run["worked"], run["rate"]) > 0
    assert run["seconds_left"] is None
    assert run["ended_at"]


async def test_it_stops_at_a_checkpoint_and_goes_on_from_there(world: World) -> None:
    reached, go_on, seen = asyncio.Event(), asyncio.Event(), list[int]()

    async def work(run: RunView, progress: Progress) -> None:
        for each in range(int(run.position.get("next", 0)), 4):
            if each == 2 and not go_on.is_set():
                reached.set()
                await go_on.wait()
            seen.append(each)
            await progress.checkpoint(position={"next": each + 1}, done=1)

    runs(world, work)
    run_id = await begin(world)
    await asyncio.wait_for(reached.wait(), 20)
    await world.service.runs.pause(run_id)
    go_on.set()
    assert (await ended(world, run_id, "paused"))["done"] == 2
    await world.quiet()
    with pytest.raises(Rejected):
        await world.service.runs.pause(run_id)
    await world.service.runs.resume(run_id)
    assert (await ended(world, run_id, "done"))["done"] == 4
    assert seen == [0, 1, 2, 2, 3]  # what was done without a checkpoint is done again


async def test_one_of_a_kind_at_a_time(world: World) -> None:
    hold = asyncio.Event()

    async def work(run: RunView, progress: Progress) -> None:
        await hold.wait()

    runs(world, work)
    first = await begin(world)
    with pytest.raises(Rejected, match="under way"):
        await begin(world)
    await world.service.runs.cancel(first)
    hold.set()
    assert (await shown(world, first))["state"] == "cancelled"
    assert await ended(world, await begin(world), "done")
    with pytest.raises(Gone):
        await world.service.runs.begin(999, RunKind.SWEEP, {}, "")


async def test_a_vendor_in_trouble_delays_it_and_a_refusal_ends_it(world: World) -> None:
    failures = [Retry("out of order", after=0.1), Forbidden("a scope is missing"), None]

    async def work(run: RunView, progress: Progress) -> None:
        await progress.checkpoint(done=1)
        if failure := failures.pop(0):
            raise failure

    runs(world, work)
    run_id = await begin(world)
    failed = await ended(world, run_id, "failed")
    assert (failed["detail"], failed["done"]) == ("a scope is missing", 2)
    answer = await world.admin.post(f"/api/v1/runs/{run_id}/resume")
    assert answer.json()["state"] in ("running", "done")
    assert (await ended(world, run_id, "done"))["done"] == 3


async def test_a_job_that_was_thought_dead_changes_nothing(world: World) -> None:
    """Another job has the run by then: the late one's checkpoint keeps nothing, nor what was to be kept with it."""
    late, taken, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(run: RunView, progress: Progress) -> None:
        if not taken.is_set():
            taken.set()
            await late.wait()
            try:
                async with world.service.engine.begin() as connection:
                    await connection.execute(text("UPDATE bridges SET name = 'late'"))
                    await progress.checkpoint(connection, done=100)
            finally:
                gone.set()
        else:
            late.set()
            await gone.wait()
            await progress.checkpoint(done=1)

    service = runs(world, work)
    run_id = await begin(world)
    await asyncio.wait_for(taken.wait(), 20)
    await asyncio.wait_for(service.work(run_id, "another job"), 20)
    assert (await ended(world, run_id, "done"))["done"] == 1
    assert (await world.rows("bridges"))[0]["name"] != "late"


async def test_a_run_without_a_job_gets_one(world: World) -> None:
    async def work(run: RunView, progress: Progress) -> None:
        await count_to(3, run, progress)

    service = runs(world, work)
    async with world.service.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO runs (bridge_id, kind, state) VALUES (:bridge, 'sweep', 'running')"),
            {"bridge": world.bridge_id},
        )
    await service.rescue()
    (run,) = await world.rows("runs")
    assert (await ended(world, run["id"], "done"))["done"] == 3


async def test_runs_are_for_operators(world: World) -> None:
    answer = await world.admin.post("/api/v1/runs/999/pause")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no run 999.")

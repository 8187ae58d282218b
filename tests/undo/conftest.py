"""What tests of undoing share: beginning one, waiting for its end, and what it lists."""

from typing import Any

import httpx
import pytest

from tests.conftest import World, connect, until


@pytest.fixture
async def world(bare_world: World) -> World:
    await connect(bare_world)
    return bare_world


async def ended(world: World, run_id: int, state: str = "done") -> dict[str, Any]:
    """The run, once it is `state`."""

    async def there() -> bool:
        run = (await world.admin.get(f"/api/v1/runs/{run_id}")).raise_for_status().json()
        assert run["state"] in (state, "running"), run
        return bool(run["state"] == state)

    await until(there, 40, f"the run never was {state}")
    return dict((await world.admin.get(f"/api/v1/runs/{run_id}")).json())


async def undo(world: World, **what: Any) -> dict[str, Any]:
    """The run of an undo, at its end."""
    answer = await world.admin.post("/api/v1/undo", json=what)
    assert answer.status_code == 202, answer.text
    return await ended(world, answer.json()["id"])


async def preview(world: World, **what: Any) -> dict[str, Any]:
    return dict((await asked(world, **what)).raise_for_status().json())


async def asked(world: World, **what: Any) -> httpx.Response:
    return await world.admin.post("/api/v1/undo/preview", json=what)


async def items(world: World, run: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
    """What became of each value."""
    return await world.rows(f"undo/{run['id']}/items", **params)


async def newest(world: World, **params: Any) -> dict[str, Any]:
    """The newest activity."""
    return (await world.rows("activities", **params))[0]

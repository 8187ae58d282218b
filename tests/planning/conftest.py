"""A bridge in dry run, and what people and the service do with plans."""

from typing import Any

import pytest

from tests.conftest import World, connect, until


@pytest.fixture
async def dry(bare_world: World) -> World:
    """Nothing is written on this bridge but what a plan says."""
    await connect(bare_world, live=False)
    return bare_world


async def ended(world: World, run_id: int, state: str = "done", seconds: float = 50) -> dict[str, Any]:
    async def shown() -> dict[str, Any] | None:
        run = (await world.admin.get(f"/api/v1/runs/{run_id}")).raise_for_status().json()
        return dict(run) if run["state"] not in ("running",) else None

    run = await until(shown, seconds, "the run has not ended")
    assert run["state"] == state, run
    return dict(run)


async def plan(world: World, **wanted: Any) -> dict[str, Any]:
    begun = await world.admin.post(f"/api/v1/bridges/{world.bridge_id}/plan", json=wanted)
    assert begun.status_code == 202, begun.text
    await ended(world, begun.json()["id"])
    return dict((await world.admin.get(f"/api/v1/plans/{begun.json()['id']}")).raise_for_status().json())


async def apply(world: World, plan_id: int, **wanted: Any) -> dict[str, Any]:
    begun = await world.admin.post(f"/api/v1/plans/{plan_id}/apply", json=wanted)
    assert begun.status_code == 202, begun.text
    return await ended(world, begun.json()["id"])


async def items(world: World, plan_id: int, **only: Any) -> list[dict[str, Any]]:
    return await world.rows(f"plans/{plan_id}/items", limit=500, **only)


def person(number: int, **more: Any) -> dict[str, Any]:
    return {"firstName": "Jane", "lastName": f"Doe {number}", "email": f"jane{number}@acme.example", **more}


def client(number: int, **more: Any) -> dict[str, Any]:
    whole = {"first_name": "Jane", "last_name": f"Doe {number}", "email": f"jane{number}@acme.example"}
    return {"name": f"Acme {number}", "contacts": [whole], **more}

"""Two accounts with records that were there before: no webhooks, so that nothing happens but the search."""

from typing import Any

import pytest

from tests.conftest import World, connect, until


@pytest.fixture
async def still(bare_world: World) -> World:
    """Connected, and no vendor calls: what people enter stays where it is."""
    await connect(bare_world)
    for vendor in (bare_world.highlevel, bare_world.ninja):
        (await vendor.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})).raise_for_status()
    settings = {"burst_limit": 0, "delivery_delay": 0.01, "allow_duplicate_contact": True}
    (await bare_world.highlevel.post("/_control/settings", json=settings)).raise_for_status()
    return bare_world


async def begin(world: World, **wanted: Any) -> int:
    answer = await world.admin.post(f"/api/v1/bridges/{world.bridge_id}/duplicates", json=wanted)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


async def ended(world: World, run_id: int, state: str = "done") -> dict[str, Any]:
    async def there() -> dict[str, Any] | None:
        run = dict((await world.admin.get(f"/api/v1/runs/{run_id}")).raise_for_status().json())
        return run if run["state"] not in ("running", "paused") else None

    run: dict[str, Any] = await until(there, 40, "the search never ended")
    assert run["state"] == state, run
    return run


async def search(world: World, **wanted: Any) -> list[dict[str, Any]]:
    """Run a search to its end; its clusters, newest first."""
    await ended(world, await begin(world, **wanted))
    return await world.rows("duplicates")


async def shown(world: World, cluster: dict[str, Any]) -> dict[str, Any]:
    return dict((await world.admin.get(f"/api/v1/duplicates/{cluster['id']}")).raise_for_status().json())


def ids(cluster: dict[str, Any]) -> set[str]:
    return {each["id"] for each in cluster["members"]}


async def client(world: World, name: str, *emails: str, **fields: Any) -> str:
    contacts = [{"first_name": "", "email": email} for email in emails]
    return str((await world.add_client(name=name, **({"contacts": contacts} if contacts else {}), **fields))["id"])

"""Many records: read a page at a time, joined by the database, and taken up again after a stop."""

import asyncio
import json
from typing import Any

from sqlalchemy import text

from app.duplicates import statements
from tests.conftest import World, until
from tests.duplicates.conftest import begin, ended, search

AT_ONCE = 50


async def fill(world: World, many: int) -> None:
    """Clients of which each pair of neighbours has an e-mail in common, without anybody telling of it."""
    todo = iter(range(many))

    async def enter() -> None:
        for number in todo:
            await world.add_client(name=f"C{number}", contacts=[{"email": f"c{number // 2}@acme.example"}])

    await asyncio.gather(*(enter() for _ in range(AT_ONCE)))


def row(number: int) -> dict[str, Any]:
    """One of the many: with a neighbour it shares an e-mail, with a distant one a phone, a number with nobody."""
    keys = [["email", f"e{number // 2}"], ["phone", f"p{number % 15_000}"], ["vat", f"v{number}"]]
    card = dict.fromkeys(("name", "company", "email", "phone", "city"), "") | {"filled": 0, "money": None}
    return {"external_id": f"x{number}", "card": card, "keys": [*keys, ["name_postcode", "Acme, 1"]]}


async def read_already(world: World, many: int) -> int:
    """A search that was paused after it had read all of billing."""
    made = text("""
        INSERT INTO runs (bridge_id, kind, state, options, position, done) VALUES (:bridge, 'duplicates', 'paused',
            '{"sides": ["billing"], "common_above": 10}', '{"read": ["billing"]}', :many) RETURNING id
    """)
    async with world.service.engine.begin() as connection:
        run_id = int(await connection.scalar(made, {"bridge": world.bridge_id, "many": many}) or 0)
        for first in range(0, many, 1000):
            rows = json.dumps([row(number) for number in range(first, first + 1000)])
            await connection.execute(statements.STORE, {"run_id": run_id, "side": "billing", "records": rows})
    return run_id


async def test_a_thousand_records_cost_a_call_for_each_page(still: World) -> None:
    await fill(still, 1000)
    await still.forget_calls()
    run = await ended(still, await begin(still, side="billing"))
    assert run["counts"] == {"billing records": 1000, "clusters": 500, "keys that are too common": 0}
    assert run["done"] == 1000
    assert len(await still.calls(still.ninja)) == 1000 / 200
    async with still.service.engine.connect() as connection:
        left = "SELECT (SELECT count(*) FROM duplicate_records) + (SELECT count(*) FROM duplicate_keys)"
        assert await connection.scalar(text(left)) == 0


async def test_fifty_thousand_records_are_joined_without_comparing_each_with_each(still: World) -> None:
    """Where the planner takes the clusters for few, this takes minutes."""
    run_id = await read_already(still, 50_000)
    (await still.admin.post(f"/api/v1/runs/{run_id}/resume")).raise_for_status()
    run = await ended(still, run_id)
    assert run["counts"] == {"clusters": 7500, "keys that are too common": 1}
    outcome = (await still.admin.get(f"/api/v1/bridges/{still.bridge_id}/duplicates")).json()
    assert (outcome["open"]["billing"], outcome["too_common"][0]["records"]) == (7500, 50_000)
    sizes = [len(each["members"]) for each in await still.rows("duplicates", limit=500)]
    assert set(sizes) <= {6, 8}


async def test_a_search_that_was_stopped_reads_the_side_again_and_counts_each_record_once(
    still: World,
) -> None:
    """Paused in the middle of the list; what was read before is not read into two."""
    await fill(still, 450)
    await still.fault(still.ninja, kind="latency", method="GET", path="/clients", seconds=0.05)
    run_id = await begin(still, side="billing")

    async def halfway() -> bool:
        return bool((await still.admin.get(f"/api/v1/runs/{run_id}")).json()["done"])

    await until(halfway)
    (await still.admin.post(f"/api/v1/runs/{run_id}/pause")).raise_for_status()
    paused = (await still.admin.get(f"/api/v1/runs/{run_id}")).json()
    assert paused["state"] == "paused"
    (await still.admin.post(f"/api/v1/runs/{run_id}/resume")).raise_for_status()
    run = await ended(still, run_id)
    assert (run["done"], run["counts"]["billing records"], run["counts"]["clusters"]) == (450, 450, 225)


async def test_what_a_cancelled_search_left_is_gone_with_the_next(still: World) -> None:
    await fill(still, 20)
    await still.fault(still.ninja, kind="status", status=503, method="GET", path="/clients", times=1)
    run_id = await begin(still, side="billing")
    async with still.service.engine.begin() as connection:
        left = {"run_id": run_id, "side": "billing", "records": json.dumps([row(1)])}
        await connection.execute(statements.STORE, left)
    (await still.admin.post(f"/api/v1/runs/{run_id}/cancel")).raise_for_status()
    (cluster, *_) = await search(still, side="billing")
    assert "x1" not in {each["id"] for each in cluster["members"]}
    async with still.service.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM duplicate_records")) == 0

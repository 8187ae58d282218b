"""An undo that is stopped in the middle, and two at once."""

from collections import Counter
from typing import Any

import httpx
import pytest

from app.errors import Retry
from app.undo.store import UndoStore
from tests.bench.killing import QUICK
from tests.conftest import World, until
from tests.flows.driver import ADMIN_TOKEN, Site, installed
from tests.flows.resting import rest
from tests.undo.conftest import asked, ended, items, newest
from tests.undo.test_values import edited

MANY = 40


async def test_one_that_stops_after_its_write_does_not_echo_and_knows_its_own_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the vendor tells of our write arrives before the undo has stored that it was one."""
    contact_id, client_id, activity = await edited(world)
    settle, stopped = UndoStore.settle, list[int]()

    async def stop_once(self: UndoStore, *given: Any) -> None:
        if not stopped:
            stopped.append(1)
            raise Retry("stopped", after=1)
        await settle(self, *given)

    monkeypatch.setattr(UndoStore, "settle", stop_once)
    await world.forget_calls()
    answer = await world.admin.post("/api/v1/undo", json={"activity_id": activity})
    await until(lambda: world.calls(world.ninja, "PUT"))
    await rest(world)
    run = await ended(world, answer.json()["id"])
    await rest(world)
    assert stopped
    assert len(await world.calls(world.ninja, "PUT")) == 1
    assert await world.calls(world.highlevel, "PUT") == []
    assert (await world.contact(contact_id))["city"] == "Cambridge"
    assert (await world.client(client_id))["city"] == "London"
    assert run["counts"] == {"restored": 2}
    told = await newest(world, action="undone")
    assert {(c["field"], c["before"], c["after"]) for c in told["changes"]} == {
        ("city", "Cambridge", "London"),
        ("address1", "5 Oak Lane", "1 Elm Row"),
    }


async def test_while_one_is_under_way_there_is_no_second_one(world: World) -> None:
    _, client_id, activity = await edited(world)
    await world.fault(world.ninja, kind="status", status=503, method="GET", path="/api/v1/clients")
    first = await world.admin.post("/api/v1/undo", json={"activity_id": activity})
    assert first.status_code == 202
    second = await world.admin.post("/api/v1/undo", json={"activity_id": activity})
    assert (second.status_code, "under way" in second.json()["detail"]) == (422, True)
    await world.mend()
    run = await ended(world, first.json()["id"])
    assert run["counts"] == {"restored": 2}
    again = await world.admin.post("/api/v1/undo", json={"activity_id": activity})
    assert (await ended(world, again.json()["id"]))["counts"] == {"restored": 2}
    assert {each["reason"] for each in await items(world, again.json())} == {"it is so already"}
    assert len(await world.rows("activities", action="undone")) == 1
    assert (await world.client(client_id))["city"] == "London"


async def test_what_is_not_there_is_said(world: World) -> None:
    for name in ("activity_id", "link_id", "run_id"):
        assert (await asked(world, **{name: 77})).status_code == 404
    wrong: tuple[dict[str, Any], ...] = (
        {},
        {"activity_id": 1, "link_id": 1},
        {"bridge_id": 1},
        {"link_id": 1, "since": "2026-01-01T00:00Z"},
    )
    for what in wrong:
        assert (await asked(world, **what)).status_code == 422
    nothing = await asked(world, bridge_id=world.bridge_id, since="2026-01-01T00:00:00Z")
    assert (nothing.status_code, "nothing to undo" in nothing.json()["detail"]) == (422, True)


async def test_killed_in_the_middle_it_goes_on_and_does_nothing_twice() -> None:
    async with installed(forks=True, **QUICK) as site:
        service = await site.serve()
        await site.subscribe_ninja(await site.connect())
        await site.subscribe_highlevel()
        activities = await _edited(site)
        await site.forget_calls()
        authorized = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with httpx.AsyncClient(base_url=site.url, headers=authorized, timeout=30, trust_env=False) as admin:
            what = {"bridge_id": 1, "since": activities, "fields": ["city"]}
            run_id = (await admin.post("/api/v1/undo", json=what)).raise_for_status().json()["id"]
        await until(lambda: _written(site, MANY // 4), 60)
        service.kill()
        await site.serve()

        async def done() -> bool:
            return await site.rows("SELECT state FROM runs WHERE id = %s", run_id) == [("done",)]

        await until(done, 100, "the undo never ended")
        await site.at_rest()
        # A request that the kill cut off in the middle (status 0) was carried out by nobody.
        puts = Counter(c["path"] for c in await site.calls(site.ninja) if c["method"] == "PUT" and c["status"])
        assert set(puts.values()) == {1}
        assert len(puts) == MANY
        assert [call for call in await site.calls(site.highlevel) if call["method"] == "PUT"] == []
        assert {client["city"] for client in await site.clients()} == {"London"}
        told = await site.rows("SELECT count(*), count(DISTINCT link_id) FROM activities WHERE action = 'undone'")
        assert told == [(MANY, MANY)]
        run = await site.rows("SELECT done, counts FROM runs WHERE id = %s", run_id)
        assert run == [(MANY, {"restored": MANY})]


async def _edited(site: Site) -> str:
    """All contacts moved to York, and their clients with them; the moment before."""
    contacts = [
        await site.add_contact(firstName="Jane", lastName=f"Doe {n}", email=f"j{n}@x.example", city="London")
        for n in range(MANY)
    ]
    await site.at_rest()
    (moment,) = (await site.rows("SELECT now()"))[0]
    for contact in contacts:
        await site.edit_contact(contact, city="York")
    await site.at_rest()
    assert {client["city"] for client in await site.clients()} == {"York"}
    return str(moment.isoformat())


async def _written(site: Site, count: int) -> bool:
    return len([call for call in await site.calls(site.ninja) if call["method"] == "PUT"]) >= count

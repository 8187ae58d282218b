"""A backfill beside the rest: live events, vendors in trouble, refused records, lost answers."""

import asyncio

import pytest

from app.budget import Budgets, Limit
from app.errors import Wait
from app.planning import backfill
from app.planning.backfill import PAGE
from tests.conftest import World, until
from tests.flows.test_products import add, add_price
from tests.planning.conftest import apply, client, ended, items, person, plan


async def begin(world: World, plan_id: int) -> int:
    begun = await world.admin.post(f"/api/v1/plans/{plan_id}/apply", json={})
    assert begun.status_code == 202, begun.text
    return int(begun.json()["id"])


async def test_a_create_whose_answer_is_lost_is_found_and_not_made_again(dry: World) -> None:
    for number in range(1, 4):
        await dry.add_contact(**person(number))
    shown = await plan(dry)
    await dry.fault(dry.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=2)
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"done": 3}
    assert len(await dry.clients()) == 3


async def test_a_vendor_that_is_away_for_a_while_delays_it(dry: World) -> None:
    for number in range(1, 4):
        await dry.add_contact(**person(number))
    shown = await plan(dry)
    await dry.fault(dry.ninja, kind="status", status=503, method="POST", path="^/api/v1/clients$", times=500)
    run_id = await begin(dry, shown["id"])

    async def waits() -> bool:
        return bool((await dry.admin.get(f"/api/v1/runs/{run_id}")).json()["detail"])

    await until(waits, 40, "the run never said that it waits")
    (await dry.ninja.delete("/_control/faults")).raise_for_status()
    assert (await ended(dry, run_id))["counts"] == {"done": 3}
    assert len(await dry.clients()) == 3


async def test_a_record_that_is_refused_is_failed_and_the_others_go_on(dry: World) -> None:
    for number in range(1, 4):
        await dry.add_contact(**person(number))
    shown = await plan(dry)
    await dry.fault(dry.ninja, kind="status", status=422, method="POST", path="^/api/v1/clients$", times=1)
    run = await apply(dry, shown["id"])
    assert run["counts"] == {"done": 2, "failed": 1}
    (failed,) = await items(dry, shown["id"], state="failed")
    assert failed["detail"]
    (job,) = await dry.rows("jobs")
    assert job["state"] == "failed"


async def test_what_only_the_vendor_could_tell_is_a_conflict_for_a_person(dry: World) -> None:
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"settings": {"product": {"enabled": True}}})
    await add_price(dry, await add(dry), 11, currency="EUR")
    shown = await plan(dry)
    assert (await apply(dry, shown["id"]))["counts"] == {"failed": 1}
    (found,) = await dry.rows("conflicts")
    assert (found["object"], found["state"], found["conflicts"]) == ("product", "conflict", ["currency"])


async def test_a_record_that_only_ever_has_trouble_is_failed_in_the_end(
    dry: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row says so as well: a row that is on its way is left alone by every sweep."""
    monkeypatch.setattr(backfill, "ROUNDS", 1)
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"settings": {"product": {"enabled": True}}})
    await dry.add_contact(**person(1))
    await add(dry)
    shown = await plan(dry)
    await dry.fault(dry.ninja, kind="status", status=503, method="POST", path="^/api/v1/products$", times=500)
    assert (await apply(dry, shown["id"]))["counts"] == {"done": 1, "failed": 1}
    (job,) = await dry.rows("jobs")
    assert (job["object"], job["state"]) == ("product", "failed")


async def test_a_record_that_meets_a_bug_of_ours_is_failed_and_the_others_go_on(dry: World) -> None:
    ids = [await dry.add_contact(**person(number)) for number in range(1, 4)]
    shown = await plan(dry)
    unreadable = "INSERT INTO links (bridge_id, object, crm_id, decisions) VALUES (%s, 'contact', %s, '[]')"
    async with dry.service.engine.begin() as connection:
        await connection.exec_driver_sql(unreadable, (dry.bridge_id, ids[1]))
    assert (await apply(dry, shown["id"]))["counts"] == {"done": 2, "failed": 1}
    (failed,) = await items(dry, shown["id"], state="failed")
    assert failed["detail"].startswith("internal error: ValidationError")


async def test_live_events_of_the_same_records_meanwhile_make_nobody_twice(bare_world: World, dry: World) -> None:
    ids = [await dry.add_contact(**person(number)) for number in range(1, 31)]
    shown = await plan(dry)
    await dry.admin.patch(f"/api/v1/bridges/{dry.bridge_id}", json={"enabled": True})
    run_id = await begin(dry, shown["id"])
    await asyncio.gather(*(dry.edit_contact(each, city="York") for each in ids))
    await ended(dry, run_id)
    await dry.quiet()
    clients = await dry.clients()
    assert len(clients) == 30
    assert {each["city"] for each in clients} == {"York"}


async def test_settings_that_change_meanwhile_are_not_written_by_the_old_ones(dry: World) -> None:
    """What is done would not be what was planned: it is shown, record by record."""
    for number in range(1, PAGE + 6):
        await dry.add_contact(**person(number, city="York"))
    shown = await plan(dry)
    await dry.fault(dry.ninja, kind="latency", method="POST", path="^/api/v1/clients$", seconds=0.3, times=500)
    run_id = await begin(dry, shown["id"])
    await until(dry.clients)
    fields = [{"crm": "email", "billing": "email"}, {"crm": "last_name", "billing": "last_name"}]
    changed = await dry.admin.patch(
        f"/api/v1/bridges/{dry.bridge_id}", json={"settings": {"contact": {"fields": fields}}}
    )
    changed.raise_for_status()
    counts = (await ended(dry, run_id))["counts"]
    assert counts["done"] + counts["changed"] == PAGE + 5
    assert counts["changed"] >= 5
    assert len(await dry.clients()) == counts["done"]  # also those whose create was under way, once each


async def test_a_partner_is_looked_for_only_after_twins_are_kept_away(dry: World) -> None:
    """What the rehearsal reads is read for the attempt as well: a twin may be made in between."""
    await dry.add_contact(**person(1))
    shown = await plan(dry)
    await dry.forget_calls()
    twin = (
        "INSERT INTO links (bridge_id, object, billing_id, match_key, claim, claimed_until)"
        " VALUES (%s, 'contact', 'twin', 'email:jane1@acme.example', 'a job', now() + interval '1 hour')"
    )
    async with dry.service.engine.begin() as connection:
        await connection.exec_driver_sql(twin, (dry.bridge_id,))
    run_id = await begin(dry, shown["id"])

    async def has_tried_twice() -> bool:
        return len(await dry.calls(dry.highlevel, "GET")) > 1

    await until(has_tried_twice)
    assert await dry.calls(dry.ninja) == []
    async with dry.service.engine.begin() as connection:
        await connection.exec_driver_sql("DELETE FROM links WHERE billing_id = 'twin'")
    assert (await ended(dry, run_id))["counts"] == {"done": 1}


async def test_both_ways_at_once(dry: World) -> None:
    await dry.add_contact(**person(1))
    await dry.add_client(**client(2))
    shown = await plan(dry)
    await apply(dry, shown["id"])
    links = await dry.rows("links")
    assert {each["origin"] for each in links} == {"created_billing", "created_crm"}


async def test_the_background_leaves_a_share_to_live_events(bare_world: World) -> None:
    budgets = Budgets(bare_world.service.db, {"x": Limit(calls=100, interval=60)})
    limit = Limit(calls=100, interval=60)
    async with bare_world.service.engine.begin() as connection:
        await connection.exec_driver_sql(
            "INSERT INTO connections (id, provider, name) OVERRIDING SYSTEM VALUE VALUES (77, 'x', 'x')"
        )
        await connection.exec_driver_sql("INSERT INTO budgets (connection_id) VALUES (77)")
    taken, waits = 0, list[float]()
    for _ in range(120):
        try:
            await budgets.take(77, limit, writes=True, background=True)
            taken += 1
        except Wait as wait:
            waits.append(wait.seconds)
    assert taken == 94
    assert all(55 < each <= 60 for each in waits)
    for writes in (*[False] * 3, *[True] * 3):
        await budgets.take(77, limit, writes=writes)

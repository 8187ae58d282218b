"""How all bridges are doing, counted and by hour, and that looking walks indexes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from app import earnings, outages, overview
from app.models import Activity, Amount, Event, Link, MissedEvents, Run
from app.overview import Standing
from tests.api.rows import bridge, put
from tests.conftest import World

NOW = datetime.now(UTC)


async def shown(world: World, **params: Any) -> dict[str, Any]:
    return dict((await world.admin.get("/api/v1/overview", params=params)).raise_for_status().json())


async def named(world: World, **params: Any) -> list[str]:
    return [row["name"] for row in (await shown(world, **params))["bridges"]["items"]]


def link(bridge_id: int, n: int, state: str, *conflicts: str) -> dict[str, Any]:
    return {
        "bridge_id": bridge_id, "object": "contact", "crm_id": f"c{n}", "state": state, "conflicts": list(conflicts),
    }  # fmt: skip


def event(connection_id: int, bridge_id: int, n: int, ago: float, **changed: Any) -> dict[str, Any]:
    """`ago`: minutes."""
    at = NOW - timedelta(minutes=ago)
    row = {"delivery": f"d{bridge_id}/{n}", "connection_id": connection_id, "bridge_id": bridge_id, "received_at": at}
    return {"kind": "ContactUpdate", "state": "done", "handled_at": at + timedelta(seconds=n), **row, **changed}


async def test_each_record_is_counted_once_by_what_a_person_would_do_about_it(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    states = (
        "ok", "ok", "ok", "excluded", "unlinked", "pending", "retrying", "waiting", "waiting_for_parent", "failed",
    )  # fmt: skip
    rows = [link(here, n, state) for n, state in enumerate(states)]
    rows += [link(here, 20, "ok", "field"), link(here, 21, "conflict", "ambiguous"), link(here, 22, "failed", "field")]
    await put(bare_world, Link, [*rows, link(other, 1, "ok")])
    second, first = (await shown(bare_world))["bridges"]["items"]
    counted = {name: first[name] for name in ("in_step", "left_out", "waiting", "failing", "decide")}
    assert counted == {"in_step": 3, "left_out": 2, "waiting": 4, "failing": 1, "decide": 3}
    assert sum(counted.values()) == len(rows)
    assert (second["in_step"], second["decide"], second["crm"], second["crm_state"]) == (1, 0, "b", "needs_reconnect")


async def test_what_keeps_records_waiting_is_told_once_however_many_wait(bare_world: World) -> None:
    """An account that lets nobody in, and records that failed more than once; a single hiccup is no outage."""
    assert (await shown(bare_world))["outages"] == {"refused": [], "accounts": 0, "tried": None}
    here = await bridge(bare_world)
    tried = {"problem": "retry", "first_failed_at": NOW, "detail": "Invoice Ninja answers 503"}
    await put(bare_world, Link, [{**link(here, 1, "retrying"), **tried, "tries": 1}])
    assert (await shown(bare_world))["outages"]["tried"] is None
    rows = [{**link(here, n, "retrying"), **tried, "tries": 2} for n in range(2, 1010)]
    await put(bare_world, Link, [*rows, {**link(here, 5000, "failed"), **tried, "tries": 9}])
    await bridge(bare_world, "b")
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(
            text("UPDATE connections SET refused_since = :now WHERE state = 'needs_reconnect'"), {"now": NOW}
        )
    told = (await shown(bare_world))["outages"]
    assert (told["tried"]["records"], told["tried"]["reason"]) == (1001, "Invoice Ninja answers 503")
    assert (told["accounts"], [each["name"] for each in told["refused"]]) == (4, ["a", "a", "b"])


async def test_the_lag_is_that_of_the_oldest_event_and_missed_ones_are_of_the_last_month(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    async with bare_world.service.engine.connect() as connection:
        statement = text("SELECT billing_connection_id FROM bridges WHERE id = :id")
        account = int(await connection.scalar(statement, {"id": here}) or 0)
    waiting: dict[str, Any] = {"state": "pending", "handled_at": None}
    events = [event(account, here, n, ago, **waiting) for n, ago in enumerate((3, 90, 7))]
    events += [event(account, here, 8, 2), event(account, here, 9, 1, kind="sweep"), event(0, other, 1, 500)]
    await put(bare_world, Event, events)
    for days, count in ((0, 2), (29, 3), (31, 50)):
        day = NOW.date() - timedelta(days=days)
        async with bare_world.service.engine.begin() as connection:
            row = {"bridge_id": here, "day": day, "side": "crm", "object": "contact", "missed": count, "repaired": 0}
            await connection.execute(MissedEvents.__table__.insert().values(row))  # type: ignore[attr-defined]
    second, first = (await shown(bare_world))["bridges"]["items"]
    assert datetime.fromisoformat(first["oldest_at"]) == NOW - timedelta(minutes=90)
    assert datetime.fromisoformat(first["heard_at"]) == NOW - timedelta(minutes=2)
    assert first["missed"] == 5
    assert (second["oldest_at"], second["heard_at"], second["missed"]) == (None, None, 0)


async def test_the_last_day_is_there_hour_by_hour(bare_world: World) -> None:
    here = await bridge(bare_world)
    full = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    old, waits = full - timedelta(hours=24), {"state": "pending", "handled_at": None}
    events = [
        event(1, here, n, 0, received_at=full, handled_at=full + timedelta(seconds=n)) for n in (*range(1, 20), 1000)
    ]
    events += [event(1, here, 100, 0, received_at=old), event(1, here, 101, 0, received_at=full, **waits)]
    await put(bare_world, Event, events)
    base = {"bridge_id": here, "object": "contact"}
    done = [{**base, "action": action, "at": full} for action in ("failed", "created", "updated")]
    await put(bare_world, Activity, [*done, {**base, "action": "failed", "at": old}])
    told = (await shown(bare_world))["hours"]
    assert len(told) == overview.HOURS
    at = {datetime.fromisoformat(each["hour"]): each for each in told}
    assert (at[full]["events"], at[full]["written"], at[full]["failures"]) == (21, 2, 1)
    assert at[full]["median"] == 10.5
    assert 19 < at[full]["slowest"] < 100
    assert sum(each["events"] for each in told) == 21
    empty = at[full + timedelta(hours=1)]
    assert (empty["events"], empty["failures"], empty["median"]) == (0, 0, None)


async def test_bridges_are_found_by_name_and_by_what_is_the_matter(bare_world: World) -> None:
    for name, live, enabled in (
        ("Leeds", NOW, True), ("York", NOW, True), ("Hull", NOW, True), ("Bath", NOW, False), ("Ely", None, False),
    ):  # fmt: skip
        await bridge(bare_world, name, enabled=enabled, live_since=live)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET state = 'active' WHERE name <> 'Bath'"))
    await put(bare_world, Link, [link(1, 1, "failed"), link(2, 1, "ok", "field"), link(3, 1, "ok")])
    assert await named(bare_world) == ["Ely", "Bath", "Hull", "York", "Leeds"]
    assert await named(bare_world, name="yOr") == ["York"]
    assert await named(bare_world, name="%") == []
    assert await named(bare_world, standing="troubled") == ["Bath", "York", "Leeds"]
    assert await named(bare_world, standing="live") == ["Hull", "York", "Leeds"]
    assert await named(bare_world, standing="paused") == ["Bath"]
    assert await named(bare_world, standing="dry_run") == ["Ely"]
    part = (await shown(bare_world, limit=3))["bridges"]
    assert [row["name"] for row in part["items"]] == ["Ely", "Bath", "Hull"]
    assert await named(bare_world, limit=3, cursor=part["next_cursor"]) == ["York", "Leeds"]


async def test_the_steps_tell_what_is_left_to_set_up(bare_world: World) -> None:
    def done(told: dict[str, Any]) -> set[str]:
        return {name for name, value in told["steps"].items() if value}

    assert done(await shown(bare_world)) == set()
    here = await bridge(bare_world, enabled=False)
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET state = 'pending' WHERE provider = 'invoice_ninja'"))
    assert done(await shown(bare_world)) == {"crm", "bridge"}
    run = {"bridge_id": here, "kind": "plan"}
    await put(bare_world, Run, [{**run, "state": "failed"}])
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE connections SET state = 'active'"))
    assert done(await shown(bare_world)) == {"crm", "billing", "bridge"}
    await put(bare_world, Run, [{**run, "state": "done"}])
    assert done(await shown(bare_world)) == {"crm", "billing", "bridge", "planned"}
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE bridges SET live_since = now()"))
    assert done(await shown(bare_world)) == {"crm", "billing", "bridge", "planned", "live"}


async def test_money_is_told_by_day_and_what_is_owed_by_bridge_each_in_its_currency(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    kept = (
        (here, "invoice", "EUR", "100.10", "40.10", 0),
        (here, "invoice", "EUR", "0.20", "0.20", 0),
        (here, "invoice", "USD", "7", "0", 29),
        (other, "invoice", "EUR", "9", "9", 30),
        (here, "payment", "EUR", "5", "0", 0),
        (other, "balance", "EUR", "0", "500", None),
    )
    ids = await put(bare_world, Link, [link(each[0], n, "ok") for n, each in enumerate(kept)])
    rows = [
        {
            "link_id": link_id, "bridge_id": of, "object": object_, "currency": currency, "amount": Decimal(amount),
            "open": Decimal(owed), "day": None if ago is None else NOW.date() - timedelta(days=ago),
        }
        for link_id, (of, object_, currency, amount, owed, ago) in zip(ids, kept, strict=True)
    ]  # fmt: skip
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(Amount.__table__.insert(), rows)  # type: ignore[attr-defined]
    told = await shown(bare_world)
    assert [(each["currency"], each["amount"]) for each in told["unpaid"]] == [("EUR", "49.30")]
    second, first = told["bridges"]["items"]
    assert [each["amount"] for each in (*first["unpaid"], *second["unpaid"])] == ["40.30", "9"]
    assert [(each["currency"], each["invoiced"], each["paid"]) for each in told["money"]] == [
        ("USD", "7", "0"), ("EUR", "100.30", "5"),
    ]  # fmt: skip
    async with bare_world.service.engine.begin() as connection:
        balances = "UPDATE bridges SET settings = jsonb_build_object('balance', jsonb_build_object('enabled', true))"
        await connection.execute(text(f"{balances} WHERE id = :id"), {"id": other})
        cut = text("UPDATE links SET state = 'unlinked' WHERE bridge_id = :id AND crm_id = 'c0'")
        await connection.execute(cut, {"id": here})
    told = await shown(bare_world)
    assert [(each["currency"], each["amount"]) for each in told["unpaid"]] == [("EUR", "500.20")]


FULL = (
    "INSERT INTO connections (provider, name, account_id, state) SELECT p, 'Location ' || n, 'a' || n, 'disabled'"
    " FROM generate_series(1, 200) n, unnest(ARRAY['highlevel', 'invoice_ninja']) p ORDER BY n, p",
    "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) SELECT 'Location ' || n, 2 * n - 1, 2 * n"
    " FROM generate_series(1, 200) n",
    "INSERT INTO links (bridge_id, object, crm_id, state, conflicts, base_crm) SELECT 1 + n % 200, 'contact', 'c' || n,"
    " CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'ok' END, CASE WHEN n % 70 = 0 THEN '[\"field\"]' ELSE '[]' END::jsonb,"
    " jsonb_build_object('note', repeat('x', 200)) FROM generate_series(1, 50000) n",
    "INSERT INTO events (delivery, connection_id, bridge_id, kind, object, external_id, state, received_at, handled_at)"
    " SELECT 'd' || n, 1 + n % 400, 1 + n % 200, 'ContactUpdate', 'contact', 'c' || n,"
    " CASE WHEN n > 99900 THEN 'pending' ELSE 'done' END, now() - (100000 - n) * interval '30 days' / 100000, now()"
    " FROM generate_series(1, 100000) n",
    "INSERT INTO activities (bridge_id, object, action, at, detail) SELECT 1 + n % 200, 'contact', 'updated',"
    " now() - (100000 - n) * interval '30 days' / 100000, repeat('x', 100) FROM generate_series(1, 100000) n",
    "INSERT INTO runs (bridge_id, kind, state, ended_at) SELECT 1 + n % 200, 'sweep', 'done', now()"
    " FROM generate_series(1, 20000) n",
    "INSERT INTO missed_events (bridge_id, day, side, object) SELECT b, current_date - d, 'crm', 'contact'"
    " FROM generate_series(1, 200) b, generate_series(0, 300) d",
    "INSERT INTO amounts (link_id, bridge_id, object, currency, amount, open, day)"
    " SELECT id, bridge_id, 'invoice', 'EUR', 10, CASE WHEN id % 20 = 0 THEN 10 ELSE 0 END,"
    " current_date - (id / 25)::int FROM links",
)
GROWING = ("links", "events", "activities", "runs", "missed_events", "amounts")


@pytest.mark.timeout(120)
async def test_looking_walks_indexes_however_much_there_is(bare_world: World) -> None:
    async with bare_world.service.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in FULL:
            await free.execute(text(statement))
        for table in GROWING:
            await free.exec_driver_sql(f"VACUUM ANALYZE {table}")
        part = {"limit": 201, "below": 2**62, "name": "", "days": 30}
        asked: list[tuple[str, dict[str, Any]]] = [
            (overview._BRIDGES.format(standing=standing), part)
            for standing in ("true", overview._STANDING[Standing.TROUBLED])
        ]
        asked += [
            (overview._DECIDE.text, {}),
            (overview._HOURS.text, {"since": NOW - timedelta(hours=23), "now": NOW}),
            (earnings._UNPAID.text, {}),
            (earnings._DAYS.text, {"before": NOW.date() - timedelta(days=30), "until": NOW.date(), "bridge_id": None}),
            (overview._STEPS.text, {"crm": ["highlevel"], "billing": ["invoice_ninja"], "apart": [1]}),
            (outages._REFUSED.text, {"named": 3}),
            (outages._TRIED.text, {"most": 1001}),
        ]
        walked = ""
        for statement, values in asked:
            plan = [line for (line,) in await free.execute(text(f"EXPLAIN ANALYZE {statement}"), values)]
            scans = [line for line in plan if any(f"Seq Scan on {table}" in line for table in GROWING)]
            assert not scans, "\n".join(plan)
            walked += "\n".join(plan)
    for index in (
        "Index Only Scan using links_health",
        "events_pending",
        "events_heard",
        "links_conflicts",
        "amounts_open",
        "amounts_day",
    ):
        assert index in walked, index
    told = await shown(bare_world, limit=500)
    assert len(told["bridges"]["items"]) == 200
    assert sum(row["in_step"] + row["failing"] + row["decide"] for row in told["bridges"]["items"]) == 50_000

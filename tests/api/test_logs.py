"""What arrived and what was done: found by many things, each of them by an index, in a log of any length."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text

from app.models import Activity, Event, Link
from tests.api.rows import bridge, put
from tests.api.test_lists import ids
from tests.conftest import World

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
_ACCOUNTS = (
    "INSERT INTO connections (provider, name, account_id, state) SELECT 'highlevel', 'c', 'a' || n, 'disabled'"
    " FROM generate_series(1, 40) n",
    "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) SELECT 'b', 2 * n - 1, 2 * n"
    " FROM generate_series(1, 20) n",
)
# The first fifty rows of each are like no others: whoever walks back to them walks all of it.
_FILL = (
    "INSERT INTO links (bridge_id, object, crm_id, billing_id, name, words) SELECT 1 + n % 20, 'contact', 'c' || n,"
    " 'b' || n, 'Person ' || n, 'person ' || n || ' acme example' FROM generate_series(1, 50000) n",
    "INSERT INTO events (delivery, connection_id, bridge_id, side, object, external_id, kind, state, received_at)"
    " SELECT 'd' || n, CASE WHEN n <= 50 THEN 39 ELSE 1 + n % 38 END, CASE WHEN n <= 50 THEN 20 ELSE 1 + n % 19 END,"
    " 'crm', 'contact', 'c' || n % 50000,"
    " CASE WHEN n <= 50 THEN 'NoteCreate' WHEN n % 9 = 0 THEN 'sweep' ELSE 'ContactUpdate' END,"
    " CASE WHEN n <= 50 THEN 'failed' ELSE 'done' END, timestamptz '2026-07-01 00:00Z' + n * interval '1 minute'"
    " FROM generate_series(1, 100000) n",
    "INSERT INTO activities (bridge_id, link_id, object, crm_id, action, cause, run_id, changes, at) SELECT"
    " CASE WHEN n <= 50 THEN 20 ELSE 1 + n % 19 END, 1 + n % 50000, 'contact', 'c' || n,"
    " CASE WHEN n <= 50 THEN 'merged' ELSE 'updated' END, CASE WHEN n <= 50 THEN 'sweep' ELSE 'ContactUpdate' END,"
    " CASE WHEN n <= 50 THEN 7 END, jsonb_build_array(jsonb_build_object('field', 'city', 'after', 'York', 'side',"
    " CASE WHEN n <= 50 THEN 'crm' ELSE 'billing' END)), timestamptz '2026-07-01 00:00Z' + n * interval '1 minute'"
    " FROM generate_series(1, 100000) n",
)
_EVENTS: tuple[dict[str, Any], ...] = (
    *({"bridge_id": 20}, {"connection_id": 39}, {"state": "failed"}, {"kind": "NoteCreate"}, {"external_id": "c7"}),
    {"from": "", "to": ""},
)
_ACTIVITIES: tuple[dict[str, Any], ...] = (
    *({"bridge_id": 20}, {"action": "merged"}, {"run_id": 7}, {"cause": "sweep"}, {"side": "crm"}),
    *({"from": "", "to": ""}, {"search": "person 477"}, {"search": "person"}, {"record": "c77"}),
)
_HOUR = {"from": "2026-07-01T00:10:00Z", "to": "2026-07-01T01:10:00Z"}


async def test_events_are_found_by_connection_and_time_and_lead_to_their_pairs(bare_world: World) -> None:
    one = await bridge(bare_world)
    pair = {"bridge_id": one, "object": "contact", "crm_id": "c1", "billing_id": "b1", "name": "Ann Miller"}
    (link,) = await put(bare_world, Link, [pair])
    common = {"bridge_id": one, "connection_id": 1, "object": "contact", "kind": "ContactUpdate", "external_id": "c1"}
    rows = [
        {**common, "side": "crm"},
        {**common, "side": "billing", "external_id": "b1", "connection_id": 2},
        {**common, "side": "crm", "kind": "sweep"},
        {**common, "side": "billing"},
        {**common, "side": "crm", "object": "task"},
    ]
    stored = await put(
        bare_world,
        Event,
        [{**row, "delivery": f"d{n}", "received_at": NOON + timedelta(hours=n)} for n, row in enumerate(rows)],
    )
    assert await ids(bare_world, "events", connection_id=1) == [stored[n] for n in (4, 3, 0)]
    later, much_later = ((NOON + timedelta(hours=n)).isoformat() for n in (1, 3))
    assert await ids(bare_world, "events", **{"from": later, "to": much_later}) == [stored[2], stored[1]]
    assert await ids(bare_world, "events", **{"from": much_later}) == [stored[4], stored[3]]
    told = {row["id"]: (row["link_id"], row["name"]) for row in await bare_world.rows("events")}
    known, unknown = (link, "Ann Miller"), (None, "")
    assert [told[id_] for id_ in stored] == [known, known, known, unknown, unknown]
    shown = (await bare_world.admin.get(f"/api/v1/events/{stored[0]}")).json()
    assert (shown["link_id"], shown["name"]) == known


async def test_activities_are_found_by_name_cause_run_time_and_the_side_that_was_written(bare_world: World) -> None:
    one = await bridge(bare_world)
    ann, bob = await put(
        bare_world,
        Link,
        [
            {"bridge_id": one, "object": "contact", "crm_id": "c1", "words": "ann miller acme"},
            {"bridge_id": one, "object": "contact", "crm_id": "c2", "words": "bob acme"},
        ],
    )
    common = {"bridge_id": one, "object": "contact", "action": "updated"}
    crm, billing = ({"field": "city", "side": side, "before": "", "after": "York"} for side in ("crm", "billing"))
    held = {"field": "email", "side": "crm", "held": "no@", "after": None}
    rows: list[dict[str, Any]] = [
        {**common, "link_id": ann, "cause": "ContactUpdate", "changes": [billing, held], "run_id": None},
        {**common, "link_id": bob, "cause": "sweep", "changes": [billing, crm], "run_id": 7},
        {**common, "link_id": None, "cause": "sweep", "changes": [], "run_id": 7},
    ]
    a, b, c = await put(bare_world, Activity, [{**row, "at": NOON + timedelta(hours=n)} for n, row in enumerate(rows)])
    asked_for: Sequence[tuple[dict[str, Any], list[int]]] = (
        ({"search": "MILL"}, [a]),
        ({"search": "acme"}, [b, a]),
        ({"search": "c2"}, [b]),
        ({"search": "%"}, []),
        ({"cause": "sweep"}, [c, b]),
        ({"side": "crm"}, [b]),
        ({"side": "billing"}, [b, a]),
        ({"run_id": 7, "side": "billing"}, [b]),
        ({"from": (NOON + timedelta(hours=1)).isoformat()}, [c, b]),
        ({"to": (NOON + timedelta(hours=1)).isoformat()}, [a]),
    )
    for asked, found in asked_for:
        assert await ids(bare_world, "activities", **asked) == found, asked
        exported = await bare_world.admin.get("/api/v1/activities/export", params={**asked, "form": "json"})
        assert len(exported.text.splitlines()) == len(found), asked


@contextmanager
def asked_of(world: World) -> Iterator[list[tuple[str, Any]]]:
    """Each question to the database, with what was put into it."""
    seen: list[tuple[str, Any]] = []
    engine = world.service.engine.sync_engine

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def lists() -> Iterator[tuple[str, dict[str, Any]]]:
    """By none of the filters, each of them, and any two of them."""
    for path, filters in (("events", _EVENTS), ("activities", _ACTIVITIES)):
        yield path, {}
        for some in (*((each,) for each in filters), *combinations(filters, 2)):
            merged = {name: value for each in some for name, value in each.items()}
            yield path, {**merged, **(_HOUR if "from" in merged else {})}


@pytest.mark.timeout(180)
async def test_each_filter_walks_an_index_however_long_the_log_is(bare_world: World, database: str) -> None:
    async with bare_world.service.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in (*_ACCOUNTS, *_FILL):
            await free.execute(text(statement))
        for table in ("links", "events", "activities"):
            await free.exec_driver_sql(f"VACUUM ANALYZE {table}")
    poor: list[str] = []
    with psycopg.connect(database, autocommit=True) as plain:
        for path, params in lists():
            with asked_of(bare_world) as questions:
                answer = await bare_world.admin.get(f"/api/v1/{path}", params=params)
            assert answer.status_code == 200, answer.text
            for statement, parameters in questions:
                poor += wrong(plain, path, params, statement, parameters)
    assert not poor, "\n".join(poor)
    # Words of which there are so many that each row is asked.
    assert len(await ids(bare_world, "activities", search="person", cause="sweep", limit=20)) == 50
    assert await ids(bare_world, "activities", search="person nobody") == []


def wrong(
    plain: psycopg.Connection[Any], path: str, params: dict[str, Any], statement: str, parameters: Sequence[Any]
) -> list[str]:
    if f"FROM {path}" not in statement:
        return []
    plan: list[str] = [line for (line,) in plain.execute(f"EXPLAIN ANALYZE {statement}".encode(), parameters)]
    walked = [line for line in plan if "Rows Removed by Filter" in line and int(line.split(":")[1]) > 5000]
    whole = [line for line in plan if f"Seq Scan on {path}" in line]
    return ["\n".join((path, str(params), *plan))] if walked or whole else []

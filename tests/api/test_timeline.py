"""What happened to one record: what its vendors told and what was done, by time, each once."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text

from app.models import Activity, Event, Link
from app.providers.sandboxed import ADDRESSES
from app.timeline import ACTIVITIES, EVENTS
from tests.api.rows import bridge, put
from tests.conftest import World

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
_NUMBERS = count()


def told(bridge_id: int, minute: int, external_id: str = "c1", **changed: Any) -> dict[str, Any]:
    row = {
        "bridge_id": bridge_id,
        "delivery": f"d{next(_NUMBERS)}",
        "side": "crm",
        "object": "contact",
        "state": "done",
    }
    return {**row, "external_id": external_id, "received_at": NOON + timedelta(minutes=minute), **changed}


def done(bridge_id: int, link_id: int | None, minute: int) -> dict[str, Any]:
    row = {"bridge_id": bridge_id, "link_id": link_id, "object": "contact", "action": "updated"}
    return {**row, "at": NOON + timedelta(minutes=minute)}


async def linked(world: World, bridge_id: int, crm_id: str = "c1", billing_id: str = "b1", **changed: Any) -> int:
    row = {"bridge_id": bridge_id, "object": "contact", "crm_id": crm_id, "billing_id": billing_id, "state": "ok"}
    return (await put(world, Link, [{**row, **changed}]))[0]


async def minutes(world: World, link_id: int, limit: int = 50) -> list[str]:
    """e for an event, a for an activity, with its minute; through all pages."""
    found: list[str] = []
    query: dict[str, Any] = {"limit": limit}
    while True:
        answer = await world.admin.get(f"/api/v1/links/{link_id}/timeline", params=query)
        part = answer.raise_for_status().json()
        assert len(part["items"]) <= limit
        for each in part["items"]:
            assert (each["event"] is None) != (each["activity"] is None)
            found.append(f"{'e' if each['event'] else 'a'}{datetime.fromisoformat(each['at']).minute}")
        if part["next_cursor"] is None:
            return found
        query["cursor"] = part["next_cursor"]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_both_are_merged_by_time_and_each_is_shown_once(bare_world: World, limit: int) -> None:
    here = await bridge(bare_world)
    link = await linked(bare_world, here)
    events = [
        told(here, 1),
        told(here, 2, "b1", side="billing"),
        told(here, 5),
        told(here, 6, deliveries=2),
        told(here, 7, "b1", side="billing"),
    ]
    await put(bare_world, Event, events)
    await put(bare_world, Activity, [done(here, link, minute) for minute in (3, 4, 8)])
    assert await minutes(bare_world, link, limit) == ["a8", "e7", "e6", "e5", "a4", "a3", "e2", "e1"]


async def test_nothing_of_another_record_is_in_it(bare_world: World) -> None:
    here, other = await bridge(bare_world), await bridge(bare_world, "b")
    link, twin = await linked(bare_world, here), await linked(bare_world, other)
    events = [
        told(here, 1),
        told(other, 2),
        told(here, 3, "c2"),
        told(here, 4, object="task"),
        told(here, 5, side="billing"),
        told(here, 6, "b1"),
    ]
    await put(bare_world, Event, events)
    await put(bare_world, Activity, [done(other, twin, 7), done(here, None, 8)])
    assert await minutes(bare_world, link) == ["e1"]
    assert await minutes(bare_world, twin) == ["a7", "e2"]


async def test_of_a_part_news_of_its_whole_is_in_it(bare_world: World) -> None:
    here = await bridge(bare_world)
    link = await linked(bare_world, here, "c1/t1", "p1/i1", object="task")
    ids = ("c1/t1", "c1", "/t1", "c1/", "c1/t2", "t1")
    await put(bare_world, Event, [told(here, n, id_, object="task") for n, id_ in enumerate(ids)])
    assert await minutes(bare_world, link) == ["e3", "e2", "e1", "e0"]


async def test_a_record_on_its_way_has_one_too_and_one_that_is_not_there_none(bare_world: World) -> None:
    here = await bridge(bare_world)
    (link,) = await put(
        bare_world, Link, [{"bridge_id": here, "object": "contact", "crm_id": "c1", "state": "pending"}]
    )
    assert await minutes(bare_world, link) == []
    await put(bare_world, Event, [told(here, 1, state="pending")])
    assert await minutes(bare_world, link) == ["e1"]
    assert (await bare_world.admin.get("/api/v1/links/99999/timeline")).status_code == 404
    for cursor in ("1", "1-", "a-b", "-1-2", f"{10**19}-1"):
        answer = await bare_world.admin.get(f"/api/v1/links/{link}/timeline", params={"cursor": cursor})
        assert answer.status_code == 422, cursor


async def test_of_a_hundred_thousand_rows_a_page_walks_a_stretch_of_each_index(bare_world: World) -> None:
    async with bare_world.service.engine.connect() as connection:
        free = await connection.execution_options(isolation_level="AUTOCOMMIT")
        for statement in (
            "INSERT INTO connections (provider, name, account_id, state) VALUES ('highlevel', 'a', 'a', 'disabled')",
            "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) SELECT 'b', max(id), max(id)"
            " FROM connections",
            "INSERT INTO links (bridge_id, object, crm_id) SELECT (SELECT max(id) FROM bridges), 'contact', 'c' || n"
            " FROM generate_series(1, 5000) n",
            "INSERT INTO events (delivery, bridge_id, side, object, external_id, state) SELECT 'd' || n,"
            " (SELECT max(id) FROM bridges), 'crm', 'contact', 'c' || n % 5000, 'done'"
            " FROM generate_series(1, 100000) n",
            "INSERT INTO activities (bridge_id, link_id, object, action) SELECT bridge_id, id, 'contact', 'updated'"
            " FROM links CROSS JOIN generate_series(1, 10) n",
        ):
            await free.execute(text(statement))
        for table in ("events", "activities"):
            await free.exec_driver_sql(f"VACUUM ANALYZE {table}")
        newest = await free.scalar(text("SELECT max(id) FROM links"))
        values = {"limit": 51, "below": 2**62, "link_id": newest, "object": "contact", "sides": ["crm"], "ids": ["c7"]}
        values["bridge_id"] = await free.scalar(text("SELECT max(id) FROM bridges"))
        for statement_, index, rows in ((EVENTS, "events_record", 20), (ACTIVITIES, "activities_link", 10)):
            asked = text(f"EXPLAIN ANALYZE {statement_.text}")
            plan = "\n".join([line for (line,) in await free.execute(asked, values)])
            assert index in plan, plan
            assert not [word for word in ("Seq Scan on", "Rows Removed") if word in plan], plan
            assert len((await free.execute(statement_, values)).all()) == rows


async def test_a_link_says_where_people_see_its_records_but_in_the_sandbox(bare_world: World) -> None:
    here = await bridge(bare_world)
    link = await linked(bare_world, here)
    shown = (await bare_world.admin.get(f"/api/v1/links/{link}")).raise_for_status().json()
    assert shown["crm_url"] == "https://app.gohighlevel.com/v2/location/a/contacts/detail/c1"
    assert shown["billing_url"] == "https://vendor.invalid/#/clients/b1"
    (half,) = await put(
        bare_world, Link, [{"bridge_id": here, "object": "contact", "crm_id": "c2", "state": "pending"}]
    )
    shown = (await bare_world.admin.get(f"/api/v1/links/{half}")).raise_for_status().json()
    assert shown["crm_url"].endswith("/c2")
    assert not shown["billing_url"]
    async with bare_world.service.engine.begin() as connection:
        for provider, address in ADDRESSES.items():
            moved = text("UPDATE connections SET base_url = :address WHERE provider = :provider")
            await connection.execute(moved, {"address": address, "provider": provider})
    await bare_world.service.directory.refresh()
    shown = (await bare_world.admin.get(f"/api/v1/links/{link}")).raise_for_status().json()
    assert (shown["crm_url"], shown["billing_url"]) == ("", "")

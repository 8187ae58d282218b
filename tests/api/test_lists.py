"""Lists: page by page, filtered, newest first."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from app.models import Activity, Event, Link
from tests.api.rows import bridge, put
from tests.conftest import World

LISTS = ["connections", "bridges", "events", "links", "activities", "jobs", "users", "tokens", "audit", "duplicates"]
NO_CURSORS = ["", "!", "x", "MA", "LTE", "MDE", "OTk5OTk5OTk5OTk5OTk5OTk5OQ", "é", "A" * 65, "MQ==x", "\x00"]


async def walk(world: World, path: str, **params: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = params if cursor is None else {**params, "cursor": cursor}
        page = (await world.admin.get(f"/api/v1/{path}", params=asked)).raise_for_status().json()
        assert set(page) == {"items", "next_cursor"}
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return seen


async def ids(world: World, path: str, **params: Any) -> list[int]:
    return [row["id"] for row in await walk(world, path, **params)]


def events(bridge_id: int | None, count: int, **changed: Any) -> list[dict[str, Any]]:
    start = changed.pop("start", 0)
    return [
        {"delivery": f"d{n}", "bridge_id": bridge_id, "external_id": f"x{n % 10}", "state": "done", **changed}
        for n in range(start, start + count)
    ]


@pytest.mark.parametrize("limit", [1, 99, 500])
async def test_a_walk_over_a_thousand_rows_sees_each_once_newest_first(bare_world: World, limit: int) -> None:
    stored = await put(bare_world, Event, events(None, 1000 if limit > 1 else 20))
    assert await ids(bare_world, "events", limit=limit) == stored[::-1]


async def test_rows_that_arrive_during_a_walk_do_not_shift_it(bare_world: World) -> None:
    stored = await put(bare_world, Event, events(None, 100))
    first = (await bare_world.admin.get("/api/v1/events")).json()
    assert len(first["items"]) == 50
    await put(bare_world, Event, events(None, 30, start=1000))
    second = (await bare_world.admin.get("/api/v1/events", params={"cursor": first["next_cursor"]})).json()
    assert [row["id"] for row in first["items"] + second["items"]] == stored[::-1]
    assert second["next_cursor"] is None


async def test_a_cursor_or_limit_that_means_nothing_is_refused(bare_world: World) -> None:
    bad: list[dict[str, str | int]] = [{"cursor": cursor} for cursor in NO_CURSORS]
    bad += [{"limit": limit} for limit in (0, 501, -1, "x")]
    for path in LISTS:
        for params in bad:
            answer = await bare_world.admin.get(f"/api/v1/{path}", params=params)
            assert answer.status_code == 422, (path, params)
            assert answer.headers["content-type"] == "application/problem+json"
        assert await bare_world.rows(path) == []


async def test_events_are_filtered_by_bridge_state_record_and_kind(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    in_one = await put(bare_world, Event, events(one, 20, kind="ContactUpdate"))
    in_two = await put(bare_world, Event, events(two, 20, start=20, state="failed", kind="ContactDelete"))
    assert await ids(bare_world, "events", bridge_id=one, limit=3) == in_one[::-1]
    assert await ids(bare_world, "events", state="failed", limit=3) == in_two[::-1]
    assert await ids(bare_world, "events", kind="ContactUpdate") == in_one[::-1]
    assert await ids(bare_world, "events", external_id="x3") == [in_two[13], in_two[3], in_one[13], in_one[3]]
    assert await ids(bare_world, "events", external_id="x3", bridge_id=two, state="failed") == [in_two[13], in_two[3]]
    assert await ids(bare_world, "events", external_id="x3", bridge_id=two, state="done") == []


async def test_links_are_filtered_by_bridge_state_object_and_either_id(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    a, b, c = await put(
        bare_world,
        Link,
        [
            {"bridge_id": one, "object": "contact", "crm_id": "c1", "billing_id": "b1", "state": "ok"},
            {"bridge_id": one, "object": "contact", "crm_id": "c2", "billing_id": None, "state": "failed"},
            {"bridge_id": two, "object": "task", "crm_id": "c1", "billing_id": "b2", "state": "ok"},
        ],
    )
    assert await ids(bare_world, "links") == [c, b, a]
    assert await ids(bare_world, "links", bridge_id=one) == [b, a]
    assert await ids(bare_world, "links", state="ok") == [c, a]
    assert await ids(bare_world, "links", crm_id="c1") == [c, a]
    assert await ids(bare_world, "links", billing_id="b2") == [c]
    assert await ids(bare_world, "links", object="contact", crm_id="c1") == [a]


async def test_a_link_shows_what_both_sides_agreed_on_and_what_is_held(bare_world: World) -> None:
    bridge_id = await bridge(bare_world)
    held = {"email": {"side": "billing", "value": "no@", "reason": "not an e-mail address"}}
    row = {"bridge_id": bridge_id, "object": "contact", "crm_id": "c1", "base_crm": {"email": "a@b.c"}, "held": held}
    (id_,) = await put(bare_world, Link, [row])
    shown = (await bare_world.admin.get(f"/api/v1/links/{id_}")).json()
    assert (shown["base_crm"], shown["base_billing"]) == ({"email": "a@b.c"}, None)
    assert shown["held"] == {"email": {**held["email"], "conflict": None}}
    assert "claim" not in shown


async def test_activities_are_filtered_and_tell_each_field_and_side(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    (link,) = await put(bare_world, Link, [{"bridge_id": one, "object": "contact", "crm_id": "c1"}])
    changes = [
        {"field": "city", "side": "billing", "before": "Bath", "after": "York", "why": "changed", "conflict": True},
        {"field": "email", "side": "crm", "held": "no@", "why": "not an e-mail address"},
        {"field": "phone", "note": "is too short"},
    ]
    common = {"object": "contact", "crm_id": "c1", "billing_id": "b1", "cause": "ContactUpdate"}
    a, b = await put(
        bare_world,
        Activity,
        [
            {**common, "bridge_id": one, "link_id": link, "action": "updated", "changes": changes},
            {**common, "bridge_id": two, "link_id": None, "action": "failed", "changes": []},
        ],
    )
    assert await ids(bare_world, "activities") == [b, a]
    assert await ids(bare_world, "activities", bridge_id=two) == [b]
    assert await ids(bare_world, "activities", link_id=link) == [a]
    assert await ids(bare_world, "activities", action="failed") == [b]
    told = (await bare_world.admin.get(f"/api/v1/activities/{a}")).json()["changes"]
    assert [(each["field"], each["side"], each["before"], each["after"]) for each in told] == [
        ("city", "billing", "Bath", "York"),
        ("email", "crm", None, None),
        ("phone", None, None, None),
    ]
    assert [each["conflict"] for each in told] == [True, False, False]
    assert (told[1]["held"], told[2]["note"]) == ("no@", "is too short")


async def test_times_are_in_utc_whatever_zone_they_were_told_in(bare_world: World) -> None:
    moment = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    (id_,) = await put(bare_world, Event, [{"delivery": "d", "received_at": moment}])
    shown = (await bare_world.admin.get(f"/api/v1/events/{id_}")).json()
    assert shown["received_at"] == "2026-07-01T10:00:00Z"
    assert datetime.fromisoformat(shown["received_at"]).tzinfo == UTC
    assert (shown["handled_at"], shown["side"]) == (None, None)


NO_FILTERS = [
    "events?bridge_id=9223372036854775808",
    "events?state=nearly",
    "events?kind=%00",
    "events?external_id=%00",
    "links?crm_id=%00",
    "links?state=nearly",
    "activities?link_id=0",
    "activities?action=%00",
    "jobs?state=ok",
    "jobs?bridge_id=x",
]


async def test_a_filter_that_means_nothing_is_refused(bare_world: World) -> None:
    for query in NO_FILTERS:
        answer = await bare_world.admin.get(f"/api/v1/{query}")
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), query


async def test_a_name_given_twice_in_the_query_is_refused(world: World) -> None:
    answer = await world.admin.get("/api/v1/activities?action=created&action=updated")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["query", "action"]

"""The activity log as a file: all of it or what is filtered, a row for each field."""

import csv
import io
import json
from typing import Any

import pytest

from app.models import Activity
from tests.api.rows import bridge, put
from tests.conftest import World

CHANGES = [
    {"field": "city", "side": "billing", "before": "York", "after": "Bath", "why": "changed in the CRM"},
    {"field": "name", "side": "billing", "before": "", "after": "=1+1", "why": "created"},
]


@pytest.fixture
async def logged(bare_world: World) -> World:
    first, second = await bridge(bare_world), await bridge(bare_world, "b")
    rows: list[dict[str, Any]] = [
        {"bridge_id": first, "object": "contact", "action": "updated", "changes": CHANGES, "detail": ""},
        {"bridge_id": first, "object": "contact", "action": "failed", "changes": [], "detail": "refused: no"},
        {"bridge_id": second, "object": "task", "action": "created", "changes": [], "detail": ""},
    ]
    await put(bare_world, Activity, rows)
    return bare_world


async def exported(world: World, **params: Any) -> str:
    answer = await world.admin.get("/api/v1/activities/export", params=params)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer.text


async def test_a_sheet_has_a_row_for_each_field_newest_first_and_no_formula(logged: World) -> None:
    rows = list(csv.DictReader(io.StringIO(await exported(logged))))
    assert [(row["activity"], row["what"], row["field"], row["after"]) for row in rows] == [
        ("3", "created", "", ""),
        ("2", "failed", "", ""),
        ("1", "updated", "city", "Bath"),
        ("1", "updated", "name", "'=1+1"),
    ]
    assert rows[1]["why"] == "refused: no"


async def test_the_filters_of_the_list_hold_and_json_has_what_the_list_has(logged: World) -> None:
    for params in ({}, {"bridge_id": 1}, {"action": "failed"}, {"object": "task"}, {"record": "nobody"}):
        said = [json.loads(line) for line in (await exported(logged, form="json", **params)).splitlines()]
        assert said == await logged.rows("activities", **params), params


async def test_a_log_that_is_longer_than_what_is_read_at_once_is_whole(logged: World) -> None:
    row = {"bridge_id": 1, "object": "contact", "action": "created", "changes": []}
    await put(logged, Activity, [row] * 2500)
    rows = list(csv.DictReader(io.StringIO(await exported(logged, action="created", bridge_id=1))))
    assert len({each["activity"] for each in rows}) == 2500

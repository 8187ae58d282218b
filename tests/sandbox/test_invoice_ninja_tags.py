"""The simulated task tags, as the product's code of 2026 reads: contracts/invoice_ninja, section 9."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.processes import Simulator

TASK, PROJECT = "App\\Models\\Task", "App\\Models\\Project"


@pytest.fixture(scope="module")
def newer() -> Iterator[Simulator]:
    with Simulator.start("invoice-ninja", task_tags=True) as simulator:
        yield simulator


@pytest.fixture
def ninja(newer: Simulator) -> Iterator[httpx.Client]:
    httpx.post(f"{newer.url}/_control/reset")
    headers = {"x-api-token": "sandbox-ninja-human-token", "accept": "application/json"}
    with httpx.Client(base_url=f"{newer.url}/api/v1", headers=headers) as client:
        yield client


def made(ninja: httpx.Client, path: str, **fields: Any) -> dict[str, Any]:
    return dict(ninja.post(path, json=fields).raise_for_status().json()["data"])


def test_a_list_says_of_which_entity_or_is_refused(ninja: httpx.Client) -> None:
    for name, entity in (("a", TASK), ("b", PROJECT)):
        made(ninja, "/tags", name=name, entity_type=entity)
    assert ninja.get("/tags").status_code == 422
    listed = ninja.get("/tags", params={"entity_type": TASK}).json()["data"]
    assert [each["name"] for each in listed] == ["a"]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "VIP", "entity_type": TASK},
        {"name": "", "entity_type": TASK},
        {"name": "x" * 192, "entity_type": TASK},
        {"name": "x", "entity_type": "App\\Models\\Client"},
    ],
)
def test_a_tag_that_cannot_be_is_refused(ninja: httpx.Client, fields: dict[str, str]) -> None:
    """A name is taken once for each entity, also by a tag that was put away."""
    taken = made(ninja, "/tags", name="vip", entity_type=TASK)
    ninja.post("/tags/bulk", json={"action": "archive", "ids": [taken["id"]]}).raise_for_status()
    assert made(ninja, "/tags", name="vip", entity_type=PROJECT)["name"] == "vip"
    assert ninja.post("/tags", json=fields).status_code == 422


def test_a_task_keeps_its_tags_where_an_update_leaves_them_out(ninja: httpx.Client) -> None:
    first, second = (made(ninja, "/tags", name=name, entity_type=TASK)["id"] for name in "ab")
    task = made(ninja, "/tasks", description="x", tags=[first])
    path, body = f"/tasks/{task['id']}", {"number": task["number"]}
    assert ninja.put(path, json=body).json()["data"]["tags"] == [first]
    assert ninja.put(path, json={**body, "tags": [second]}).json()["data"]["tags"] == [second]
    assert ninja.put(path, json={**body, "tags": [first, "nothing"]}).status_code == 422
    assert ninja.get(path).json()["data"]["tags"] == [second]


def test_only_administrators_make_tags(ninja: httpx.Client) -> None:
    body = {"name": "a", "entity_type": TASK}
    answer = ninja.post("/tags", json=body, headers={"x-api-token": "sandbox-ninja-clerk-token"})
    assert answer.status_code == 401

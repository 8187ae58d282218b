"""The tags of tasks on the wire, as the product's code of 2026 reads; no version that has them was recorded."""

import json
from typing import Any

import httpx
import pytest
import respx

from app.errors import Forbidden, Rejected
from app.providers.base import Access, KeyKind, MatchKey
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.providers.invoice_ninja.tasks import Tasks
from app.sync.objects import TaskSettings
from tests.providers.invoice_ninja.conftest import OpenGate
from tests.providers.invoice_ninja.recordings import page

OF_TASKS, OF_PROJECTS = "App\\Models\\Task", "App\\Models\\Project"
LEARNED = {"task_tags": True, "is_admin": True}
TAKEN = httpx.Response(422, json={"message": "x", "errors": {"name": ["The name has already been taken."]}})


def tag(id_: str, name: str, entity: str = OF_TASKS) -> dict[str, Any]:
    return {"id": id_, "name": name, "entity_type": entity, "color": None, "is_deleted": False, "archived_at": 0}


def task(*tags: Any) -> dict[str, Any]:
    return {"data": {"id": "t", "client_id": "c", "description": "Call", "time_log": "[]", "number": "1", "tags": tags}}


@pytest.fixture
def tasks(access: Access, http: httpx.AsyncClient) -> Tasks:
    return Tasks(InvoiceNinja().open(access, OpenGate(), http).wire, LEARNED, TaskSettings(tags=True))


async def test_a_task_is_read_with_the_names_of_its_tags_whether_ids_or_tags_are_shown(
    tasks: Tasks, ninja: respx.MockRouter
) -> None:
    ninja.get("/tasks/t").respond(json=task("a", tag("b", "late"), "gone"))
    listed = ninja.get("/tags").respond(json=page(tag("a", "VIP"), tag("b", "late"), tag("c", "vip", OF_PROJECTS)))
    assert (await tasks.fetch("t")).values["tags"] == "late, VIP"
    asked = listed.calls.last.request.url.params
    assert (asked["entity_type"], asked["status"]) == (OF_TASKS, "active")


async def test_the_tasks_of_a_client_are_found_with_their_tags_for_one_call(
    tasks: Tasks, ninja: respx.MockRouter
) -> None:
    rows = [{**task("a")["data"], "id": id_} for id_ in "xyz"]
    ninja.get("/tasks").respond(json=page(*rows))
    listed = ninja.get("/tags").respond(json=page(tag("a", "vip")))
    found = await tasks.find(MatchKey(KeyKind.IDENTITY, "call", parent="c"))
    assert [each.values["tags"] for each in found] == ["vip"] * 3
    assert listed.call_count == 1


async def test_a_task_without_tags_costs_no_call(tasks: Tasks, ninja: respx.MockRouter) -> None:
    ninja.get("/tasks/t").respond(json=task())
    assert (await tasks.fetch("t")).values["tags"] == ""


async def test_tags_go_as_ids_and_what_no_list_shows_is_sent_back(tasks: Tasks, ninja: respx.MockRouter) -> None:
    """A tag of projects of the same name is none of tasks: it would be refused."""
    ninja.get("/tasks/t").respond(json=task("a", "b", "gone"))
    ninja.get("/tags").respond(json=page(tag("a", "VIP"), tag("b", "old"), tag("c", "new", OF_PROJECTS)))
    made = ninja.post("/tags").respond(json={"data": tag("d", "new")})
    put = ninja.put("/tasks/t").respond(json=task("a", "gone", "d"))
    changed = await tasks.update(await tasks.fetch("t"), {"tags": "vip, new"})
    assert json.loads(made.calls.last.request.content) == {"entity_type": OF_TASKS, "name": "new"}
    assert json.loads(put.calls.last.request.content)["tags"] == ["a", "gone", "d"]
    assert changed.values["tags"] == "new, VIP"


async def test_a_write_without_tags_says_nothing_of_them(tasks: Tasks, ninja: respx.MockRouter) -> None:
    ninja.get("/tasks/t").respond(json=task())
    put = ninja.put("/tasks/t").respond(json=task())
    await tasks.update(await tasks.fetch("t"), {"title": "Call again"})
    assert "tags" not in json.loads(put.calls.last.request.content)


async def test_a_tag_that_another_job_made_meanwhile_is_taken(tasks: Tasks, ninja: respx.MockRouter) -> None:
    pages = [page(), page(tag("a", "vip"))]
    ninja.get("/tags").mock(side_effect=[httpx.Response(200, json=each) for each in pages])
    ninja.post("/tags").mock(TAKEN)
    made = ninja.post("/tasks").respond(json=task("a"))
    await tasks.create({"title": "Call", "tags": "vip"}, parent="c")
    assert json.loads(made.calls.last.request.content)["tags"] == ["a"]


@pytest.mark.parametrize(
    ("refusal", "kind"), [(TAKEN, Rejected), (httpx.Response(401, json={"message": "unauthorized"}), Forbidden)]
)
async def test_a_tag_that_cannot_be_made_is_named_and_no_task_is_made(
    tasks: Tasks, ninja: respx.MockRouter, refusal: httpx.Response, kind: type[Rejected]
) -> None:
    ninja.get("/tags").respond(json=page())
    ninja.post("/tags").mock(refusal)
    with pytest.raises(kind, match="the task tag “vip” cannot be made: "):
        await tasks.create({"title": "Call", "tags": "vip"}, parent="c")


@pytest.mark.parametrize(
    ("learned", "why"),
    [({}, "when the connection was last checked"), ({**LEARNED, "is_admin": False}, "administrator")],
)
async def test_an_account_without_them_says_why_and_is_not_asked(
    access: Access, http: httpx.AsyncClient, ninja: respx.MockRouter, learned: dict[str, Any], why: str
) -> None:
    tasks = Tasks(InvoiceNinja().open(access, OpenGate(), http).wire, learned, TaskSettings(tags=True))
    ninja.get("/tasks/t").respond(json=task("a"))
    assert why in tasks.fields()["tags"].lacking
    assert "tags" not in (await tasks.fetch("t")).values

from typing import Any

import pytest

from tests.sandbox.bench import HERE, Bench, documented

CALL = {"title": "Call the harbour", "body": "About the crane", "dueDate": "2031-04-05T09:30:00+02:00"}
THERE = {"Authorization": "Bearer sandbox-highlevel-service-token-2"}


def made(bench: Bench, contact: str, **values: Any) -> dict[str, Any]:
    task: dict[str, Any] = bench.api("POST", f"/contacts/{contact}/tasks", {**CALL, "completed": False, **values})
    return dict(task["task"])


def test_a_task_is_made_read_changed_and_deleted(bench: Bench) -> None:
    contact = bench.contact(firstName="Ada")
    task = made(bench, contact, assignedTo="sandboxUser000000001")
    path = f"/contacts/{contact}/tasks/{task['id']}"
    assert task == {
        "id": task["id"],
        **CALL,
        "dueDate": "2031-04-05T07:30:00.000Z",
        "completed": False,
        "assignedTo": "sandboxUser000000001",
        "contactId": contact,
    }
    assert bench.api("GET", path) == {"task": task}
    assert bench.api("PUT", path, {"title": "Write"})["task"] == {**task, "title": "Write"}
    assert bench.api("GET", f"/contacts/{contact}/tasks")["tasks"] == [{**task, "title": "Write"}]
    assert bench.api("DELETE", path) == {"succeded": True}
    assert bench.ask("GET", path).status_code == 404


def test_a_task_tells_of_its_making_its_completion_and_its_end_but_never_of_an_edit(bench: Bench) -> None:
    contact = bench.contact()
    bench.events()
    task = made(bench, contact)
    path = f"/contacts/{contact}/tasks/{task['id']}"
    ((event, body),) = bench.events()
    added = body.pop("dateAdded")
    told = {"locationId": HERE, "id": task["id"], **CALL, "dueDate": task["dueDate"], "contactId": contact}
    assert (event, documented(body)) == ("TaskCreate", {"type": "TaskCreate", **told})
    bench.api("PUT", path, {"title": "Write", "dueDate": "2032-01-01T00:00:00Z"})
    assert bench.names() == []
    bench.api("PUT", f"{path}/completed", {"completed": True})
    bench.api("PUT", f"{path}/completed", {"completed": True})
    assert bench.names() == ["TaskComplete"]
    bench.api("PUT", f"{path}/completed", {"completed": False})
    assert bench.names() == []
    bench.api("PUT", path, {"completed": True})
    assert bench.names() == ["TaskComplete"]
    bench.api("DELETE", path)
    ((event, body),) = bench.events()
    assert (event, body["id"], body["dateAdded"]) == ("TaskDelete", task["id"], added)


def test_issue_highlevel_api_docs_332_a_new_task_may_be_told_without_contact_and_body(bench: Bench) -> None:
    bench.control("POST", "settings", {"task_create_is_short": True})
    contact = bench.contact()
    bench.events()
    task = made(bench, contact)
    bench.api("PUT", f"/contacts/{contact}/tasks/{task['id']}/completed", {"completed": True})
    complete, create = (body for _, body in bench.events())
    assert (create["id"], create["title"]) == (task["id"], CALL["title"])
    assert {"contactId", "body"} & create.keys() == set()
    assert (complete["contactId"], complete["body"]) == (contact, CALL["body"])


def test_the_tasks_of_a_location_are_searched_by_skip_and_limit_and_nothing_says_how_many_there_are(
    bench: Bench,
) -> None:
    first, second = bench.contact(firstName="Ada"), bench.contact(firstName="Bo")
    path = f"/locations/{HERE}/tasks/search"
    tasks = [made(bench, first if number % 2 else second, title=f"Task {number}") for number in range(27)]
    assert bench.api("POST", path, {}) == {"tasks": tasks[:25]}
    assert bench.api("POST", path, {"limit": 10, "skip": 20})["tasks"] == tasks[20:]
    assert bench.api("POST", path, {"contactId": [second], "limit": 100})["tasks"] == tasks[::2]
    assert bench.api("POST", path, {"query": "task 26"})["tasks"] == tasks[26:]
    bench.api("PUT", f"/contacts/{second}/tasks/{tasks[4]['id']}/completed", {"completed": True})
    (done,) = bench.api("POST", path, {"completed": True})["tasks"]
    assert done["id"] == tasks[4]["id"]
    assert bench.api("POST", path, {"assignedTo": ["nobody"]}) == {"tasks": []}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"title": "x", "dueDate": "2031-01-01T00:00:00Z"}, "completed must be a boolean value"),
        ({"title": "x", "dueDate": "soon", "completed": False}, "dueDate must be a valid ISO 8601 date string"),
        ({"title": "x", "dueDate": "2031-01-01", "completed": False, "due": 1}, "property due should not exist"),
    ],
)
def test_a_bad_task_is_refused(bench: Bench, body: dict[str, Any], message: str) -> None:
    answer = bench.ask("POST", f"/contacts/{bench.contact()}/tasks", body)
    assert (answer.status_code, answer.json()["message"]) == (422, [message])


def test_a_task_is_out_of_reach_for_another_contact_another_location_and_a_lesser_token(bench: Bench) -> None:
    contact, other = bench.contact(), bench.contact()
    task = made(bench, contact)
    assert bench.ask("GET", f"/contacts/{other}/tasks/{task['id']}").status_code == 404
    assert bench.ask("GET", f"/contacts/{contact}/tasks/{task['id']}", headers=THERE).status_code == 403
    assert bench.ask("POST", f"/locations/{HERE}/tasks/search", {}, headers=THERE).status_code == 403
    bench.control("POST", "tokens", {"token": "lesser", "locationId": HERE, "scopes": ["contacts.readonly"]})
    lesser = {"Authorization": "Bearer lesser"}
    assert bench.ask("POST", f"/locations/{HERE}/tasks/search", {}, headers=lesser).status_code == 401


def test_a_person_edits_a_task_and_a_fault_meets_the_next_reader(bench: Bench) -> None:
    contact = bench.contact()
    bench.events()
    task = bench.control("POST", "objects/tasks", {**CALL, "contactId": contact})
    assert bench.names() == ["TaskCreate"]
    bench.control("PATCH", f"objects/tasks/{task['id']}", {"title": "By hand", "completed": True})
    assert bench.names() == ["TaskComplete"]
    bench.control("POST", "faults", {"kind": "status", "status": 503, "path": "/tasks$", "times": 1})
    assert bench.ask("GET", f"/contacts/{contact}/tasks").status_code == 503
    assert bench.api("GET", f"/contacts/{contact}/tasks")["tasks"][0]["title"] == "By hand"
    bench.control("DELETE", f"objects/tasks/{task['id']}")
    assert bench.names() == ["TaskDelete"]
    assert bench.control("GET", "objects/tasks") == {"tasks": []}
    assert bench.http.patch("/_control/objects/tasks/none", json={}).status_code == 400
    assert bench.http.get("/_control/objects/nothing").status_code == 400


def test_the_tasks_of_a_deleted_contact_go_with_it(bench: Bench) -> None:
    contact = bench.contact()
    made(bench, contact)
    bench.events()
    bench.http.delete(f"/contacts/{contact}")
    assert bench.names() == ["ContactDelete"]
    assert bench.api("POST", f"/locations/{HERE}/tasks/search", {}) == {"tasks": []}

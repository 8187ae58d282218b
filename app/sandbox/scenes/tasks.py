"""Tasks of the person who is in both systems."""

from typing import Any

from app.sandbox.story import Story, expect


async def task_completed(story: Story) -> list[str]:
    path = f"/contacts/{story.contact_id}/tasks"
    body = {
        "title": "Send the offer",
        "body": "with the new prices",
        "dueDate": "2026-12-01T16:00:00Z",
        "completed": False,
    }
    made = (await story.stage.highlevel.post(path, json=body)).raise_for_status().json()["task"]
    await story.arrival(lambda: _tasks(story), "no task was made")
    await story.at_rest()
    story.begin()
    await story.stage.highlevel.put(f"{path}/{made['id']}/completed", json={"completed": True})
    done = await _done_id(story)

    async def completed() -> Any:
        return [each for each in await _tasks(story) if each["status_id"] == done]

    (task,) = await story.arrival(completed, "the task is not done in Invoice Ninja")
    expect(task["client_id"] == story.client_id, "the task belongs to another client")
    title, *_ = task["description"].splitlines()
    return [f"task {task['number']} “{title}” of the client is “Done”; its due date {task['custom_value3']} came along"]


async def _tasks(story: Story) -> list[dict[str, Any]]:
    answer = await story.stage.ninja.get("/api/v1/tasks", params={"client_id": story.client_id, "status": "active"})
    return list(answer.raise_for_status().json()["data"])


async def _done_id(story: Story) -> str:
    answer = (await story.stage.ninja.get("/api/v1/task_statuses")).raise_for_status()
    return next(str(each["id"]) for each in answer.json()["data"] if each["name"] == "Done")

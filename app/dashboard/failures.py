"""What is not in step, grouped by its cause, with the cure, and trying a whole group again."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request
from nicegui import ui

from app.api.care import FailuresOut, GroupOut
from app.api.failures import list_failures, retry_group
from app.api.fields import Id
from app.api.requests import GroupIn
from app.dashboard.frame import Visit, frame, nothing, page, pages
from app.dashboard.parts import button, link, tag, text, when
from app.people.roles import Principal, Role

router = pages()

Refresh = Callable[[], Awaitable[None]]


@page(router, "/failing", "Failing")
async def failing(request: Request, bridge: Id | None = None) -> None:
    with frame(request, "Failing", lead="Records that are not in step, by what they have in common.") as visit:

        @ui.refreshable
        async def groups() -> None:
            found = await list_failures(visit.desk, bridge_id=bridge)
            _summary(found)
            for group in found.groups:
                _group(visit, group, groups.refresh)

        await groups()


def _summary(found: FailuresOut) -> None:
    if not found.groups:
        nothing("Everything is in step.", ("What was done", "/activity"))
        return
    text("p", f"{found.records:,} in {found.kinds:,} group{'s' if found.kinds != 1 else ''}.")


def _group(visit: Visit, group: GroupOut, refresh: Refresh) -> None:
    words = group.explanation
    with tag("article", "card"):
        with tag("header"):
            text("strong", f"{group.count:,}", "count")
            text("h2", words.title if words else group.problem)
            text("span", group.bridge, "faint")
        text("p", group.reason)
        if words:
            text("p", words.cause, "faint")
            text("p", words.cure)
        with tag("footer"):
            text("span", "since ")
            when(group.first_at)
            link(
                f"An example: {group.example_name}" if group.example_name else "An example", f"/records/{group.example}"
            )
            if visit.may(Role.OPERATOR):
                label = "Try it again" if group.count == 1 else f"Try these {group.count:,} again"
                button(label, partial(_again, visit, group, refresh))


async def _again(visit: Visit, group: GroupOut, refresh: Refresh) -> None:
    async def work(_: Principal) -> str:
        done = await retry_group(visit.desk, GroupIn(key=group.key))
        return f"{done.records:,} in the group, {done.queued:,} are tried now."

    if await visit.act(Role.OPERATOR, "retry a group", work, f"group {group.key}"):
        await refresh()

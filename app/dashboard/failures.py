"""What is not in step, grouped by its cause, with the cure, and trying a whole group again."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request
from nicegui import ui

from app.api.care import FailuresOut, GroupOut
from app.api.failures import list_failures, retry_group
from app.api.fields import Id
from app.api.requests import GroupIn
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.parts import at, button, count_of, link, tag, text
from app.models.connection import ConnectionState
from app.outages import RECONNECT
from app.people.roles import Principal, Role

router = pages()

_GROUPS = 25
Refresh = Callable[[], Awaitable[None]]


@page(router, "/failing", "Failing")
async def failing(request: Request, bridge: Id | None = None) -> None:
    with frame(request, "Failing", lead="Records that are not in step, by what they have in common.") as visit:
        bridges = await bridge_names(visit)
        if not bridges:
            nothing("Nothing is synced yet, so nothing can fail.", *first_steps(bridges))
            return
        if len(bridges) > 1:
            with filters("/failing", {"bridge": bridge}):
                choice("bridge", "Bridge", bridges)

        @ui.refreshable
        async def groups() -> None:
            found = await list_failures(visit.desk, bridge_id=bridge, limit=_GROUPS)
            _summary(found, bridges.get(str(bridge)))
            for group in found.groups:
                _group(visit, group, groups.refresh)

        await groups()


def _summary(found: FailuresOut, of: str | None) -> None:
    """`of`: the name of the bridge that is looked at alone."""
    if not found.groups:
        more = [("All bridges", "/failing")] if of else []
        nothing(
            f"Everything of “{of}” is in step." if of else "Everything is in step.",
            *more,
            ("What was done", "/activity"),
        )
        return
    rest = found.kinds - len(found.groups)
    shown = f" The largest {len(found.groups):,} are shown." if rest else ""
    text("p", f"{count_of(found.records, 'record')} in {count_of(found.kinds, 'group')}.{shown}")


def _group(visit: Visit, group: GroupOut, refresh: Refresh) -> None:
    words = group.explanation
    with tag("article", "card group"):
        with tag("header"):
            text("strong", f"{group.count:,}", "count")
            text("h2", words.title if words else group.problem.replace("_", " ").capitalize() or "Not in step")
            text("span", group.bridge, "faint")
        text("p", group.reason)
        if words:
            text("p", words.cause, "faint")
            text("p", words.cure)
        with tag("footer"):
            with tag("span"):
                text("span", "Since ")
                at(group.first_at)
            link(
                f"An example: {group.example_name}" if group.example_name else "An example", f"/records/{group.example}"
            )
            if group.problem == RECONNECT:
                link("Reconnect", query("/connections", {"state": ConnectionState.NEEDS_RECONNECT}))
            if visit.may(Role.OPERATOR):
                label = "Try it again" if group.count == 1 else f"Try these {group.count:,} again"
                button(label, partial(_again, visit, group, refresh), "quiet")


async def _again(visit: Visit, group: GroupOut, refresh: Refresh) -> None:
    async def work(_: Principal) -> str:
        done = await retry_group(visit.desk, GroupIn(key=group.key))
        return f"{done.records:,} in the group, {done.queued:,} are tried now."

    if await visit.act(Role.OPERATOR, "retry a group", work, f"group {group.key}"):
        await refresh()

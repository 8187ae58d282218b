"""What is not in step, grouped by its cause, with the cure, and trying a whole group again."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request
from nicegui import ui

from app.api.activities import ExchangeOut, Which, list_activities, show_exchange
from app.api.care import FailuresOut, GroupOut
from app.api.failures import Key, list_failures, list_group, retry_group
from app.api.fields import Id
from app.api.reading import slice_of
from app.api.requests import GroupIn
from app.dashboard.activity import exchange
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.parts import at, button, count_of, link, tag, text
from app.dashboard.records import rows_of
from app.models.connection import ConnectionState
from app.outages import RECONNECT
from app.people.roles import Principal, Role
from app.web.pages.layout import desk_of

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


@page(router, "/failing/{key}", "Failing")
async def group_of(request: Request, key: Key, cursor: str | None = None) -> None:
    found = await list_group(desk_of(request), slice_of(50, cursor), key)
    about = found.items[0].explanation if found.items else None
    with frame(request, about.title if about else "Records of a group") as visit:
        if not found.items:
            nothing("No record is in this group any more.", ("All that is failing", "/failing"))
            return
        if about:
            text("p", about.cause, "faint")
            text("p", about.cure)
        with tag("p", "acts"):
            link("All that is failing", "/failing")
            if visit.may(Role.OPERATOR):

                async def refresh() -> None:
                    visit.later(2.0, f"/failing/{key}")

                button("Try all of them again", partial(_again, visit, key, refresh), "quiet")
        rows_of(found.items, await bridge_names(visit))
        with tag("p", "pager"):
            if cursor:
                link("Newest", f"/failing/{key}")
            if found.next_cursor:
                link("Older", query(f"/failing/{key}", {"cursor": found.next_cursor}))


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
        exchange("Request and answer of the example", partial(_said, visit, group.example))
        with tag("footer"):
            with tag("span"):
                text("span", "Since ")
                at(group.first_at)
            link(
                f"An example: {group.example_name}" if group.example_name else "An example", f"/records/{group.example}"
            )
            if group.count > 1:
                link(f"Show all {group.count:,}", f"/failing/{group.key}")
            if group.problem == RECONNECT:
                link("Reconnect", query("/connections", {"state": ConnectionState.NEEDS_RECONNECT}))
            if visit.may(Role.OPERATOR):
                label = "Try it again" if group.count == 1 else f"Try these {group.count:,} again"
                button(label, partial(_again, visit, group.key, refresh), "quiet")


async def _said(visit: Visit, link_id: int) -> ExchangeOut:
    """By the last attempt that left a trace; an earlier one that failed is not what keeps the record now."""
    last = await list_activities(visit.desk, slice_of(1), Which(link_id=link_id))
    return await show_exchange(visit.desk, last.items[0].id if last.items else 0)


async def _again(visit: Visit, key: str, refresh: Refresh) -> None:
    async def work(_: Principal) -> str:
        done = await retry_group(visit.desk, GroupIn(key=key))
        return f"{done.records:,} in the group, {done.queued:,} are tried now."

    if await visit.act(Role.OPERATOR, "retry a group", work, f"group {key}"):
        await refresh()

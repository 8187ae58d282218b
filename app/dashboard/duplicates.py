"""Records of one side that may be one thing: the list, and searching for them."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from nicegui import ui
from starlette.datastructures import FormData

from app.api.duplicates import ClusterOut, SearchIn, SearchOut, list_duplicates, search, show_search
from app.api.fields import Id
from app.api.reading import slice_of
from app.dashboard.cluster import named
from app.dashboard.filters import choice, filters
from app.dashboard.forms import asking, field, picked
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.parts import SYSTEMS, at, cell, link, table, tag, text
from app.duplicates.search import TOO_COMMON
from app.models.duplicate import ClusterState
from app.models.run import RunState
from app.people.roles import Principal, Role
from app.sync.records import Side

router = pages()

_LOOKS = 2.0
"""Seconds between two looks while a search runs."""
_NAMED = 3


@page(router, "/duplicates", "Duplicates")
async def duplicates(
    request: Request,
    bridge: Id | None = None,
    side: Side | None = None,
    state: ClusterState | None = None,
    cursor: str | None = None,
) -> None:
    lead = "Records of one side that may be one thing. Nothing is merged by itself: each is a person's decision."
    with frame(request, "Duplicates", lead=lead) as visit:
        bridges = await bridge_names(visit)
        if not bridges:
            nothing("There is no bridge yet whose records could be searched.", *first_steps(bridges))
            return
        given = {"bridge": bridge, "side": side, "state": state}
        shown = bridge if str(bridge) in bridges else int(next(iter(bridges))) if len(bridges) == 1 else None
        running = False

        @ui.refreshable
        async def found() -> None:
            nonlocal running
            if shown is not None:
                result = await show_search(visit.desk, shown)
                running = result.run is not None and result.run.state == RunState.RUNNING
                _searched(result)
            clusters = await list_duplicates(visit.desk, slice_of(50, cursor), bridge_id=bridge, side=side, state=state)
            _list(clusters.items, bridges)
            if not clusters.items:
                nothing("No duplicates like this were found.")
            if clusters.next_cursor:
                with tag("p", "pager"):
                    link("Older", query("/duplicates", {**given, "cursor": clusters.next_cursor}))

        async def look() -> None:
            if running:
                await found.refresh()

        if visit.may(Role.OPERATOR):
            _search(visit, bridges, found.refresh)
        with filters("/duplicates", given):
            choice("bridge", "Bridge", bridges)
            choice("side", "Side", SYSTEMS)
            choice("state", "State", {each.value: each.value for each in ClusterState})
        await found()
        visit.every(_LOOKS, look)


def _search(visit: Visit, bridges: dict[str, str], refresh: Callable[[], Awaitable[None]]) -> None:
    async def send(given: FormData) -> None:
        async def work(who: Principal) -> str:
            wanted = SearchIn.model_validate(
                {"side": given["side"] or None, "common_above": given["common_above"] or TOO_COMMON}
            )
            await search(visit.desk, who, int(str(given["bridge"])), wanted)
            return "The search has begun."

        if await visit.act(Role.OPERATOR, "search for duplicates", work, f"bridge {given['bridge']}"):
            await refresh()

    with tag("p"), asking("Search for duplicates", "Search for duplicates", send, "Search"):
        text("p", "All records of a side are read, and nothing is changed. The result takes the place of the last one.")
        picked("bridge", "Bridge", bridges)
        picked("side", "Side", {"": "both", **SYSTEMS})
        field(
            "common_above", "Too common", "number", "What more records than this share joins none of them.",
            value=str(TOO_COMMON), min="2", max="1000",
        )  # fmt: skip


def _searched(result: SearchOut) -> None:
    """What came of the last search of the bridge."""
    run = result.run
    if run is None:
        text("p", "There was no search yet.", "faint")
        return
    with tag("p"):
        if run.state == RunState.RUNNING:
            text("span", f"A search is under way: {run.done:,} records so far. Begun ")
        else:
            waiting = ", ".join(f"{count:,} open in {SYSTEMS[side]}" for side, count in result.open.items())
            text("span", f"Last search: {run.state}, {waiting}. Begun ")
        at(run.created_at)
    if result.too_common:
        with tag("details"):
            text("summary", f"{len(result.too_common):,} keys are shared by too many to mean anything")
            with tag("ul"):
                for key in result.too_common:
                    text("li", f"{key.kind} {key.key}: {key.records:,} records in {SYSTEMS[key.side]}")


def _list(rows: list[ClusterOut], bridges: dict[str, str]) -> None:
    if not rows:
        return
    with table("Duplicates, newest first", ("Records", "What they share", "Side", "State", "Bridge")):
        for row in rows:
            with tag("tr"):
                with cell("Records"):
                    names = [named(each) for each in row.members]
                    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                    link(" / ".join(names[:_NAMED]) + more, f"/duplicates/{row.id}")
                with cell("What they share"):
                    for key in row.keys:
                        text("div", key.words)
                with cell("Side"):
                    text("span", SYSTEMS[row.side])
                with cell("State"):
                    text("span", row.state, f"state {row.state}")
                    if row.actor:
                        text("div", f"by {row.actor}", "faint")
                with cell("Bridge"):
                    text("span", bridges.get(str(row.bridge_id), ""))

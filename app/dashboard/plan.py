"""A plan: how far it is, how much it would do of what, each record side by side, and doing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, HTTPException, Query, Request
from nicegui import ui

from app.api.fields import Id, Word
from app.api.plans import PlanOut, list_items, show_plan
from app.api.reading import slice_of
from app.api.runs import RunOut, list_runs
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
from app.dashboard.naming import field_names
from app.dashboard.parts import link, tag, text
from app.dashboard.plan_acts import ACTIVE, acts_of, counted, left_of
from app.dashboard.plan_rows import ACTIONS, MEANING, STATES, item_rows
from app.dashboard.runs import progress
from app.errors import Gone
from app.models.plan import Action, ItemState
from app.models.run import RunKind, RunState
from app.people.roles import Principal, Role
from app.sync.objects import OBJECTS
from app.web.access import PageRefused, require
from app.web.pages.layout import desk_of

router = pages()

_STATES = {each.value: words for each, words in STATES.items()}
_LOOKS = 2.0
_ROWS = 25


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a plan's rows is asked for. `here`: the address of the page."""

    here: str
    action: Action | None = None
    object_: str | None = None
    state: ItemState | None = None
    cursor: str | None = None

    @property
    def given(self) -> dict[str, object]:
        return {"action": self.action, "object": self.object_, "state": self.state}


async def _known(request: Request, plan_id: Id, who: Annotated[Principal, Depends(require(Role.VIEWER))]) -> PlanOut:
    try:
        return await show_plan(desk_of(request), plan_id)
    except (HTTPException, Gone) as nothing_there:
        raise PageRefused(404, f"There is no plan {plan_id}.", back="/runs") from nothing_there


@page(router, "/plans/{plan_id}", "Plan")
async def plan(
    request: Request,
    found: Annotated[PlanOut, Depends(_known)],
    action: Action | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    state: ItemState | None = None,
    cursor: str | None = None,
) -> None:
    lead = "What would be done with each record. Nothing is written before you press a button."
    with frame(request, f"Plan {found.id}", lead=lead) as visit:
        bridges = await bridge_names(visit)
        with tag("p", "pager"):
            link(bridges.get(str(found.bridge_id), f"Bridge {found.bridge_id}"), f"/bridges/{found.bridge_id}")
            link("All runs", query("/runs", {"bridge": found.bridge_id}))
        await plan_view(visit, found.id, Shown(f"/plans/{found.id}", action, object_, state, cursor))


async def plan_view(visit: Visit, plan_id: int, shown: Shown) -> None:
    """All of a plan. It is looked at again while something of it is under way."""
    seen: tuple[object, ...] = ()

    @ui.refreshable
    async def head() -> None:
        nonlocal seen
        found, applied = await show_plan(visit.desk, plan_id), await applied_of(visit, plan_id)
        seen = _stand(found, applied)
        _progress(visit, found, applied)
        _counts(found, shown)

    @ui.refreshable
    async def acts() -> None:
        found, applied = await show_plan(visit.desk, plan_id), await applied_of(visit, plan_id)
        acts_of(visit, found, applied, again)

    @ui.refreshable
    async def rows() -> None:
        await _rows(visit, plan_id, shown)

    async def again() -> None:
        await head.refresh()
        await acts.refresh()
        await rows.refresh()

    async def look() -> None:
        """A dialog that is open stays so while nothing changes but the numbers."""
        before = seen
        if before and RunState.RUNNING in before:
            await head.refresh()
            if seen != before:
                await acts.refresh()
                await rows.refresh()

    await head()
    await acts()
    await rows()
    visit.every(_LOOKS, look)


async def applied_of(visit: Visit, plan_id: int) -> RunOut | None:
    """The last run that has applied the plan, or a part of it."""
    bridge_id = (await show_plan(visit.desk, plan_id)).bridge_id
    found = await list_runs(visit.desk, slice_of(50), bridge_id=bridge_id, kind=RunKind.BACKFILL)
    return next((run for run in found.items if run.options.get("plan") == plan_id), None)


def _stand(found: PlanOut, applied: RunOut | None) -> tuple[object, ...]:
    return (found.state, found.refused, applied.state if applied else None, applied.id if applied else None)


def _progress(visit: Visit, found: PlanOut, applied: RunOut | None) -> None:
    if found.state != RunState.DONE:
        with tag("article", "card"):
            _made(found)
    if applied is not None:
        with tag("article", "card"):
            _applied(visit, found, applied)


def _applied(visit: Visit, found: PlanOut, applied: RunOut) -> None:
    left = left_of(found)
    with tag("header"):
        text("h2", "Writing it" if applied.state in ACTIVE else "Written")
        text("span", applied.state, f"state {applied.state}")
    if applied.state in ACTIVE:
        progress(applied)
    text("p", _told(applied.counts) or "Nothing is written yet.", role="status")
    _trouble(applied)
    if applied.state == RunState.DONE and left:
        text("p", f"Look at them in both systems. If they are right, go on with the rest: {counted(left)}.")
    with tag("p", "pager"):
        link("What it wrote", query("/activity", {"run": applied.id}))
        if visit.may(Role.OPERATOR) and applied.done:
            link("Undo it", query("/undo", {"run": applied.id}))


def _made(found: PlanOut) -> None:
    read = found.counts.get("read", 0)
    if found.state == RunState.RUNNING:
        text("h2", "Looking at each record" if found.total else "Reading both sides")
        text("p", "Nothing is written. You can leave this page: it goes on by itself.", "faint")
    else:
        text("h2", f"The plan is {found.state}")
    if found.total:
        progress(found)
    text("p", f"{read:,} records read so far.", role="status")
    _trouble(found)


def _trouble(run: RunOut) -> None:
    if run.detail:
        waits = "It waits, and goes on by itself" if run.state == RunState.RUNNING else "Why"
        text("p", f"{waits}: {run.detail}", "wrong-words")


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {_STATES.get(name, name)}" for name, count in sorted(counts.items()))


def _counts(found: PlanOut, shown: Shown) -> None:
    """How many of each, each a way to its rows."""
    if not found.items and found.state != RunState.DONE:
        return
    in_step = found.counts.get("in step", 0)
    with tag("ul", "tally", aria_label="What the plan would do"):
        for action, words in ACTIONS.items():
            count = sum(found.items.get(action, {}).values())
            with tag("li", "zero" if not count else ""):
                text("strong", f"{count:,}", "count")
                link(words, query(shown.here, {"action": action})) if count else text("span", words)
                text("small", MEANING[action])
        with tag("li", "" if in_step else "zero"):
            text("strong", f"{in_step:,}", "count")
            text("span", "in step already")
            text("small", "nothing to do")
    for what, why in found.unread.items():
        object_, _, _side = what.partition("/")
        text("p", f"Not read: {OBJECTS[object_].plural}: {why}. They are synced by events.", "faint")


async def _rows(visit: Visit, plan_id: int, shown: Shown) -> None:
    found = await show_plan(visit.desk, plan_id)
    if not found.items:
        if found.state == RunState.DONE:
            nothing("There is nothing to do: both sides are in step already, or there are no records.")
        return
    text("h2", "Record by record")
    with filters(shown.here, shown.given):
        choice("action", "What", {each.value: words for each, words in ACTIONS.items()})
        choice("object", "Object", {name: OBJECTS[name].plural for name in OBJECTS})
        choice("state", "State", _STATES)
    part = slice_of(_ROWS, shown.cursor)
    rows = await list_items(visit.desk, part, plan_id, action=shown.action, state=shown.state, object_=shown.object_)
    if not rows.items:
        nothing("No record of this plan is like that.", ("Show all", shown.here))
    names = await field_names(visit.desk, ((found.bridge_id, each.object) for each in rows.items))
    item_rows(rows.items, partial(names.of, found.bridge_id))
    with tag("p", "pager"):
        if shown.cursor:
            link("First ones", query(shown.here, shown.given))
        if rows.next_cursor:
            link("More", query(shown.here, {**shown.given, "cursor": rows.next_cursor}))

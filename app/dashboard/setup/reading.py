"""What counts and lists are made of: the last reading of both sides, and reading them now."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from app.api.plans import PlanIn, make_plan
from app.api.runs import show_run
from app.api.set_ups import show_set_up
from app.dashboard.frame import Visit
from app.dashboard.parts import button, link, tag, text, when
from app.models.run import RunState
from app.people.roles import Principal, Role

_LOOKS = 2.0

Then = Callable[[], Awaitable[None]]


async def reading(visit: Visit, bridge_id: int, then: Then) -> None:
    """`then`: what to do when something new was read."""
    running = False

    @ui.refreshable
    async def told() -> None:
        nonlocal running
        plan_id = (await show_set_up(visit.desk, bridge_id)).plan_id
        run = await show_run(visit.desk, plan_id) if plan_id else None
        running = run is not None and run.state == RunState.RUNNING
        with tag("div", "note next acts"):
            if run is None:
                text("p", "Nothing was read yet, so nothing can be counted. Reading changes nothing on either side.")
            elif running:
                text("p", f"Both sides are being read: {run.counts.get('read', 0):,} records so far.", role="status")
                if run.detail:
                    text("p", f"It waits: {run.detail}", "wrong-words")
                return
            elif run.state == RunState.DONE:
                with tag("p"):
                    text("span", "Counted on both sides as they were read at ")
                    when(run.created_at)
                    text("span", " (UTC).")
            else:
                text("p", f"The last reading is {run.state}. {run.detail}")
                link("See why", f"/plans/{run.id}")
            if visit.may(Role.OPERATOR):
                label = "Read both sides now" if run is None else "Read again"
                button(label, partial(_read, visit, bridge_id, told.refresh), "" if run is None else "quiet")

    async def look() -> None:
        if running:
            await told.refresh()
            await then()

    await told()
    visit.every(_LOOKS, look)


async def _read(visit: Visit, bridge_id: int, refresh: Then) -> None:
    async def work(who: Principal) -> str:
        await make_plan(visit.desk, who, bridge_id, PlanIn())
        return "Both sides are being read. Nothing is written."

    if await visit.act(Role.OPERATOR, "make a plan", work, f"bridge {bridge_id}"):
        await refresh()

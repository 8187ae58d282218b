"""Long work: how far each run is, live, and stopping it."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request
from nicegui import ui

from app.api.fields import Id
from app.api.reading import slice_of
from app.api.runs import RunOut, cancel_run, list_runs, pause_run, resume_run
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.parts import button, cell, lasting, link, table, tag, text, when
from app.models.run import RunKind, RunState
from app.people.roles import Principal, Role

router = pages()

_LOOKS = 2.0
_WRITING = {RunKind.BACKFILL, RunKind.SWEEP, RunKind.UNDO}
_ACTS = {
    "Pause": (pause_run, "It stops at its next checkpoint.", {RunState.RUNNING}),
    "Resume": (resume_run, "It goes on from where it was.", {RunState.PAUSED, RunState.FAILED}),
    "Cancel": (cancel_run, "It ends; what it has done stays.", {RunState.RUNNING, RunState.PAUSED}),
}


@page(router, "/runs", "Runs")
async def runs(request: Request, bridge: Id | None = None, cursor: str | None = None) -> None:
    lead = "Plans, backfills, sweeps, and what else takes its time."
    with frame(request, "Runs", lead=lead) as visit:
        bridges = await bridge_names(visit)

        if len(bridges) > 1:
            with filters("/runs", {"bridge": bridge}):
                choice("bridge", "Bridge", bridges)

        @ui.refreshable
        async def rows() -> None:
            found = await list_runs(visit.desk, slice_of(25, cursor), bridge_id=bridge)
            if not found.items and bridge is not None:
                nothing("Nothing has run for this bridge yet.", ("The bridge", f"/bridges/{bridge}"))
                return
            if not found.items:
                told = "Nothing has run yet. A plan is the first: it reads both sides and writes nothing."
                nothing(told, *first_steps(bridges))
                return
            with table("Runs, newest first", ("Begun (UTC)", "What", "Bridge", "Progress", "Outcome", "")):
                for run in found.items:
                    with tag("tr"):
                        _row(visit, run, bridges.get(str(run.bridge_id), ""), rows.refresh)
            if found.next_cursor:
                with tag("p", "pager"):
                    link("Older", query("/runs", {"bridge": bridge, "cursor": found.next_cursor}))

        await rows()
        visit.every(_LOOKS, rows.refresh)


def _row(visit: Visit, run: RunOut, bridge: str, refresh: Callable[[], Awaitable[None] | None]) -> None:
    with cell("Begun"):
        when(run.created_at)
        text("div", f"by {run.actor}" if run.actor else "by the clock", "faint")
    with cell("What"):
        plan_id = run.id if run.kind == RunKind.PLAN else run.options.get("plan")
        text("span", run.kind)
        if plan_id:
            with tag("div"):
                link(f"Plan {plan_id}", f"/plans/{plan_id}")
    with cell("Bridge"):
        text("span", bridge)
    with cell("Progress"):
        progress(run)
    with cell("Outcome"):
        text("span", run.state, f"state {run.state}")
        text("div", ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(run.counts.items())))
        if run.detail:
            text("div", run.detail, "faint")
    with cell("", "acts"):
        link("What it did", query("/activity", {"run": run.id}))
        if run.kind in _WRITING and visit.may(Role.OPERATOR):
            link("Undo", query("/undo", {"run": run.id}))
        for label, (act, said, states) in _ACTS.items():
            if run.state in states and visit.may(Role.OPERATOR):
                button(label, partial(_do, visit, run.id, label, act, said, refresh), "quiet")


def progress(run: RunOut) -> None:
    """How far it is, how fast, and how long it will take."""
    if run.total:
        bar = tag("progress", max=str(run.total), value=str(run.done))
        bar.props["aria-label"] = f"{run.done:,} of {run.total:,}"
    of = f" of {run.total:,}" if run.total else ""
    text("div", f"{run.done:,}{of}")
    if run.state == RunState.RUNNING and run.rate:
        left = f", {lasting(run.seconds_left)} left" if run.seconds_left is not None else ""
        text("div", f"{run.rate:g} a second{left}", "faint")


async def _do(
    visit: Visit,
    run_id: int,
    label: str,
    act: Callable[..., Awaitable[RunOut]],
    said: str,
    refresh: Callable[[], Awaitable[None] | None],
) -> None:
    async def work(_: Principal) -> str:
        await act(visit.desk, run_id)
        return said

    await visit.act(Role.OPERATOR, f"{label.lower()} a run", work, f"run {run_id}")
    refresh()

"""What can be done with a plan: trying ten, applying it, pausing and cancelling, making it again."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from nicegui import ui
from starlette.datastructures import FormData

from app.api.plans import ApplyIn, PlanIn, PlanOut, apply_plan, make_plan
from app.api.runs import RunOut, cancel_run, pause_run, resume_run
from app.dashboard.forms import asking
from app.dashboard.frame import Visit
from app.dashboard.parts import button, link, tag, text, when
from app.models.plan import ItemState
from app.models.run import RunState
from app.people.roles import Principal, Role
from app.planning.items import WRITING

TRIED = 10
"""How many records are written when a plan is tried."""
ACTIVE = (RunState.RUNNING, RunState.PAUSED)
_CONTROLS: Mapping[str, tuple[Callable[..., Awaitable[RunOut]], str, tuple[RunState, ...]]] = {
    "Pause": (pause_run, "It stops within seconds, and goes on from there when you resume it.", (RunState.RUNNING,)),
    "Resume": (resume_run, "It goes on from where it was.", (RunState.PAUSED, RunState.FAILED)),
    "Cancel": (cancel_run, "It has ended. What it has done stays.", ACTIVE),
}

Again = Callable[[], Awaitable[None]]


def left_of(found: PlanOut, state: ItemState = ItemState.PLANNED) -> int:
    """How many records of a plan are still to be written."""
    return sum(found.items.get(action, {}).get(state, 0) for action in WRITING)


def counted(records: int) -> str:
    return f"{records:,} record{'s' if records != 1 else ''}"


def acts_of(visit: Visit, found: PlanOut, applied: RunOut | None, again: Again) -> None:
    with tag("p", "faint"):
        text("span", f"Made by {found.actor or 'the clock'}, begun ")
        when(found.created_at)
        text("span", " (UTC).")
    if found.refused and found.state == RunState.DONE:
        text("p", found.refused, "note next")
    applying = applied is not None and applied.state in ACTIVE
    with tag("div", "acts"):
        if visit.may(Role.OPERATOR):
            current = applied if applying and applied else found
            for label, (act, said, states) in _CONTROLS.items():
                if current.state in states:
                    button(label, partial(_control, visit, current.id, label, act, said, again), "quiet")
            if found.state == RunState.DONE and not applying:
                _appliable(visit, found, again)
            if found.state not in ACTIVE:
                outdated = bool(found.refused) or found.state != RunState.DONE
                button("Make it again", partial(remake, visit, found.bridge_id), "" if outdated else "quiet")
        if found.state == RunState.DONE and found.items:
            link("Download as CSV", f"/api/v1/plans/{found.id}/export", "button quiet").props["download"] = ""


def _appliable(visit: Visit, found: PlanOut, again: Again) -> None:
    left, changed = left_of(found), left_of(found, ItemState.CHANGED)
    if found.refused:
        return
    if left:
        if left > TRIED:
            button(f"Try {TRIED} first", partial(_apply, visit, found.id, ApplyIn(first=TRIED), again))
        _ask_to_apply(visit, found.id, left, "quiet" if left > TRIED else "", again)
    if changed:
        label = f"Apply the {changed:,} that had changed"
        button(label, partial(_apply, visit, found.id, ApplyIn(changed=True), again), "quiet")


def _ask_to_apply(visit: Visit, plan_id: int, left: int, classes: str, again: Again) -> None:
    async def send(_: FormData) -> None:
        await _apply(visit, plan_id, ApplyIn(), again)

    label = f"Apply all {left:,}" if left != 1 else "Apply it"
    with asking(label, f"Write {counted(left)}?", send, "Write them" if left != 1 else "Write it", classes=classes):
        text("p", "Exactly what the plan says is done. What somebody has changed since is left alone, and shown.")
        text("p", "You can pause or cancel it at any time, and undo it afterwards.")


async def _apply(visit: Visit, plan_id: int, wanted: ApplyIn, again: Again) -> None:
    async def work(who: Principal) -> str:
        await apply_plan(visit.desk, who, plan_id, wanted)
        return "It has begun: see how far it is above."

    if await visit.act(Role.OPERATOR, "apply a plan", work, f"plan {plan_id}"):
        await again()


async def _control(
    visit: Visit, run_id: int, label: str, act: Callable[..., Awaitable[RunOut]], said: str, again: Again
) -> None:
    async def work(_: Principal) -> str:
        await act(visit.desk, run_id)
        return said

    await visit.act(Role.OPERATOR, f"{label.lower()} a run", work, f"run {run_id}")
    await again()


async def remake(visit: Visit, bridge_id: int) -> None:
    """A plan of everything, with the bridge's settings; the page of the set-up shows the newest by itself."""
    made: list[int] = []

    async def work(who: Principal) -> str:
        made.append((await make_plan(visit.desk, who, bridge_id, PlanIn())).id)
        return "Both sides are read, and nothing is written."

    if await visit.act(Role.OPERATOR, "make a plan", work, f"bridge {bridge_id}"):
        path = visit.request.url.path
        ui.navigate.to(path if path.endswith("/setup/plan") else f"/plans/{made[0]}")

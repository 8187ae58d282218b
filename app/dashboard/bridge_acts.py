"""What can be done with a bridge as a whole: pausing and stopping it, renaming it, and deleting it."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException
from nicegui import ui
from starlette.datastructures import FormData

from app.api.bridges import change_bridge, delete_bridge
from app.api.plans import PlanIn, make_plan
from app.api.requests import BridgeChange
from app.api.schemas import BridgeDetail
from app.api.set_ups import stop_bridge
from app.api.sweeps import begin_sweep
from app.dashboard.forms import asking, field
from app.dashboard.frame import Visit, query
from app.dashboard.parts import button, count_of, tag, text
from app.dashboard.pauses import moment_of, until_field
from app.people.roles import Principal, Role

Work = Callable[[Principal], Awaitable[str]]


def acts(visit: Visit, shown: BridgeDetail) -> None:
    switch = "Pause" if shown.enabled else "Resume" if shown.live_since else "Go live"

    async def switched(who: Principal) -> str:
        await change_bridge(visit.desk, shown.id, BridgeChange(enabled=not shown.enabled), who)
        return "Done."

    async def planned(who: Principal) -> str:
        await make_plan(visit.desk, who, shown.id, PlanIn())
        return "Both sides are read, and nothing is written."

    async def swept(who: Principal) -> str:
        await begin_sweep(visit.desk, who, shown.id)
        return "Both sides are read for what was missed."

    here, runs = f"/bridges/{shown.id}", query("/runs", {"bridge": shown.id})
    with tag("div", "acts"):
        _act(visit, switch, f"{switch.lower()}: bridge", switched, shown.id, here)
        if shown.live_since:
            _pause_until(visit, shown, here)
        _act(visit, "Make a plan", "make a plan", planned, shown.id, runs)
        _act(visit, "Sweep now", "begin a sweep", swept, shown.id, runs)
        stopping(visit, shown, here)


def _act(visit: Visit, label: str, action: str, work: Work, bridge_id: int, then: str) -> None:
    async def press() -> None:
        if await visit.act(Role.OPERATOR, action, work, f"bridge {bridge_id}"):
            ui.navigate.to(then)

    button(label, press, "" if label in ("Go live", "Resume") else "quiet")


def _pause_until(visit: Visit, shown: BridgeDetail, then: str) -> None:
    async def send(given: FormData) -> None:
        async def work(who: Principal) -> str:
            change = BridgeChange(enabled=False, paused_until=moment_of(given))
            await change_bridge(visit.desk, shown.id, change, who)
            return "It is paused, and goes on by itself."

        if await visit.act(Role.OPERATOR, "pause: bridge", work, f"bridge {shown.id}"):
            ui.navigate.to(then)

    with asking("Pause until …", f"Pause “{shown.name}” until", send, "Pause it"):
        text("p", "For maintenance, for example. Nothing is written until then; what changes meanwhile waits, and is"
             " caught up with.")  # fmt: skip
        until_field(required=True)


def stopping(visit: Visit, shown: BridgeDetail, then: str) -> None:
    async def work(who: Principal) -> str:
        done = await stop_bridge(visit.desk, shown.id, who)
        return f"It is stopped. Cancelled: {count_of(len(done.cancelled), 'run')}."

    async def send(_: FormData) -> None:
        if await visit.act(Role.OPERATOR, "stop: bridge", work, f"bridge {shown.id}"):
            ui.navigate.to(then)

    with asking("Stop everything", f"Stop everything on “{shown.name}”?", send, "Stop it", danger=True):
        if shown.live_since:
            text("p", "It is paused, until somebody resumes it, and every run on it (plan, backfill, sweep, undo) is"
                 " cancelled.")  # fmt: skip
        else:
            text("p", "It is in dry run, and stays so. Every run on it (plan, backfill, undo) is cancelled.")
        text("p", "What was written stays; “Undo” at a run takes it back.")


def name_and_end(visit: Visit, shown: BridgeDetail) -> None:
    """Renaming, and deleting where the visitor may."""
    text("h2", "Rename or delete")
    with tag("div", "acts"):
        _rename(visit, shown)
        if visit.may(Role.OWNER):
            _delete(visit, shown)


def _rename(visit: Visit, shown: BridgeDetail) -> None:
    async def send(given: FormData) -> None:
        async def work(who: Principal) -> str:
            change = BridgeChange.model_validate({"name": given["name"]})
            return f"It is called “{(await change_bridge(visit.desk, shown.id, change, who)).name}”."

        if await visit.act(Role.OPERATOR, "rename: bridge", work, f"bridge {shown.id}"):
            ui.navigate.to(f"/bridges/{shown.id}")

    with asking("Rename", f"Rename “{shown.name}”", send, "Rename it"):
        field("name", "Name", value=shown.name, required="", maxlength="200")


def _delete(visit: Visit, shown: BridgeDetail) -> None:
    async def send(given: FormData) -> None:
        async def work(_: Principal) -> str:
            if str(given["name"]).strip() != shown.name:
                raise HTTPException(422, f"That is not its name: type “{shown.name}” to delete it.")
            await delete_bridge(visit.desk, shown.id)
            visit.leaving = True
            return f"“{shown.name}” is deleted."

        if await visit.act(Role.OWNER, "delete: bridge", work, f"bridge {shown.id}"):
            ui.navigate.to("/")

    with asking("Delete", f"Delete “{shown.name}”?", send, "Delete it for good", danger=True):
        text("p", "Gone for good are: its settings and their versions, which record belongs to which, its activity and"
             " what could be undone by it, its events, plans and runs.")  # fmt: skip
        text("p", "What stays: every record in HighLevel and in Invoice Ninja, as it is now, with the fields and tags"
             " that were written. Both accounts stay connected, with their webhooks.")  # fmt: skip
        text("p", "A new bridge between the two accounts recognises the records again, by their keys.", "faint")
        field("name", f"Type its name to confirm: {shown.name}", required="")

"""The sandbox: a button that begins it, a banner where its records are shown, and its page with the panel."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from nicegui import ui

from app.api.sandbox import SandboxOut, begin_sandbox, show_sandbox
from app.dashboard.frame import Visit, frame, nothing, page, pages
from app.dashboard.parts import button, tag, text
from app.dashboard.sandbox_people import People
from app.dashboard.sandbox_troubles import Troubles
from app.dashboard.sandbox_watch import Watch
from app.people.roles import Principal, Role

router = pages()

LOOKS = 2.0
"""Seconds between two looks at both sides."""
_LEAD = "Both systems as simulators on this machine, with made-up people. Change something, break something, and watch."


@page(router, "/sandbox", "Sandbox")
async def sandbox(request: Request) -> None:
    with frame(request, "Sandbox", lead=_LEAD) as visit:
        shown = await show_sandbox(visit.desk)
        if not shown.exists:
            _not_begun(visit, shown)
        elif not shown.running:
            nothing("Its simulators do not run in this process of the service. They may be starting: load this again.")
        else:
            await _panel(visit, shown)


def offer(visit: Visit) -> None:
    """The section with the button, for other pages. Nothing where there is a sandbox already, or for who may not."""
    if visit.desk.sandbox.standing.connections or not visit.may(Role.OWNER):
        return
    with tag("section", "card sandbox", aria_label="Sandbox"):
        text("h2", "No accounts at hand? Try it with the sandbox")
        text(
            "p",
            "HighLevel and Invoice Ninja are simulated on this machine, with a few made-up people in them, and kept in"
            " step at once. Nothing leaves this machine, and it can be taken away again by one press.",
        )
        _begin_button(visit)


def _not_begun(visit: Visit, shown: SandboxOut) -> None:
    if not visit.may(Role.OWNER):
        nothing("There is no sandbox. An owner can begin one here.")
    elif shown.obstacle:
        nothing(shown.obstacle)
    else:
        offer(visit)


def _begin_button(visit: Visit) -> None:
    async def press() -> None:
        told.set_visibility(True)

        async def work(_: Principal) -> str:
            await begin_sandbox(visit.desk)
            return "The sandbox is there. Its people are being brought in step."

        if await visit.act(Role.OWNER, "begin the sandbox", work, "sandbox"):
            ui.navigate.to("/sandbox")
        told.set_visibility(False)

    with tag("p", "acts"):
        button("Try it with the sandbox", press)
        told = text("span", "Starting both simulators, a few seconds ...", "faint", role="status")
        told.set_visibility(False)


async def _panel(visit: Visit, shown: SandboxOut) -> None:
    watch = Watch(visit, shown.bridge_ids)
    people = People(visit, lambda: look())
    text("h2", "Make trouble")
    troubles = Troubles(visit, lambda: look())
    watch.list_activity()
    parts: tuple[Callable[[], Awaitable[None]], ...] = (people.look, watch.look)

    async def look() -> None:
        now = await show_sandbox(visit.desk)
        if visit.leaving:
            return
        if not now.running:
            ui.navigate.to("/sandbox")
            return
        troubles.tell(now.troubles)
        watch.tell(now.waiting)
        for each in parts:
            await each()

    await look()
    visit.every(LOOKS, look)

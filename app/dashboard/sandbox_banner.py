"""What stands above everything that belongs to the sandbox."""

from typing import TYPE_CHECKING

from nicegui import ui
from starlette.datastructures import FormData

from app.api.sandbox import end_sandbox
from app.dashboard.forms import asking
from app.dashboard.parts import link, tag, text
from app.people.roles import Principal, Role

if TYPE_CHECKING:
    from app.dashboard.frame import Visit


def banner(visit: "Visit") -> None:
    """Above everything that belongs to the sandbox."""
    with tag("div", "note sandbox", role="note"):
        text("strong", "This is the sandbox.")
        text("span", "The people are made up, and live in simulators on this machine. No real account is touched.")
        with tag("span", "acts"):
            if visit.request.url.path != "/sandbox":
                link("Open the panel", "/sandbox")
            take_away(visit)


def take_away(visit: "Visit") -> None:
    """The button, for owners. It asks first."""
    if not visit.may(Role.OWNER):
        return

    async def confirmed(_: FormData) -> None:
        async def work(_: Principal) -> str:
            await end_sandbox(visit.desk)
            return "The sandbox is gone."

        visit.leaving = True
        visit.leaving = await visit.act(Role.OWNER, "take the sandbox away", work, "sandbox")
        if visit.leaving:
            ui.navigate.to("/")

    with asking("Take it away", "Take the sandbox away?", confirmed, "Take the sandbox away", danger=True):
        text("p", "Its bridge, its two connections, its records and its part of the activity log are deleted.")
        text("p", "Real connections, bridges and settings stay as they are. You can begin a new sandbox at any time.")

"""The status page of a bridge: made, given another address, or taken away."""

from collections.abc import Awaitable, Callable

from nicegui import ui
from starlette.datastructures import FormData

from app import status_pages
from app.api.status_pages import StatusPageIn, make_status_page, remove_status_page
from app.dashboard.forms import asking, field
from app.dashboard.frame import Visit
from app.dashboard.parts import at, once, tag, text
from app.people.roles import Principal, Role

Work = Callable[[Principal], Awaitable[str]]
_WHAT = (
    "How this bridge is doing, in counts alone, for people who have no account here: whoever has the address sees it."
    " In HighLevel, enter it for this location as a custom menu link that opens in a frame. With “?theme=dark” or"
    " “?theme=light” behind it, it is not as the browser is set."
)


async def status_page(visit: Visit, bridge_id: int) -> None:
    text("h2", "Status page for the location")
    text("p", _WHAT, "faint")
    secret = tag("div")

    @ui.refreshable
    async def standing() -> None:
        found = await status_pages.of_bridge(visit.desk.engine, bridge_id)
        with tag("p"):
            text("span", f"There is one, made by {found.actor}, " if found else "There is none.")
            if found:
                at(found.made_at)
        if visit.may(Role.OPERATOR):
            _acts(found.heading if found else None)

    def _acts(heading: str | None) -> None:
        with tag("p", "acts"):
            label = "Make a status page" if heading is None else "Another address"
            with asking(label, "A new address for the status page", make, "Make it"):
                if heading is not None:
                    text("p", "The address that there is opens nothing from then on.")
                field("heading", "Heading", "text", "Empty: the bridge's name.", maxlength="100", value=heading or "")
            if heading is not None:
                with asking("Remove it", "Remove the status page?", remove, "Remove it", danger=True):
                    text("p", "Its address opens nothing from then on.")

    async def make(given: FormData) -> None:
        async def work(who: Principal) -> str:
            wanted = StatusPageIn(heading=str(given["heading"]))
            once(secret, "The address", (await make_status_page(visit.desk, who, bridge_id, wanted)).url)
            return "The status page is made."

        await _do("make a status page", work)

    async def remove(_: FormData) -> None:
        async def work(_: Principal) -> str:
            await remove_status_page(visit.desk, bridge_id)
            secret.clear()
            return "The status page is gone."

        await _do("remove a status page", work)

    async def _do(action: str, work: Work) -> None:
        await visit.act(Role.OPERATOR, action, work, f"bridge {bridge_id}")
        await standing.refresh()

    await standing()

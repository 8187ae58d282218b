"""The versions of a bridge's settings: who changed what and when, what another one differs in, and bringing it back."""

from collections.abc import Sequence

from nicegui import ui

from app.api.reading import slice_of
from app.api.versions import DifferenceOut, VersionOut, list_versions, restore_version, show_version
from app.dashboard.forms import asking
from app.dashboard.frame import Visit
from app.dashboard.parts import at, tag, text
from app.errors import CrossledgerError
from app.mapping.differences import Difference
from app.people.roles import Principal, Role
from app.sync.objects import OBJECTS

_MANY = 20


def told(changes: Sequence[Difference | DifferenceOut]) -> None:
    """What was, crossed out, and what is instead."""
    with tag("ul", "changes"):
        for each in changes:
            with tag("li", "change"):
                about = f"{OBJECTS[each.object].plural}, " if each.object else ""
                text("span", f"{about}{each.what}:", "name")
                if each.before:
                    text("del", each.before)
                text("ins", each.after or "nothing")


async def versions(visit: Visit, bridge_id: int, address: str) -> None:
    """`address`: of the page, which is loaded anew after a restore."""
    found = (await list_versions(visit.desk, bridge_id, slice_of(_MANY))).items
    text("h2", "Versions")
    text("p", "Of all settings of the bridge, the newest first. Nothing is lost by bringing one back.", "faint")
    with tag("ol", "versions"):
        for number, version in enumerate(found):
            with tag("li", "card"):
                await _version(visit, bridge_id, version, address, newest=number == 0)


async def _version(visit: Visit, bridge_id: int, version: VersionOut, address: str, *, newest: bool) -> None:
    with tag("header"):
        text("strong", f"Version {version.number}")
        at(version.at)
        text("span", f"by {version.actor}" if version.actor else "", "faint")
        text("span", version.note, "faint")
        if newest:
            text("span", "as it is now", "state ok")
    if version.changes:
        told(version.changes)
    if newest or not visit.may(Role.OPERATOR):
        return

    async def restore(_: object) -> None:
        async def work(who: Principal) -> str:
            done = await restore_version(visit.desk, who, bridge_id, version.number)
            return f"Version {version.number} is back, as version {done.number}."

        thing = f"bridge {bridge_id}"
        if await visit.act(Role.OPERATOR, f"bring version {version.number} back", work, thing):
            ui.run_javascript("onbeforeunload = null")
            ui.navigate.to(address)

    try:
        shown = await show_version(visit.desk, bridge_id, version.number)
    except CrossledgerError as refusal:
        text("p", str(refusal), "faint")
        return
    if not shown.restoring:
        text("p", "The settings of now are the same.", "faint")
        return
    opener, title = f"Bring version {version.number} back", f"Bring version {version.number} back?"
    with tag("div", "acts"), asking(opener, title, restore, "Bring it back"):
        text("p", "This is what would change:")
        told(shown.restoring)

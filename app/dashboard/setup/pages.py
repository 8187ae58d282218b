"""The steps of one bridge's set-up, each at an address of its own."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from app.api.fields import Id, Word
from app.api.set_ups import SetUpOut, show_set_up
from app.dashboard.frame import Visit, frame, page, pages
from app.dashboard.parts import text
from app.dashboard.plan import Shown
from app.dashboard.setup.conflicts import conflicts
from app.dashboard.setup.filters import filters
from app.dashboard.setup.frame import LEADS, TITLES, path_of, stepper
from app.dashboard.setup.live import live
from app.dashboard.setup.matching import matching
from app.dashboard.setup.objects import objects
from app.dashboard.setup.plan import plan
from app.errors import Gone
from app.models.plan import Action, ItemState
from app.people.roles import Principal, Role
from app.setting_up import Step
from app.web.access import PageRefused, require
from app.web.pages.layout import desk_of, see

router = pages()

_BUILT: Mapping[Step, Callable[[Visit, SetUpOut], Awaitable[None]]] = {
    Step.OBJECTS: objects,
    Step.FILTERS: filters,
    Step.MATCHING: matching,
    Step.CONFLICTS: conflicts,
    Step.LIVE: live,
}


async def _known(request: Request, bridge_id: Id, who: Annotated[Principal, Depends(require(Role.VIEWER))]) -> SetUpOut:
    try:
        return await show_set_up(desk_of(request), bridge_id)
    except Gone as nothing_there:
        raise PageRefused(404, str(nothing_there), back="/start") from nothing_there


Known = Annotated[SetUpOut, Depends(_known)]


@router.get("/bridges/{bridge_id}/setup")
async def go_on(found: Known) -> Response:
    """To the step that comes next."""
    return see(path_of(found.id, found.next or Step.LIVE))


@page(router, "/bridges/{bridge_id}/setup/{step}", "Set up")
async def set_up(
    request: Request,
    found: Known,
    step: Step,
    action: Action | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    state: ItemState | None = None,
    cursor: str | None = None,
) -> None:
    with frame(request, f"Set up “{found.name}”") as visit:
        stepper(found, step)
        text("h2", TITLES[step])
        text("p", LEADS[step], "lead")
        if found.live and step not in (Step.PLAN, Step.LIVE):
            text("p", "This bridge has been live: what you save here holds from now on.", "note next")
        if step is Step.PLAN:
            await plan(visit, found, Shown(path_of(found.id, step), action, object_, state, cursor))
        else:
            await _BUILT[step](visit, found)

"""One object's field map: what goes with what, how it is changed on its way, who wins, and what was changed when."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request
from nicegui import ui
from pydantic import ValidationError

from app.api.bridges import change_bridge, show_bridge
from app.api.fields import Id
from app.api.mapping import board_of
from app.api.plans import PlanIn, make_plan
from app.api.requests import BridgeChange
from app.api.schemas import BridgeDetail
from app.dashboard.forms import asking
from app.dashboard.frame import Visit, frame, page, pages, said
from app.dashboard.mapping.adding import Adding
from app.dashboard.mapping.draft import Draft
from app.dashboard.mapping.history import told, versions
from app.dashboard.mapping.pairs import Pairs
from app.dashboard.mapping.required import mapping_path, required
from app.dashboard.mapping.samples import Samples
from app.dashboard.mapping.values import values
from app.dashboard.parts import button, count_of, link, tag, text
from app.dashboard.setup.frame import path_of
from app.errors import CrossledgerError, OutOfDate
from app.mapping.board import Board
from app.mapping.reapplying import linked
from app.people.roles import Principal, Role
from app.sync.objects import OBJECTS
from app.web.access import PageRefused, require
from app.web.pages.layout import desk_of

router = pages()

_LEAVING = "onbeforeunload = {} ? (event) => event.preventDefault() : null"


async def _known(
    request: Request, bridge_id: Id, object_: str, who: Annotated[Principal, Depends(require(Role.VIEWER))]
) -> tuple[BridgeDetail, Board]:
    desk = desk_of(request)
    try:
        return await show_bridge(desk, bridge_id), await board_of(desk, bridge_id, object_)
    except HTTPException as nothing_there:
        raise PageRefused(nothing_there.status_code, str(nothing_there.detail)) from nothing_there
    except CrossledgerError as refusal:
        raise PageRefused(404, str(refusal), back=f"/bridges/{bridge_id}") from refusal


@page(router, "/bridges/{bridge_id}/mapping/{object_}", "Mapping")
async def mapping(
    request: Request, shown: Annotated[tuple[BridgeDetail, Board], Depends(_known)], saved: bool = False
) -> None:
    bridge, board = shown
    lead = f"Which field of HighLevel goes with which field of Invoice Ninja, on “{bridge.name}”."
    with frame(request, f"Mapping of {OBJECTS[board.object].plural}", lead=lead) as visit:
        _objects(bridge, board.object)
        if saved:
            with tag("div", "note done", role="status"):
                text("p", "Saved. It holds for each record from its next change on.")
                await _reapply(visit, bridge, board.object)
        if not board.settings.enabled:
            text("p", f"{OBJECTS[board.object].plural.capitalize()} are switched off on this bridge.", "note next")
        if not visit.may(Role.OPERATOR):
            text("p", "You may look at this, and not change it.", "note next")
        await Panel(visit, bridge, Draft(board, bridge.settings)).draw()
        if not saved:
            with tag("div", "reapply"):
                await _reapply(visit, bridge, board.object)
        await versions(visit, bridge.id, mapping_path(bridge.id, board.object))


def _objects(bridge: BridgeDetail, here: str) -> None:
    with tag("nav", "objects", aria_label="Objects of the bridge"):
        link(f"← {bridge.name}", f"/bridges/{bridge.id}")
        if bridge.live_since is None:
            link("Go on with the set-up", path_of(bridge.id))
        for name in dict.fromkeys([*bridge.settings.objects(), here]):
            entry = link(OBJECTS[name].plural.capitalize(), mapping_path(bridge.id, name))
            if name == here:
                entry.props["aria-current"] = "page"


async def _reapply(visit: Visit, bridge: BridgeDetail, object_: str) -> None:
    """What is saved holds from the next change of each record on; all at once goes by a plan."""
    type_, count = OBJECTS[object_], await linked(visit.desk.engine, bridge.id, object_)
    if not count or type_.facet or type_.once or not visit.may(Role.OPERATOR):
        return
    made: list[int] = []

    async def planned(who: Principal) -> str:
        made.append((await make_plan(visit.desk, who, bridge.id, PlanIn())).id)
        return "A plan is made: both sides are read, and nothing is written until you apply it."

    async def press() -> None:
        if await visit.act(Role.OPERATOR, "plan to re-apply a mapping", planned, f"bridge {bridge.id}"):
            ui.navigate.to(f"/plans/{made[-1]}")

    text("p", "To have what is saved in all records now, make a plan first: it shows each record before and after.")
    button(f"Re-apply to {count_of(count, object_, type_.plural)}", press, "quiet")


class Panel:
    """The draft, and what is drawn of it: after each change the bar below tells what is not saved."""

    def __init__(self, visit: Visit, bridge: BridgeDetail, draft: Draft) -> None:
        self.visit, self.bridge, self.draft = visit, bridge, draft
        self.pairs = Pairs(visit, draft, Samples(visit, draft, bridge.id), self.looked)
        self.adding = Adding(draft, self.pairs)
        self.warned = False
        self.client = ui.context.client  # what was clicked may be gone from the page by then

    async def draw(self) -> None:
        self.required()
        await self.pairs.draw()
        if self.visit.may(Role.OPERATOR):
            self.adding.draw()
            self.values()
            self.bar()
        else:
            with tag("fieldset", "only-seen", disabled=""):
                self.values()

    @ui.refreshable_method
    def required(self) -> None:
        required(self.draft.board, self.draft.pairs())

    @ui.refreshable_method
    def values(self) -> None:
        values(self.draft, self.tell)

    @ui.refreshable_method
    def bar(self) -> None:
        if not self.draft.dirty:
            return
        with tag("div", "unsaved", role="region", aria_label="What is not saved"):
            try:
                changes = self.draft.changes()
            except ValidationError as error:
                stuck = ", ".join(f"“{each}”" for each in self.draft.stuck())
                why = f"look at {stuck}" if stuck else said(error)
                text("span", f"This cannot be saved yet: {why}", "wrong-words")
            else:
                many = len(changes)
                words = f"{many} change{'s' if many != 1 else ''}, not saved" if many else "Nothing differs by now"
                text("strong", words)
                if many:
                    with asking("Save …", "Save these changes?", self._save, "Save"):
                        told(changes)
                        text("p", "They hold for each record from its next change on.")
            button("Discard", self._discard, "quiet")

    async def looked(self) -> None:
        """Pairs were changed: what else can be mapped, and what is required, is another question now."""
        self.required.refresh()
        self.adding.draw.refresh()
        await self.tell()

    async def tell(self) -> None:
        self.bar.refresh()
        if self.warned is not self.draft.dirty:
            self.warned = self.draft.dirty
            self.client.run_javascript(_LEAVING.format(str(self.warned).lower()))

    async def _discard(self) -> None:
        self.draft.reset()
        self.pairs.open = None
        self.values.refresh()
        await self.pairs.changed()

    async def _save(self, _: object) -> None:
        async def work(who: Principal) -> str:
            now = await show_bridge(self.visit.desk, self.bridge.id)
            if now.settings != self.draft.saved:
                raise OutOfDate("Somebody else has changed the settings meanwhile: load the page again, and look.")
            await change_bridge(self.visit.desk, now.id, BridgeChange(settings=self.draft.settings()), who)
            return "Saved."

        if await self.visit.act(Role.OPERATOR, "change a mapping", work, f"bridge {self.bridge.id}"):
            self.client.run_javascript(_LEAVING.format("false"))
            ui.navigate.to(f"{mapping_path(self.bridge.id, self.draft.board.object)}?saved=true")

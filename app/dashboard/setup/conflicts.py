"""Whose value stays, where both sides have changed the same field: for all, for single objects, for single fields."""

from contextlib import suppress

from app.api.bridges import show_bridge
from app.api.mapping import board_of
from app.api.schemas import BridgeDetail
from app.api.set_ups import ObjectPart, SettingsPart, SetUpOut
from app.dashboard.frame import Visit
from app.dashboard.hearing import hear
from app.dashboard.mapping.required import mapping_path, required
from app.dashboard.parts import TICKED, VALUE, tag, text
from app.dashboard.setup.frame import foot
from app.dashboard.setup.winners import Winners, fields_of
from app.errors import CrossledgerError
from app.people.roles import Role
from app.setting_up import Step
from app.sync.fieldmap import Prefer

_WINNERS = {
    Prefer.CRM: ("HighLevel wins", "Good where your people work in HighLevel, and billing follows."),
    Prefer.BILLING: ("Invoice Ninja wins", "Good where addresses and numbers are kept right by bookkeeping."),
    Prefer.NEWEST: ("The newer one wins", "Whoever edited last. Both systems' clocks decide."),
    Prefer.ASK: ("Ask me", "Neither is written; it waits under “Decide” until a person has chosen."),
}


async def conflicts(visit: Visit, found: SetUpOut) -> None:
    bridge = await show_bridge(visit.desk, found.id)
    may = visit.may(Role.OPERATOR)
    objects = [
        Winners(name, bridge.settings.of(name), await fields_of(visit, found.id, name), may=may)
        for name in bridge.settings.objects()
    ]
    for each in objects:
        await _lacking(visit, found.id, each.name)
    policy = _Policy(bridge, objects, may=may)
    policy.draw()
    text("p", "The value that loses is not gone: the record's activity keeps it, and it can be put back.", "faint")
    policy.draw_emptied()
    text("h2", "Another winner for some of them")
    for each in objects:
        each.draw()
    foot(visit, found, Step.CONFLICTS, policy.change)


async def _lacking(visit: Visit, bridge_id: int, object_: str) -> None:
    """Before a plan is made: it would make none of these."""
    with suppress(CrossledgerError):
        board = await board_of(visit.desk, bridge_id, object_)
        required(board, board.settings.pairs(), leads_to=mapping_path(bridge_id, object_))


class _Policy:
    """What is chosen at the moment."""

    def __init__(self, bridge: BridgeDetail, objects: list[Winners], *, may: bool) -> None:
        self._settings = bridge.settings
        self._objects = objects
        self._may = may
        self._prefer = self._settings.prefer
        self._keeps = self._settings.keep_filled

    def draw(self) -> None:
        with tag("fieldset", "choices"):
            text("legend", "Both sides changed the same field. Which value stays?")
            for prefer, (label, why) in _WINNERS.items():
                with tag("label", "choice check"):
                    box = tag("input", type="radio", name="prefer", value=prefer.value)
                    box.props["checked"] = prefer is self._prefer
                    box.props["disabled"] = not self._may
                    hear(box, "change", self._choose, VALUE)
                    text("strong", label)
                    text("small", why)

    def draw_emptied(self) -> None:
        with tag("label", "choice check"):
            box = tag("input", type="checkbox", name="keep_filled")
            box.props["checked"] = self._keeps
            box.props["disabled"] = not self._may
            hear(box, "change", self._keep, TICKED)
            text("strong", "An empty value never overwrites")
            text("small", "What is emptied on one side stays as it is on the other. Off: it is emptied there too, where"
                 " both had agreed on it before. Tags still come and go one by one.")  # fmt: skip

    def _choose(self, prefer: str) -> None:
        self._prefer = Prefer(prefer)

    def _keep(self, on: object) -> None:
        self._keeps = bool(on)

    def change(self) -> SettingsPart | None:
        given: dict[str, object] = {}
        if self._prefer is not self._settings.prefer:
            given["prefer"] = self._prefer
        if self._keeps is not self._settings.keep_filled:
            given["keep_filled"] = self._keeps
        turned = {each.name: ObjectPart.model_validate(part) for each in self._objects if (part := each.change())}
        if turned:
            given["objects"] = turned
        return SettingsPart.model_validate(given) if given else None

"""Whose value stays, where both sides have changed the same field: for all, and for single objects."""

from collections.abc import Mapping

from nicegui.events import GenericEventArguments

from app.api.bridges import show_bridge
from app.api.schemas import BridgeDetail
from app.api.set_ups import ObjectPart, SettingsPart, SetUpOut
from app.dashboard.frame import Visit
from app.dashboard.parts import tag, text
from app.dashboard.setup.frame import foot
from app.people.roles import Role
from app.setting_up import Step
from app.sync.fieldmap import Prefer
from app.sync.objects import OBJECTS
from app.web.pages.bridging import WINS

_WINNERS = {
    Prefer.CRM: ("HighLevel wins", "Good where your people work in HighLevel, and billing follows."),
    Prefer.BILLING: ("Invoice Ninja wins", "Good where addresses and numbers are kept right by bookkeeping."),
    Prefer.NEWEST: ("The newer one wins", "Whoever edited last. Both systems' clocks decide."),
    Prefer.ASK: ("Ask me", "Neither is written; it waits under “Decide” until a person has chosen."),
}
_CHOICES: Mapping[str, str] = {"": "as above"} | {each.value: WINS[each] for each in Prefer}


async def conflicts(visit: Visit, found: SetUpOut) -> None:
    winners = _Winners(await show_bridge(visit.desk, found.id), may=visit.may(Role.OPERATOR))
    winners.draw()
    text("p", "The value that loses is not gone: the record's activity keeps it, and it can be put back.", "faint")
    winners.draw_objects()
    foot(visit, found, Step.CONFLICTS, winners.change)


class _Winners:
    def __init__(self, bridge: BridgeDetail, *, may: bool) -> None:
        self._settings = bridge.settings
        self._may = may
        self._prefer = self._settings.prefer
        self._of = {name: self._settings.of(name).wins for name in self._settings.objects()}

    def draw(self) -> None:
        with tag("fieldset", "choices"):
            text("legend", "Both sides changed the same field. Which value stays?")
            for prefer, (label, why) in _WINNERS.items():
                with tag("label", "choice check"):
                    box = tag("input", type="radio", name="prefer", value=prefer.value)
                    box.props["checked"] = prefer is self._prefer
                    box.props["disabled"] = not self._may
                    box.on("change", self._choose, js_handler="(e) => emit(e.target.value)")
                    text("strong", label)
                    text("small", why)

    def draw_objects(self) -> None:
        """What they are now, and fields with a rule of their own."""
        text("h2", "Another winner for some of them")
        for name, wins in self._of.items():
            plural = OBJECTS[name].plural
            with tag("label", "line"):
                text("span", plural.capitalize())
                with tag("select") as select:
                    for value, label in _CHOICES.items():
                        option = text("option", label, value=value)
                        option.props["selected"] = value == (wins or "")
                select.props["disabled"] = not self._may
                select.on("change", lambda e, name=name: self._turn(name, e), js_handler="(e) => emit(e.target.value)")
            for field, prefer in self._settings.of(name).prefer.items():
                text("p", f"{plural.capitalize()}, field {field}: what stays is {WINS[prefer]}.", "faint")

    def _choose(self, event: GenericEventArguments) -> None:
        self._prefer = Prefer(str(event.args))

    def _turn(self, name: str, event: GenericEventArguments) -> None:
        self._of[name] = Prefer(str(event.args)) if event.args else None

    def change(self) -> SettingsPart | None:
        given: dict[str, object] = {}
        if self._prefer is not self._settings.prefer:
            given["prefer"] = self._prefer
        turned = {name: wins for name, wins in self._of.items() if wins is not self._settings.of(name).wins}
        if turned:
            given["objects"] = {name: ObjectPart(wins=wins) for name, wins in turned.items()}
        return SettingsPart.model_validate(given) if given else None

"""How records of the two sides are recognised as one, and which of them are ambiguous."""

import re
from collections.abc import Mapping

from nicegui import ui

from app.api.choices import MatchingOut, ObjectChoiceOut, list_objects, show_matching
from app.api.plans import SharedOut
from app.api.set_ups import SettingsPart, SetUpOut
from app.dashboard.frame import Visit
from app.dashboard.hearing import hear
from app.dashboard.parts import SYSTEMS, VALUE, cell, link, table, tag, text
from app.dashboard.setup.frame import foot
from app.dashboard.setup.reading import reading
from app.people.roles import Role
from app.setting_up import Step
from app.sync.objects import OBJECTS

_SHOWN = 100
_KEYS = {
    "email": "e-mail",
    "slot": "HighLevel's id in Invoice Ninja",
    "identity": "name or number",
}
_FIELDS = {"product_key": "key", "body": "text", "summary": "text"}


async def matching(visit: Visit, found: SetUpOut) -> None:
    choices = [each for each in await list_objects(visit.desk, found.id) if each.enabled and each.filters]
    shown = await show_matching(visit.desk, found.id)
    slot = _Slot(shown)
    text("h2", "What they are recognised by")
    for choice in choices:
        with tag("article", "card", aria_label=choice.plural):
            text("h3", choice.plural.capitalize())
            with tag("ol"):
                for sentence in _keys(choice, shown.slot):
                    text("li", sentence)
    if len(shown.slots) > 1:
        slot.draw(may=visit.may(Role.OPERATOR))
    text("h2", "What is ambiguous")

    @ui.refreshable
    async def shared() -> None:
        _shared(await show_matching(visit.desk, found.id))

    await reading(visit, found.id, shared.refresh)
    await shared()
    foot(visit, found, Step.MATCHING, slot.change)


class _Slot:
    """Which field of Invoice Ninja keeps HighLevel's id."""

    def __init__(self, shown: MatchingOut) -> None:
        self._shown = shown
        self._chosen = shown.slot

    def draw(self, *, may: bool) -> None:
        with tag("label", "line"):
            text("span", "Invoice Ninja keeps HighLevel's id of a contact in")
            with tag("select") as select:
                for name in self._shown.slots:
                    option = text("option", _field(name), value=name)
                    if name == self._shown.slot:
                        option.props["selected"] = True
        text("p", "Choose one that you do not use yourselves: what is in it is overwritten.", "faint")
        select.props["disabled"] = not may
        hear(select, "change", self._choose, VALUE)

    def _choose(self, slot: str) -> None:
        self._chosen = slot

    def change(self) -> SettingsPart | None:
        return SettingsPart(slot=self._chosen) if self._chosen != self._shown.slot else None


def _keys(choice: ObjectChoiceOut, slot: str) -> list[str]:
    type_ = OBJECTS[choice.name]
    linked = "A pair that was linked before stays one, whatever is edited on either side."
    if type_.person:
        return [
            linked,
            f"A client that carries the contact's HighLevel id (in its {_field(slot)}) is its partner.",
            "The same e-mail address, if exactly one record has it.",
            "The same e-mail address and the same name, if several have the address.",
            "Otherwise a new partner is made, or, if it is not clear, you are asked.",
        ]
    named = _FIELDS.get(type_.recognised_by, type_.recognised_by.replace("_", " "))
    below = f" of the same {OBJECTS[type_.parent].called[next(iter(type_.called))]}" if type_.parent else ""
    also = f", with the same {' and '.join(type_.alike).replace('_', ' ')}" if type_.alike else ""
    return [linked, "The other side's id, where a record carries it.", f"The same {named}{below}{also}."]


def _field(name: str) -> str:
    """As people read it: custom value 4."""
    return re.sub(r"(?<=[a-z])(?=\d)", " ", name.replace("_", " "))


def _shared(shown: MatchingOut) -> None:
    if shown.plan_id is None:
        return
    if not shown.shared_keys:
        text("p", "Nothing is: no two records of one side share what they are recognised by.", "note done")
        return
    count = len(shown.shared_keys)
    keys = "One key is" if count == 1 else f"{count:,} keys{' or more' if count >= 500 else ''} are"
    text(
        "p",
        f"{keys} shared by several records of one side. Nothing is guessed: where it matters, the"
        " record waits until you say which one is meant, under “Decide”. You can also put them together at the vendor"
        " first, and read again.",
    )
    with table("Keys that several records share", ("Where", "What they share", "Records", "Which")):
        for each in shown.shared_keys[:_SHOWN]:
            with tag("tr"):
                _row(each, SYSTEMS)
    if count > _SHOWN:
        text("p", f"These are the {_SHOWN} that the most records share.", "faint")
    with tag("p"):
        link("Search for duplicates more thoroughly", "/duplicates")


def _row(each: SharedOut, systems: Mapping[str, str]) -> None:
    with cell("Where"):
        text("span", f"{systems[each.side]}, {OBJECTS[each.object].plural if each.object in OBJECTS else each.object}")
    with cell("What they share"):
        text("span", f"{_KEYS.get(each.kind, each.kind)}: ")
        text("strong", each.key)
    with cell("Records", "number"):
        text("span", f"{each.records:,}")
    with cell("Which"):
        for one in each.named:
            with tag("div"):
                name = one.name or one.id
                link(name, f"/records/{one.link_id}") if one.link_id else text("span", name)
                if one.name:
                    text("span", f" {one.id}", "faint ids")
        if more := each.records - len(each.named):
            text("div", f"and {more:,} more", "faint")

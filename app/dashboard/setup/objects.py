"""Which objects are synced, and which way."""

from functools import partial

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from app.api.choices import ObjectChoiceOut, list_objects
from app.api.set_ups import ObjectPart, SettingsPart, SetUpOut
from app.dashboard.frame import Visit
from app.dashboard.hearing import hear
from app.dashboard.mapping.required import mapping_path
from app.dashboard.parts import TICKED, VALUE, link, tag, text
from app.dashboard.setup.frame import foot
from app.people.roles import Role
from app.setting_up import Step
from app.sync.fieldmap import Direction

_WAYS = {
    Direction.BOTH: "HighLevel ↔ Invoice Ninja",
    Direction.TO_BILLING: "HighLevel → Invoice Ninja",
    Direction.TO_CRM: "HighLevel ← Invoice Ninja",
}
_DOES = {
    "contact": "A contact in HighLevel is a client in Invoice Ninja: names, e-mail, phone, address, and what you map.",
    "business": "A business in HighLevel is one client in Invoice Ninja, with all the contacts of the business in it.",
    "task": "The tasks of a contact are tasks of its client: title, text, due date, done or not.",
    "note": "Notes of a contact are written to its client's activity, and notes there to the contact.",
    "appointment": "Appointments become tasks of the client, to be billed. The calendar itself is never changed.",
    "opportunity": "An opportunity that is won becomes a draft invoice; when that is paid, the opportunity says so.",
    "product": "Products with their name, description and price.",
    "invoice": "Invoices of HighLevel are made in Invoice Ninja too, equal to the cent. Nobody is e-mailed.",
    "payment": "Payments of those invoices are recorded on the other side as well, once each, without a receipt.",
    "balance": "What a client owes, has paid, and how long it is overdue: custom fields and tags of the contact.",
    "recurring": "When the client's next recurring invoice goes out: a custom field of the contact.",
    "notice": "A note at the contact whenever money moves: invoice sent, viewed, overdue, paid, refunded.",
}


async def objects(visit: Visit, found: SetUpOut) -> None:
    choices = {each.name: each for each in await list_objects(visit.desk, found.id)}
    picked = _Picked(found.id, choices, may=visit.may(Role.OPERATOR))
    with tag("div", "choices"):
        for choice in choices.values():
            picked.draw(choice)
    picked.tell()
    foot(visit, found, Step.OBJECTS, picked.change)


class _Picked:
    """What is ticked at the moment."""

    def __init__(self, bridge_id: int, choices: dict[str, ObjectChoiceOut], *, may: bool) -> None:
        self.bridge_id = bridge_id
        self.choices = choices
        self.may = may
        self.on = {name: each.enabled for name, each in choices.items()}
        self.way = {name: each.direction for name, each in choices.items()}
        self._boxes: dict[str, Element] = {}
        self._needs: dict[str, TextElement] = {}
        self._fields: dict[str, Element] = {}

    def draw(self, choice: ObjectChoiceOut) -> None:
        name = choice.name
        with tag("article", "choice", aria_label=choice.plural):
            with tag("label", "check"):
                box = tag("input", type="checkbox", name=name)
                if choice.enabled:
                    box.props["checked"] = True
                hear(box, "change", partial(self._tick, name), TICKED)
                self._boxes[name] = box
                text("strong", choice.plural.capitalize())
            self._direction(choice)
            text("p", _DOES.get(name, ""))
            if choice.enabled:
                label, path = f"Map the fields of {choice.plural}", mapping_path(self.bridge_id, name)
                self._fields[name] = link(label, path)
            elif not choice.refused:
                self._fields[name] = text("p", "Its fields are mapped once this is saved.", "faint")
            if choice.refused:
                text("p", choice.refused, "wrong-words")
            if choice.needs:
                self._needs[name] = text("p", f"Needs {self.choices[choice.needs].plural}.", "faint")

    def _direction(self, choice: ObjectChoiceOut) -> None:
        name = choice.name
        if len(choice.directions) == 1:
            text("span", _WAYS[choice.directions[0]], "way")
            return
        with tag("select", aria_label=f"Which way {choice.plural} go") as select:
            for way in choice.directions:
                option = text("option", _WAYS[way], value=way.value)
                if way is choice.direction:
                    option.props["selected"] = True
        if not self.may:
            select.props["disabled"] = True
        hear(select, "change", partial(self._turn, name), VALUE)

    def _tick(self, name: str, on: object) -> None:
        self.on[name] = bool(on)
        self.tell()

    def _turn(self, name: str, way: str) -> None:
        self.way[name] = Direction(way)

    def tell(self) -> None:
        """What needs something that is off cannot be ticked, and says so."""
        for name, choice in self.choices.items():
            if name in self._fields:
                self._fields[name].set_visibility(self.on[name])
            lacking = bool(choice.needs) and not self.on[choice.needs]
            blocked = not self.may or bool(choice.refused) or (lacking and not self.on[name])
            self._boxes[name].props["disabled"] = blocked
            if name in self._needs:
                needed = self.choices[choice.needs].plural
                self._needs[name].text = f"Needs {needed}: switch {needed} on first." if lacking else f"Needs {needed}."
                self._needs[name].classes(replace="wrong-words" if lacking and self.on[name] else "faint")

    def change(self) -> SettingsPart | None:
        parts = {}
        for name, choice in self.choices.items():
            given: dict[str, object] = {}
            if self.on[name] != choice.enabled:
                given["enabled"] = self.on[name]
            if self.way[name] != choice.direction:
                given["direction"] = self.way[name]
            if given:
                parts[name] = ObjectPart.model_validate(given)
        return SettingsPart(objects=parts) if parts else None

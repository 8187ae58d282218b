"""Who is in the sandbox, both sides next to each other, and being somebody who works there."""

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui
from nicegui.element import Element
from starlette.datastructures import FormData

from app.api.sandbox import (
    NewPersonIn,
    PairOut,
    PersonIn,
    PersonOut,
    add_person,
    delete_person,
    edit_person,
    list_people,
)
from app.dashboard.forms import closing, field, form, picked, send
from app.dashboard.frame import Visit
from app.dashboard.parts import SYSTEMS, button, cell, link, state, table, tag, text
from app.people.roles import Principal, Role
from app.sync.records import Side

Refresh = Callable[[], Awaitable[None]]
LABELS = {
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "email": "E-mail",
    "phone": "Phone",
    "city": "City",
}
_SILENT = " It sends no webhook for a client's person alone, so a sweep was begun to find it."
_THERE = " This is what somebody does who works in {}; Crossledger hears of it by webhook."


class People:
    def __init__(self, visit: Visit, refresh: Refresh) -> None:
        self._visit = visit
        self._refresh = refresh
        self._may = visit.may(Role.OPERATOR)
        self._shown: list[PairOut] | None = None
        text("h2", "People on both sides")
        if self._may:
            with tag("p", "acts"):
                button("Add somebody", self._new)
        self._place = tag("div")
        self._dialog = tag("dialog", aria_label="Somebody in the sandbox")

    async def look(self) -> None:
        found = (await list_people(self._visit.desk)).items
        if found == self._shown:  # what has focus stays where it is
            return
        self._shown = found
        self._place.clear()
        with self._place:
            if not found:
                text("p", "Nobody is there.", "empty")
                return
            heads = ("HighLevel", "Invoice Ninja", "In step?")
            with table("People of the sandbox", heads):
                for pair in found:
                    self._row(pair)

    def _row(self, pair: PairOut) -> None:
        with tag("tr"):
            for side, person in ((Side.CRM, pair.crm), (Side.BILLING, pair.billing)):
                with cell(SYSTEMS[side], "person"):
                    self._person(side, person, pair.apart)
            with cell("In step?"):
                if pair.crm and pair.billing and pair.apart and pair.state == "ok":
                    text("span", "on its way", "state pending")
                else:
                    state(pair.state) if pair.state else text("span", "not seen yet", "faint")
                if pair.link_id:
                    with tag("div"):
                        link("Record", f"/records/{pair.link_id}")

    def _person(self, side: Side, person: PersonOut | None, apart: list[str]) -> None:
        if person is None:
            text("span", "not there", "faint")
            return
        values = person.values
        name = " ".join(filter(None, (values["first_name"], values["last_name"]))) or "without a name"
        text("strong", name, _look(apart, "first_name", "last_name"))
        text("div", values["company"] or "no company", _look(apart, "company") or "faint")
        with tag("div"):
            for each in ("email", "phone", "city"):
                if values[each] or each in apart:
                    text("span", values[each] or f"no {LABELS[each].lower()}", _look(apart, each))
        if self._may:
            edit = button("Edit", partial(self._edit, side, person), "quiet small")
            edit.props["aria-label"] = f"Edit {name} in {SYSTEMS[side]}"

    async def _new(self) -> None:
        with self._asked("Add somebody"), form(self._add):
            picked("side", "Where", dict(SYSTEMS))
            for name, label in LABELS.items():
                field(name, label)
            self._buttons("Add")

    async def _edit(self, side: Side, person: PersonOut) -> None:
        with self._asked(f"Edit in {SYSTEMS[side]}"):
            text("p", _THERE.format(SYSTEMS[side]).strip())
            with form(partial(self._save, side, person)):
                for name, label in LABELS.items():
                    field(name, label, value=person.values[name])
                self._buttons("Save")
            with form(partial(self._delete, side, person.id), ""), tag("p", "acts"):
                send(f"Delete in {SYSTEMS[side]}", "danger")

    def _asked(self, title: str) -> Element:
        """The dialog, emptied and opened."""
        self._dialog.clear()
        with self._dialog:
            text("h2", title)
        ui.run_javascript(f"getHtmlElement({self._dialog.id}).showModal()")
        return self._dialog

    def _buttons(self, label: str) -> None:
        with tag("div", "acts"):
            closing("Cancel")
            send(label)

    async def _add(self, typed: FormData) -> None:
        async def work(_: Principal) -> str:
            new = NewPersonIn.model_validate({name: str(value) for name, value in typed.items() if value})
            await add_person(self._visit.desk, new)
            return f"Added in {SYSTEMS[new.side]}."

        await self._act("add somebody in the sandbox", work)

    async def _save(self, side: Side, person: PersonOut, typed: FormData) -> None:
        changed = {name: str(typed.get(name, "")) for name in LABELS if typed.get(name, "") != person.values[name]}

        async def work(who: Principal) -> str:
            done = await edit_person(self._visit.desk, who, side, person.id, PersonIn.model_validate(changed))
            return f"Saved in {SYSTEMS[side]}." + ("" if done.told else _SILENT)

        if changed:
            await self._act("edit somebody in the sandbox", work)

    async def _delete(self, side: Side, person_id: str, _: FormData) -> None:
        async def work(_: Principal) -> str:
            await delete_person(self._visit.desk, side, person_id)
            return f"Deleted in {SYSTEMS[side]}. What becomes of the other one is the bridge's rule for deletions."

        await self._act("delete somebody in the sandbox", work)

    async def _act(self, action: str, work: Callable[[Principal], Awaitable[str]]) -> None:
        if await self._visit.act(Role.OPERATOR, action, work, "sandbox"):
            await self._refresh()


def _look(apart: list[str], *names: str) -> str:
    return "apart" if set(names) & set(apart) else ""

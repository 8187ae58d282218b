"""What waits for a person's decision: each field with what both sides have, and what each decision would do."""

from functools import partial
from typing import Annotated

from fastapi import HTTPException, Query, Request
from nicegui import ui

from app.api.conflict_schemas import FieldConflict, OptionOut
from app.api.conflicts import decide, list_conflicts, show_conflict
from app.api.fields import Id, Word
from app.api.reading import slice_of
from app.api.requests import DecideIn
from app.api.schemas import ConflictOut, LinkOut
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
from app.dashboard.naming import Names, field_names
from app.dashboard.parts import SYSTEMS, button, cell, link, record, table, tag, text, when
from app.errors import CrossledgerError
from app.people.roles import Principal, Role
from app.sync.decisions import ConflictKind, Deed
from app.web.pages.layout import desk_of

router = pages()

KINDS: dict[str, str] = {
    ConflictKind.FIELD: "both sides have another value",
    ConflictKind.AMBIGUOUS: "several could be its partner",
    ConflictKind.CURRENCY: "the currencies differ",
    ConflictKind.TOTAL: "the totals differ",
    ConflictKind.DELETION: "deleted there, edited here",
    ConflictKind.REQUIRED: "it must not differ",
}
_LOOKS = 3.0
"""Seconds; what was decided goes when it is carried out."""
_LABELS = {"crm": "Take HighLevel's", "billing": "Take Invoice Ninja's", "value": "Write another value"}


@page(router, "/decide", "Decide")
async def conflicts(
    request: Request,
    bridge: Id | None = None,
    kind: ConflictKind | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    cursor: str | None = None,
) -> None:
    lead = "Where the two sides contradict each other, nothing is written until somebody decides. All else goes on."
    with frame(request, "Decide", lead=lead) as visit:
        bridges = await bridge_names(visit)
        given = {"bridge": bridge, "kind": kind, "object": object_}
        with filters("/decide", given):
            choice("bridge", "Bridge", bridges)
            choice("kind", "Kind", KINDS)

        @ui.refreshable
        async def rows() -> None:
            part = slice_of(50, cursor)
            found = await list_conflicts(visit.desk, part, bridge_id=bridge, kind=kind, object_=object_)
            if not found.items:
                nothing("Nothing waits for a decision.", ("What was done", "/activity"))
                return
            names = await field_names(visit.desk, ((each.bridge_id, each.object) for each in found.items))
            _list(found.items, bridges, names)
            if found.next_cursor:
                with tag("p", "pager"):
                    link("Older", query("/decide", {**given, "cursor": found.next_cursor}))

        await rows()
        visit.every(_LOOKS, rows.refresh)


def _list(rows: list[LinkOut], bridges: dict[str, str], names: Names) -> None:
    with table("Conflicts, newest first", ("Record", "Fields", "What is the matter", "Bridge")):
        for row in rows:
            with tag("tr"):
                with cell("Record"):
                    record(row.object, row.name, row.crm_id, row.billing_id, f"/decide/{row.id}")
                with cell("Fields"):
                    waits = [name for name, held in row.held.items() if held.conflict]
                    fields = ", ".join(names.of(row.bridge_id, row.object, each) for each in waits)
                    text("span", fields or "the record")
                with cell("What is the matter"):
                    text("span", ", ".join(KINDS[each] for each in row.conflicts))
                    if row.decisions.model_dump(exclude_defaults=True):
                        text("div", "decided, being carried out", "faint")
                with cell("Bridge"):
                    text("span", bridges.get(str(row.bridge_id), ""))


@page(router, "/decide/{link_id}", "Decide")
async def conflict(request: Request, link_id: Id) -> None:
    try:
        case = await show_conflict(desk_of(request), link_id)
    except (HTTPException, CrossledgerError):
        with frame(request, "Nothing to decide"):
            nothing("There is no such conflict.", ("All conflicts", "/decide"))
        return
    with frame(request, f"Decide about {case.name or 'a ' + case.object.replace('_', ' ')}") as visit:
        with tag("div"):
            record(case.object, "", case.crm_id, case.billing_id)
            with tag("div"):
                link("The whole record", f"/records/{link_id}")
        if not case.conflicts:
            nothing("Nothing waits for a decision here.", ("Other conflicts", "/decide"))
        for each in case.fields:
            _field(visit, case, each)
        _whole(visit, case)


def _field(visit: Visit, case: ConflictOut, field: FieldConflict) -> None:
    told = field.conflict
    with tag("article", "card"):
        label = field.billing_label or field.crm_label or field.field
        text("h2", label)
        text("p", KINDS[told.kind].capitalize() + ".", "faint")
        sides = (
            ("crm", told.crm, told.base_crm, told.crm_at),
            ("billing", told.billing, told.base_billing, told.billing_at),
        )
        with table(f"Values of {label}", ("Where", "Now", "When both last agreed", "Edited (UTC)")):
            for side, now, base, at in sides:
                with tag("tr"):
                    text("th", SYSTEMS[side], scope="row")
                    with cell("Now"):
                        text("span", "its record is gone" if now is None else now or "empty")
                    with cell("When both last agreed"):
                        text("span", "never" if base is None else base or "empty", "faint")
                    with cell("Edited"):
                        when(at) if at else text("span", "not known", "faint")
        if visit.may(Role.OPERATOR):
            _choices(visit, case, field)


def _choices(visit: Visit, case: ConflictOut, field: FieldConflict) -> None:
    always = ui.checkbox("Always so for this field of this bridge")
    typed = (
        ui.input("Another value").props("outlined dense")
        if any(each.decide == "value" for each in field.options)
        else None
    )
    with tag("div", "acts"):
        for option in field.options:
            if option.refused:
                text("p", f"{_label(option)}: {option.refused}", "faint")
                continue

            async def press(take: str = option.decide) -> None:
                by_hand = take == "value"
                choice_ = {
                    "take": take,
                    "value": typed.value if by_hand and typed else None,
                    "always": always.value and not by_hand,
                    "crm": field.conflict.crm,
                    "billing": field.conflict.billing,
                }
                await _decide(visit, case, {"fields": {field.field: choice_}})

            with button(_label(option), press, "quiet"):
                ui.tooltip(option.effect)


def _whole(visit: Visit, case: ConflictOut) -> None:
    if not case.options or not visit.may(Role.OPERATOR):
        return
    with tag("article", "card"):
        text("h2", "The record as a whole")
        if case.detail:
            text("p", case.detail)
        for option in case.options:
            with tag("div", "option"):
                text("p", option.effect)
                if option.refused:
                    text("p", option.refused, "faint")
                    continue
                label = f"{_label(option)} {option.partner}".rstrip()
                button(label, partial(_decide, visit, case, _wanted(option)), "quiet")


def _wanted(option: OptionOut) -> dict[str, object]:
    if option.decide in set(Deed):
        return {"deletion": option.decide}
    return {"partner": option.partner} if option.partner else {option.decide: True}


def _label(option: OptionOut) -> str:
    return _LABELS.get(option.decide, option.decide.replace("_", " ").capitalize())


async def _decide(visit: Visit, case: ConflictOut, wanted: dict[str, object]) -> None:
    """`wanted`: the body of POST /conflicts/{id}/decide."""

    async def work(who: Principal) -> str:
        await decide(visit.desk, who, case.id, DecideIn.model_validate(wanted))
        return "Decided; it is carried out now."

    if await visit.act(Role.OPERATOR, "decide a conflict", work, f"link {case.id}"):
        ui.navigate.to("/decide")

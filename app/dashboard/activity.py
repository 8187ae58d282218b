"""What was done, newest first, with each field before and after. The address keeps the filter."""

from typing import Annotated

from fastapi import HTTPException, Query, Request

from app.api.activities import list_activities, show_exchange
from app.api.fields import Id, Word
from app.api.reading import slice_of
from app.api.schemas import ActivityOut
from app.dashboard.filters import choice, filters, words
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.naming import Names, field_names
from app.dashboard.parts import SYSTEMS, button, cell, link, table, tag, text, when
from app.dashboard.parts import record as called
from app.people.roles import Role
from app.sync.objects import OBJECTS

router = pages()

ACTIONS = (
    "created", "linked", "updated", "held", "settled", "excluded", "unlinked", "conflict", "failed", "undone", "merged",
)  # fmt: skip
_LOOKS = 5.0
"""Seconds between two looks for what is new."""


@page(router, "/activity", "Activity")
async def activity(
    request: Request,
    bridge: Id | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    action: Word | None = None,
    record: Word | None = None,
    run: Id | None = None,
    cursor: str | None = None,
) -> None:
    with frame(request, "Activity", lead="What Crossledger wrote, where, and why. Nothing is listed twice.") as visit:
        bridges = await bridge_names(visit)
        given = {"bridge": bridge, "object": object_, "action": action, "record": record, "run": run}
        with filters("/activity", given):
            choice("bridge", "Bridge", bridges)
            choice("object", "Object", {name: name.replace("_", " ") for name in OBJECTS})
            choice("action", "What", {name: name for name in ACTIONS})
            words("record", "Id of a record")
        part = slice_of(50, cursor)
        found = await list_activities(
            visit.desk, part, bridge_id=bridge, object_=object_, action=action, record=record, run_id=run
        )
        newest = found.items[0].id if found.items else 0
        if cursor is None:
            _tell_of_news(visit, newest)
        await activities(visit, found.items, bridges)
        if not found.items and any(given.values()):
            nothing("Nothing like this was done.", ("Show all", "/activity"))
        elif not found.items:
            told = "Nothing was done yet. It is listed here as soon as a record is created, linked or changed."
            nothing(told, *first_steps(bridges))
        with tag("p", "pager"):
            if cursor:
                link("Newest", query("/activity", given))
            if found.next_cursor:
                link("Older", query("/activity", {**given, "cursor": found.next_cursor}))
            if found.items:
                _exports({"bridge_id": bridge, "object": object_, "action": action, "record": record, "run_id": run})


def _exports(given: dict[str, object]) -> None:
    """All that fits, not this page alone."""
    for form, label in (("csv", "Export as CSV"), ("json", "Export as JSON")):
        link(label, query("/api/v1/activities/export", {**given, "form": form})).props["download"] = True


async def activities(visit: Visit, rows: list[ActivityOut], bridges: dict[str, str] | None) -> None:
    """`bridges`: their names; None where all are of one record, which is named above."""
    if not rows:
        return
    names = await field_names(visit.desk, ((each.bridge_id, each.object) for each in rows))
    may_undo = visit.may(Role.OPERATOR)
    of_many = ("Record", "Fields", "Bridge") if bridges is not None else ("Fields", "")
    with table("Activities, newest first", ("When (UTC)", "What", *of_many)):
        for row in rows:
            with tag("tr"):
                with cell("When"):
                    when(row.at)
                with cell("What"):
                    text("strong", row.action)
                    text("div", f"because of {row.cause}" if row.cause else "", "faint")
                    text("div", f"in run {row.run_id}" if row.run_id else "", "faint")
                if bridges is not None:
                    with cell("Record"):
                        address = f"/records/{row.link_id}" if row.link_id else ""
                        called(row.object, row.name, row.crm_id, row.billing_id, address)
                with cell("Fields"):
                    _changes(row, names)
                    if row.detail:
                        text("div", row.detail, "faint")
                    if row.action == "failed":
                        _exchange(visit, row.id)
                with cell("Bridge" if bridges is not None else ""):
                    if bridges is not None:
                        text("span", bridges.get(str(row.bridge_id), f"bridge {row.bridge_id}"))
                    if may_undo and any(change.after is not None for change in row.changes):
                        with tag("div"):
                            link("Undo", f"/undo?activity={row.id}")


def _exchange(visit: Visit, activity_id: int) -> None:
    """What was said to the vendor, behind a toggle: it is read when somebody wants to see it."""

    async def toggle() -> None:
        if place.default_slot.children:
            place.clear()
            return
        with place:
            try:
                said = await show_exchange(visit.desk, activity_id)
            except HTTPException:
                text("p", "It failed before anything was said, or what was said is not kept any more.", "faint")
                return
            status = "no answer came" if said.status is None else f"answered {said.status}"
            for label, body in ((f"{said.method} {said.url}", said.request), (status, said.answer)):
                text("div", label, "faint")
                if body:
                    text("pre", body)

    button("Request and answer", toggle, "quiet small")
    place = tag("div", "exchange")


def _changes(row: ActivityOut, names: Names) -> None:
    for change in row.changes:
        with tag("div", "change"):
            text("span", names.of(row.bridge_id, row.object, change.field), "name")
            if change.side:
                text("span", f"in {SYSTEMS[change.side]}", "faint")
            if change.after is not None:
                text("del", change.before or "empty", "" if change.before else "faint")
                text("span", "→")
                text("ins", change.after or "empty", "" if change.after else "faint")
            if said := change.why or change.note:
                text("span", said, "faint")


def _tell_of_news(visit: Visit, newest: int) -> None:
    """A list that moves while it is read cannot be read: it says how much is new."""
    with tag("p", "news") as told:
        told.set_visibility(False)
        again = link(
            "", str(visit.request.url.path) + (f"?{visit.request.url.query}" if visit.request.url.query else "")
        )

    async def look() -> None:
        found = await list_activities(visit.desk, slice_of(100))
        count = sum(each.id > newest for each in found.items)
        if count:
            again.text = f"{'100 or more' if count == 100 else count} new: show"
            told.set_visibility(True)

    visit.every(_LOOKS, look)

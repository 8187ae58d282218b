"""What was done, newest first, with each field before and after. The address keeps the filter."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated

from fastapi import HTTPException, Query, Request

from app.api.activities import ExchangeOut, Which, list_activities, show_activity, show_exchange
from app.api.events import show_event
from app.api.fields import Id, Typed, Word
from app.api.reading import slice_of
from app.api.schemas import ActivityOut, Page
from app.dashboard.filters import choice, filters, moment, more, typed, words
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.naming import Names, field_names
from app.dashboard.news import tell_of_news
from app.dashboard.parts import SYSTEMS, cell, count_of, link, table, tag, text, unfold, when
from app.dashboard.parts import record as called
from app.dashboard.sandbox_banner import banner
from app.people.roles import Role
from app.settings import Settings
from app.sync.objects import OBJECTS
from app.sync.records import Side
from app.web.pages.layout import desk_of

router = pages()

ACTIONS = (
    "created", "linked", "updated", "held", "settled", "excluded", "unlinked", "conflict", "failed", "undone", "merged",
)  # fmt: skip
_MORE = ("side", "cause", "run", "from", "to")


@page(router, "/activity", "Activity")
async def activity(
    request: Request,
    bridge: Id | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    action: Word | None = None,
    search: Word | None = None,
    record: Word | None = None,
    run: Id | None = None,
    cause: Word | None = None,
    side: Side | None = None,
    since: Annotated[Typed | None, Query(alias="from")] = None,
    until: Annotated[Typed | None, Query(alias="to")] = None,
    cursor: str | None = None,
) -> None:
    search = search or record  # as addresses had it that people have kept
    with frame(request, "Activity", lead="What Crossledger wrote, where, and why. Nothing is listed twice.") as visit:
        bridges = await bridge_names(visit)
        which = Which(
            bridge_id=bridge, object=object_, action=action, search=search, run_id=run, cause=cause, side=side,
            since=since, until=until,
        )  # fmt: skip
        given = {
            "bridge": bridge,
            "object": object_,
            "action": action,
            "search": search,
            "run": run,
            "cause": cause,
            "side": side,
            "from": typed(since),
            "to": typed(until),
        }
        _filters(given, bridges)
        found = await list_activities(visit.desk, slice_of(50, cursor), which)
        if cursor is None:
            newest = found.items[0].id if found.items else 0
            tell_of_news(visit, newest, partial(list_activities, visit.desk, which=which))
        await activities(visit, found.items, bridges)
        if not found.items and any(given.values()):
            nothing("Nothing like this was done.", ("Show all", "/activity"))
        elif not found.items:
            told = "Nothing was done yet. It is listed here as soon as a record is created, linked or changed."
            nothing(told, *first_steps(bridges))
        _pager(given, cursor, found)
        _kept(visit.desk.settings)


@page(router, "/activity/{activity_id}", "Activity")
async def entry(request: Request, activity_id: Id) -> None:
    """One, at an address that stays."""
    try:
        shown = await show_activity(desk_of(request), activity_id)
    except HTTPException:
        with frame(request, "No such entry"):
            nothing("There is no such entry, or its bridge was deleted.", ("All activity", "/activity"))
        return
    named = shown.name or shown.object.replace("_", " ")
    with frame(request, f"{shown.action.capitalize()}: {named}") as visit:
        if shown.bridge_id in visit.desk.sandbox.standing.bridges:
            banner(visit)
        await activities(visit, [shown], await bridge_names(visit))
        with tag("p", "pager"):
            link("All activity", "/activity")
            if shown.link_id:
                link("All of this record", f"/records/{shown.link_id}")
            if shown.run_id:
                link("All of its run", query("/activity", {"run": shown.run_id}))
            if shown.event_id and (told_of := await _told_of(visit, shown.event_id)):
                link("What arrived", query("/deliveries", {"record": told_of}))
        _kept(visit.desk.settings)


async def _told_of(visit: Visit, event_id: int) -> str:
    """The id of the record that a delivery named; "" where the delivery is not kept any more."""
    try:
        return (await show_event(visit.desk, event_id)).external_id
    except HTTPException:
        return ""


def _filters(given: Mapping[str, object], bridges: Mapping[str, str]) -> None:
    with filters("/activity", given):
        words("search", "Name, e-mail or id")
        choice("bridge", "Bridge", bridges)
        choice("object", "Object", {name: name.replace("_", " ") for name in OBJECTS})
        choice("action", "What", {name: name for name in ACTIONS})
        with more(*_MORE):
            choice("side", "Written to", SYSTEMS)
            words("cause", "Because of")
            words("run", "Run")
            moment("from", "From (UTC)")
            moment("to", "To (UTC)")


def _pager(given: Mapping[str, object], cursor: str | None, found: Page[ActivityOut]) -> None:
    with tag("p", "pager"):
        if cursor:
            link("Newest", query("/activity", given))
        if found.next_cursor:
            link("Older", query("/activity", {**given, "cursor": found.next_cursor}))
        if found.items:
            _exports(given)


def _exports(given: Mapping[str, object]) -> None:
    """All that fits, not this page alone."""
    asked = {{"bridge": "bridge_id", "run": "run_id"}.get(name, name): value for name, value in given.items()}
    moments = {name: f"{asked[name]}Z" for name in ("from", "to") if asked[name]}
    for form, label in (("csv", "Export as CSV"), ("json", "Export as JSON")):
        link(label, query("/api/v1/activities/export", {**asked, **moments, "form": form})).props["download"] = True


def _kept(settings: Settings) -> None:
    days, audit = (count_of(each, "day") for each in (settings.keep_events_days, settings.keep_audit_days))
    text(
        "p",
        f"This log is kept for as long as its bridge is; deliveries, and what was said to a vendor, for {days}; the"
        f" audit log for {audit}.",
        "faint",
    )


async def activities(visit: Visit, rows: list[ActivityOut], bridges: dict[str, str]) -> None:
    """`bridges`: their names."""
    if not rows:
        return
    names = await field_names(visit.desk, ((each.bridge_id, each.object) for each in rows))
    with table("Activities, newest first", ("When (UTC)", "What", "Record", "Fields", "Bridge")):
        for row in rows:
            with tag("tr"):
                with cell("When"), tag("a", href=f"/activity/{row.id}"):
                    when(row.at)
                with cell("What"):
                    what(row)
                with cell("Record"):
                    address = f"/records/{row.link_id}" if row.link_id else ""
                    called(row.object, row.name, row.crm_id, row.billing_id, address)
                with cell("Fields"):
                    details(visit, row, names)
                with cell("Bridge"):
                    text("span", bridges.get(str(row.bridge_id), f"bridge {row.bridge_id}"))
                    undo(visit, row)


def what(row: ActivityOut) -> None:
    text("strong", row.action)
    for words_, name, value in (("because of", "cause", row.cause), ("in run", "run", row.run_id)):
        if value:
            with tag("div", "faint"):
                text("span", f"{words_} ")
                link(str(value), query("/activity", {name: value}))


def details(visit: Visit, row: ActivityOut, names: Names) -> None:
    _changes(row, names)
    if row.detail:
        text("div", row.detail, "faint")
    if row.action == "failed":
        exchange("Request and answer", partial(show_exchange, visit.desk, row.id))


def undo(visit: Visit, row: ActivityOut) -> None:
    if visit.may(Role.OPERATOR) and any(change.after is not None for change in row.changes):
        with tag("div"):
            link("Undo", f"/undo?activity={row.id}")


def exchange(label: str, find: Callable[[], Awaitable[ExchangeOut]]) -> None:
    """What was said to the vendor, behind a toggle: it is read when somebody wants to see it."""

    async def told() -> None:
        try:
            said = await find()
        except HTTPException:
            text("p", "It failed before anything was said, or what was said is not kept any more.", "faint")
            return
        status = "no answer came" if said.status is None else f"answered {said.status}"
        for head, body in ((f"{said.method} {said.url}", said.request), (status, said.answer)):
            text("div", head, "faint")
            if body:
                text("pre", body)

    unfold(label, told)


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

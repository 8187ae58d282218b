"""All linked records, by bridge, object and how they are doing, found by name. The address keeps the filter."""

from typing import Annotated

from fastapi import Query, Request

from app.api.fields import Id, Word
from app.api.reading import slice_of
from app.api.records import list_records
from app.api.schemas import LinkOut
from app.dashboard.filters import choice, filters, words
from app.dashboard.frame import bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.parts import cell, link, record, state, table, tag, text, when
from app.listing import Doing
from app.sync.objects import OBJECTS

router = pages()

DOING: dict[str, str] = {
    Doing.IN_STEP: "in step",
    Doing.WAITING: "waiting",
    Doing.WAITING_FOR_PARENT: "waiting for their parent",
    Doing.FAILING: "failing",
    Doing.DECIDE: "needs a decision",
    Doing.LEFT_OUT: "left out",
}
# Where more can be done with records like these, beside each of them.
_MORE = {Doing.FAILING: ("By cause, and try them again", "/failing"), Doing.DECIDE: ("Decide", "/decide")}


@page(router, "/records", "Records")
async def records(
    request: Request,
    bridge: Id | None = None,
    object_: Annotated[Word | None, Query(alias="object")] = None,
    doing: Doing | None = None,
    search: Word | None = None,
    cursor: str | None = None,
) -> None:
    with frame(request, "Records", lead="What is linked, or on its way to be, and how it is doing.") as visit:
        bridges = await bridge_names(visit)
        given = {"bridge": bridge, "object": object_, "doing": doing, "search": search}
        with filters("/records", given):
            words("search", "Name, e-mail or id")
            choice("bridge", "Bridge", bridges)
            choice("object", "Object", {name: name.replace("_", " ") for name in OBJECTS})
            choice("doing", "State", DOING)
        if doing in _MORE:
            label, path = _MORE[doing]
            with tag("p"):
                link(label, query(path, {"bridge": bridge}))
        part = slice_of(50, cursor)
        found = await list_records(visit.desk, part, bridge, object_, doing, search)
        if found.items:
            rows_of(found.items, bridges)
        elif any(given.values()):
            nothing("No record is like this.", ("Show all", "/records"))
        else:
            told = "Nothing is linked yet. A record is listed here as soon as it is looked at for the first time."
            nothing(told, *first_steps(bridges))
        with tag("p", "pager"):
            if cursor:
                link("Newest", query("/records", given))
            if found.next_cursor:
                link("Older", query("/records", {**given, "cursor": found.next_cursor}))


def rows_of(rows: list[LinkOut], bridges: dict[str, str]) -> None:
    with table("Records, newest first", ("Record", "State", "Last looked at (UTC)", "Bridge")):
        for row in rows:
            with tag("tr"):
                with cell("Record"):
                    record(row.object, row.name, row.crm_id, row.billing_id, f"/records/{row.id}")
                with cell("State"):
                    state("conflict" if row.conflicts else row.state)
                    if row.detail:
                        text("div", row.detail, "faint")
                with cell("Last looked at"):
                    when(row.synced_at)
                with cell("Bridge"):
                    text("span", bridges.get(str(row.bridge_id), f"bridge {row.bridge_id}"))

"""What an undo would take back, shown before it begins: of an activity, a record, a run, or a bridge's time span."""

from datetime import UTC, datetime

from fastapi import HTTPException, Request
from nicegui import ui
from pydantic import ValidationError

from app.api.fields import Id
from app.api.undo import PreviewOut, UndoIn, ValueOut, begin_undo, preview_undo
from app.dashboard.filters import choice, filters
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, said
from app.dashboard.naming import Names, field_names
from app.dashboard.parts import SYSTEMS, button, cell, count_of, record, table, tag, text
from app.errors import CrossledgerError
from app.people.roles import Principal, Role
from app.undo.scope import RECORD

router = pages()
# What becomes of a record that was made: nothing is deleted.
_PUT_AWAY = {"crm": "stays", "billing": "archived"}


@page(router, "/undo", "Undo", Role.OPERATOR)
async def undo(
    request: Request,
    activity: Id | None = None,
    record: Id | None = None,
    run: Id | None = None,
    bridge: Id | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """`since` and `until` are in UTC, as a browser's fields for a moment give them."""
    lead = "What somebody has changed since is compared, left as it is, and listed."
    with frame(request, "Undo", lead=lead) as visit:
        since, until = [each and (each if each.tzinfo else each.replace(tzinfo=UTC)) for each in (since, until)]
        if not (activity or record or run):
            await _span(visit, bridge, since, until)
            if not (bridge and since):
                return
        try:
            what = UndoIn(activity_id=activity, link_id=record, run_id=run, bridge_id=bridge, since=since, until=until)
            found = await preview_undo(visit.desk, what)
        except ValidationError as error:
            nothing(f"This names nothing to undo: {said(error)}.", ("Activity", "/activity"))
            return
        except (HTTPException, CrossledgerError) as error:
            nothing(f"What would be taken back cannot be shown. {said(error).rstrip('.')}.", ("Activity", "/activity"))
            return
        names = await field_names(visit.desk, ((found.bridge_id, each.object) for each in found.items))
        _preview(visit, what, found, names)


async def _span(visit: Visit, bridge: int | None, since: datetime | None, until: datetime | None) -> None:
    """All that a bridge wrote from one moment to another."""
    text("p", "Choose an activity, a record or a run where it is listed, or all that a bridge wrote in a time span.")
    given = {"bridge": bridge, "since": since, "until": until}
    with filters("/undo", given, "Show what it would take back"):
        choice("bridge", "Bridge", await bridge_names(visit))
        for name, label, moment in (("since", "Since (UTC)", since), ("until", "Until (UTC), empty: now", until)):
            with tag("label"):
                text("span", label)
                shown = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else ""
                tag("input", name=name, type="datetime-local", step="1", value=shown)


def _preview(visit: Visit, what: UndoIn, found: PreviewOut, names: Names) -> None:
    if not found.items:
        nothing("There is nothing to take back: it was undone before, or wrote nothing.", ("Activity", "/activity"))
        return
    counted = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(found.counts.items()))
    text("p", f"{count_of(found.records, 'record')}: {counted}.")
    if found.looked_at < found.records:
        text("p", f"The newest {found.looked_at:,} of them were read just now, and are shown.", "faint")
    with table("What would be written", ("Record", "Field", "Where", "Now", "Back to", "Outcome")):
        for item in found.items:
            with tag("tr"):
                _row(item, names.of(found.bridge_id, item.object, item.field))

    async def begin() -> None:
        async def work(who: Principal) -> str:
            run = await begin_undo(visit.desk, who, what)
            return f"Run {run.id} takes it back."

        if await visit.act(Role.OPERATOR, "undo", work, what.model_dump_json(exclude_none=True)):
            ui.navigate.to("/runs")

    with tag("p"):
        button("Undo it", begin)


def _row(item: ValueOut, field: str) -> None:
    with cell("Record"):
        address = f"/records/{item.link_id}" if item.link_id else ""
        record(item.object, item.name, item.crm_id, item.billing_id, address)
    for head, words in (
        ("Field", field),
        ("Where", SYSTEMS.get(item.side, "")),
        ("Now", item.now or "empty"),
        ("Back to", item.back or ("empty" if item.field != RECORD else _PUT_AWAY.get(item.side, "empty"))),
    ):
        with cell(head):
            text("span", words)
    with cell("Outcome"):
        text("span", item.outcome.replace("_", " "))
        if item.reason:
            text("div", item.reason, "faint")

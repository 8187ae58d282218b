"""What happened to one record: what its vendors told, and what was done, newest first."""

from datetime import timedelta

from app.api.links import show_timeline
from app.api.schemas import EventOut, LinkOut
from app.dashboard.activity import details, undo, what
from app.dashboard.frame import Visit, nothing
from app.dashboard.naming import field_names
from app.dashboard.parts import SYSTEMS, cell, link, table, tag, text, when
from app.models.event import EventState

HERE = "happened"
_NOTED = timedelta(seconds=1)
"""What was looked at sooner was looked at at once."""
_FOUND = {"poll": "found by polling", "sweep": "found by a sweep"}
_BECAME: dict[str, str] = {
    EventState.PENDING: "waits to be looked at",
    EventState.DONE: "looked at",
    EventState.IGNORED: "ignored",
    EventState.UNKNOWN: "not known to Crossledger",
    EventState.FAILED: "given up",
}


async def timeline(visit: Visit, record: LinkOut, cursor: str | None) -> None:
    found = await show_timeline(visit.desk, record.id, 50, cursor)
    if not found.items:
        nothing("Nothing was told of it, and nothing was written, yet.")
        return
    names = await field_names(visit.desk, [(record.bridge_id, record.object)])
    with table("What happened, newest first", ("When (UTC)", "What", "Details", "")):
        for row in found.items:
            with tag("tr", "" if row.activity else "told-row"):
                with cell("When"):
                    when(row.at)
                with cell("What"):
                    if row.event:
                        _told(row.event)
                    if row.activity:
                        what(row.activity)
                with cell("Details"):
                    if row.event:
                        _became(row.event, record)
                    if row.activity:
                        details(visit, row.activity, names)
                with cell(""):
                    if row.activity:
                        undo(visit, row.activity)
    with tag("p", "pager"):
        if cursor:
            link("Newest", f"/records/{record.id}#{HERE}")
        if found.next_cursor:
            link("Older", f"/records/{record.id}?cursor={found.next_cursor}#{HERE}")


def _told(event: EventOut) -> None:
    text("span", _FOUND.get(event.kind) or f"{SYSTEMS.get(event.side or '', event.provider)} told")
    sent = f"{event.kind}, sent {event.deliveries:,} times" if event.deliveries > 1 else event.kind
    text("div", "" if event.kind in _FOUND and event.deliveries == 1 else sent, "faint")


def _became(event: EventOut, record: LinkOut) -> None:
    said, outcome = _BECAME[event.state], event.outcome.removeprefix(f"{EventState.FAILED}: ")
    text("span", f"{said}: {outcome}" if outcome else said)
    if event.external_id not in (record.crm_id, record.billing_id):
        text("div", f"about {event.external_id}, which it is a part of", "faint")
    if event.handled_at and event.handled_at - event.received_at >= _NOTED:
        with tag("div", "faint"):
            text("span", "at ")
            when(event.handled_at)

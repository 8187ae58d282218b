"""What needs somebody now, and the ways people are told of it."""

from fastapi import Request

from app.api.alerts import list_alerts
from app.api.care import AlertOut
from app.api.reading import slice_of
from app.dashboard.channels import Channels
from app.dashboard.frame import bridge_names, frame, nothing, page, pages, query
from app.dashboard.parts import cell, link, table, tag, text, when
from app.models.alert import AlertKind, Thing

router = pages()

_WHERE = {AlertKind.FAILURES: ("Failing", "/failing"), AlertKind.CONFLICT: ("Decide", "/decide")}
_MANY = 200
_PAST = 50


@page(router, "/notifications", "Notifications")
async def notifications(request: Request) -> None:
    with frame(request, "Notifications", lead="What needs somebody now, and how people are told of it.") as visit:
        text("h2", "Open alerts")
        alerts = (await list_alerts(visit.desk, slice_of(_MANY), open_=True)).items
        _alerts("Open alerts", alerts)
        if not alerts:
            nothing("No alert is open. One begins when something lasts, or cannot go on without somebody.")
        if past := (await list_alerts(visit.desk, slice_of(_PAST), open_=False)).items:
            with tag("details"):
                text("summary", "What is over")
                _alerts("Alerts that are over", past)
        text("h2", "Channels")
        await Channels(visit, await bridge_names(visit)).draw()


def _alerts(label: str, rows: list[AlertOut]) -> None:
    if not rows:
        return
    with table(label, ("What", "What to do", "Since (UTC)", "Until (UTC)")):
        for row in rows:
            with tag("tr"):
                with cell("What"):
                    text("strong", row.said.title)
                    text("div", row.said.text)
                with cell("What to do"):
                    over = "nothing any more" if row.ended_at else ""
                    text("span", row.said.cure or over, "" if row.said.cure else "faint")
                    if not row.ended_at:
                        with tag("div"):
                            _lead(row)
                with cell("Since"):
                    when(row.since)
                with cell("Until"):
                    if row.ended_at:
                        when(row.ended_at)
                    else:
                        text("span", "still so", "state failed")


def _lead(alert: AlertOut) -> None:
    """To the page where it can be mended."""
    label, address = _WHERE.get(alert.kind, ("Connections", "/connections"))
    link(label, query(address, {"bridge": alert.thing_id}) if alert.thing is Thing.BRIDGE else address)

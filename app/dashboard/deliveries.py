"""What arrived, newest first, and what became of it; looking again at one, or at a whole window."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from nicegui import ui
from starlette.datastructures import FormData

from app.api.connections import list_connections
from app.api.events import list_events, replay_event
from app.api.fields import Id, Typed, Word
from app.api.reading import slice_of
from app.api.replay import ReplayIn, begin_replay
from app.api.schemas import EventOut
from app.dashboard.filters import choice, filters, moment, more, typed, words
from app.dashboard.forms import asking, checks, field, picked
from app.dashboard.frame import Visit, bridge_names, first_steps, frame, nothing, page, pages, query
from app.dashboard.news import tell_of_news
from app.dashboard.parts import button, cell, count_of, lasting, link, table, tag, text, when
from app.models.event import EventState
from app.people.roles import Principal, Role

router = pages()

STATES: dict[str, str] = {
    EventState.PENDING: "waits",
    EventState.DONE: "done",
    EventState.IGNORED: "ignored",
    EventState.UNKNOWN: "not known",
    EventState.FAILED: "failed",
}
_FOUND = {"poll": "found by looking", "sweep": "found by a sweep"}
_DAY = timedelta(days=1)


@page(router, "/deliveries", "Deliveries")
async def deliveries(
    request: Request,
    bridge: Id | None = None,
    connection: Id | None = None,
    state: EventState | None = None,
    kind: Word | None = None,
    record: Word | None = None,
    since: Annotated[Typed | None, Query(alias="from")] = None,
    until: Annotated[Typed | None, Query(alias="to")] = None,
    cursor: str | None = None,
) -> None:
    lead = "What the vendors told us, and what became of it. A delivery says what to look at; it carries no data."
    with frame(request, "Deliveries", lead=lead) as visit:
        bridges = await bridge_names(visit)
        accounts = {str(each.id): each.name for each in (await list_connections(visit.desk, slice_of(500))).items}
        given = {
            "bridge": bridge,
            "connection": connection,
            "state": state,
            "kind": kind,
            "record": record,
            "from": typed(since),
            "to": typed(until),
        }
        _filters(given, bridges, accounts)
        if visit.may(Role.OPERATOR) and bridges:
            _recovery(visit, bridges, given)
        listed = partial(
            list_events, visit.desk,
            bridge_id=bridge, connection_id=connection, state=state, kind=kind, external_id=record,
            since=since, until=until,
        )  # fmt: skip
        found = await listed(slice_of(50, cursor))
        if cursor is None:
            tell_of_news(visit, found.items[0].id if found.items else 0, listed)
        if found.items:
            _list(visit, found.items, bridges, accounts, given)
        elif any(given.values()):
            nothing("Nothing like this arrived.", ("Show all", "/deliveries"))
        else:
            told = "Nothing has arrived yet. A webhook is listed here as soon as it comes."
            nothing(told, *first_steps(bridges))
        with tag("p", "pager"):
            if cursor:
                link("Newest", query("/deliveries", given))
            if found.next_cursor:
                link("Older", query("/deliveries", {**given, "cursor": found.next_cursor}))
        days = count_of(visit.desk.settings.keep_events_days, "day")
        text("p", f"What was answered is kept for {days}.", "faint")


def _filters(given: Mapping[str, object], bridges: Mapping[str, str], accounts: Mapping[str, str]) -> None:
    with filters("/deliveries", given):
        choice("bridge", "Bridge", bridges)
        choice("connection", "Connection", accounts)
        choice("state", "State", STATES)
        words("kind", "Kind")
        words("record", "Id of a record")
        with more("from", "to"):
            moment("from", "From (UTC)")
            moment("to", "To (UTC)")


def _list(
    visit: Visit,
    rows: list[EventOut],
    bridges: Mapping[str, str],
    accounts: Mapping[str, str],
    given: Mapping[str, object],
) -> None:
    heads = ("Received (UTC)", "What", "Record", "What became of it", "For", "")
    with table("Deliveries, newest first", heads):
        for row in rows:
            with tag("tr"):
                with cell("Received"):
                    when(row.received_at)
                with cell("What"):
                    link(_FOUND.get(row.kind, row.kind) or "–", query("/deliveries", {**given, "kind": row.kind}))
                    text("div", "sent once" if row.deliveries == 1 else f"sent {row.deliveries:,} times", "faint")
                with cell("Record"):
                    _record(row)
                with cell("What became of it"):
                    _outcome(row)
                with cell("For"):
                    text("span", bridges.get(str(row.bridge_id), "no bridge"))
                    text("div", accounts.get(str(row.connection_id), ""), "faint")
                with cell(""):
                    if visit.may(Role.OPERATOR) and row.bridge_id and row.side and row.object and row.external_id:
                        button("Look again", partial(_again, visit, row.id), "quiet small")


def _record(row: EventOut) -> None:
    named = row.name or f"{row.object.replace('_', ' ')} {row.external_id}".strip() or "–"
    link(named, f"/records/{row.link_id}") if row.link_id else text("span", named)
    if row.name:
        text("div", f"{row.object.replace('_', ' ')} {row.external_id}", "faint ids")


def _outcome(row: EventOut) -> None:
    text("span", STATES[row.state], f"state {row.state}")
    if row.handled_at:
        text("span", f" after {_short((row.handled_at - row.received_at).total_seconds())}", "faint")
    if row.outcome:
        text("div", row.outcome, "faint")


def _short(seconds: float) -> str:
    """ "40 ms", "2.5 s", "3 min"."""
    if seconds < 1:
        return f"{max(0, seconds) * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else lasting(seconds)


async def _again(visit: Visit, event_id: int) -> None:
    async def work(_: Principal) -> str:
        await replay_event(visit.desk, event_id)
        return "Its record is looked at now, on both sides. What is written is told under Activity."

    await visit.act(Role.OPERATOR, "replay an event", work, f"event {event_id}")


def _recovery(visit: Visit, bridges: Mapping[str, str], given: Mapping[str, object]) -> None:
    async def send(sent: FormData) -> None:
        async def work(who: Principal) -> str:
            body = {
                "bridge_id": sent["bridge"],
                "from": f"{sent['from']}Z",
                "to": f"{sent['to']}Z",
                "state": EventState.FAILED if "failed" in sent else None,
            }
            run = await begin_replay(visit.desk, who, ReplayIn.model_validate(body))
            return f"Run {run.id} looks at each of these records once."

        if await visit.act(Role.OPERATOR, "replay a window", work, f"bridge {sent['bridge']}"):
            ui.navigate.to(query("/runs", {"bridge": str(sent["bridge"])}))

    now = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    with asking("Recover", "Look again at what arrived", send, "Look again"):
        text("p", "Each record that was named in this time is read on both sides as it is now, and brought in step.")
        text("p", "What is in step already stays as it is, and what was undone stays undone.")
        picked("bridge", "Bridge", bridges, str(given["bridge"] or ""))
        field("from", "From (UTC)", "datetime-local", required="", value=str(given["from"] or typed(now - _DAY)))
        field("to", "To (UTC)", "datetime-local", required="", value=str(given["to"] or typed(now)))
        checks("failed", "Only", {"failed": "what has failed"})

"""The first page: what is left to set up, how all bridges are doing, the last day, and what is connected."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Query, Request

from app.api.connections import list_connections
from app.api.overview import (
    StepsOut,
    UnpaidOut,
    list_health,
    show_hours,
    show_money,
    show_outages,
    show_steps,
    show_unpaid,
)
from app.api.reading import slice_of
from app.api.schemas import ConnectionOut, Page
from app.api.set_ups import SetUpOut, open_set_ups
from app.dashboard.bridge_table import BridgeTable, age
from app.dashboard.charts import Charts, MoneyCharts
from app.dashboard.filters import choice, filters, words
from app.dashboard.frame import Visit, frame, nothing, page, pages, query
from app.dashboard.parts import CONNECTION_STATES, amount, cell, link, table, tag, text
from app.dashboard.pauses import Brake
from app.dashboard.sandbox import offer
from app.dashboard.setup.frame import BEFORE, TITLES, path_of
from app.overview import Standing
from app.people.roles import Role

router = pages()

_STANDINGS: dict[str, str] = {
    Standing.TROUBLED: "something is the matter",
    Standing.LIVE: "live",
    Standing.PAUSED: "paused",
    Standing.DRY_RUN: "dry run",
}
_BESIDE = "The sandbox is running, and does not count: your own accounts are still to be connected."
_ROWS, _CONNECTIONS, _OPEN = 200, 10, 5
_LOOKS, _LOOKS_AT_HOURS = 5.0, 60.0
"""Seconds between two looks for what has changed."""


@page(router, "/", "Overview")
async def home(
    request: Request,
    name: Annotated[str, Query(max_length=500, pattern=r"^[^\x00]*$")] = "",
    standing: Standing | Literal[""] = "",
    cursor: str | None = None,
) -> None:
    with frame(request, "Overview") as visit:
        steps = await show_steps(visit.desk)
        connections = await list_connections(visit.desk, slice_of(_CONNECTIONS))
        open_ = await open_set_ups(visit.desk, _OPEN + 1)
        if not connections.items:
            offer(visit)
        if not steps.live:
            _checklist(steps, open_, visit)
        text("h2", "Bridges")
        if steps.bridge or steps.sandbox:
            await _bridges(visit, name, standing or None, cursor)
        else:
            nothing("There is no bridge yet. A bridge keeps one location and one company in step.")
        _alone(visit, steps)
        own = steps.crm or steps.billing
        if visit.may(Role.OPERATOR) and own:
            _button("Make a bridge", "/start", quiet=steps.bridge)
        if steps.live:
            _left(open_)
        if steps.bridge or steps.sandbox:
            await _day(visit)
        text("h2", "Connections")
        _connections(visit, connections)
        if visit.may(Role.OPERATOR):
            _button("Connect more" if own else "Connect accounts", "/connect" if own else "/start", quiet=own)


async def _bridges(visit: Visit, name: str, standing: Standing | None, cursor: str | None) -> None:
    part = slice_of(_ROWS, cursor)
    given = {"name": name, "standing": standing}

    with filters("/", given):
        words("name", "Name")
        choice("standing", "State", _STANDINGS)

    async def look() -> None:
        found = await list_health(visit.desk, part, name=name or None, standing=standing)
        bridges.tell(found.items)
        none.set_visibility(not found.items)
        older.set_visibility(found.next_cursor is not None)
        await brake.look()
        older.props["href"] = query("/", {**given, "cursor": found.next_cursor})
        owed.text = _owed(await show_unpaid(visit.desk))
        visit.outage.tell(await show_outages(visit.desk))

    brake = Brake(visit, look)
    await brake.draw()
    bridges = BridgeTable(visit, look)
    owed = text("p", "")
    none = text("p", "No bridge is like this.", "empty")
    older = link("Older", "")
    await look()
    visit.every(_LOOKS, look)


def _alone(visit: Visit, steps: StepsOut) -> None:
    if not (steps.alone and steps.bridge):
        return
    with tag("p"):
        has = "location has" if steps.alone == 1 else "locations have"
        text("span", f"{steps.alone:,} connected {has} no bridge. ")
        if visit.may(Role.OPERATOR):
            link("Set one up", "/start")


def _owed(sums: Sequence[UnpaidOut]) -> str:
    if not sums:
        return "Nothing is unpaid, of what is known here: linked invoices, or balances where those are in step."
    told = ", ".join(amount(each.amount, each.currency) for each in sums)
    oldest = age(min(each.as_of for each in sums), datetime.now(UTC))
    return f"Unpaid on all bridges together: {told}. Read from billing {oldest} ago, or later."


async def _day(visit: Visit) -> None:
    text("h2", "The last day, by hour (UTC)")
    charts = Charts(await show_hours(visit.desk))
    money = MoneyCharts(await show_money(visit.desk))

    async def look() -> None:
        charts.tell(await show_hours(visit.desk))
        money.tell(await show_money(visit.desk))

    visit.every(_LOOKS_AT_HOURS, look)


def _checklist(steps: StepsOut, open_: list[SetUpOut], visit: Visit) -> None:
    """While nothing of one's own is live: each step, the first open one with the way to it."""
    newest = open_[0] if open_ else None
    todo = [
        (label, done, "/start") for label, done in zip(BEFORE, (steps.crm, steps.billing, steps.bridge), strict=True)
    ]
    for step, label in TITLES.items():
        todo.append(
            (label, newest is not None and newest.steps[step], path_of(newest.id, step) if newest else "/start")
        )
    with tag("article", "card"):
        text("h2", f"Set up: {sum(done for _, done, _ in todo)} of {len(todo)} done")
        if steps.sandbox:
            text("p", _BESIDE, "faint")
        first = next(((label, path) for label, done, path in todo if not done), None)
        with tag("ol", "steps"):
            for label, done, path in todo:
                with tag("li", "done-step" if done else ""):
                    if first == (label, path) and visit.may(Role.OPERATOR):
                        link(label, path)
                    else:
                        text("span", label)
                    text("span", "done" if done else "", "faint")
        if len(open_) > 1:
            link("Other bridges that are not live yet", "/start")


def _left(open_: list[SetUpOut]) -> None:
    """What was begun, and is not live yet."""
    if not open_:
        return
    with tag("article", "card"):
        text("h2", "Not live yet")
        with tag("ul"):
            for each in open_[:_OPEN]:
                with tag("li"):
                    link(each.name, path_of(each.id))
                    text("span", f": next is “{TITLES[each.next]}”" if each.next else "", "faint")
        if len(open_) > _OPEN:
            link("All of them", "/start")


def _connections(visit: Visit, found: Page[ConnectionOut]) -> None:
    if not found.items:
        nothing("Nothing is connected yet.")
        return
    labels = {name: provider.label for name, provider in visit.desk.connections.providers.items()}
    with table("Connections, newest first", ("Name", "System", "Account", "State")):
        for row in found.items:
            with tag("tr"):
                text("th", row.name, scope="row")
                with cell("System"):
                    text("span", labels.get(row.provider, row.provider))
                with cell("Account"):
                    text("code", row.account_id, "id")
                with cell("State"):
                    _state(row)
    if found.next_cursor:
        with tag("p", "faint"):
            text("span", f"These are the newest {len(found.items)}. ")
            link("All connections", "/connections")


def _state(row: ConnectionOut) -> None:
    said = CONNECTION_STATES[row.state]
    text("span", f"{said}: {row.state_reason}" if row.state_reason else said, f"state {row.state}")
    if row.remedy:
        text("div", row.remedy, "faint")


def _button(label: str, address: str, *, quiet: bool) -> None:
    with tag("p"):
        link(label, address, "button quiet" if quiet else "button")

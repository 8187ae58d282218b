"""The first page of the set-up: the two accounts, the bridge between them, and what is left to do."""

from collections.abc import Sequence

from fastapi import Request
from nicegui import ui
from starlette.datastructures import FormData

from app.api.bridges import make_bridge
from app.api.connections import list_connections
from app.api.reading import slice_of
from app.api.requests import BridgeIn
from app.api.schemas import ConnectionOut
from app.api.set_ups import SetUpOut, list_set_ups
from app.dashboard.forms import field, form, picked, send
from app.dashboard.frame import Visit, frame, nothing, page, pages, query
from app.dashboard.parts import link, tag, text
from app.dashboard.sandbox import offer
from app.dashboard.setup.accounts import highlevel, invoice_ninja
from app.dashboard.setup.frame import BEFORE, TITLES, path_of
from app.models.connection import ConnectionKind, ConnectionState
from app.people.roles import Principal, Role
from app.sync.records import Side

router = pages()

_SHOWN = 20


@page(router, "/start", "Set up")
async def start(request: Request, cursor: str | None = None) -> None:
    lead = "From nothing to live, in small steps. Everything is kept: leave at any time, and go on here."
    with frame(request, "Set up", lead=lead) as visit:
        rows = (await list_connections(visit.desk, slice_of(500))).items
        sides: dict[Side, list[ConnectionOut]] = {side: [] for side in Side}
        for row in rows:
            sides[visit.desk.connections.provider(row.provider).side].append(row)
        if not rows:
            offer(visit)
        await _open(visit, cursor)
        highlevel(visit, sides[Side.CRM])
        invoice_ninja(visit, sides[Side.BILLING])
        _bridge(visit, usable(sides[Side.CRM]), usable(sides[Side.BILLING]))
        if rows:
            offer(visit)


def usable(rows: Sequence[ConnectionOut]) -> list[ConnectionOut]:
    """What a bridge can be made with."""
    return [row for row in rows if row.kind == ConnectionKind.ACCOUNT and row.state != ConnectionState.PENDING]


async def _open(visit: Visit, cursor: str | None) -> None:
    """Bridges that were never live: each goes on where it was left."""
    found = await list_set_ups(visit.desk, slice_of(_SHOWN, cursor))
    if not found.items:
        return
    text("h2", "Go on with")
    with tag("ul", "rows"):
        for each in found.items:
            with tag("li"):
                _left(each, may=visit.may(Role.OPERATOR))
    if found.next_cursor:
        with tag("p", "pager"):
            link("More", query("/start", {"cursor": found.next_cursor}))


def _left(each: SetUpOut, *, may: bool) -> None:
    done = len(BEFORE) + sum(each.steps.values())
    whole = len(BEFORE) + len(each.steps)
    with tag("div"):
        text("strong", each.name)
        text("div", f"{done} of {whole} steps done. Next: {TITLES[each.next]}" if each.next else "All done", "faint")
    bar = tag("progress", max=str(whole), value=str(done))
    bar.props["aria-label"] = f"{each.name}: {done} of {whole} steps are done"
    go = link("Go on" if may else "Look at it", path_of(each.id), "button" if may else "button quiet")
    go.props["aria-label"] = f"Go on with {each.name}"


def _bridge(visit: Visit, crm: Sequence[ConnectionOut], billing: Sequence[ConnectionOut]) -> None:
    with tag("article", "card", aria_label="Bridge"):
        with tag("header"):
            text("h2", "3. Make a bridge between the two")
        text("p", "A bridge keeps one HighLevel location and one Invoice Ninja company in step. It begins in dry run:"
             " nothing is written before you have seen a plan and said so.")  # fmt: skip
        if not (crm and billing):
            wanted = (("a HighLevel location", crm), ("an Invoice Ninja company", billing))
            nothing(f"First connect {' and '.join(name for name, rows in wanted if not rows)}, above.")
        elif visit.may(Role.OPERATOR):
            _bridge_form(visit, crm, billing)


def _bridge_form(visit: Visit, crm: Sequence[ConnectionOut], billing: Sequence[ConnectionOut]) -> None:
    made: list[int] = []

    async def sent(given: FormData) -> None:
        async def work(who: Principal) -> str:
            wanted = BridgeIn.model_validate(
                {
                    "name": given["name"],
                    "crm_connection_id": given["location"],
                    "billing_connection_id": given["company"],
                }
            )
            made.append((await make_bridge(visit.desk, wanted, who)).id)
            return "The bridge is made, and writes nothing yet."

        if await visit.act(Role.OPERATOR, "make a bridge", work):
            ui.navigate.to(path_of(made[0]))

    with form(sent):
        picked("location", "HighLevel location", {str(row.id): row.name for row in crm})
        picked("company", "Invoice Ninja company", {str(row.id): row.name for row in billing})
        one_each = len(crm) == len(billing) == 1
        proposed = f"{crm[0].name} ↔ {billing[0].name}"[:200] if one_each else ""
        help_ = "As you will find it on the overview."
        field("name", "Name", "text", help_, required="", maxlength="200", value=proposed)
        send("Make the bridge")

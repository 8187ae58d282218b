"""The first page of the set-up: the two accounts, the bridge between them, and what is left to do."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from nicegui import ui
from nicegui.element import Element
from starlette.datastructures import FormData

from app.api.connections import list_connections
from app.api.copying import CopyTarget, make_bridge_like
from app.api.reading import slice_of
from app.api.requests import BridgeIn
from app.api.schemas import ConnectionOut
from app.api.set_ups import SetUpOut, list_set_ups
from app.dashboard.forms import field, form, picked, send
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
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
        await _bridge(visit, usable(sides[Side.CRM]), usable(sides[Side.BILLING]))
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


async def _bridge(visit: Visit, crm: Sequence[ConnectionOut], billing: Sequence[ConnectionOut]) -> None:
    with tag("article", "card", aria_label="Bridge"):
        with tag("header"):
            text("h2", "3. Make a bridge between the two")
        text("p", "A bridge keeps one HighLevel location and one Invoice Ninja company in step. It begins in dry run:"
             " nothing is written before you have seen a plan and said so.")  # fmt: skip
        if not (crm and billing):
            wanted = (("a HighLevel location", crm), ("an Invoice Ninja company", billing))
            nothing(f"First connect {' and '.join(name for name, rows in wanted if not rows)}, above.")
        elif visit.may(Role.OPERATOR):
            _bridge_form(visit, crm, billing, await bridge_names(visit))


def _bridge_form(
    visit: Visit, crm: Sequence[ConnectionOut], billing: Sequence[ConnectionOut], bridges: Mapping[str, str]
) -> None:
    place = tag("div")
    made: list[tuple[int, CopyTarget | None]] = []

    async def sent(given: FormData) -> None:
        async def work(who: Principal) -> str:
            named = {"name": "name", "crm_connection_id": "location", "billing_connection_id": "company"}
            wanted = BridgeIn.model_validate({field: given[name] for field, name in named.items()})
            made.append(await make_bridge_like(visit.desk, who, wanted, int(str(given.get("like") or 0))))
            return "The bridge is made, and writes nothing yet."

        if await visit.act(Role.OPERATOR, "make a bridge", work):
            bridge_id, copied = made[0]
            if copied and (copied.refused or copied.missing):
                _not_alike(place, copied)
            else:
                ui.navigate.to(path_of(bridge_id))

    with form(sent):
        picked("location", "HighLevel location", {str(row.id): row.name for row in crm})
        picked("company", "Invoice Ninja company", {str(row.id): row.name for row in billing})
        one_each = len(crm) == len(billing) == 1
        proposed = f"{crm[0].name} ↔ {billing[0].name}"[:200] if one_each else ""
        help_ = "As you will find it on the overview."
        field("name", "Name", "text", help_, required="", maxlength="200", value=proposed)
        if bridges:
            picked("like", "Settings like those of", {"": "no other: begin with contacts", **bridges})
        send("Make the bridge")


def _not_alike(place: Element, copied: CopyTarget) -> None:
    """What of the other bridge's settings this one's accounts could not take."""
    place.clear()
    with place, tag("div", "note wrong", role="alert"):
        if copied.refused:
            text("p", f"The bridge is made, but not with those settings: {copied.refused}")
        else:
            text("p", "The bridge is made with those settings. What its accounts lack:")
            with tag("ul"):
                for lack in copied.missing:
                    text("li", lack)
        with tag("p"):
            link("Go on with the set-up", path_of(copied.id), "button")

"""One record: both sides, what they last agreed on, who wrote each field, and what can be done with it."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request

from app.api.activities import Which, list_activities
from app.api.fields import Id
from app.api.links import (
    FieldHistoryOut,
    exclude_link,
    include_link,
    relink,
    show_history,
    show_link,
    sync_now,
    unlink,
)
from app.api.reading import slice_of
from app.api.schemas import LinkOut
from app.dashboard.activity import activities
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
from app.dashboard.naming import Names, field_names
from app.dashboard.parts import SYSTEMS, button, cell, fact, state, table, tag, text, when
from app.dashboard.parts import link as goto
from app.dashboard.sandbox_banner import banner
from app.errors import CrossledgerError
from app.models.connection import ConnectionState
from app.models.link import LinkState
from app.outages import RECONNECT
from app.people.roles import Principal, Role
from app.sync.choosing import APART, LEFT_OUT
from app.sync.objects import OBJECTS
from app.web.pages.layout import desk_of

router = pages()

_WRITERS = {"crossledger": "Crossledger", **{side: f"somebody in {name}" for side, name in SYSTEMS.items()}}


@page(router, "/records/{link_id}", "Record")
async def record(request: Request, link_id: Id) -> None:
    try:
        link = await show_link(desk_of(request), link_id)
    except (HTTPException, CrossledgerError):
        with frame(request, "No such record"):
            nothing("There is no such record here, or its bridge was deleted.", ("All records", "/records"))
        return
    with frame(request, link.name or f"A {link.object.replace('_', ' ')} without a name") as visit:
        if link.bridge_id in visit.desk.sandbox.standing.bridges:
            banner(visit)
        bridges = await bridge_names(visit)
        _about(link, bridges.get(str(link.bridge_id), ""))
        if visit.may(Role.OPERATOR):
            _actions(visit, link)
        text("h2", "Fields")
        history = (await show_history(visit.desk, link_id)).fields
        names = await field_names(visit.desk, [(link.bridge_id, link.object)])
        _fields(link, history, names)
        text("h2", "What was done")
        done = await list_activities(visit.desk, slice_of(50), Which(link_id=link_id))
        await activities(visit, done.items, None)
        if not done.items:
            nothing("Nothing was written for it yet.")


def _about(link: LinkOut, bridge: str) -> None:
    with tag("dl", "facts"):
        with fact("Bridge"):
            goto(bridge, f"/bridges/{link.bridge_id}")
        for name, value in (
            ("Object", link.object.replace("_", " ")),
            ("HighLevel", link.crm_id or "–"),
            ("Invoice Ninja", link.billing_id or "–"),
        ):
            text("dt", name)
            text("dd", value)
        text("dt", "State")
        with tag("dd"):
            state("conflict" if link.conflicts else link.state)
            if link.conflicts:
                text("span", " ")
                goto("Decide", f"/decide/{link.id}")
        text("dt", "Last looked at (UTC)")
        with tag("dd"):
            when(link.synced_at)
    if link.explanation:
        with tag("div", "note next"):
            text("strong", link.explanation.title)
            text("p", link.detail or link.explanation.cause)
            text("p", link.explanation.cure)
            if link.problem == RECONNECT:
                goto("Connections", query("/connections", {"state": ConnectionState.NEEDS_RECONNECT}))


def _actions(visit: Visit, link: LinkOut) -> None:
    def press(label: str, action: str, work: Callable[[Principal], Awaitable[str]], classes: str = "quiet") -> None:
        async def pressed() -> None:
            if await visit.act(Role.OPERATOR, action, work, f"link {link.id}"):
                visit.later(2.0, f"/records/{link.id}")

        button(label, pressed, classes)

    async def again(_: Principal) -> str:
        await sync_now(visit.desk, link.id)
        return "It is looked at now."

    async def excluded(who: Principal) -> str:
        await exclude_link(visit.desk, who, link.id)
        return "It is left out from now on. Both records stay as they are."

    async def included(_: Principal) -> str:
        await include_link(visit.desk, link.id)
        return "It is taken in again, and looked at now."

    async def cut(who: Principal) -> str:
        await unlink(visit.desk, who, link.id)
        return "The pair is being cut. Both records stay as they are."

    async def joined(who: Principal) -> str:
        await relink(visit.desk, who, link.id)
        return "The two are being made one again."

    paired = bool(link.crm_id and link.billing_id)
    with tag("p", "acts"):
        if link.problem == LEFT_OUT:
            press("Take it in again", "include a record", included, "")
        elif link.problem == APART and paired:
            press("Link them again", "link a pair again", joined, "")
        else:
            press("Sync now", "retry", again, "")
            if link.state != LinkState.UNLINKED:
                press("Leave it out", "exclude a record", excluded)
                if paired and not OBJECTS[link.object].facet:
                    press("Unlink the pair", "cut a pair", cut)
        goto("Undo what was written", f"/undo?record={link.id}", "button quiet")


def _fields(link: LinkOut, history: list[FieldHistoryOut], names: Names) -> None:
    crm, billing = link.base_crm or {}, link.base_billing or {}
    writers = {(each.field, each.side): each for each in history}
    called = {each: names.of(link.bridge_id, link.object, each) for each in {*crm, *billing, *link.held}}
    if not called:
        nothing("The two sides have not agreed on anything yet.")
        return
    with table("Fields of both sides", ("Field", "HighLevel", "Invoice Ninja", "Written last by (UTC)")):
        for name, label in sorted(called.items(), key=lambda each: each[1].lower()):
            with tag("tr"):
                text("th", label, scope="row")
                for side, values in (("crm", crm), ("billing", billing)):
                    with cell(SYSTEMS[side]):
                        text("span", values.get(name, "") or "empty", "" if values.get(name) else "faint")
                with cell("Written last by"):
                    known = [each for (field, _), each in writers.items() if field == name]
                    if known:
                        newest = max(known, key=lambda each: each.at)
                        text("span", f"{_WRITERS[newest.writer]}, ")
                        when(newest.at)
                    if held := link.held.get(name):
                        text("div", f"held back from {SYSTEMS[held.side]}: {held.reason}", "wrong-words")

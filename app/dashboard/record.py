"""One record: both sides, what they last agreed on, who wrote each field, what happened, and what can be done."""

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, Request

from app.api.fields import Id
from app.api.links import (
    LinkShown,
    Onwards,
    exclude_link,
    include_link,
    relink,
    show_history,
    show_link,
    sync_now,
    unlink,
)
from app.api.schemas import LinkOut
from app.dashboard.frame import Visit, bridge_names, frame, nothing, page, pages, query
from app.dashboard.naming import field_names
from app.dashboard.parts import SYSTEMS, button, fact, outside, state, tag, text, when
from app.dashboard.parts import link as goto
from app.dashboard.record_fields import fields
from app.dashboard.sandbox_banner import banner
from app.dashboard.timeline import HERE, timeline
from app.errors import CrossledgerError
from app.models.connection import ConnectionState
from app.models.link import LinkState
from app.outages import RECONNECT
from app.people.roles import Principal, Role
from app.sync.choosing import APART, LEFT_OUT
from app.sync.objects import OBJECTS
from app.web.pages.layout import desk_of

router = pages()


@page(router, "/records/{link_id}", "Record")
async def record(request: Request, link_id: Id, cursor: Onwards = None) -> None:
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
        fields(link, history, await field_names(visit.desk, [(link.bridge_id, link.object)]))
        text("h2", "What happened", id=HERE)
        await timeline(visit, link, cursor)


def _about(link: LinkShown, bridge: str) -> None:
    with tag("dl", "facts"):
        with fact("Bridge"):
            goto(bridge, f"/bridges/{link.bridge_id}")
        with fact("Object"):
            text("span", link.object.replace("_", " "))
        sides = (("crm", link.crm_id, link.crm_url), ("billing", link.billing_id, link.billing_url))
        for side, id_, address in sides:
            with fact(SYSTEMS[side]):
                text("span", id_ or "–")
                if address:
                    outside(f"Open in {SYSTEMS[side]}", address)
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

"""One bridge: what it keeps in step and which way, how its records are, how it is swept, and switching it."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from nicegui import ui

from app.api.bridges import show_bridge
from app.api.connections import show_connection
from app.api.fields import Id
from app.api.overview import show_bridge_health
from app.api.pauses import pause_object, resume_object
from app.api.requests import PauseIn
from app.api.schemas import BridgeDetail, ConnectionOut, PauseOut
from app.api.sweeps import HealthOut, show_health
from app.dashboard.bridge_acts import acts, name_and_end
from app.dashboard.bridge_table import BridgeTable
from app.dashboard.frame import Visit, frame, nothing, page, pages, query
from app.dashboard.parts import SYSTEMS, button, cell, link, table, tag, text, when
from app.dashboard.pauses import ending, objects_of, told
from app.dashboard.status_page import status_page
from app.dashboard.webhooks import app_events
from app.pausing import object_of
from app.people.roles import Principal, Role
from app.providers.sandboxed import is_sandbox
from app.sync.fieldmap import Direction
from app.sync.objects import OBJECTS
from app.web.access import PageRefused, require
from app.web.pages.bridging import WINS
from app.web.pages.layout import desk_of

router = pages()

_LOOKS = 5.0
"""Seconds between two looks for what has changed."""
_ARROWS = {Direction.BOTH: "↔", Direction.TO_BILLING: "→", Direction.TO_CRM: "←"}
_LISTS = (
    ("Records", "/records"),
    ("Activity", "/activity"),
    ("Deliveries", "/deliveries"),
    ("Failing", "/failing"),
    ("Decide", "/decide"),
    ("Runs", "/runs"),
)


async def _known(
    request: Request, bridge_id: Id, who: Annotated[Principal, Depends(require(Role.VIEWER))]
) -> BridgeDetail:
    try:
        return await show_bridge(desk_of(request), bridge_id)
    except HTTPException as nothing_there:
        raise PageRefused(nothing_there.status_code, str(nothing_there.detail)) from nothing_there


@page(router, "/bridges/{bridge_id}", "Bridge")
async def bridge(request: Request, shown: Annotated[BridgeDetail, Depends(_known)], new: bool = False) -> None:
    with frame(request, shown.name) as visit:
        if new:
            text("p", "The bridge is made.", "note done", role="status")
        _standing(visit, shown)
        await _records(visit, shown.id)
        with tag("p", "pager"):
            for label, path in _LISTS:
                link(label, query(path, {"bridge": shown.id}))
            link("Settings", f"/bridges/{shown.id}/setup/objects")
            if visit.may(Role.OPERATOR):
                link("Undo a time span", query("/undo", {"bridge": shown.id}))
        _objects(visit, shown)
        _fields(shown)
        await _health(visit, shown.id)
        crm, billing = [
            await show_connection(visit.desk, each) for each in (shown.crm_connection_id, shown.billing_connection_id)
        ]
        _webhooks(visit, shown, crm, billing)
        await status_page(visit, shown.id)
        if visit.may(Role.OPERATOR):
            name_and_end(visit, shown)


def _standing(visit: Visit, shown: BridgeDetail) -> None:
    if shown.enabled:
        text("p", "It is live: what changes on either side arrives on the other.", "lead")
    elif shown.live_since:
        text("p", "It is paused: nothing is written. What changes meanwhile is caught up with afterwards.", "lead")
        for pause in shown.pauses:
            if not object_of(pause.source):
                words = told(pause, datetime.now(UTC))
                text("p", f"{words[0].upper()}{words[1:]}.", "note next")
    else:
        lead = "It is in dry run: nothing is written. Make a plan first, or go live with what changes from now on."
        text("p", lead, "lead")
    if not visit.may(Role.OPERATOR):
        return
    if not shown.live_since:
        with tag("p"):
            link("Go on with the set-up", f"/bridges/{shown.id}/setup", "button")
    acts(visit, shown)


async def _records(visit: Visit, bridge_id: int) -> None:
    async def look() -> None:
        rows.tell([await show_bridge_health(visit.desk, bridge_id)])

    rows = BridgeTable(visit, look, several=False)
    await look()
    visit.every(_LOOKS, look)


def _objects(visit: Visit, shown: BridgeDetail) -> None:
    text("h2", "What it keeps in step")
    held = objects_of(shown.pauses)
    may = visit.may(Role.OPERATOR)
    with table("Objects", ("HighLevel", "", "Invoice Ninja", "Mapping", "State", *(["Pause"] if may else []))):
        for name in shown.settings.objects():
            crm, billing = OBJECTS[name].called.values()
            with tag("tr"):
                text("th", crm, scope="row")
                text("td", _ARROWS[shown.settings.of(name).direction])
                text("td", billing)
                with cell("Mapping"):
                    link(f"Mapping of {OBJECTS[name].plural}", f"/bridges/{shown.id}/mapping/{name}")
                with cell("State"):
                    _object_state(held.get(name), shown)
                if may:
                    with cell("Pause"):
                        _switch_object(visit, shown.id, name, paused=name in held)
    text("p", f"Both changed the same field: what stays is {WINS[shown.settings.prefer]}.")
    text("p", "What changes of an object while it is paused waits, and is caught up with. One that is switched off in"
         " the settings instead is not listened to: once it is on again, sweeps find what changed, but for what"
         " HighLevel does not list (notes and appointments).", "faint")  # fmt: skip


def _object_state(pause: PauseOut | None, shown: BridgeDetail) -> None:
    if pause is None:
        text("span", "on", "state good" if shown.enabled else "state off")
        return
    text("span", f"paused {ending(pause.ends_at, datetime.now(UTC))}" if pause.ends_at else "paused", "state watch")
    if pause.actor:
        text("div", f"by {pause.actor}", "faint")


def _switch_object(visit: Visit, bridge_id: int, name: str, *, paused: bool) -> None:
    plural = OBJECTS[name].plural

    async def work(who: Principal) -> str:
        if paused:
            await resume_object(visit.desk, bridge_id, name)
            return f"{plural.capitalize()} go on: what changed meanwhile is looked at now."
        await pause_object(visit.desk, who, bridge_id, name, PauseIn())
        return f"{plural.capitalize()} are paused."

    async def press() -> None:
        action = "resume: object" if paused else "pause: object"
        if await visit.act(Role.OPERATOR, action, work, f"{name} of bridge {bridge_id}"):
            ui.navigate.to(f"/bridges/{bridge_id}")

    button(f"{'Resume' if paused else 'Pause'} {plural}", press, "quiet")


def _fields(shown: BridgeDetail) -> None:
    with tag("details"):
        text("summary", f"Fields of contacts: {len(shown.fields.rules)}, left out: {len(shown.fields.skipped)}")
        with table("Fields of contacts", ("HighLevel", "", "Invoice Ninja")):
            for rule in shown.fields.rules:
                with tag("tr"):
                    text("th", rule.crm_label, scope="row")
                    text("td", _ARROWS[rule.direction])
                    text("td", rule.billing_label)
        with tag("ul"):
            for each in shown.fields.skipped:
                text("li", f"{each.crm}, {each.billing}: {each.reason}")


async def _health(visit: Visit, bridge_id: int) -> None:
    health = await show_health(visit.desk, bridge_id)
    text("h2", "Sweeps")
    if health.last_sweep is None:
        nothing("It was not swept yet. A live bridge is, every few minutes, for what webhooks missed.")
        return
    with tag("dl", "facts"):
        for name, run in (("Last sweep (UTC)", health.last_sweep), ("Last full one (UTC)", health.last_full)):
            text("dt", name)
            with tag("dd"):
                when(run.created_at if run else None)
                if run:
                    text("span", f" {run.state}", "faint")
        text("dt", "Missed events")
        missed = sum(each.missed for each in health.missed)
        repaired = sum(each.repaired for each in health.missed)
        text("dd", f"{missed:,} in 30 days, {repaired:,} of them are in step by now")
    _told(health)


def _told(health: HealthOut) -> None:
    for each in health.readings:
        if each.problem:
            text("p", f"{each.object} of {SYSTEMS[each.side]}: {each.problem}", "wrong-words")
    with table("Last deliveries", ("System", "Last delivery (UTC)", "")):
        for heard in health.deliveries:
            with tag("tr"):
                text("th", SYSTEMS[heard.side], scope="row")
                with cell("Last delivery"):
                    when(heard.last_at)
                with cell(""):
                    text("span", heard.silence, "wrong-words")


def _webhooks(visit: Visit, shown: BridgeDetail, crm: ConnectionOut, billing: ConnectionOut) -> None:
    text("h2", "Webhooks")
    with tag("dl"):
        text("dt", f"HighLevel: {crm.name}")
        with tag("dd"):
            if is_sandbox(crm.base_url):
                text("span", "Sent by the simulator of the sandbox.")
            else:
                app_events(visit, shown.settings.objects())
                text("p", "A workflow sends to the address that was shown when the location was connected. It tells of"
                     " contacts only.")  # fmt: skip
        text("dt", f"Invoice Ninja: {billing.name}")
        with tag("dd"):
            if billing.webhooks_problem:
                text("span", f"Not in order: {billing.webhooks_problem}", "state needs_reconnect")
            else:
                managed = billing.webhooks_managed
                text("span", "Installed, and looked at every hour." if managed else "Entered by hand.")

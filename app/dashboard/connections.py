"""The accounts that are connected: how each is doing, what it may still spend, and what can be done with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from nicegui import ui
from nicegui.element import Element
from starlette.datastructures import FormData

from app.api.alerts import list_alerts
from app.api.bridges import list_bridges
from app.api.care import AlertOut
from app.api.connection_health import ConnectionHealthOut, health_of
from app.api.connections import check_connection, delete_connection, list_connections, renew_webhook_secrets
from app.api.fields import Word
from app.api.overview import show_outages
from app.api.pauses import pauses_of
from app.api.reading import slice_of
from app.api.requests import SecretsIn
from app.api.schemas import BridgeOut, ConnectionOut, PauseOut, Webhooks
from app.dashboard.connection_facts import facts, linked
from app.dashboard.connection_pause import pausing
from app.dashboard.filters import choice, filters, words
from app.dashboard.forms import asking, closing, dialog, field
from app.dashboard.frame import Visit, frame, note, nothing, page, pages, query
from app.dashboard.parts import CONNECTION_STATES, button, link, tag, text
from app.dashboard.subscriptions import subscriptions
from app.dashboard.webhooks import shown_once
from app.models.alert import Thing
from app.models.connection import VENDORS, Auth, ConnectionKind, ConnectionState
from app.pausing import connection_source
from app.people.roles import Principal, Role
from app.web.pages.cures import cure_of

router = pages()

Refresh = Callable[[], Awaitable[None]]
_RENEWED = {
    True: "Its webhooks were given the new secret; nothing is to be entered. Shown this once.",
    False: "Enter it where the old one is: in the workflow, or at each webhook. Shown this once.",
}
_SECRET = {"highlevel": ("private_token", "Private integration token"), "invoice_ninja": ("api_token", "API token")}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known here of one connection."""

    row: ConnectionOut
    health: ConnectionHealthOut
    bridges: Sequence[BridgeOut]
    alerts: Sequence[AlertOut]
    pause: PauseOut | None


@page(router, "/connections", "Connections")
async def connections(
    request: Request,
    name: Word | None = None,
    provider: Word | None = None,
    state: ConnectionState | None = None,
    cursor: str | None = None,
) -> None:
    with frame(request, "Connections", lead="The accounts that Crossledger works with.") as visit:
        if visit.may(Role.OPERATOR):
            with tag("p"):
                link("Connect an account", "/connect", "button quiet")
        given = {"name": name, "provider": provider, "state": state}
        with filters("/connections", given):
            words("name", "Name or account")
            choice("provider", "System", VENDORS)
            choice("state", "State", CONNECTION_STATES)

        @ui.refreshable
        async def rows() -> None:
            visit.outage.tell(await show_outages(visit.desk))
            part = slice_of(20, cursor)
            found = await list_connections(visit.desk, part, name=name, provider=provider, state=state)
            if not found.items:
                _none(visit, sought=any(given.values()))
            for known in await _known(visit, found.items):
                _card(visit, known, rows.refresh)
            if found.next_cursor:
                with tag("p", "pager"):
                    link("Older", query("/connections", {**given, "cursor": found.next_cursor}))

        await rows()


def _none(visit: Visit, *, sought: bool) -> None:
    if sought:
        nothing("No connection is like this.", ("Show all", "/connections"))
    else:
        nothing("Nothing is connected yet.", *([("Set up", "/start")] if visit.may(Role.OPERATOR) else []))


async def _known(visit: Visit, rows: Sequence[ConnectionOut]) -> list[Known]:
    health = await health_of(visit.desk, rows)
    bridges = (await list_bridges(visit.desk, slice_of(500))).items
    alerts = (await list_alerts(visit.desk, slice_of(500), thing=Thing.CONNECTION, open_=True)).items
    pauses = {each.source: each for of in (await pauses_of(visit.desk)).values() for each in of}
    return [
        Known(
            row,
            health[row.id],
            [each for each in bridges if row.id in (each.crm_connection_id, each.billing_connection_id)],
            [each for each in alerts if each.thing_id == row.id],
            pauses.get(connection_source(row.id)),
        )
        for row in rows
    ]


def _card(visit: Visit, known: Known, refresh: Refresh) -> None:
    row = known.row
    with tag("article", "card", aria_label=row.name):
        with tag("header"):
            text("h2", row.name)
            agency = ", agency" if row.kind == ConnectionKind.AGENCY else ""
            text("span", f"{VENDORS.get(row.provider, row.provider)}{agency}", "faint")
            text("span", CONNECTION_STATES[row.state], f"state {row.state}")
        if row.state_reason or row.warnings or known.alerts:
            with tag("ul", "warnings"):
                for sentence in _wrong(known):
                    text("li", sentence)
        with tag("dl", "facts"):
            facts(row, known.health, known.bridges, known.pause)
        if row.kind != ConnectionKind.AGENCY:
            subscriptions(visit, row)
        if visit.may(Role.OPERATOR):
            place = tag("div")
            with tag("footer"):
                _actions(visit, known, refresh, place)


def _wrong(known: Known) -> list[str]:
    row = known.row
    refused = [f"{row.state_reason.rstrip('.')}. {row.remedy}".strip()] if row.state_reason else []
    told = [f"{each.said.title}. {each.said.cure}".strip() for each in known.alerts if each.kind not in ("reconnect",)]
    return [*refused, *row.warnings, *told]


def _actions(visit: Visit, known: Known, refresh: Refresh, place: Element) -> None:
    """`place`: for what is to stay on the card."""
    row = known.row
    if row.state == ConnectionState.PENDING:
        link("Claim it on the page Connect", "/connect", "button quiet")
        return
    button("Check", partial(_check, visit, row, refresh), "quiet")
    if row.kind == ConnectionKind.AGENCY:
        link("Choose locations", f"/connect/agencies/{row.id}", "button quiet")
    if row.auth == Auth.OAUTH:
        link("Reconnect", f"/oauth/highlevel/start?connection_id={row.id}&back=/connections", "button quiet")
    else:
        _reconnect(visit, row, refresh, place)
    if known.pause or any(each.enabled for each in known.bridges):
        pausing(visit, row, refresh, paused=known.pause is not None)
    if visit.may(Role.OWNER):
        if row.kind != ConnectionKind.AGENCY:
            _new_secret(visit, row, place)
        _disconnect(visit, known, refresh)


def _reconnect(visit: Visit, row: ConnectionOut, refresh: Refresh, place: Element) -> None:
    name, label = _SECRET[row.provider]

    async def send(given: FormData) -> None:
        async def work(_: Principal) -> str:
            await check_connection(visit.desk, row.id, SecretsIn.model_validate({name: str(given[name])}))
            return f"“{row.name}” answers, and is connected."

        def refused(error: Exception) -> None:
            note(place, error, cure_of(error, row.provider))

        if await visit.act(Role.OPERATOR, "reconnect", work, f"connection {row.id}", refused):
            await refresh()

    with asking("Reconnect", f"A new token for “{row.name}”", send, "Try it and keep it"):
        text("p", "It is tried at once, and takes the place of the old one if it opens the same account.")
        field(name, label, "password", required="")


async def _check(visit: Visit, row: ConnectionOut, refresh: Refresh) -> None:
    async def work(_: Principal) -> str:
        await check_connection(visit.desk, row.id)
        return f"“{row.name}” answers, and is connected."

    await visit.act(Role.OPERATOR, "check a connection", work, f"connection {row.id}")
    await refresh()


def _new_secret(visit: Visit, row: ConnectionOut, place: Element) -> None:
    async def send(_: FormData) -> None:
        made: list[Webhooks] = []

        async def work(_: Principal) -> str:
            made.append(await renew_webhook_secrets(visit.desk, row.id))
            return "The old secret works no more."

        if await visit.act(Role.OWNER, "new webhook secret", work, f"connection {row.id}"):
            shown_once(place, _RENEWED[row.webhooks_managed], made[0])

    with asking("New webhook secret", f"A new webhook secret for “{row.name}”?", send, "Make a new one", danger=True):
        text("p", "The old one, and the address that it goes with, stop working at once.")
        text("p", "Webhooks that Crossledger has installed are given the new one. What you entered yourself, such as in"
             " a workflow of HighLevel, has to be entered anew. Events of a Marketplace app need none.")  # fmt: skip


def _disconnect(visit: Visit, known: Known, refresh: Refresh) -> None:
    row = known.row
    if known.bridges:
        with dialog("Disconnect", f"Disconnect “{row.name}”?"):
            text("p", "It is in use. Delete first what uses it, at the end of its page:")
            linked(known.bridges)
            with tag("div", "acts"):
                closing("Close")
        return

    async def work(_: Principal) -> str:
        await delete_connection(visit.desk, row.id)
        return f"“{row.name}” is disconnected."

    async def send(_: FormData) -> None:
        if await visit.act(Role.OWNER, "disconnect", work, f"connection {row.id}"):
            await refresh()

    with asking("Disconnect", f"Disconnect “{row.name}”?", send, "Disconnect it", danger=True):
        text("p", "Its credentials are deleted here for good, and the webhooks that we installed are taken away.")
        text("p", "The records in the account stay as they are.")

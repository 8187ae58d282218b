"""The cards of the two systems: what connecting one gives, what is connected, and the ways to connect it."""

from collections.abc import Sequence

from nicegui.element import Element
from starlette.datastructures import FormData

from app.api.connections import connect
from app.api.requests import HighLevelIn
from app.api.schemas import ConnectionOut, Webhooks
from app.dashboard.forms import field, form, send
from app.dashboard.frame import Visit
from app.dashboard.parts import CONNECTION_STATES, cell, fact, link, table, tag, text, when
from app.models.connection import ConnectionKind, ConnectionState
from app.people.roles import Principal, Role
from app.web.pages.layout import installer_of

_OF_HIGHLEVEL = (
    "Contacts, tasks, notes and appointments of a location, kept in step",
    "Invoices and payments that are made in HighLevel, equal to the cent in Invoice Ninja",
    "What each client owes, as fields and tags to build workflows on",
)
_OF_INVOICE_NINJA = (
    "Clients with their people, kept in step with contacts",
    "Each invoice that is sent, viewed or paid, told at the contact",
    "Nobody is ever e-mailed by us, and nothing of yours is deleted",
)


def highlevel(visit: Visit, rows: Sequence[ConnectionOut]) -> None:
    with tag("article", "card", aria_label="HighLevel"):
        _head("1. Connect HighLevel", rows, _OF_HIGHLEVEL)
        _connected(rows)
        if not visit.may(Role.OPERATOR):
            return
        installer = installer_of(visit.request)
        has_app = bool(installer.oauth.client_id)
        if has_app:
            text("p", "You log in to HighLevel and agree, for one location or for a whole agency.", "faint")
            with tag("p"):
                link("Connect HighLevel", "/oauth/highlevel/start?back=/start", "button quiet" if rows else "button")
        with tag("details") as other:
            other.props["open"] = not has_app and not rows
            text("summary", "Connect one location with a private integration token")
            _by_token(visit)
        if not has_app:
            with tag("details"):
                text("summary", "Connect by logging in to HighLevel instead, also for a whole agency")
                with tag("ol"):
                    text("li", "Make an app in HighLevel's Marketplace.")
                    with tag("li"):
                        text("span", "Enter this redirect URL there: ")
                        text("code", installer.callback)
                    with tag("li"):
                        text("span", "Allow it these scopes: ")
                        text("code", " ".join(_scopes(visit)))
                    text("li", "Set CROSSLEDGER_HIGHLEVEL_CLIENT_ID and CROSSLEDGER_HIGHLEVEL_CLIENT_SECRET, and start"
                         " Crossledger again.")  # fmt: skip


def invoice_ninja(visit: Visit, rows: Sequence[ConnectionOut]) -> None:
    with tag("article", "card", aria_label="Invoice Ninja"):
        _head("2. Connect Invoice Ninja", rows, _OF_INVOICE_NINJA)
        _connected(rows)
        if visit.may(Role.OPERATOR):
            text("p", "Hosted or on a server of your own, by an API token or by logging in. Its webhooks are installed"
                 " by themselves.", "faint")  # fmt: skip
            with tag("p"):
                link(
                    "Connect Invoice Ninja", "/connect/invoice-ninja?back=/start", "button quiet" if rows else "button"
                )


def _head(title: str, rows: Sequence[ConnectionOut], gives: Sequence[str]) -> None:
    works = any(row.state == ConnectionState.ACTIVE for row in rows)
    refused = any(row.state == ConnectionState.NEEDS_RECONNECT for row in rows)
    with tag("header"):
        text("h2", title)
        said = "connected" if works else "refused" if refused else "not connected yet"
        text("span", said, "state active" if works else "state needs_reconnect" if refused else "state")
    if not rows:
        text("p", "What you get:", "faint")
        with tag("ul"):
            for each in gives:
                text("li", each)


def _connected(rows: Sequence[ConnectionOut]) -> None:
    if not rows:
        return
    with table("Connected accounts", ("Name", "State", "Last checked (UTC)")):
        for row in rows[:20]:
            with tag("tr"):
                with tag("th", scope="row"):
                    link(row.name, "/connections")
                    text("div", "agency: choose its locations" if row.kind == ConnectionKind.AGENCY else "", "faint")
                with cell("State"):
                    text("span", CONNECTION_STATES[row.state], f"state {row.state}")
                    for sentence in (row.state_reason, row.remedy, *row.warnings, row.webhooks_problem):
                        text("div", sentence, "wrong-words") if sentence else None
                with cell("Last checked"):
                    when(row.checked_at)


def _scopes(visit: Visit) -> list[str]:
    wanted = visit.desk.connections.provider("highlevel").scopes
    return sorted({scope for scopes in wanted.values() for scope in scopes})


def _by_token(visit: Visit) -> None:
    with tag("ol"):
        text("li", "In HighLevel, open the location, then Settings, Private Integrations, “Create new integration”.")
        with tag("li"):
            text("span", "Allow it these scopes: ")
            text("code", " ".join(_scopes(visit)))
        text("li", "Copy the token that is shown, and paste it here. The location's id is under Settings, Business"
             " Profile.")  # fmt: skip
    place = tag("div")

    async def sent(given: FormData) -> None:
        told: list[Webhooks] = []

        async def work(_: Principal) -> str:
            fields = {name: given[name] for name in ("location_id", "private_token", "name", "base_url") if given[name]}
            made = await connect(visit.desk, HighLevelIn.model_validate({"provider": "highlevel", **fields}))
            told.append(made.webhooks)
            return f"“{made.name}” is connected."

        if await visit.act(Role.OPERATOR, "connect an account", work):
            _told_once(place, told[0])

    with form(sent):
        field("location_id", "Location id", required="", maxlength="30")
        field("private_token", "Private integration token", "password", required="")
        with tag("details"):
            text("summary", "A name of your own, or another address")
            field("name", "Name", "text", "Left empty: the location's own.", maxlength="200")
            field("base_url", "Address of the API", "url", "Left empty: HighLevel's own.", maxlength="500")
        send("Connect the location")


def _told_once(place: Element, made: Webhooks) -> None:
    """The secret is in the page until it is left, and nowhere else."""
    place.clear()
    with place, tag("div", "note done", role="status"):
        text("p", "The location is connected. So that it tells us of changes at once, make a workflow there with the"
             " action “Webhook”. Shown this once. Without it, changes are found every few minutes.")  # fmt: skip
        with tag("dl", "facts"):
            shown = (("Method and URL", f"POST {made.url}"), ("Header", made.header), ("Its value", made.secret))
            for name, value in shown:
                with fact(name):
                    text("code", value)
        link("I have copied them: go on", "/start", "button")

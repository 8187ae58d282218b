"""The cards of the two systems: what connecting one gives, what is connected, and the ways to connect it."""

from collections.abc import Sequence

from starlette.datastructures import FormData

from app.api.connections import connect
from app.api.requests import HighLevelIn
from app.api.schemas import ConnectionOut, Webhooks
from app.dashboard.forms import field, form, send
from app.dashboard.frame import Visit, note
from app.dashboard.parts import CONNECTION_STATES, cell, copied, learned, link, table, tag, text, when
from app.dashboard.setup.marketplace import marketplace, scopes
from app.dashboard.webhooks import shown_once
from app.models.connection import ConnectionKind, ConnectionState
from app.people.roles import Principal, Role
from app.web.pages.cures import cure_of
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
_MADE = (
    "The location is connected. So that it tells us of changes at once, make a workflow there with the action"
    " “Webhook”. Shown this once. Without it, changes are found every few minutes."
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
        marketplace(visit, has_app=has_app)


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
    with tag("details") as folded:
        folded.props["open"] = not rows
        text("summary", "What you get")
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
                    learned(row.facts)
                with cell("State"):
                    text("span", CONNECTION_STATES[row.state], f"state {row.state}")
                    for sentence in (row.state_reason, row.remedy, *row.warnings, row.webhooks_problem):
                        text("div", sentence, "wrong-words") if sentence else None
                with cell("Last checked"):
                    when(row.checked_at)


def _by_token(visit: Visit) -> None:
    with tag("ol"):
        text("li", "In HighLevel, open the location, then Settings, Private Integrations, “Create new integration”.")
        with tag("li"):
            text("span", "Allow it these scopes: ")
            copied("the scopes of a token", scopes(visit, agency=False))
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

        def refused(error: Exception) -> None:
            note(place, error, cure_of(error, "highlevel"))

        if await visit.act(Role.OPERATOR, "connect an account", work, refused=refused):
            shown_once(place, _MADE, told[0], ("I have copied them: go on", "/start"))

    with form(sent):
        field("location_id", "Location id", required="", maxlength="30")
        field("private_token", "Private integration token", "password", required="")
        with tag("details"):
            text("summary", "A name of your own, or another address")
            field("name", "Name", "text", "Left empty: the location's own.", maxlength="200")
            field("base_url", "Address of the API", "url", "Left empty: HighLevel's own.", maxlength="500")
        send("Connect the location")

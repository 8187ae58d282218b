"""What needs somebody now, and the ways people are told of it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.element import Element
from pydantic import TypeAdapter
from starlette.datastructures import FormData

from app.api.alerts import list_alerts
from app.api.care import AlertOut, ChannelOut
from app.api.channel_requests import ChannelChange
from app.api.channels import ChannelIn, change_channel, delete_channel, list_channels, make_channel, try_channel
from app.api.reading import slice_of
from app.dashboard.forms import asking, checks, field, picked
from app.dashboard.frame import Visit, frame, nothing, page, pages, query
from app.dashboard.parts import button, cell, count_of, link, once, table, tag, text, when
from app.errors import Rejected
from app.models.alert import AlertKind, ChannelKind, Thing
from app.notify.targets import Security
from app.people.roles import Principal, Role

router = pages()

Refresh = Callable[[], Awaitable[None]]
_KINDS = {
    AlertKind.RECONNECT.value: "an account refuses us",
    AlertKind.WEBHOOKS.value: "webhooks are not in order",
    AlertKind.SILENCE.value: "an account has fallen silent",
    AlertKind.FAILURES.value: "too many records fail",
    AlertKind.CONFLICT.value: "something waits for a decision",
    AlertKind.BUDGET.value: "the calls of the day run out",
}
_WHERE = {AlertKind.FAILURES: ("Failing", "/failing"), AlertKind.CONFLICT: ("Decide", "/decide")}
_ADDED = {
    ChannelKind.EMAIL: "Add e-mail",
    ChannelKind.SLACK: "Add Slack",
    ChannelKind.WEBHOOK: "Add a webhook",
}
_MANY = 200
_PAST = 50
_WANTED: TypeAdapter[Any] = TypeAdapter(ChannelIn)


@page(router, "/notifications", "Notifications")
async def notifications(request: Request) -> None:
    with frame(request, "Notifications", lead="What needs somebody now, and how people are told of it.") as visit:
        text("h2", "Open alerts")
        alerts = (await list_alerts(visit.desk, slice_of(_MANY), open_=True)).items
        _alerts("Open alerts", alerts)
        if not alerts:
            nothing("No alert is open. One begins when something lasts, or cannot go on without somebody.")
        if past := (await list_alerts(visit.desk, slice_of(_PAST), open_=False)).items:
            with tag("details"):
                text("summary", "What is over")
                _alerts("Alerts that are over", past)
        text("h2", "Channels")
        await _channels(visit)


def _alerts(label: str, rows: list[AlertOut]) -> None:
    if not rows:
        return
    with table(label, ("What", "What to do", "Since (UTC)", "Until (UTC)")):
        for row in rows:
            with tag("tr"):
                with cell("What"):
                    text("strong", row.said.title)
                    text("div", row.said.text)
                with cell("What to do"):
                    over = "nothing any more" if row.ended_at else ""
                    text("span", row.said.cure or over, "" if row.said.cure else "faint")
                    if not row.ended_at:
                        with tag("div"):
                            _lead(row)
                with cell("Since"):
                    when(row.since)
                with cell("Until"):
                    if row.ended_at:
                        when(row.ended_at)
                    else:
                        text("span", "still so", "state failed")


def _lead(alert: AlertOut) -> None:
    """To the page where it can be mended."""
    label, address = _WHERE.get(alert.kind, ("Connections", "/connections"))
    link(label, query(address, {"bridge": alert.thing_id}) if alert.thing is Thing.BRIDGE else address)


async def _channels(visit: Visit) -> None:
    @ui.refreshable
    async def rows() -> None:
        found = (await list_channels(visit.desk, slice_of(_MANY))).items
        if not found:
            nothing("There is no channel yet: alerts are on this page alone.")
            return
        with table("Channels, newest first", ("Name", "Leads to", "For", "Last message (UTC)", "")):
            for channel in found:
                with tag("tr"):
                    _channel(visit, channel, rows.refresh)

    await rows()
    if visit.may(Role.OPERATOR):
        made = tag("div")
        with tag("div", "acts"):
            for kind, label in _ADDED.items():
                _add(visit, kind, label, made, rows.refresh)


def _channel(visit: Visit, channel: ChannelOut, refresh: Refresh) -> None:
    with cell("Name"):
        text("strong", channel.name)
        on = channel.enabled
        text("div", "on" if on else "switched off", f"state {'active' if on else 'disabled'}")
    with cell("Leads to"):
        text("span", channel.kind)
        text("div", _leads_to(channel.settings), "faint")
    with cell("For"):
        text("span", "; ".join(_KINDS[each] for each in channel.kinds) or "every kind")
        if channel.bridges:
            text("div", f"of {count_of(len(channel.bridges), 'bridge')}", "faint")
    with cell("Last message"):
        when(channel.sent_at)
        if channel.problem:
            text("div", channel.problem, "wrong-words")
    with cell("", "acts"):
        if visit.may(Role.OPERATOR):
            _actions(visit, channel, refresh)


def _leads_to(settings: Mapping[str, Any]) -> str:
    if "recipients" in settings:
        return f"{', '.join(settings['recipients'])} through {settings['host']}:{settings['port']}"
    return ", ".join(str(value) for value in settings.values())


def _actions(visit: Visit, channel: ChannelOut, refresh: Refresh) -> None:
    thing = f"channel {channel.id}"

    async def do(action: str, work: Callable[[Principal], Awaitable[str]], *_: object) -> None:
        await visit.act(Role.OPERATOR, action, work, thing)
        await refresh()

    async def test(_: Principal) -> str:
        trial = await try_channel(visit.desk, visit.notifier, channel.id)
        if not trial.sent:
            raise Rejected(f"The message did not arrive: {trial.problem}")
        return f"The message was sent. {trial.problem}".strip()

    async def switch(_: Principal) -> str:
        change = ChannelChange(enabled=not channel.enabled)
        await change_channel(visit.desk, visit.notifier, channel.id, change)
        return f"“{channel.name}” is {'off' if channel.enabled else 'on'}."

    async def delete(_: Principal) -> str:
        await delete_channel(visit.notifier, channel.id)
        return f"“{channel.name}” is deleted."

    button("Test", partial(do, "test a channel", test), "quiet")
    button("Switch off" if channel.enabled else "Switch on", partial(do, "switch a channel", switch), "quiet")
    gone = partial(do, "delete a channel", delete)
    with asking("Delete", f"Delete “{channel.name}”?", gone, "Delete it", danger=True):
        text("p", "What was still to be sent through it is not sent any more.")


def _add(visit: Visit, kind: ChannelKind, label: str, made: Element, refresh: Refresh) -> None:
    async def send(given: FormData) -> None:
        async def work(_: Principal) -> str:
            new = await make_channel(visit.notifier, _WANTED.validate_python(_wanted(kind, given)))
            if new.secret:
                once(made, f"What the messages of “{new.name}” are signed with", new.secret)
            return f"“{new.name}” is added. Send a test message."

        if await visit.act(Role.OPERATOR, "add a channel", work, str(given["name"])):
            await refresh()

    with asking(label, label, send, "Add it"):
        field("name", "Name", required="", maxlength="200")
        if kind is ChannelKind.EMAIL:
            _mail_server()
        elif kind is ChannelKind.SLACK:
            field("url", "Address", "url", "Of an incoming webhook: Slack, Mattermost, Discord (…/slack).", required="")
        else:
            field("url", "Address", "url", "Each message is signed, as Standard Webhooks says.", required="")
        checks("kinds", "For these (none: for all)", _KINDS)


def _mail_server() -> None:
    field("recipients", "To", "text", "Addresses with commas between them.", required="")
    field("sender", "From", "email", required="")
    field("host", "Mail server", required="")
    field("port", "Port", "number", value="587", min="1", max="65535", required="")
    picked("security", "Spoken to by", {each.value: each.value for each in Security}, Security.STARTTLS.value)
    field("username", "User name", "text", "Empty: it asks for none.")
    field("password", "Password", "password", autocomplete="new-password")


def _wanted(kind: ChannelKind, given: FormData) -> dict[str, Any]:
    """As the API takes it."""
    plain: dict[str, Any] = {name: value for name, value in given.items() if name != "kinds"}
    if "recipients" in plain:
        plain["recipients"] = [each.strip() for each in plain["recipients"].split(",") if each.strip()]
    return {"kind": kind.value, **plain, "kinds": given.getlist("kinds")}

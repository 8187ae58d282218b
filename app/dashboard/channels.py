"""The ways people are told of alerts: each with what it is for, and one dialog to add or change it."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from nicegui import ui
from pydantic import TypeAdapter
from starlette.datastructures import FormData

from app.api.care import ChannelOut
from app.api.channel_requests import ChannelChange
from app.api.channels import (
    ChannelIn,
    change_channel,
    delete_channel,
    list_channels,
    make_channel,
    renew_secret,
    try_channel,
)
from app.api.reading import slice_of
from app.dashboard.forms import asking, checks, closing, field, form, picked, send
from app.dashboard.frame import Visit, nothing
from app.dashboard.parts import button, cell, count_of, once, table, tag, text, when
from app.errors import Rejected
from app.models.alert import AlertKind, ChannelKind
from app.notify.targets import Security
from app.people.roles import Principal, Role

_ALERTS = {
    AlertKind.RECONNECT.value: "an account refuses us",
    AlertKind.WEBHOOKS.value: "webhooks are not in order",
    AlertKind.SILENCE.value: "an account has fallen silent",
    AlertKind.FAILURES.value: "too many records fail",
    AlertKind.CONFLICT.value: "something waits for a decision",
    AlertKind.BUDGET.value: "the calls of the day run out",
}
_KINDS = {
    ChannelKind.EMAIL: "e-mail",
    ChannelKind.SLACK: "Slack",
    ChannelKind.TEAMS: "Teams",
    ChannelKind.WEBHOOK: "a webhook",
}
_ADDRESSES = {
    ChannelKind.SLACK: "Of an incoming webhook: Slack, Mattermost, Discord (…/slack).",
    ChannelKind.TEAMS: "Of a workflow that begins with “When a Teams webhook request is received”.",
    ChannelKind.WEBHOOK: "Each message is signed, as Standard Webhooks says.",
}
_HOURS = {"": "none", **{str(hour): f"at {hour}:00 (UTC)" for hour in range(24)}}
_MANY = 200
_WANTED: TypeAdapter[Any] = TypeAdapter(ChannelIn)


class Channels:
    """`bridges`: names by id."""

    def __init__(self, visit: Visit, bridges: Mapping[str, str]) -> None:
        self.visit, self.bridges = visit, bridges

    async def draw(self) -> None:
        await self.rows()
        if self.visit.may(Role.OPERATOR):
            self.secret = tag("div")
            self.dialog = tag("dialog")
            with tag("div", "acts"):
                for kind, words in _KINDS.items():
                    button(f"Add {words}", partial(self._ask, kind))

    @ui.refreshable_method
    async def rows(self) -> None:
        found = (await list_channels(self.visit.desk, slice_of(_MANY))).items
        if not found:
            nothing("There is no channel yet: alerts are on this page alone.")
            return
        with table("Channels, newest first", ("Name", "Leads to", "For", "Last message (UTC)", "")):
            for channel in found:
                with tag("tr"):
                    self._row(channel)

    def _row(self, channel: ChannelOut) -> None:
        with cell("Name"):
            text("strong", channel.name)
            on = channel.enabled
            text("div", "on" if on else "switched off", f"state {'active' if on else 'disabled'}")
        with cell("Leads to"):
            text("span", _KINDS[channel.kind].removeprefix("a "))
            text("div", _leads_to(channel.settings), "faint")
        with cell("For"):
            text("span", "; ".join(_ALERTS[each] for each in channel.kinds) or "every kind")
            if channel.bridges:
                text("div", f"of {self._of(channel)}", "faint")
            if channel.summary_hour is not None:
                text("div", f"daily summary {_HOURS[str(channel.summary_hour)]}", "faint")
        with cell("Last message"):
            when(channel.sent_at)
            if channel.problem:
                text("div", channel.problem, "wrong-words")
        with cell("", "acts"):
            if self.visit.may(Role.OPERATOR):
                self._acts(channel)

    def _of(self, channel: ChannelOut) -> str:
        names = [self.bridges.get(str(id_), f"bridge {id_}") for id_ in channel.bridges]
        return ", ".join(f"“{name}”" for name in names) if len(names) <= 3 else count_of(len(names), "bridge")

    def _acts(self, channel: ChannelOut) -> None:
        desk, notifier = self.visit.desk, self.visit.notifier

        async def test(_: Principal) -> str:
            trial = await try_channel(desk, notifier, channel.id)
            if not trial.sent:
                raise Rejected(f"The message did not arrive: {trial.problem}")
            return f"The message was sent. {trial.problem}".strip()

        async def switch(_: Principal) -> str:
            await change_channel(desk, notifier, channel.id, ChannelChange(enabled=not channel.enabled))
            return f"“{channel.name}” is {'off' if channel.enabled else 'on'}."

        async def renew(_: Principal) -> str:
            made = await renew_secret(desk, notifier, channel.id)
            once(self.secret, f"What the messages of “{channel.name}” are signed with from now on", made.secret)
            return "The old secret is not used any more."

        async def delete(_: Principal) -> str:
            await delete_channel(notifier, channel.id)
            return f"“{channel.name}” is deleted."

        do = partial(self._do, f"channel {channel.id}")
        button("Test", partial(do, "test a channel", test), "quiet")
        button("Change", partial(self._ask, channel.kind, channel), "quiet")
        button("Switch off" if channel.enabled else "Switch on", partial(do, "switch a channel", switch), "quiet")
        if channel.kind is ChannelKind.WEBHOOK:
            new = partial(do, "renew a channel's secret", renew)
            with asking("New secret", f"A new secret for “{channel.name}”?", new, "Make it"):
                text("p", "Messages are signed with it at once. Whoever checks them by the old one refuses them.")
        gone = partial(do, "delete a channel", delete)
        with asking("Delete", f"Delete “{channel.name}”?", gone, "Delete it", danger=True):
            text("p", "What was still to be sent through it is not sent any more.")

    async def _do(self, thing: str, action: str, work: Callable[[Principal], Awaitable[str]], *_: object) -> None:
        await self.visit.act(Role.OPERATOR, action, work, thing)
        await self.rows.refresh()

    async def _ask(self, kind: ChannelKind, channel: ChannelOut | None = None) -> None:
        """`channel`: the one to be changed; None: a new one."""
        title = f"Change “{channel.name}”" if channel else f"Add {_KINDS[kind]}"
        self.dialog.clear()
        self.dialog.props["aria-label"] = title
        with self.dialog:
            text("h2", title)
            with form(partial(self._change, channel) if channel else partial(self._add, kind)):
                field("name", "Name", required="", maxlength="200", value=channel.name if channel else "")
                _place(kind, channel)
                self._wanted(channel)
                with tag("div", "acts"):
                    closing("Cancel")
                    send("Save" if channel else "Add it")
        ui.run_javascript(f"getHtmlElement({self.dialog.id}).showModal()")

    def _wanted(self, channel: ChannelOut | None) -> None:
        chosen = [str(id_) for id_ in channel.bridges] if channel else []
        checks("kinds", "For these alerts (none: for all)", _ALERTS, checked=channel.kinds if channel else ())
        names = {**{id_: f"bridge {id_}" for id_ in chosen}, **self.bridges}
        if names:
            checks("bridges", "Of these bridges only (none: of all)", names, checked=chosen)
        hour = channel.summary_hour if channel else None
        picked("summary_hour", "Daily summary of these bridges", _HOURS, "" if hour is None else str(hour))

    async def _add(self, kind: ChannelKind, given: FormData) -> None:
        async def work(_: Principal) -> str:
            wanted = _WANTED.validate_python({"kind": kind.value, **_read(given)})
            new = await make_channel(self.visit.notifier, wanted)
            if new.secret:
                once(self.secret, f"What the messages of “{new.name}” are signed with", new.secret)
            return f"“{new.name}” is added. Send a test message."

        await self._do(str(given["name"]), "add a channel", work)

    async def _change(self, channel: ChannelOut, typed: FormData) -> None:
        async def work(_: Principal) -> str:
            wanted = _read(typed)
            # A password of nobody is none; any other that is not typed stays as it is.
            empty = {"url", "password"} if wanted.get("username") else {"url"}
            given = {name: each for name, each in wanted.items() if each or name not in empty}
            change = ChannelChange.model_validate(given)
            shown = await change_channel(self.visit.desk, self.visit.notifier, channel.id, change)
            return f"“{shown.name}” is changed."

        await self._do(f"channel {channel.id}", "change a channel", work)


def _leads_to(settings: Mapping[str, Any]) -> str:
    if "recipients" in settings:
        return f"{', '.join(settings['recipients'])} through {settings['host']}:{settings['port']}"
    return ", ".join(str(value) for value in settings.values())


def _place(kind: ChannelKind, channel: ChannelOut | None) -> None:
    """Where it leads."""
    if kind is ChannelKind.EMAIL:
        _mail_server(channel.settings if channel else {})
    elif channel:
        field("url", "Another address", "url", f"Empty: as before. {_ADDRESSES[kind]}")
    else:
        field("url", "Address", "url", _ADDRESSES[kind], required="")


def _mail_server(now: Mapping[str, Any]) -> None:
    """`now`: what is set; empty of a new one."""
    to = ", ".join(now.get("recipients", ()))
    field("recipients", "To", "text", "Addresses with commas between them.", required="", value=to)
    field("sender", "From", "email", required="", value=now.get("sender", ""))
    field("host", "Mail server", required="", value=now.get("host", ""))
    field("port", "Port", "number", value=str(now.get("port", 587)), min="1", max="65535", required="")
    spoken = {each.value: each.value for each in Security}
    picked("security", "Spoken to by", spoken, now.get("security", Security.STARTTLS.value))
    field("username", "User name", "text", "Empty: it asks for none.", value=now.get("username", ""))
    kept = "Empty: as before. Another server or user name needs it again." if now else ""
    field("password", "Password", "password", kept, autocomplete="new-password")


def _read(given: FormData) -> dict[str, Any]:
    """As the API takes it."""
    plain: dict[str, Any] = {name: value for name, value in given.items() if name not in ("kinds", "bridges")}
    if "recipients" in plain:
        plain["recipients"] = [each.strip() for each in plain["recipients"].split(",") if each.strip()]
    chosen = {name: given.getlist(name) for name in ("kinds", "bridges")}
    return {**plain, **chosen, "summary_hour": plain["summary_hour"] or None}

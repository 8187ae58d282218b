"""`crossledger notify`: channels and alerts from the shell of the machine.

What is secret, a password or the URL of a webhook, is asked for or read from the standard input: a command line is
seen by others and kept in a history.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from app.commands.console import asked, stop_with, wrong
from app.commands.shell import note, with_service

if TYPE_CHECKING:
    from app.api.channel_requests import EmailIn, SlackIn, TeamsIn, WebhookIn
    from app.models import Channel
    from app.notify.notifier import Notifier

notify = typer.Typer(name="notify", help="Who is told that something needs them, and how.", no_args_is_help=True)
T = TypeVar("T")
Name = Annotated[str, typer.Argument(help="What the channel is called.")]
Id = Annotated[int, typer.Argument(help="The channel's id, see list.", min=1)]
Kinds = Annotated[
    list[str] | None,
    typer.Option(
        "--kind",
        help="Only reconnect, webhooks, silence, failures, conflict or budget; may be repeated.",
    ),
]
Bridges = Annotated[list[int] | None, typer.Option("--bridge", help="Only this bridge's; may be repeated.", min=1)]


@notify.command("list")
def list_channels() -> None:
    """Each with what it is for, and what became of its last message."""

    async def work(notifier: "Notifier") -> Sequence["Channel"]:
        return await notifier.channels.all()

    for row in _run(work):
        state = row.problem or ("works" if row.sent_at else "nothing sent yet")
        typer.echo(
            f"{row.id:>4}  {row.kind:<8}  {row.name}  ({_wanted(row)}): {state if row.enabled else 'switched off'}"
        )


@notify.command()
def add_email(
    name: Name,
    host: Annotated[str, typer.Option(help="The mail server.")],
    sender: Annotated[str, typer.Option(help="The address that messages come from.")],
    to: Annotated[list[str], typer.Option(help="A recipient; may be repeated.")],
    port: Annotated[int, typer.Option(help="587 for starttls, 465 for tls.")] = 587,
    security: Annotated[str, typer.Option(help="starttls, tls, or none.")] = "starttls",
    username: Annotated[str, typer.Option(help="For a server that asks for one; its password is asked for.")] = "",
    kind: Kinds = None,
    bridge: Bridges = None,
) -> None:
    """Add a channel by e-mail."""
    from app.api.channel_requests import EmailIn

    password = asked("Password") if username else ""
    values = {"host": host, "port": port, "security": security, "username": username, "password": password}
    _add(EmailIn, "email", name, kind, bridge, **values, sender=sender, recipients=to)


@notify.command()
def add_slack(name: Name, kind: Kinds = None, bridge: Bridges = None) -> None:
    """Add an incoming webhook of Slack, or of what understands the same. Its URL is asked for."""
    from app.api.channel_requests import SlackIn

    _add(SlackIn, "slack", name, kind, bridge, url=asked("URL"))


@notify.command()
def add_teams(name: Name, kind: Kinds = None, bridge: Bridges = None) -> None:
    """Add a workflow of Microsoft Teams that posts to a chat or channel. Its URL is asked for."""
    from app.api.channel_requests import TeamsIn

    _add(TeamsIn, "teams", name, kind, bridge, url=asked("URL"))


@notify.command()
def add_webhook(name: Name, kind: Kinds = None, bridge: Bridges = None) -> None:
    """Add a program that is told by signed webhook. Its URL is asked for; the signing secret is printed, this once."""
    from app.api.channel_requests import WebhookIn

    _add(WebhookIn, "webhook", name, kind, bridge, url=asked("URL"))


@notify.command()
def switch(channel: Id, on: Annotated[bool, typer.Option("--on/--off", help="Whether it is told of alerts.")]) -> None:
    """Switch a channel on or off."""

    async def work(notifier: "Notifier") -> None:
        row = await _row(notifier, channel)
        await notifier.channels.change(row, None, {"enabled": on})
        await _note(notifier, "channel.switched", row, "on" if on else "off")

    _run(work)
    typer.echo(f"Channel {channel} is switched {'on' if on else 'off'}.")


@notify.command()
def summary(
    channel: Id,
    hour: Annotated[
        int | None, typer.Option(help="Of the day, in UTC; left out: none any more.", min=0, max=23)
    ] = None,
) -> None:
    """Have a daily summary sent through a channel, or none any more."""

    async def work(notifier: "Notifier") -> None:
        from app.notify.daily import next_at

        row = await _row(notifier, channel)
        await notifier.channels.change(row, None, {"summary_at": next_at(hour, datetime.now(UTC))})
        await _note(notifier, "channel.changed", row, f"summary at {hour}" if hour is not None else "no summary")

    _run(work)
    typer.echo(f"Channel {channel} gets {f'a summary daily at {hour}:00 UTC' if hour is not None else 'no summary'}.")


@notify.command()
def test(channel: Id) -> None:
    """Send a test message now, and say what went wrong. Ends non-zero where it was not sent."""

    async def work(notifier: "Notifier") -> tuple[bool, str]:
        return await notifier.try_out(await _row(notifier, channel))

    sent, problem = _run(work)
    if not sent:
        stop_with(f"The test message was not sent: {problem}")
    typer.echo(f"The test message was sent. {problem}".strip())


@notify.command()
def remove(channel: Id) -> None:
    """Remove a channel. What was still to be sent through it is not sent any more."""

    async def work(notifier: "Notifier") -> None:
        row = await _row(notifier, channel)
        await notifier.channels.remove(channel)
        await _note(notifier, "channel.removed", row, row.name)

    _run(work)
    typer.echo(f"Channel {channel} is removed.")


@notify.command()
def alerts(past: Annotated[bool, typer.Option("--past", help="Those that are over as well.")] = False) -> None:
    """What needs somebody now, and what to do about it."""
    from app.notify.messages import Change, words
    from app.notify.watch import condition_of, recent

    async def work(notifier: "Notifier") -> Sequence[Any]:
        return await recent(notifier.channels.engine, past=past)

    found = _run(work)
    for row in found:
        title, text, cure = words(condition_of(row), Change.ENDED if row.ended_at else Change.BEGAN)
        over = f", over since {row.ended_at:%Y-%m-%d %H:%M} UTC" if row.ended_at else ""
        typer.echo(f"{title}\n  since {row.since:%Y-%m-%d %H:%M} UTC{over}\n  {text}" + (f"\n  {cure}" if cure else ""))
    if not found:
        typer.echo("Nothing needs anybody.")


def _add(
    form: "type[EmailIn | SlackIn | TeamsIn | WebhookIn]",
    channel_kind: str,
    name: str,
    kinds: list[str] | None,
    bridges: list[int] | None,
    **values: Any,
) -> None:
    from pydantic import ValidationError

    from app.notify.targets import SignedHook, unsafe

    try:
        wanted = form.model_validate(
            {"kind": channel_kind, "name": name, "kinds": kinds or [], "bridges": bridges or [], **values}
        )
    except ValidationError as error:
        stop_with(wrong(error))
    target = wanted.target()
    if reason := unsafe(target):
        stop_with(reason)

    async def work(notifier: "Notifier") -> "Channel":
        if missing := await notifier.channels.unknown_bridges(wanted.bridges):
            stop_with(missing)
        row = await notifier.channels.add(target, **wanted.columns(datetime.now(UTC)))
        await _note(notifier, "channel.made", row, row.name)
        return row

    row = _run(work)
    typer.echo(f"Channel {row.id} is made. Try it: crossledger notify test {row.id}")
    if isinstance(target, SignedHook):
        typer.echo(f"Its messages are signed with: {target.secret}")


def _run(work: "Callable[[Notifier], Awaitable[T]]") -> T:
    from app.notify.notifier import Notifier

    return with_service(lambda at: work(Notifier.make(at.settings, at.engine, at.connections)))


async def _row(notifier: "Notifier", channel_id: int) -> "Channel":
    row = await notifier.channels.find(channel_id)
    if row is None:
        stop_with(f"There is no channel {channel_id}.")
    return row


async def _note(notifier: "Notifier", action: str, row: "Channel", detail: str) -> None:
    async with notifier.channels.engine.begin() as connection:
        await note(connection, action, f"channel {row.id}", detail)


def _wanted(row: "Channel") -> str:
    kinds = ", ".join(row.kinds) or "everything"
    return f"{kinds} of bridge {', '.join(map(str, row.bridges))}" if row.bridges else kinds

"""Channels: how people are told that something needs them. Secrets go in and never come out."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body

from app.api.body import Bounded
from app.api.care import ChannelOut, NewChannelOut, SigningSecret, TrialOut
from app.api.channel_requests import ChannelChange, EmailIn, SlackIn, TeamsIn, WebhookIn
from app.api.desk import AtDesk, ByNotifier
from app.api.fields import Id
from app.api.problems import conflict, problems, refused, unknown
from app.api.reading import Paging, one, page
from app.api.schemas import Page
from app.models import Channel
from app.notify.hooks import new_signing_secret
from app.notify.notifier import Notifier
from app.notify.targets import SignedHook, Target, unsafe

router = APIRouter(prefix="/channels", tags=["alerts"], route_class=Bounded)

ChannelIn = Annotated[EmailIn | SlackIn | TeamsIn | WebhookIn, Body(discriminator="kind")]


@router.post("", status_code=201, summary="Make a channel", responses=problems(400, 413))
async def make_channel(notifier: ByNotifier, wanted: ChannelIn) -> NewChannelOut:
    """Nothing is sent yet: send a test message. Of a webhook, `secret` is shown this once."""
    await _check_bridges(notifier, wanted.bridges)
    target = _safe(wanted.target())
    row = await notifier.channels.add(target, **wanted.columns(datetime.now(UTC)))
    shown = ChannelOut.model_validate(row)
    return NewChannelOut(**shown.model_dump(), secret=target.secret if isinstance(target, SignedHook) else None)


@router.get("", summary="List channels")
async def list_channels(desk: AtDesk, part: Paging) -> Page[ChannelOut]:
    """Newest first, each with what became of its last message."""
    return await page(desk.engine, Channel, ChannelOut, part)


@router.get("/{channel_id}", summary="Show a channel", responses=problems(404))
async def show_channel(desk: AtDesk, channel_id: Id) -> ChannelOut:
    """What it is for, and what became of its last message. Never a password, a secret or a whole URL."""
    return ChannelOut.model_validate(await one(desk.engine, Channel, channel_id))


@router.patch("/{channel_id}", summary="Change a channel", responses=problems(400, 404, 409, 413))
async def change_channel(desk: AtDesk, notifier: ByNotifier, channel_id: Id, change: ChannelChange) -> ChannelOut:
    """What is left out stays as it is. A password is not taken along to another server: enter it again."""
    row = await one(desk.engine, Channel, channel_id)
    await _check_bridges(notifier, change.bridges or [])
    try:
        target = change.moved(notifier.channels.target(row))
    except ValueError as error:
        raise refused(str(error)) from None
    await _keep(notifier, row, _safe(target) if target else None, **change.columns(datetime.now(UTC)))
    return ChannelOut.model_validate(await one(desk.engine, Channel, channel_id))


@router.delete("/{channel_id}", status_code=204, summary="Delete a channel", responses=problems(404))
async def delete_channel(notifier: ByNotifier, channel_id: Id) -> None:
    """What was still to be sent through it is not sent any more."""
    if not await notifier.channels.remove(channel_id):
        raise unknown("channel", channel_id)


@router.post("/{channel_id}/test", summary="Send a test message", responses=problems(404))
async def try_channel(desk: AtDesk, notifier: ByNotifier, channel_id: Id) -> TrialOut:
    """Now, and once. `problem` says what went wrong, in the words of the other side."""
    row = await one(desk.engine, Channel, channel_id)
    sent, problem = await notifier.try_out(row)
    return TrialOut(sent=sent, problem=problem)


@router.post("/{channel_id}/secret", summary="Make a new signing secret", responses=problems(404, 409))
async def renew_secret(desk: AtDesk, notifier: ByNotifier, channel_id: Id) -> SigningSecret:
    """Of a webhook. Shown this once; messages are signed with it from now on."""
    row = await one(desk.engine, Channel, channel_id)
    target = notifier.channels.target(row)
    if not isinstance(target, SignedHook):
        raise refused("Only the messages of a webhook are signed.")
    made = new_signing_secret()
    await _keep(notifier, row, SignedHook(target.url, made))
    return SigningSecret(secret=made)


async def _keep(notifier: Notifier, row: Channel, target: Target | None, **columns: object) -> None:
    if not await notifier.channels.change(row, target, columns):
        raise conflict("This channel was changed or deleted in this moment. Look at it, and try again.")


def _safe(target: Target) -> Target:
    """Answers 422 where a password would travel in the clear."""
    if reason := unsafe(target):
        raise refused(reason)
    return target


async def _check_bridges(notifier: Notifier, ids: list[int]) -> None:
    if missing := await notifier.channels.unknown_bridges(ids):
        raise refused(missing)

"""Messages by HTTP: to a chat, as Slack or Teams take them, or signed as Standard Webhooks says."""

import asyncio
import hashlib
import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime

import httpx

from app.errors import Rejected, Retry
from app.notify.messages import Message
from app.notify.targets import SignedHook, SlackHook, TeamsHook
from app.providers.client import LONGEST_ANSWER
from app.providers.http import retry_after
from app.redaction import keep_secret

_PREFIX = "whsec_"
_LONGEST = 200


def new_signing_secret() -> str:
    """256 bits, as Standard Webhooks writes them."""
    made = _PREFIX + b64encode(secrets.token_bytes(32)).decode()
    keep_secret(made)
    return made


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature. `secret` begins with whsec_."""
    key = b64decode(secret.removeprefix(_PREFIX))
    signed = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{b64encode(signed.digest()).decode()}"


async def to_slack(client: httpx.AsyncClient, hook: SlackHook, message: Message) -> None:
    """Raises Retry, Rejected with what went wrong."""
    lines = [f"*{_plain(message.title)}*", _plain(message.text)]
    lines += [f"_What to do:_ {_plain(message.cure)}"] if message.cure else []
    text = "\n".join([*lines, f"<{message.url}>"])
    await _post(client, hook.url, json.dumps({"text": text}).encode(), {})


async def to_teams(client: httpx.AsyncClient, hook: TeamsHook, message: Message) -> None:
    """As an adaptive card. Raises Retry, Rejected with what went wrong."""
    lines = [*message.text.split("\n"), *([f"What to do: {message.cure}"] if message.cure else [])]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_line(message.title, weight="Bolder", size="Medium"), *map(_line, lines)],
        "actions": [{"type": "Action.OpenUrl", "title": "Open Crossledger", "url": message.url}],
        "msteams": {"width": "Full"},
    }
    attached = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    await _post(client, hook.url, json.dumps({"type": "message", "attachments": [attached]}).encode(), {})


async def signed(client: httpx.AsyncClient, hook: SignedHook, message: Message, now: datetime) -> None:
    """The same id each time, the time of this attempt. Raises Retry, Rejected with what went wrong."""
    data = {name: value for name, value in message.document().items() if name not in ("id", "type", "at")}
    body = json.dumps({"type": message.type, "timestamp": message.at, "data": data}).encode()
    seconds = int(now.timestamp())
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature(hook.secret, message.id, seconds, body),
    }
    await _post(client, hook.url, body, headers)


def _plain(text: str) -> str:
    """Slack takes what stands in angle brackets for a command: <!channel> would call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(text: str, **look: str) -> dict[str, object]:
    """Its own words only: where a text block would make a link of a name's Markdown, a run of text does not."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **look}]}


async def _post(client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    host = httpx.URL(url).host
    try:
        async with asyncio.timeout(LONGEST_ANSWER):
            answer = await client.post(url, content=body, headers={"Content-Type": "application/json", **headers})
    except TimeoutError:
        raise Retry(f"{host} did not answer in {LONGEST_ANSWER:.0f} s") from None
    except httpx.TransportError as error:
        raise Retry(f"{host} cannot be reached: {error or type(error).__name__}") from error
    if answer.is_success:
        return
    if answer.is_redirect:
        raise Rejected(f"{host} answers {answer.status_code}, which leads elsewhere: enter the address it leads to")
    said = f"{host} answers {answer.status_code} {answer.reason_phrase}: {' '.join(answer.text.split())[:_LONGEST]}"
    raise Retry(said.rstrip(": "), after=retry_after(answer.headers))

"""Where a channel leads."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import httpx

from app.models import Channel
from app.models.alert import ChannelKind
from app.vault import Vault


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """`username` is "" where the server asks for none."""

    host: str
    port: int
    security: Security
    sender: str
    recipients: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SlackHook:
    """An incoming webhook as Slack has them; whoever knows the URL may write there."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TeamsHook:
    """A workflow of Microsoft Teams that posts what it is sent; whoever knows the URL may write there."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedHook:
    """`secret` begins with whsec_."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


Target: TypeAlias = Mailbox | SlackHook | TeamsHook | SignedHook


def stored(target: Target, vault: Vault) -> dict[str, Any]:
    """As columns of a channel."""
    match target:
        case Mailbox():
            shown = {
                "host": target.host,
                "port": target.port,
                "security": target.security.value,
                "username": target.username,
                "sender": target.sender,
                "recipients": list(target.recipients),
            }
            return {"settings": shown, "sealed": vault.seal({"password": target.password})}
        case SlackHook(url) | TeamsHook(url):
            return {"settings": _host(url), "sealed": vault.seal({"url": url})}
        case SignedHook(url, secret):
            return {"settings": _host(url), "sealed": vault.seal({"url": url, "secret": secret})}


def opened(row: Channel, vault: Vault) -> Target:
    """Raises ConfigurationError where none of our keys has sealed it."""
    secrets, shown = vault.unseal(row.sealed), row.settings
    match ChannelKind(row.kind):
        case ChannelKind.EMAIL:
            return Mailbox(
                host=shown["host"],
                port=shown["port"],
                security=Security(shown["security"]),
                username=shown["username"],
                password=secrets["password"],
                sender=shown["sender"],
                recipients=tuple(shown["recipients"]),
            )
        case ChannelKind.SLACK:
            return SlackHook(secrets["url"])
        case ChannelKind.TEAMS:
            return TeamsHook(secrets["url"])
        case ChannelKind.WEBHOOK:
            return SignedHook(secrets["url"], secrets["secret"])


def unsafe(target: Target) -> str:
    """Why this must not be; "" where it may."""
    if isinstance(target, Mailbox):
        if target.password and target.security is Security.NONE:
            return "A password is sent over TLS only: choose `starttls` or `tls`, or leave user name and password out."
        if bool(target.username) is not bool(target.password):
            return "A user name and its password go together."
    return ""


def _host(url: str) -> dict[str, str]:
    """The rest of the URL may be a secret."""
    return {"host": httpx.URL(url).host}

"""What callers send about channels."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from app.api.fields import Email, Id, Name
from app.api.requests import In
from app.api.urls import Address
from app.models.alert import AlertKind
from app.notify.daily import next_at
from app.notify.hooks import new_signing_secret
from app.notify.targets import Mailbox, Security, SignedHook, SlackHook, Target, TeamsHook

Host = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9A-Za-z]([0-9A-Za-z._:-]{0,251}[0-9A-Za-z])?$")
]
Port = Annotated[int, Field(ge=1, le=65_535)]
ServerName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^\x00-\x1f]*$")]
ServerPassword = Annotated[SecretStr, Field(max_length=1000)]
Recipients = Annotated[list[Email], Field(min_length=1, max_length=20)]
Kinds = Annotated[list[AlertKind], Field(max_length=20), AfterValidator(lambda kinds: sorted(set(kinds)))]
Hour = Annotated[int, Field(ge=0, le=23)]
Bridges = Annotated[list[Id], Field(max_length=1000), AfterValidator(lambda ids: sorted(set(ids)))]


class NewChannel(In):
    name: Name
    kinds: Kinds = Field([], description="The kinds of alerts that it is for; empty: all")
    bridges: Bridges = Field([], description="The bridges that it is for; empty: all")
    summary_hour: Hour | None = Field(None, description="A daily summary comes at this hour (UTC); null: none does")

    def columns(self, now: datetime) -> dict[str, Any]:
        return {
            "name": self.name,
            "kinds": list(self.kinds),
            "bridges": self.bridges,
            "summary_at": next_at(self.summary_hour, now),
        }


class EmailIn(NewChannel):
    """A mail server that takes messages from us."""

    kind: Literal["email"]
    host: Host
    port: Port = 587
    security: Security = Security.STARTTLS
    username: ServerName = ""
    password: ServerPassword = SecretStr("")
    sender: Email
    recipients: Recipients

    def target(self) -> Target:
        return Mailbox(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            password=self.password.get_secret_value(),
            sender=self.sender,
            recipients=tuple(self.recipients),
        )


class SlackIn(NewChannel):
    """An incoming webhook of Slack, or of what understands the same: Mattermost, Rocket.Chat, Discord (…/slack)."""

    kind: Literal["slack"]
    url: Address

    def target(self) -> Target:
        return SlackHook(self.url.get_secret_value())


class TeamsIn(NewChannel):
    """A workflow of Microsoft Teams that begins with “When a Teams webhook request is received”."""

    kind: Literal["teams"]
    url: Address

    def target(self) -> Target:
        return TeamsHook(self.url.get_secret_value())


class WebhookIn(NewChannel):
    """A program of yours. Each message is signed as Standard Webhooks says."""

    kind: Literal["webhook"]
    url: Address

    def target(self) -> Target:
        return SignedHook(self.url.get_secret_value(), new_signing_secret())


class ChannelChange(In):
    """What is left out stays as it is. `url` is for chats and webhooks; `host` to `recipients` are for e-mail.

    `summary_hour`: null means that no daily summary comes any more.
    """

    name: Name | None = None
    enabled: bool | None = None
    kinds: Kinds | None = None
    bridges: Bridges | None = None
    summary_hour: Hour | None = None
    url: Address | None = None
    host: Host | None = None
    port: Port | None = None
    security: Security | None = None
    username: ServerName | None = None
    password: ServerPassword | None = None
    sender: Email | None = None
    recipients: Recipients | None = None

    def columns(self, now: datetime) -> dict[str, Any]:
        changed = self.model_dump(mode="json", exclude_none=True, include={"name", "enabled", "kinds", "bridges"})
        if "summary_hour" in self.model_fields_set:
            changed["summary_at"] = next_at(self.summary_hour, now)
        return changed

    def moved(self, target: Target) -> Target | None:
        """Where it leads from now on; None: as before. Raises ValueError where that is nothing of this kind."""
        given = self.model_dump(exclude_none=True, exclude={"name", "enabled", "kinds", "bridges", "summary_hour"})
        if not given:
            return None
        opened = {
            name: each.get_secret_value() if isinstance(each, SecretStr) else each for name, each in given.items()
        }
        if isinstance(target, Mailbox) is ("url" in opened) or not all(hasattr(target, name) for name in opened):
            raise ValueError(f"This channel has no {', no '.join(sorted(opened))} that could be changed together.")
        if isinstance(target, Mailbox):
            return _same_server(target, opened)
        return replace(target, url=opened["url"])


def _same_server(box: Mailbox, given: dict[str, Any]) -> Mailbox:
    """A stored password goes to the server that it was entered for, in the way that was chosen then."""
    elsewhere = any(given.get(name, getattr(box, name)) != getattr(box, name) for name in _SERVER)
    if elsewhere and box.password and "password" not in given:
        raise ValueError("Enter the password again: the stored one is not sent to another server, or in another way.")
    return replace(box, **{**given, "recipients": tuple(given.get("recipients", box.recipients))})


_SERVER = ("host", "port", "security", "username")

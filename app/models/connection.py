"""Connections (external accounts with their sealed credentials) and the bridges between two of them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from app.models.columns import (
    big_id,
    born,
    document,
    documents,
    flag,
    key_words,
    moment,
    number,
    optional_words,
    reference,
    words,
)


class ConnectionState(StrEnum):
    ACTIVE = "active"
    PENDING = "pending"  # installed from the vendor's side; an administrator has to claim it
    NEEDS_RECONNECT = "needs_reconnect"
    DISABLED = "disabled"


class ConnectionKind(StrEnum):
    ACCOUNT = "account"  # what is synced: a location, a company
    AGENCY = "agency"  # opens several accounts, and is none itself


class Auth(StrEnum):
    ENTERED = "entered"  # a token that a person has pasted; in `sealed`
    OAUTH = "oauth"  # agreed to in a browser; in the table `tokens`


class Connection(SQLModel, table=True):
    """`account_id` is the vendor's id of the account: HighLevel's location id, Invoice Ninja's company id.

    The webhook key is part of the URL the vendor calls, the secret a header it sends. They are looked up by digests;
    where the service installs the webhooks by itself, both are kept as well, in `webhook_sealed`. `entered_at`: when
    its token was entered; none where that was before it was noted, or there is no such token.
    """

    __tablename__ = "connections"
    __table_args__ = (
        UniqueConstraint("provider", "base_url", "account_id", name="connections_account"),
        UniqueConstraint("webhook_key_digest", name="connections_webhook_key"),
    )

    id: int | None = big_id()
    provider: str = words()
    name: str = words()
    state: str = words(ConnectionState.ACTIVE)
    state_reason: str = words()
    refused_since: datetime | None = moment()
    base_url: str = words()
    account_id: str = words()
    kind: str = words(ConnectionKind.ACCOUNT)
    auth: str = words(Auth.ENTERED)
    sealed: str = words()
    entered_at: datetime | None = moment()
    webhook_key_digest: str | None = optional_words()
    webhook_secret_digest: str = words()
    webhook_sealed: str = words()
    webhooks_managed: bool = flag(default=False)
    webhooks_checked_at: datetime | None = moment()
    webhooks_problem: str = words()
    facts: dict[str, str] = document()
    warnings: list[str] = documents()
    data: dict[str, Any] = document()
    created_at: datetime | None = born()
    checked_at: datetime | None = moment()

    @property
    def token_entered_at(self) -> datetime | None:
        """Since when it has its entered token, as far as is known; None where it was agreed to in a browser."""
        return None if self.auth == Auth.OAUTH else self.entered_at or self.created_at

    @property
    def remedy(self) -> str:
        """What a person has to do, while the vendor refuses the credentials."""
        if self.state != ConnectionState.NEEDS_RECONNECT:
            return ""
        if self.auth == Auth.OAUTH:
            return "Press “Agree again” for it on the page Connect, as a user who may install apps there."
        return f"{NEW_TOKEN.get(self.provider, 'Make a new token')}, and press “Reconnect” on the page Connections."


def obstacle(provider: str, state: str) -> str:
    """Why nothing goes through a connection in this state, for people: "HighLevel does not let Crossledger in"."""
    return _OBSTACLES.get(state, "the connection to {} is not in use").format(VENDORS.get(provider, provider))


VENDORS = {"highlevel": "HighLevel", "invoice_ninja": "Invoice Ninja"}
_OBSTACLES: dict[str, str] = {
    ConnectionState.NEEDS_RECONNECT: "{} does not let Crossledger in any more",
    ConnectionState.PENDING: "the connection to {} waits to be claimed",
    ConnectionState.DISABLED: "the connection to {} is switched off",
}
NEW_TOKEN = {
    "highlevel": "Make a new token in HighLevel (Settings, Private Integrations)",
    "invoice_ninja": "Make a new token in Invoice Ninja (Settings, Account Management, API tokens)",
}


class FormerKey(SQLModel, table=True):
    """The digest of a webhook key that a connection had: a webhook that carries it was made here, and may go."""

    __tablename__ = "former_keys"

    digest: str = key_words()


class Bridge(SQLModel, table=True):
    """One CRM connection and one billing connection kept in step. `settings` is a `sync.policy.BridgeSettings`.

    `live_since`: none while it is in dry run: nothing is written but what a person has seen in a plan and chosen.
    `revision`: counts what its settings have been; the database does that.
    """

    __tablename__ = "bridges"
    __table_args__ = (UniqueConstraint("crm_connection_id", "billing_connection_id", name="bridges_pair"),)

    id: int | None = big_id()
    name: str = words()
    crm_connection_id: int = reference("connections.id", on_delete="RESTRICT")
    billing_connection_id: int = reference("connections.id", on_delete="RESTRICT", index=True)
    enabled: bool = flag(default=True)
    live_since: datetime | None = moment()
    settings: dict[str, Any] = document()
    revision: int = number()
    created_at: datetime | None = born()

"""Conditions that somebody should know of, and the channels they are told through."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, Index, text
from sqlmodel import Field, SQLModel

from app.models.columns import (
    big_id,
    born,
    document,
    documents,
    flag,
    instant,
    moment,
    number,
    words,
)


class AlertKind(StrEnum):
    RECONNECT = "reconnect"  # a connection's credentials are refused
    WEBHOOKS = "webhooks"  # a connection's subscriptions are not in order
    SILENCE = "silence"  # a connection that usually sends has sent nothing for long
    FAILURES = "failures"  # too many records of a bridge have failed
    CONFLICT = "conflict"  # a record of a bridge waits for a decision
    BUDGET = "budget"  # a connection has nearly used up its calls of the day


class Thing(StrEnum):
    """What a condition is one of."""

    CONNECTION = "connection"
    BRIDGE = "bridge"


class ChannelKind(StrEnum):
    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"


class Alert(SQLModel, table=True):
    """A condition from when it begins until it ends; only one is open of a kind and thing.

    `level`: the highest that was told, of a budget 50, 70, 90 or 100 per cent. `count`: records, hours or calls, by
    kind. `bridges`: the ids of those that it is about.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("alerts_open", "kind", "thing", "thing_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("alerts_ended", "ended_at"),
    )

    id: int | None = big_id()
    kind: str = words()
    thing: str = words()
    thing_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    name: str = words()
    bridges: list[int] = documents()
    level: int = number(1)
    count: int = number(0)
    cure: str = words()
    since: datetime = instant()
    told_at: datetime = instant()
    ended_at: datetime | None = moment()


class Channel(SQLModel, table=True):
    """A way to tell people. `settings`: what may be shown of where it leads; `sealed`: the rest.

    `kinds` and `bridges` say what it is for; empty: all. `problem`: why the last message did not arrive.
    `given_up`: messages that never did. `summary_at`: when the next daily summary is due; None: it gets none.
    """

    __tablename__ = "channels"

    id: int | None = big_id()
    name: str = words()
    kind: str = words()
    enabled: bool = flag(default=True)
    settings: dict[str, Any] = document()
    sealed: str = words()
    kinds: list[str] = documents()
    bridges: list[int] = documents()
    created_at: datetime | None = born()
    sent_at: datetime | None = moment()
    problem: str = words()
    problem_since: datetime | None = moment()
    given_up: int = number(0)
    summary_at: datetime | None = moment()

    @property
    def summary_hour(self) -> int | None:
        """Of the day in UTC."""
        return self.summary_at.astimezone(UTC).hour if self.summary_at else None

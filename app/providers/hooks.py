"""Webhooks that a provider installs at its vendor by itself: what is wanted, and what would be done."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Step(StrEnum):
    """In the order in which they are done: nothing is taken away before its successor is there."""

    KEEP = "keep"
    CREATE = "create"
    RESTORE = "restore"
    REPAIR = "repair"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """Where the vendor is to call for one connection.

    `root` is this installation's address of webhooks, without a slash at its end. `former` are the digests of keys that
    its connections had: what carries one of them was made here. A key that is not known belongs to another connection,
    or to another installation at the same address, and is not ours to judge.
    """

    root: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    former: Collection[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One subscription and what becomes of it. `event` is the vendor's id of the event, `id` the subscription's."""

    step: Step
    event: str
    name: str
    reason: str
    id: str = ""


class Hooks(Protocol):
    """The subscriptions of one account. Every method may raise what an `Account` may."""

    @property
    def obstacle(self) -> str:
        """Why an installation will fail, as far as the last probe could tell; "" where nothing is known."""

    async def look(self, mailbox: Mailbox) -> Sequence[Change]:
        """What `install` would do. Changes nothing."""

    async def install(self, mailbox: Mailbox) -> Sequence[Change]:
        """Bring the subscriptions in order and look again; returns what was done."""

    async def remove(self, mailbox: Mailbox) -> Sequence[Change]:
        """Take away what is ours; returns what was done."""

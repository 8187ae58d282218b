"""A record in our own words: what both providers' data is turned into before anything is decided. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from app.sync.money import Money
from app.sync.totals import Rules

# A field's value is text; "" is empty. A key that is missing means "this side has no such field", never "empty".
Values = Mapping[str, str]


class Side(StrEnum):
    CRM = "crm"
    BILLING = "billing"

    @property
    def other(self) -> "Side":
        return Side.BILLING if self is Side.CRM else Side.CRM


class Presence(StrEnum):
    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"


class Kind(StrEnum):
    """What a field's text means; decides how two values are compared and what may be written.

    `TAGS`: a set of words, "a, b", compared and merged word by word, whatever their case and order. `DOCUMENT`: what an
    invoice charges, as `sync.canonical` writes it.
    """

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    URL = "url"
    DATE = "date"
    NUMBER = "number"
    TAGS = "tags"
    DOCUMENT = "document"


class Writable(StrEnum):
    ALWAYS = "always"
    ON_CREATE = "on_create"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field as one provider has it.

    `whole`: it belongs to the record that parts are parts of; a part has none of its own.
    `strict`: the provider refuses a value that is not valid for the kind, so we hold it back.
    `max_length`: characters the provider keeps; longer text is shortened by us, visibly, not by it, silently.
    `refuses`: valid values, as we would write them, that the provider does not know all the same.
    `options`: where there are any, the only values that it takes, in the form in which the kind compares them; of tags
    the only ones that take part.
    `guarded`: what people entered there is never overwritten; only what was written there last is.
    `sparse`: empty says nothing, and empties nothing on the other side.
    `longest_tag`: characters of one tag that the provider keeps; a longer one is held back.
    `lacking`: why this account has no such field, where that is more than that nobody knows it. No pair works with it.
    `required`: no record is made without it, and a pair in which it is held back is in conflict.
    `rules`: of a document, how this account computes it.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    max_length: int | None = None
    writable: Writable = Writable.ALWAYS
    strict: bool = False
    whole: bool = False
    refuses: frozenset[str] = frozenset()
    options: frozenset[str] | None = None
    guarded: bool = False
    sparse: bool = False
    longest_tag: int | None = None
    lacking: str = ""
    required: bool = False
    rules: Rules | None = field(default=None, hash=False)


@dataclass(frozen=True, slots=True)
class Sum:
    """The money that a record is about. `amount`: what it charges or pays, less refunds, on `day`; `owed`: what of it
    is unpaid. Of a client's balance only that is known."""

    amount: Money
    owed: Money
    day: date | None = None

    def columns(self) -> dict[str, Any]:
        """Of `amounts`."""
        return {
            "currency": self.amount.currency,
            "amount": self.amount.amount,
            "open": self.owed.amount,
            "day": self.day,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object in one system.

    `part` names the piece of the vendor's record the values were read from (Invoice Ninja: which of the client's
    contacts). `parent` is the vendor's id of the record that it belongs to (a task's contact). `slot` is the other
    system's id that this record carries, "" where none. `raw` is the vendor's own answer, opaque here: only the
    provider that read it writes it back.

    `aside`: why a record without a partner takes no part, as a sentence (a client with one person is no business).
    `locked`: fields that must not be written in this very record as it is now, and why. `remark`: what people should
    know of how it was read, told when it is linked. `parts`: the records that are parts of it, where each can be a
    record of its own; their ids begin with its id: "client/contact". `sum`: billing tells it, of what is about money.
    """

    id: str
    values: Values
    presence: Presence = Presence.ACTIVE
    part: str = ""
    parent: str = ""
    slot: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    aside: str = ""
    locked: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    parts: tuple["Record", ...] = ()
    sum: Sum | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


def owner_of(external_id: str) -> str:
    """The id of the record that a part belongs to; its own, where it is no part."""
    return external_id.partition("/")[0]


def own_of(external_id: str) -> str:
    """What a part is called within its owner."""
    return external_id.rpartition("/")[2]


def is_part(external_id: str) -> bool:
    return "/" in external_id

"""The contract between the sync engine and a provider.

A provider is described by a `Provider` (stateless, one per system) and does its calls through an `Account` (one
connected account, opened for the length of a job). Everything that crosses this line is in our words.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol

import httpx

from app.providers.capabilities import Capability as Capability
from app.providers.capabilities import Lists as Lists
from app.providers.capabilities import Support as Support
from app.providers.hooks import Hooks
from app.providers.merging import Merger
from app.providers.plain import Plain as Plain
from app.sync.objects import ObjectSettings
from app.sync.records import FieldSpec, Record, Side, Values

APP = "app"
"""The `Event.object` of deliveries about our installation itself: no record, no bridge (`app.installations`)."""

BEGINNING = datetime.fromtimestamp(0, UTC)  # before any record


class Verdict(StrEnum):
    """What becomes of a delivery. Every kind of event is on one of these lists; there is no `else: pass`."""

    HANDLED = "handled"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One delivery, reduced to a hint: which record to look at. It carries no data to copy.

    `also`: other records that it is news of, as object and id (a payment: its client's balance).
    `delivery_id` is the same for repetitions of one delivery. `by_content`: the sender gives no id, so it was made
    from the content, and an equal delivery may be news again; it is looked at again, but not logged twice.
    `account` is the vendor's id of the account the event belongs to, "" where only the URL tells.
    """

    delivery_id: str
    kind: str
    verdict: Verdict
    object: str = ""
    external_id: str = ""
    also: tuple[tuple[str, str], ...] = ()
    account: str = ""
    by_content: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a probe learned of an account; stored with the connection, without secrets.

    `base_url` is the one spelling of the address, where the provider knows several for the same account.
    `facts` and `warnings` are shown to people. `data` is the provider's own (custom field ids, country ids), JSON-able.
    """

    account_id: str
    label: str
    base_url: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    """What will not work with these credentials, in sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a person types to sign in. Exchanged for a token at once, and kept nowhere."""

    email: str
    password: str = field(repr=False)
    one_time_password: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One account that a login opens, with the token for it."""

    account_id: str
    label: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What an OAuth token endpoint gave. `agency`: it is not one account's token, but opens several."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str] = frozenset()
    agency: bool = False
    account_id: str = ""
    company_id: str = ""


class Keys(Protocol):
    """The OAuth token of one connection. It may be replaced at any time, also while a job runs."""

    async def current(self) -> str:
        """Good for the next call. Raises Wait while it is being renewed, Reconnect where it cannot be."""

    async def renewed(self, refused: str) -> str:
        """One that is not `refused`, which the vendor did not accept. Raises as `current`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """All a provider's client is given to work on one account. Secrets are unsealed here and nowhere else.

    `keys` where the account was connected by OAuth; then `secrets` has none to call with.
    """

    base_url: str
    account_id: str
    secrets: Mapping[str, str] = field(repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    keys: Keys | None = field(default=None, repr=False)


class Gate(Protocol):
    """The budget of one connection: asked before each call, closed when the vendor says so."""

    @property
    def connection_id(self) -> int: ...

    async def pass_(self, *, writes: bool) -> None:
        """Returns when the call may go out at once, raises Wait otherwise. It never sleeps."""

    async def close(self, seconds: float) -> None:
        """The vendor wants no more calls for so long."""

    def heard(self, left_today: int) -> None:
        """The vendor says that so many calls are left of its day."""


class KeyKind(StrEnum):
    SLOT = "slot"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class MatchKey:
    """`IDENTITY`: the value of the field that records of the object are recognised by (`ObjectType.recognised_by`).

    `lost`: a create with this key went out and its answer was lost, so look also where no index lags behind.

    `parent`: look only among the records that belong to this one, by the vendor's id.
    """

    kind: KeyKind
    value: str
    lost: bool = False
    parent: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class Records(Protocol):
    """One object's records in one connected account.

    Every method may raise Retry, Wait, Reconnect, Rejected, Forbidden. A write whose answer is lost raises AnswerLost.
    """

    @property
    def slot(self) -> str:
        """The field that keeps the other side's id; "" where there is none."""

    def fields(self) -> Mapping[str, FieldSpec]:
        """The object's fields in this account, custom ones included, by our names."""

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        """The record as it is now. Raises Gone. A record archived or deleted softly is returned as such."""

    def each(self, since: datetime) -> AsyncIterator[Record]:
        """Live records, a page at a time: those changed at `since` or later, or all where the vendor shows no times.

        It makes progress with every page, or raises Retry. Raises Unsupported where `Capability.lists` is NONE.
        """

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """Live candidates for a key, compared exactly by the provider where the vendor's filter is loose.

        A record whose `part` matched (Invoice Ninja: a second contact of a client) comes with that part's values.
        """

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """Make a record with these values, below `parent`, and return it as the vendor answered."""

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """Write only `values` (our field names), keeping all else of `current.raw`; returns the vendor's answer.

        Where records cannot be changed (a note in billing) another one is added; its id takes the place of the first's.
        """

    async def vanished(self, names: Collection[str]) -> Collection[str]:
        """Which of these fields the account has no more: they read as empty, and nobody emptied them."""

    async def delete(self, current: Record) -> None:
        """Only where the owner has chosen so. Raises Unsupported where these are never deleted, and Gone."""

    async def archive(self, current: Record) -> None:
        """Put the record away without destroying it. Raises Unsupported where the vendor has no such thing."""

    async def stays(self, current: Record) -> str:
        """Why the record cannot, or must not, be archived, in words: what hangs on it; "" for no such reason."""

    async def restore(self, current: Record) -> None:
        """Undo `archive`, and `delete` where the vendor has a bin."""

    async def move(self, external_id: str, *, parent: str, values: Values, slot: str = "") -> Record:
        """Have the record below `parent` ("" for none), wherever it is now, under whatever id it has then.

        `values` and `slot` are for a vendor that has to make it anew there. Doing it again does no harm.
        """

    async def leave(self, current: Record) -> str:
        """Put away what a moved record leaves behind, if nothing hangs on it; returns what was done, in a sentence."""


class Account(Protocol):
    """One connected account."""

    def records(self, object_: str, settings: ObjectSettings) -> Records:
        """`settings`: the bridge's for this object. Raises Unsupported where the provider does not sync it."""

    def merger(self) -> Merger:
        """What can be done with two records that are one person."""


class Provider(Protocol):
    """One external system, stateless."""

    name: str
    label: str
    side: Side
    default_base_url: str
    secret_names: tuple[str, ...]
    scopes: Mapping[str, Mapping[str, str]]
    """For each object: the OAuth scopes it needs, and for what. Empty where there is no OAuth."""
    slot_fields: tuple[str, ...]
    """Fields that may hold the other side's id; the first is the default. Empty: this side has no slot."""
    capabilities: Mapping[str, Capability]
    polled: frozenset[str]
    """Objects with changes that no event tells of, or none that is sent twice: they are read more often."""
    polled_parts: frozenset[str]
    """As `polled`, where the object's parents are synced as well: no event tells that a record moved."""
    untold: frozenset[str]
    """Those of `polled` with changes that no event tells of, whatever is delivered: none of them was missed."""
    installs_webhooks: bool
    """Whether `hooks` works: then the webhook secrets are kept, sealed, to write them into subscriptions."""

    def kinds(self, objects: Collection[str], heard: Collection[str], *, entered: bool) -> Collection[str]:
        """The kinds of events that are to tell of these objects. `entered`: it is let in by a token of its own.

        `heard`: those that came, where they say by which way events come.
        """

    def open(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> Account: ...

    async def probe(self, access: Access, client: httpx.AsyncClient) -> Profile:
        """Check the credentials with as few calls as possible. Raises Reconnect, Forbidden, Rejected, Retry."""

    async def sign_in(self, base_url: str, login: Login, client: httpx.AsyncClient) -> Sequence[Membership]:
        """The accounts that a login opens. Raises Rejected, Retry, and Unsupported where there is no such login."""

    def page(self, base_url: str, account_id: str, object_: str, external_id: str) -> str:
        """Where people see a record in the vendor's own app; "" where we know no page of it. Pure."""

    def hooks(self, access: Access, gate: Gate, client: httpx.AsyncClient) -> Hooks:
        """The subscriptions of one account. Raises Unsupported where none can be installed."""


@dataclass(frozen=True, slots=True)
class OpenGate:
    """Lets everything pass: for the few calls of a probe, made before a connection exists."""

    connection_id: int = 0

    async def pass_(self, *, writes: bool) -> None: ...

    async def close(self, seconds: float) -> None: ...

    def heard(self, left_today: int) -> None: ...

"""What is answered. Secrets are in none of these, but in `Webhooks`, once, when they are made."""

from enum import StrEnum
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field

from app.api.conflict_schemas import FieldConflict, HeldOut, OptionOut
from app.api.explained import ExplanationOut, explained
from app.api.fields import Moment
from app.models.connection import Auth, ConnectionKind, ConnectionState
from app.models.event import EventState
from app.models.link import LinkState
from app.people.roles import Role
from app.providers.hooks import Step
from app.sync.decisions import ConflictKind, Decisions
from app.sync.fieldmap import Direction
from app.sync.policy import BridgeSettings
from app.sync.records import Side

T = TypeVar("T")


class Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Page(BaseModel, Generic[T]):
    """Newest first."""

    items: list[T]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last one")


class Queued(BaseModel):
    queued: int = Field(description="Jobs put into the queue; records that wait there already are not counted")


class ConnectionOut(Out):
    id: int
    provider: str
    kind: ConnectionKind
    auth: Auth = Field(description="How it is let in: by a token that was entered, or by consent in a browser")
    name: str
    state: ConnectionState
    state_reason: str
    refused_since: Moment | None = Field(description="Of needs_reconnect: since when; its reason is `state_reason`")
    remedy: str = Field(description="Of needs_reconnect: what to do, in a sentence for people")
    base_url: str
    account_id: str = Field(description="The vendor's id: HighLevel's location, Invoice Ninja's company")
    facts: dict[str, str] = Field(description="What the last check learned of the account")
    warnings: list[str] = Field(description="What will not work with these credentials")
    created_at: Moment
    token_entered_at: Moment | None = Field(description="Null: it was agreed to in a browser, its token is renewed")
    checked_at: Moment | None
    webhooks_managed: bool = Field(description="The service installs them, looks at them every hour and mends them")
    webhooks_checked_at: Moment | None
    webhooks_problem: str = Field(description="Why they are not in order; empty: they are, or nobody has looked yet")


class WebhookChangeOut(Out):
    """One subscription at the vendor. Those of others are never named."""

    step: Step
    event: str = Field(description="The vendor's id of the event")
    name: str = Field(description="The event in words")
    reason: str
    id: str = Field(description="The vendor's id of the subscription; empty where there is none yet")


class WebhooksOut(BaseModel):
    managed: bool = Field(description="They are looked at every hour")
    checked_at: Moment | None
    problem: str = Field(description="What stands against them, with what to do about it")
    public_url: str = Field(description="Where the vendor is to call: CROSSLEDGER_PUBLIC_URL")
    changes: list[WebhookChangeOut]


class Webhooks(BaseModel):
    """What to enter at the vendor. The secrets are not shown again."""

    url: str = Field(
        repr=False, description="HighLevel: for a workflow's Webhook action. Invoice Ninja: one for each of `events`"
    )
    header: str = Field(description="Name of the header to send")
    secret: str = Field(repr=False, description="Value of that header")
    app_url: str | None = Field(None, description="HighLevel only: the webhook URL of a marketplace app")
    events: dict[str, str] | None = Field(None, description="Invoice Ninja only: the {event_id}s to subscribe to")


class NewConnectionOut(ConnectionOut):
    webhooks: Webhooks


class BridgeOut(Out):
    id: int
    name: str
    crm_connection_id: int
    billing_connection_id: int
    enabled: bool
    live_since: Moment | None = Field(description="Null: it is in dry run, see POST /bridges/{bridge_id}/plan")
    settings: BridgeSettings
    created_at: Moment


class PauseOut(Out):
    """Who holds a bridge, or an object of it."""

    source: str = Field(description="What was paused: `bridge`, `connection/5`, `everything`, or `object/task`")
    ends_at: Moment | None = Field(description="When it goes on by itself; null: when somebody says so")
    actor: str
    begun_at: Moment


class RuleOut(BaseModel):
    crm: str
    crm_label: str
    billing: str
    billing_label: str
    direction: Direction


class SkippedOut(BaseModel):
    crm: str
    billing: str
    direction: Direction
    reason: str


class FieldsOut(BaseModel):
    """The field map as it works between these two accounts."""

    rules: list[RuleOut]
    skipped: list[SkippedOut]


class BridgeDetail(BridgeOut):
    fields: FieldsOut
    pauses: list[PauseOut] = Field(description="What holds it, or an object of it, oldest first")


class EventOut(Out):
    id: int
    connection_id: int | None
    bridge_id: int | None
    provider: str
    side: Annotated[Side | None, BeforeValidator(lambda side: side or None)]
    kind: str = Field(description="The vendor's name of the event")
    object: str
    external_id: str
    state: EventState
    outcome: str
    link_id: int | None = Field(None, description="Its record's link, where there is one now")
    name: str = Field("", description="What people call the record; empty: it has no name, or is not linked")
    deliveries: int = Field(description="How often the vendor sent it")
    received_at: Moment
    handled_at: Moment | None


class CandidateOut(BaseModel):
    id: str
    part: str = ""
    values: dict[str, str] = {}


class RecordOut(Out):
    id: int
    bridge_id: int
    object: str
    name: str = Field(description="What people call it, as it was last read; empty: it has no name, or was never read")
    crm_id: str | None
    billing_id: str | None
    problem: str = Field(description="A short name to filter by: retry, rejected, forbidden, reconnect, ambiguous ...")
    detail: str
    candidates: list[CandidateOut] = Field(description="Of a conflict: the records that could be the partner")
    tries: int
    first_failed_at: Moment | None
    next_try_at: Moment | None

    @computed_field(description="Of `problem`; null where there is none")  # type: ignore[prop-decorator]
    @property
    def explanation(self) -> ExplanationOut | None:
        return explained(self.problem)


class LinkOut(RecordOut):
    """A pair of records, or a record on its way to its pair."""

    state: LinkState
    billing_part: str = Field(description="Invoice Ninja: which of the client's contacts")
    origin: str
    base_crm: dict[str, str] | None = Field(description="What the CRM had when both sides last agreed")
    base_billing: dict[str, str] | None
    held: dict[str, HeldOut] = Field(description="Values that could not be written, by field")
    conflicts: list[ConflictKind] = Field(description="The kinds of what waits for a person's decision")
    decisions: Decisions = Field(description="What was decided and is not carried out yet")
    apart: bool = Field(description="A person keeps it apart, until a person decides otherwise")
    created_at: Moment
    synced_at: Moment | None


class ConflictOut(LinkOut):
    fields: list[FieldConflict]
    options: list[OptionOut] = Field(description="What can be decided of the record as a whole")


class JobState(StrEnum):
    """The states of a link that is not in step, with something left to do."""

    RETRYING = LinkState.RETRYING.value
    WAITING = LinkState.WAITING.value
    FAILED = LinkState.FAILED.value
    CONFLICT = LinkState.CONFLICT.value


class JobOut(RecordOut):
    """A record that is not in step. Its id is its link's."""

    state: JobState


class ChangeOut(BaseModel):
    """One field on one side: written (`before`, `after`), held back (`held`), or refused by the vendor (`note`)."""

    field: str
    side: Side | None = None
    before: str | None = None
    after: str | None = None
    held: str | None = None
    why: str = ""
    note: str = ""
    conflict: bool = Field(False, description="Both sides had changed it; a preference or a person decided, or will")


class ActivityOut(Out):
    id: int
    bridge_id: int
    link_id: int | None
    run_id: int | None = Field(description="The run that it was part of")
    object: str
    name: str = Field("", description="What people call the record; empty: it has no name, or is not linked any more")
    crm_id: str
    billing_id: str
    event_id: int | None = Field(description="The newest event that it answered")
    action: str = Field(
        description="created, linked, updated, held, settled, excluded, unlinked, conflict, failed, undone, merged"
    )
    cause: str = Field(description="The kind of event that led to it")
    detail: str
    changes: list[ChangeOut]
    at: Moment


class UserOut(Out):
    id: int
    email: str
    role: Role
    created_at: Moment


class TokenOut(Out):
    id: int
    user_id: int | None = Field(description="Null: nobody's, made in the shell or with the admin token")
    name: str
    role: Role = Field(description="At most; one of a user whose role is lower counts as lower")
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Moment | None = Field(description="Noted once a minute at most")


class NewTokenOut(TokenOut):
    token: str = Field(description="Shown this once")


class MeOut(BaseModel):
    name: str
    role: Role
    user_id: int | None
    csrf_token: str | None = Field(description="For a browser: send it as X-CSRF-Token with each write")


class AuditOut(Out):
    id: int
    at: Moment
    actor: str = Field(description="Who: a user's e-mail address, a token, “admin token” or “command line”")
    user_id: int | None
    address: str = Field(description="From where")
    action: str = Field(description="What: method and path below /api/v1, or for example `session.started`")
    thing: str = Field(description="To what: connection 7")
    detail: str
    outcome: str = Field(description="done, refused, failed; empty: begun, and nobody knows how it ended")

"""Links: pairs of records that are one thing. A row with one id is a record on its way to its pair."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import SQLModel

from app.models.columns import (
    big_id,
    born,
    document,
    documents,
    flag,
    moment,
    number,
    optional_document,
    optional_words,
    reference,
    words,
)


class LinkState(StrEnum):
    PENDING = "pending"  # being looked at for the first time
    OK = "ok"  # in step
    RETRYING = "retrying"  # a vendor is in trouble; tries again at `next_try_at`
    WAITING = "waiting"  # for credentials (the connection needs a reconnect)
    WAITING_FOR_PARENT = "waiting_for_parent"  # the record that it belongs to has no partner yet
    FAILED = "failed"  # given up or refused; a person looks
    CONFLICT = "conflict"  # two candidates match; a person decides
    EXCLUDED = "excluded"  # takes no part, with the reason
    UNLINKED = "unlinked"  # was a pair; one side is gone, or a person cut it


class Link(SQLModel, table=True):
    """`base_crm` and `base_billing`: what each side had when they last agreed, by rule name.

    `held`: values that could not be written, `{"field": {"side", "value", "reason"}}`; where a person decides, with
    `conflict`, see `sync.conflicts.opened`.
    `claim`: the job that works on this row until `claimed_until`. While a record is on its way to its pair,
    `match_key` keeps twins apart: only one row of a bridge may hold it, so only one of them creates.
    `waits_for`: the parent that must be linked first, `object/side/id`.
    `written_at`: when one of the two was last changed by us.
    `conflicts`: the kinds of what waits for a person's decision (`sync.decisions.ConflictKind`). `decisions`: what was
    decided and is not carried out yet (`Decisions` there). `apart`: a person keeps the record apart, until a person
    decides otherwise.
    `creating`: a create was sent to that side and its outcome is not known yet.
    `name`: what people call the record, as it was last read. `words`: what it is found by, see `sync.naming`.
    """

    __tablename__ = "links"
    __table_args__ = (
        UniqueConstraint("bridge_id", "object", "crm_id", name="links_crm"),
        UniqueConstraint("bridge_id", "object", "billing_id", name="links_billing"),
        Index(
            "links_twins",
            "bridge_id",
            "object",
            "match_key",
            unique=True,
            postgresql_where=text("match_key IS NOT NULL"),
        ),
        Index("links_waiting", "bridge_id", "waits_for", postgresql_where=text("waits_for <> ''")),
        Index("links_coming", "bridge_id", "object", "creating", postgresql_where=text("creating <> ''")),
        Index(
            "links_parts",
            "bridge_id",
            "object",
            text("split_part(billing_id, '/', 1)"),
            postgresql_where=text("strpos(billing_id, '/') > 0"),
        ),
        Index("links_conflicts", "id", postgresql_where=text("conflicts <> '[]'")),
        Index("links_decided", "bridge_id", postgresql_where=text("decisions <> '{}'")),
        Index("links_troubled", "bridge_id", "state", postgresql_where=text("state IN ('failed', 'conflict')")),
        Index("links_state", "state", "id"),
        Index("links_health", "bridge_id", "state"),
        Index("links_listed", "bridge_id", "object", "state", "id"),
        Index("links_words", text("array_to_tsvector(string_to_array(words, ' '::text))"), postgresql_using="gin"),
        Index("links_bridge", "bridge_id", "id"),
        Index("links_crm_id", "crm_id", "id"),
        Index("links_billing_id", "billing_id", "id"),
    )

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    object: str = words()
    crm_id: str | None = optional_words()
    billing_id: str | None = optional_words()
    billing_part: str = words()
    state: str = words(LinkState.PENDING)
    origin: str = words()
    base_crm: dict[str, str] | None = optional_document()
    base_billing: dict[str, str] | None = optional_document()
    held: dict[str, Any] = document()
    problem: str = words()
    detail: str = words()
    candidates: list[Any] = documents()
    conflicts: list[str] = documents()
    decisions: dict[str, Any] = document()
    apart: bool = flag(default=False)
    tries: int = number(0)
    first_failed_at: datetime | None = moment()
    next_try_at: datetime | None = moment()
    claim: str = words()
    claimed_until: datetime | None = moment()
    match_key: str | None = optional_words()
    creating: str = words()
    waits_for: str = words()
    created_at: datetime | None = born()
    synced_at: datetime | None = moment()
    written_at: datetime | None = moment()
    name: str = words()
    words: str = words()

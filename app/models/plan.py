"""Plans: what both sides had when a plan was made, and what it would do with each record."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.models.columns import big_id, document, documents, key_words, moment, optional_words, reference, words


class Action(StrEnum):
    CREATE = "create"  # the other side gets one
    LINK = "link"  # its partner was found; they may differ
    UPDATE = "update"  # a pair that is not in step
    CONFLICT = "conflict"  # a person decides
    SKIP = "skip"  # takes no part, with the reason
    WAIT = "wait"  # its parent has no partner
    UNLINK = "unlink"  # one side is gone


class ItemState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    CHANGED = "changed"  # one of the two is not as it was planned: it was planned anew, and nothing was written
    FAILED = "failed"


class Snapshot(SQLModel, table=True):
    """A record as it was read for a plan. `keys`: what it may be recognised by, in lower case."""

    __tablename__ = "snapshots"
    __table_args__ = (Index("snapshots_keys", "keys", postgresql_using="gin"),)

    run_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    )
    object: str = key_words()
    side: str = key_words()
    external_id: str = key_words()
    record: dict[str, Any] = document()
    keys: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))


class PlanItem(SQLModel, table=True):
    """What a plan does with one record, or one pair. Of what is in step already there is none.

    `side` is the record's own. A partner that is to be made has a provisional id, `new-...`. `changes`: as in an
    activity. `effects`: each write, `{"side", "verb", "values"}`, which is what is compared before it is done.
    """

    __tablename__ = "plan_items"
    __table_args__ = (
        Index("plan_items_run", "run_id", "state", "id"),
        Index("plan_items_crm", "run_id", "object", "crm_id", unique=True),
        Index("plan_items_billing", "run_id", "object", "billing_id", unique=True),
        Index(
            "plan_items_parts",
            "run_id",
            "object",
            text("split_part(billing_id, '/', 1)"),
            postgresql_where=text("strpos(billing_id, '/') > 0"),
        ),
    )

    id: int | None = big_id()
    run_id: int = reference("runs.id")
    object: str = words()
    side: str = words()
    crm_id: str | None = optional_words()
    billing_id: str | None = optional_words()
    title: str = words()
    action: str = words()
    state: str = words(ItemState.PLANNED)
    problem: str = words()
    detail: str = words()
    changes: list[Any] = documents()
    effects: list[Any] = documents()
    candidates: list[Any] = documents()
    done_at: datetime | None = moment()

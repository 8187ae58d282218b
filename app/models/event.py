"""Deliveries received. One row per delivery and bridge; a row is pending until a job has looked at its record.

Written thousands of times a second, so nothing is checked that a job finds out anyway: a bridge that is gone by now.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Boolean, Index, UniqueConstraint, literal_column, text
from sqlmodel import SQLModel

from app.models.columns import big_id, born, moment, number, reference_unchecked, words


class EventState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    UNKNOWN = "unknown"
    FAILED = "failed"


_PENDING = text("state = 'pending'")
HEARD = literal_column("kind NOT IN ('poll', 'sweep')", Boolean)
"""What is true of what somebody told us, in the words of its index. The others we found by looking."""


class Event(SQLModel, table=True):
    """`delivery` is unique: what makes a repeated delivery the same row, whose `deliveries` then counts up."""

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("delivery", name="events_delivery"),
        Index(
            "events_pending", "bridge_id", "object", "side", "external_id", postgresql_where=text("state = 'pending'")
        ),
        Index("events_pending_since", "received_at", postgresql_where=text("state = 'pending'")),
        # Rows lie in the order of their time: a page of this index stands for thousands, and costs an insert nothing.
        Index("events_received", "received_at", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
        Index("events_record", "external_id", "id"),
        Index("events_state", "state", "id"),
        Index("events_bridge", "bridge_id", "id"),
        Index("events_kind", "kind", "id"),
        Index("events_heard", "connection_id", "id", postgresql_where=HEARD),
        Index("events_swept", "connection_id", "id", postgresql_where=text("kind = 'sweep'")),
    )

    id: int | None = big_id()
    delivery: str = words()
    connection_id: int | None = reference_unchecked()
    bridge_id: int | None = reference_unchecked()
    provider: str = words()
    side: str = words()
    kind: str = words()
    object: str = words()
    external_id: str = words()
    state: str = words(EventState.PENDING)
    outcome: str = words()
    deliveries: int = number(1)
    received_at: datetime | None = born()
    handled_at: datetime | None = moment()

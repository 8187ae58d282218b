"""Activities: what one sync attempt did. Attempts that changed nothing leave none."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, literal_column, text
from sqlmodel import SQLModel

from app.models.columns import big_id, born, documents, reference, reference_unchecked, words

WROTE = {
    side: literal_column(f"""changes @? '$[*] ? (@.side == "{side}" && @.after != null)'""", Boolean)
    for side in ("crm", "billing")
}
"""What is true of an activity that wrote to a side: in the words of its index, which is used for these alone."""


class Activity(SQLModel, table=True):
    """`changes`: one entry per field written, `{"field", "side", "before", "after", "why", "note", "conflict"}`, with
    the names that the field has on both sides, "crm" and "billing", and "kept": what the vendor made of `after`.

    `run_id`: the run that it was part of. `event_id`: the newest event that it answered.
    """

    __tablename__ = "activities"
    __table_args__ = (
        Index("activities_bridge", "bridge_id", "id"),
        Index("activities_link", "link_id", "id"),
        Index("activities_action", "action", "id"),
        # Rows lie in the order of their time: a page of this index stands for thousands of them.
        Index("activities_at", "at", postgresql_using="brin", postgresql_with={"pages_per_range": 32}),
        Index("activities_run", "run_id", "id", postgresql_where=text("run_id IS NOT NULL")),
        Index("activities_cause", "cause", "id"),
        *(Index(f"activities_to_{side}", "id", postgresql_where=wrote) for side, wrote in WROTE.items()),
    )

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    link_id: int | None = reference("links.id", optional=True, on_delete="SET NULL")
    run_id: int | None = reference_unchecked()
    event_id: int | None = reference_unchecked()
    object: str = words()
    crm_id: str = words()
    billing_id: str = words()
    action: str = words()
    cause: str = words()
    detail: str = words()
    changes: list[Any] = documents()
    at: datetime | None = born()

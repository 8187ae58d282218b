"""Activities: what one sync attempt did. Attempts that changed nothing leave none."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import SQLModel

from app.models.columns import big_id, born, documents, reference, words


class Activity(SQLModel, table=True):
    """`changes`: one entry per field written, `{"field", "side", "before", "after", "why", "note", "conflict"}`."""

    __tablename__ = "activities"
    __table_args__ = (
        Index("activities_bridge", "bridge_id", "id"),
        Index("activities_link", "link_id", "id"),
    )

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    link_id: int | None = reference("links.id", optional=True, on_delete="SET NULL")
    object: str = words()
    crm_id: str = words()
    billing_id: str = words()
    action: str = words()
    cause: str = words()
    detail: str = words()
    changes: list[Any] = documents()
    at: datetime | None = born()

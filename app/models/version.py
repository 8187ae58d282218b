"""The settings that a bridge has had, each as it was from one change to the next. A version is never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from app.models.columns import big_id, born, document, documents, number, reference, words


class BridgeVersion(SQLModel, table=True):
    """`number`: 1 is the first of its bridge. `actor`: as the audit log calls them, "" where nobody is known.

    `changes`: against the version before, as `mapping.differences` tells them. `note`: how it came about.
    """

    __tablename__ = "bridge_versions"
    __table_args__ = (UniqueConstraint("bridge_id", "number", name="bridge_versions_number"),)

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    number: int = number()
    settings: dict[str, Any] = document()
    changes: list[dict[str, str]] = documents()
    actor: str = words()
    note: str = words()
    at: datetime | None = born()

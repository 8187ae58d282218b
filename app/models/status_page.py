"""Pages that tell how one bridge is doing, for people who have no account here."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from app.models.columns import born, shared_key, words


class StatusPage(SQLModel, table=True):
    """The status page of a bridge. `digest`: of the key that is its address; who has that may see it.

    `heading`: whose page it is, in the words of the agency; "" for the bridge's name.
    """

    __tablename__ = "status_pages"
    __table_args__ = (Index("status_pages_digest", "digest", unique=True),)

    bridge_id: int = shared_key("bridges.id")
    digest: str = words()
    heading: str = words()
    actor: str = words()
    made_at: datetime | None = born()

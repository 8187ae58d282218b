"""Pauses: who holds a bridge, or an object of it."""

from datetime import datetime

from sqlmodel import SQLModel

from app.models.columns import born, key_words, moment, shared_key, words


class Pause(SQLModel, table=True):
    """`source`: what was paused, as `app.pausing` names it. `ends_at`: none where a person ends it."""

    __tablename__ = "pauses"

    bridge_id: int = shared_key("bridges.id")
    source: str = key_words()
    ends_at: datetime | None = moment()
    actor: str = words()
    begun_at: datetime | None = born()

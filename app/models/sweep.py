"""Sweeps: how far each object has been read, when each bridge was swept, and what webhooks missed."""

from datetime import date, datetime

from sqlalchemy import Column, Date
from sqlmodel import Field, SQLModel

from app.models.columns import key_words, moment, number, shared_key, words


class Sweep(SQLModel, table=True):
    """When a sweep of each scope last began. One of a wider scope counts for the narrower ones."""

    __tablename__ = "sweeps"

    bridge_id: int = shared_key("bridges.id")
    silent_at: datetime | None = moment()
    changed_at: datetime | None = moment()
    full_at: datetime | None = moment()


class Cursor(SQLModel, table=True):
    """How far one object of one side has been read. Only a reading that came to its end moves it.

    `begun_at`: records from before are not ours to find. `read_to`: what changed before has been seen. `compared_at`:
    everything was last read then. `problem`: why the last reading did not come to its end.
    """

    __tablename__ = "cursors"

    bridge_id: int = shared_key("bridges.id")
    side: str = key_words()
    object: str = key_words()
    begun_at: datetime | None = moment()
    read_to: datetime | None = moment()
    compared_at: datetime | None = moment()
    problem: str = words()


class MissedEvents(SQLModel, table=True):
    """How many changes sweeps found that no event had told of, by UTC day. `repaired`: how many of them are in step.

    `app.sweep.judging` defines what is counted.
    """

    __tablename__ = "missed_events"

    bridge_id: int = shared_key("bridges.id")
    day: date = Field(sa_column=Column(Date, primary_key=True))
    side: str = key_words()
    object: str = key_words()
    missed: int = number(0)
    repaired: int = number(0)
    last_at: datetime | None = moment()

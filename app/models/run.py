"""Runs: long work on a bridge that a person has begun, or the clock: a plan, a backfill, a sweep, an undo."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Float, Index, text
from sqlmodel import Field, SQLModel

from app.models.columns import big_id, born, document, moment, number, reference, words


class RunKind(StrEnum):
    PLAN = "plan"  # both sides are read, nothing is written
    BACKFILL = "backfill"  # what a plan says is done
    SWEEP = "sweep"  # what webhooks missed is found and repaired
    REPLAY = "replay"  # the records of earlier events are looked at again
    UNDO = "undo"  # what was written is taken back
    DUPLICATES = "duplicates"  # each side is searched for records that are one thing


class RunState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"  # by a person; goes on when it is resumed
    DONE = "done"
    FAILED = "failed"  # `detail` says why; can be resumed
    CANCELLED = "cancelled"


_ACTIVE = "state IN ('running', 'paused')"


class Run(SQLModel, table=True):
    """`position` is where it goes on after a stop, `counts` what came of the records so far, by outcome.

    `total` is 0 while it is not known. `worked`: seconds in which it was worked on. `tries`: how often a vendor in
    trouble has stopped it at this place. `claim`: the job that works on it;
    one that comes back late finds another one here, and ends. `object` is empty where the run is about several.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("runs_bridge", "bridge_id", "id"),
        Index("runs_active", "bridge_id", "kind", unique=True, postgresql_where=text(_ACTIVE)),
    )

    id: int | None = big_id()
    bridge_id: int = reference("bridges.id")
    kind: str = words()
    state: str = words(RunState.RUNNING)
    options: dict[str, Any] = document()
    position: dict[str, Any] = document()
    counts: dict[str, int] = document()
    total: int = number(0)
    done: int = number(0)
    detail: str = words()
    tries: int = number(0)
    actor: str = words()
    claim: str = words()
    worked: float = Field(default=0.0, sa_column=Column(Float, nullable=False, server_default="0"))
    beat_at: datetime | None = moment()
    created_at: datetime | None = born()
    ended_at: datetime | None = moment()

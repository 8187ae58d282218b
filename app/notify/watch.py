"""Once a minute: alerts are opened and ended as conditions begin and end, and each change is told once.

The change of the alert and the jobs that tell of it are one transaction, and a change is made only by whoever finds
the alert as it was: two workers at once, or a restart in between, tell nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.models import Alert
from app.models.alert import AlertKind, Thing
from app.notify.changes import Open, Turn, turns
from app.notify.channels import listening
from app.notify.conditions import Thresholds, conditions
from app.notify.messages import Change, Condition, Message, message
from app.notify.telling import Telling, queue

log = structlog.get_logger()

_STILL = col(Alert.ended_at).is_(None)
_OPEN = select(Alert).where(_STILL).order_by(col(Alert.id))
_OLD = text("""
    DELETE FROM alerts WHERE id IN (
        SELECT id FROM alerts WHERE ended_at < now() - make_interval(days => :days) ORDER BY ended_at LIMIT 5000)
""")


@dataclass(frozen=True, slots=True)
class Told:
    """A change of an alert that is told of."""

    alert: int
    bridges: Sequence[int]
    message: Message


@dataclass(frozen=True, slots=True)
class Watch:
    engine: AsyncEngine
    limits: Thresholds
    root: str
    keep_days: int

    async def look(self) -> int:
        """Compare what holds with what is open; returns how many changes were told of."""
        async with self.engine.begin() as connection:
            # In this order: what was opened after the first question is not taken for over after the second.
            open_ = [_open(row) for row in await connection.execute(_OPEN)]
            changed = turns(open_, await conditions(connection, self.limits))
            told = [each for turn in changed if (each := await self._make(connection, turn)) is not None]
            for each in told:
                await _queue(connection, each)
        for each in told:
            said = each.message
            log.info("alert.changed", alert=each.alert, kind=said.kind, change=said.type, subject=said.subject)
        return len(told)

    async def forget_old(self) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(_OLD, {"days": self.keep_days})

    async def _make(self, connection: AsyncConnection, turn: Turn) -> Told | None:
        """None: there is nothing to tell, or another worker was quicker."""
        row = (await connection.execute(_statement(turn))).one_or_none()
        if row is None or turn.change is None:
            return None
        said = message(row.id, turn.change, turn.condition, row.at, self.root)
        return Told(row.id, turn.condition.bridges, said)


async def _queue(connection: AsyncConnection, told: Told) -> None:
    """One job for each channel that wants to hear of it."""
    channels = await listening(connection, kind=told.message.kind, bridges=told.bridges)
    await queue(connection, [Telling(channel, str(told.alert), told.message) for channel in channels])


async def recent(engine: AsyncEngine, *, past: bool, limit: int = 100) -> Sequence[Any]:
    """Alerts, newest first."""
    only = [] if past else [_STILL]
    async with engine.connect() as connection:
        return (await connection.execute(select(Alert).where(*only).order_by(col(Alert.id).desc()).limit(limit))).all()


def _open(row: Any) -> Open:
    return Open(row.id, condition_of(row))


def condition_of(row: Any) -> Condition:
    """As an alert has it; a row of it, or the alert."""
    return Condition(
        kind=AlertKind(row.kind),
        thing=Thing(row.thing),
        thing_id=row.thing_id,
        name=row.name,
        bridges=tuple(row.bridges),
        level=row.level,
        count=row.count,
        cure=row.cure,
    )


def _statement(turn: Turn) -> Any:
    """Changes the alert if it is as it was thought to be; answers with its id and the instant."""
    what, now = turn.condition, text("now()")
    answer: tuple[Any, ...] = (col(Alert.id), col(Alert.told_at).label("at"))
    if turn.change is Change.BEGAN:
        row = {
            "kind": what.kind.value,
            "thing": what.thing.value,
            "thing_id": what.thing_id,
            "name": what.name,
            "bridges": list(what.bridges),
            "level": what.level,
            "count": what.count,
            "cure": what.cure,
            "since": now,
            "told_at": now,
        }
        unique = [col(Alert.kind), col(Alert.thing), col(Alert.thing_id)]
        new = insert(Alert).values(row).on_conflict_do_nothing(index_elements=unique, index_where=_STILL)
        return new.returning(*answer)
    changes: dict[Change | None, dict[str, Any]] = {
        None: {"count": what.count},
        Change.ROSE: {"level": what.level, "count": what.count, "told_at": now},
        Change.ENDED: {"ended_at": now, "told_at": now},
    }
    lower = [col(Alert.level) < what.level] if turn.change is Change.ROSE else []
    return (
        update(Alert).where(col(Alert.id) == turn.alert, _STILL, *lower).values(changes[turn.change]).returning(*answer)
    )

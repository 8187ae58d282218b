"""What the conditions that hold now change in the alerts that are open. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.notify.messages import Change, Condition


@dataclass(frozen=True, slots=True)
class Open:
    """An alert that has not ended; `condition` as it was stored."""

    id: int
    condition: Condition


@dataclass(frozen=True, slots=True)
class Turn:
    """`alert`: None where it is to be made. `change`: None where only its count is another, which nobody is told."""

    change: Change | None
    alert: int | None
    condition: Condition


def turns(open_: Sequence[Open], now: Sequence[Condition]) -> list[Turn]:
    """In one order everywhere, so that two that do this at once cannot wait for each other."""
    held = {each.condition.key: each for each in open_}
    holds = {each.key: each for each in now}
    wanted = (_turn(held.get(key), holds.get(key)) for key in sorted(held.keys() | holds.keys()))
    return [each for each in wanted if each is not None]


def _turn(open_: Open | None, now: Condition | None) -> Turn | None:
    if open_ is None:
        return Turn(Change.BEGAN, None, now) if now and now.level else None
    if now is None:
        return Turn(Change.ENDED, open_.id, open_.condition)
    if now.level > open_.condition.level:
        return Turn(Change.ROSE, open_.id, now)
    return Turn(None, open_.id, now) if now.count not in (0, open_.condition.count) else None

"""The words of a daily summary. Pure.

As in every message, nothing of a customer is in it: names of bridges and connections, counts, and sums of money.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.earnings import Unpaid, together
from app.figures import amount, count_of, lasting
from app.models.connection import ConnectionState
from app.notify.messages import Message, called
from app.overview import BridgeHealth

LATE = 15 * 60.0
"""Seconds that a change may wait before that is trouble."""
_NAMED = 40
"""Bridges in one message: chats take a few thousand letters."""
_COUNTS = {"failing": "failing", "decide": "to decide", "waiting": "waiting", "missed": "missed by webhooks"}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bridge is doing; `missed` is of yesterday and today."""

    health: BridgeHealth
    unpaid: Sequence[Unpaid]

    def lag(self, now: datetime) -> float:
        """Seconds that its oldest change has waited."""
        return (now - self.health.oldest_at).total_seconds() if self.health.oldest_at else 0.0

    def refused(self) -> list[str]:
        """The names of its connections whose credentials are not accepted."""
        health = self.health
        sides = ((health.crm, health.crm_state), (health.billing, health.billing_state))
        return [name for name, state in sides if state == ConnectionState.NEEDS_RECONNECT]

    def troubled(self, now: datetime) -> bool:
        return any(getattr(self.health, name) for name in _COUNTS) or bool(self.refused()) or self.lag(now) > LATE


def summary(channel: int, bridges: Sequence[Standing], at: datetime, root: str) -> Message:
    """`bridges`: all that the channel is for, and that are on."""
    troubled = [each for each in bridges if each.troubled(at)]
    title, lines, cure = _in_trouble(troubled, bridges, at) if troubled else _well(bridges)
    return Message(
        id=f"summary-{channel}-{int(at.timestamp())}",
        type="summary",
        at=at.isoformat(),
        title=title,
        text="\n".join(lines),
        cure=cure,
        url=root,
        kind="summary",
        subject={"type": "bridges", "bridges": [_document(each) for each in troubled]},
        level=0,
        count=len(troubled),
    )


def _well(bridges: Sequence[Standing]) -> tuple[str, list[str], str]:
    if not bridges:
        return "No bridge is on", ["No bridge is on: nothing is kept in step."], ""
    records = count_of(sum(each.health.in_step for each in bridges), "record is", "records are")
    said = [f"{records} in step on {count_of(len(bridges), 'bridge')}", *_unpaid(bridges)]
    return "All is well", [f"All is well: {', '.join(said)}."], ""


def _in_trouble(troubled: Sequence[Standing], bridges: Sequence[Standing], at: datetime) -> tuple[str, list[str], str]:
    lines = [f"{called(each.health.name)}: {', '.join(_facts([each], at))}." for each in troubled[:_NAMED]]
    if (more := len(troubled) - _NAMED) > 0:
        lines.append(f"And {count_of(more, 'more bridge')}.")
    lines.append(f"In all, on {count_of(len(bridges), 'bridge')}: {', '.join(_facts(bridges, at))}.")
    title = count_of(len(troubled), "bridge needs a look", "bridges need a look")
    return title, lines, "Open the overview: each bridge leads to what it needs."


def _facts(bridges: Sequence[Standing], at: datetime) -> Iterator[str]:
    for name in (name for each in bridges for name in each.refused()):
        yield f"{called(name)} needs to be reconnected"
    for field, words in _COUNTS.items():
        if count := sum(getattr(each.health, field) for each in bridges):
            yield f"{count:,} {words}"
    if (lag := max(each.lag(at) for each in bridges)) > LATE:
        yield f"a change has waited for {lasting(lag)}"
    yield from _unpaid(bridges)


def _unpaid(bridges: Sequence[Standing]) -> Iterator[str]:
    if sums := together([sum_ for each in bridges for sum_ in each.unpaid]):
        yield f"{' and '.join(amount(each.amount, each.currency) for each in sums)} unpaid"


def _document(each: Standing) -> dict[str, Any]:
    """For a program."""
    health = each.health
    return {
        "id": health.id,
        "name": health.name,
        **{name: getattr(health, name) for name in _COUNTS},
        "refused": each.refused(),
        "oldest_at": health.oldest_at.isoformat() if health.oldest_at else None,
        "unpaid": {sum_.currency: str(sum_.amount) for sum_ in each.unpaid},
    }

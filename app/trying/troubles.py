"""What can be made to go wrong in the sandbox. It passes after a minute, and the people there do not notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.sync.records import Side
from app.trying.stage import Stage

LASTS = 60.0
"""Seconds."""
_SLOW = 3.0
_AGAIN = 5


class Trouble(StrEnum):
    DOWN = "down"
    SLOW = "slow"
    BUSY = "busy"
    LOST = "lost"
    TWICE = "twice"


SAID: Mapping[Trouble, str] = MappingProxyType(
    {
        Trouble.DOWN: "is down: every call is answered 503",
        Trouble.SLOW: f"is slow: every answer takes {_SLOW:.0f} seconds",
        Trouble.BUSY: "refuses with 429: too many calls",
        Trouble.LOST: "loses its webhooks",
        Trouble.TWICE: "sends each event twice",
    }
)
_CALLS: Mapping[Trouble, Mapping[str, Any]] = MappingProxyType(
    {
        Trouble.DOWN: {"kind": "status", "status": 503},
        Trouble.SLOW: {"kind": "latency", "seconds": _SLOW},
        Trouble.BUSY: {"kind": "status", "status": 429, "headers": {"Retry-After": str(_AGAIN)}},
    }
)
_WEBHOOKS: Mapping[Trouble, Mapping[str, Any]] = MappingProxyType(
    {Trouble.LOST: {"kind": "lose"}, Trouble.TWICE: {"kind": "duplicate"}}
)


@dataclass(frozen=True, slots=True)
class Current:
    """`left`: seconds until it is over."""

    side: Side
    trouble: Trouble
    left: float


async def begin(stage: Stage, side: Side, trouble: Trouble) -> None:
    """For a minute from now, in place of what there is of this kind."""
    if any(each.side is side and each.trouble is trouble for each in await current(stage)):
        return
    if trouble in _CALLS:
        await stage.ask(side, "POST", "/_control/faults", {**_CALLS[trouble], "token": "service", "lasts": LASTS})
    else:
        await stage.ask(side, "POST", "/_control/webhook-faults", {**_WEBHOOKS[trouble], "lasts": LASTS})


async def end(stage: Stage) -> None:
    """All of them, on both sides."""
    for side in Side:
        await stage.ask(side, "DELETE", "/_control/faults")
        await stage.ask(side, "DELETE", "/_control/webhook-faults")


async def current(stage: Stage) -> Sequence[Current]:
    found: list[Current] = []
    for side in Side:
        said = [
            *await stage.ask(side, "GET", "/_control/faults"),
            *await stage.ask(side, "GET", "/_control/webhook-faults"),
        ]
        for each in said:
            named = _named(each)
            if named and each["lasts"] is not None:
                found.append(Current(side, named, each["lasts"]))
    return found


def _named(said: Mapping[str, Any]) -> Trouble | None:
    for trouble, fault in {**_CALLS, **_WEBHOOKS}.items():
        if fault["kind"] == said["kind"] and fault.get("status") in (None, said.get("status")):
            return trouble
    return None

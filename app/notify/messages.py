"""What is said, in words for the owner of a business. Pure.

Nothing of a customer and no secret is in it: names and ids of bridges and connections, and counts.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.models.alert import AlertKind, Thing

_LONGEST_NAME = 80


# Title, text and cure of what holds.
_HOLDS: Mapping[AlertKind, tuple[str, str, str]] = {
    AlertKind.RECONNECT: (
        "{name} needs to be reconnected",
        "The connection {name} ({place}) is refused: its credentials are not accepted any more. Nothing goes through it"
        " until it is reconnected; what happens meanwhile waits, and is caught up then.",
        "{cure}",
    ),
    AlertKind.WEBHOOKS: (
        "The webhooks of {name} are not in order",
        "The connection {name} ({place}) may not tell of changes any more: its webhooks are missing, or could not be"
        " checked.",
        "Look at the page Connections: it says what stands against them. They are tried again every hour.",
    ),
    AlertKind.SILENCE: (
        "{name} has gone silent",
        "The connection {name} ({place}) usually tells of changes, and has told of none for {count} hours.",
        "Change a record there, and see whether it arrives. If not, check that the webhooks, or the app, are still"
        " installed in that system. If nobody has worked there, nothing is wrong.",
    ),
    AlertKind.FAILURES: (
        "{records} failed on {name}",
        "On the bridge {name} ({place}) {records} could not be brought in step.",
        "Look at the failures, which are grouped by their reason with a cure for each: the page Failing, or"
        " “crossledger failures” in a shell. After the cure, retry the group.",
    ),
    AlertKind.CONFLICT: (
        "A decision is needed on {name}",
        "On the bridge {name} ({place}) {records} cannot go on without the decision of a person.",
        "Look at the page Decide: it says what is to be decided.",
    ),
    AlertKind.BUDGET: (
        "{level} % of the day's calls of {name} are used",
        "The connection {name} ({place}) has made {count} calls today: {level} % or more of what its vendor allows in a"
        " day. At 100 % everything waits until midnight UTC.",
        "Find out what causes so many changes: an import, another program, a workflow. Pause it, or let it run at"
        " night.",
    ),
}
_OVER: Mapping[AlertKind, str] = {
    AlertKind.RECONNECT: "{name} does not need to be reconnected any more",
    AlertKind.WEBHOOKS: "The webhooks of {name} are in order again",
    AlertKind.SILENCE: "{name} is not silent any more",
    AlertKind.FAILURES: "The failures on {name} are fewer again",
    AlertKind.CONFLICT: "No decision is needed on {name} any more",
    AlertKind.BUDGET: "A new day of calls has begun for {name}",
}


class Change(StrEnum):
    BEGAN = "began"
    ROSE = "rose"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that holds now. `level` 0 begins nothing: it only keeps what is open from ending."""

    kind: AlertKind
    thing: Thing
    thing_id: int
    name: str
    bridges: tuple[int, ...] = ()
    level: int = 1
    count: int = 0
    cure: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        return (self.kind.value, self.thing.value, self.thing_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """`id` is the same each time it is sent, so that whoever gets it twice can tell. `at` is ISO 8601."""

    id: str
    type: str
    at: str
    title: str
    text: str
    cure: str
    url: str
    kind: str
    subject: dict[str, Any]
    level: int
    count: int

    def document(self) -> dict[str, Any]:
        return asdict(self)


def message(alert: int, change: Change, what: Condition, at: datetime, root: str) -> Message:
    """`alert`: its id. `root`: where people reach the service."""
    title, text, cure = words(what, change)
    page = f"/bridges/{what.thing_id}" if what.thing is Thing.BRIDGE else "/connections"
    return Message(
        id=f"alert-{alert}-{change.value}" + (f"-{what.level}" if change is Change.ROSE else ""),
        type=f"alert.{change.value}",
        at=at.isoformat(),
        title=title,
        text=text,
        cure=cure,
        url=f"{root}{page}",
        kind=what.kind.value,
        subject={"type": what.thing.value, "id": what.thing_id, "name": what.name},
        level=what.level,
        count=what.count,
    )


def trial(channel: str, now: datetime, root: str) -> Message:
    """What “send a test message” sends."""
    return Message(
        id=f"test-{int(now.timestamp() * 1000)}",
        type="test",
        at=now.isoformat(),
        title="A test message",
        text=f"This came through the channel {called(channel)}. Alerts of Crossledger will come the same way.",
        cure="",
        url=root,
        kind="test",
        subject={},
        level=0,
        count=0,
    )


def called(name: str) -> str:
    """On one line, whatever people have put into a name."""
    flat = " ".join(name.split())
    return f"“{flat if len(flat) <= _LONGEST_NAME else flat[: _LONGEST_NAME - 1] + '…'}”"


def words(what: Condition, change: Change) -> tuple[str, str, str]:
    """Title, text and cure."""
    place = f"{what.thing.value} {what.thing_id}"
    if change is Change.ENDED:
        title = _OVER[what.kind].format(name=called(what.name))
        return title, f"{title} ({place}), or it was switched off or deleted.", ""
    values = {
        "name": called(what.name),
        "place": place,
        "id": what.thing_id,
        "count": f"{what.count:,}",
        "records": "one record" if what.count == 1 else f"{what.count:,} records",
        "level": what.level,
        "cure": what.cure,
    }
    title, text, cure = (each.format(**values) for each in _HOLDS[what.kind])
    return title[:1].upper() + title[1:], text, cure

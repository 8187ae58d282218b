"""What a sweep reads: for each scope, the objects of each side. No vendor is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.directory import BridgeView
from app.providers.base import Lists, Provider
from app.sync.objects import OBJECTS
from app.sync.records import Side


class Scope(StrEnum):
    SILENT = "silent"  # objects with changes that no event tells of
    CHANGED = "changed"  # what changed since the last reading, of every object that is on
    FULL = "full"  # everything, and what is missing


@dataclass(frozen=True, slots=True)
class Reading:
    """One object of one side. `told`: events tell of its changes, so that one without an event was missed.

    `whole`: everything that is there is listed, so that what is missing may be gone.
    """

    side: Side
    object: str
    told: bool
    whole: bool

    @property
    def key(self) -> str:
        return f"{self.side.value}/{self.object}"


def readings(bridge: BridgeView, providers: Mapping[str, Provider], scope: Scope) -> list[Reading]:
    """In their order: parents come before what belongs to them."""
    return [
        Reading(
            side,
            name,
            told=name not in providers[bridge.connection(side).provider].untold,
            whole=providers[bridge.connection(side).provider].capabilities[name].lists is Lists.ALL,
        )
        for name in sorted(set(bridge.settings.objects()) - bridge.paused_objects, key=_depth)
        for side in Side
        if _is_read(bridge, providers[bridge.connection(side).provider], side, name, scope)
    ]


def _is_read(bridge: BridgeView, provider: Provider, side: Side, name: str, scope: Scope) -> bool:
    """What goes the other way only is not read: nothing would come of it."""
    if not bridge.settings.of(name).direction.reaches(side.other):
        return False
    if scope is Scope.SILENT:
        return name in provider.polled or moves_silently(bridge, provider, name)
    return provider.capabilities[name].lists is not Lists.NONE


def moves_silently(bridge: BridgeView, provider: Provider, name: str) -> bool:
    """Records that join another parent: no time of the vendor's tells of it, so each time all are read."""
    return name in provider.polled_parts and OBJECTS[name].parent in bridge.settings.objects()


def _depth(name: str) -> tuple[int, str]:
    parent, depth = OBJECTS[name].parent, 0
    while parent:
        parent, depth = OBJECTS[parent].parent, depth + 1
    return depth, name

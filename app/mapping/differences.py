"""What differs between two settings of a bridge, one line for each thing that a person would name. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.mapping import wording
from app.mapping.labels import NO_LABELS, Labels
from app.mapping.settings_told import name_of, value_of
from app.sync.fieldmap import Pair
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings
from app.sync.records import Side


@dataclass(frozen=True, slots=True)
class Difference:
    """`object`: "" where it is the bridge's own. `before`, `after`: "" for nothing."""

    object: str
    what: str
    before: str
    after: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def differences(before: BridgeSettings, after: BridgeSettings, labels: Labels = NO_LABELS) -> tuple[Difference, ...]:
    return tuple(_found(before, after, labels))


def _found(before: BridgeSettings, after: BridgeSettings, labels: Labels) -> Iterator[Difference]:
    old, new = (each.model_dump(mode="json") for each in (before, after))
    own = [{name: value for name, value in each.items() if name not in OBJECTS} for each in (old, new)]
    yield from _compared("", own[0], own[1], labels)
    for name in OBJECTS:
        mine = [{key: value for key, value in each[name].items() if key != "fields"} for each in (old, new)]
        yield from _compared(name, mine[0], mine[1], labels)
        yield from _pairs(name, before, after, labels)


def _pairs(object_: str, before: BridgeSettings, after: BridgeSettings, labels: Labels) -> Iterator[Difference]:
    """By the field in billing: no two pairs have the same."""
    maps = [
        {pair.billing: _pair(object_, pair, labels) for pair in each.of(object_).pairs()} for each in (before, after)
    ]
    for name in dict.fromkeys([*maps[0], *maps[1]]):
        old, new = (each.get(name, "") for each in maps)
        if old != new:
            yield Difference(object_, f"field {labels.of(object_, Side.BILLING, name)}", old, new)


def _pair(object_: str, pair: Pair, labels: Labels) -> str:
    crm, billing = labels.of(object_, Side.CRM, pair.crm), labels.of(object_, Side.BILLING, pair.billing)
    return wording.pair(pair, crm, billing)


def _compared(
    object_: str, before: Mapping[str, Any], after: Mapping[str, Any], labels: Labels, above: tuple[str, ...] = ()
) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        old, new, path = before.get(name), after.get(name), (*above, name)
        if old == new:
            continue
        if isinstance(old, Mapping | None) and isinstance(new, Mapping | None):
            yield from _compared(object_, old or {}, new or {}, labels, path)
        else:
            told = (value_of(object_, path, each, labels) for each in (old, new))
            yield Difference(object_, name_of(object_, path, labels), *told)

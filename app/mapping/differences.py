"""What differs between two settings of a bridge, one line for each thing that a person would name. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.mapping import wording
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings

_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Difference:
    """`object`: "" where it is the bridge's own. `before`, `after`: "" for nothing."""

    object: str
    what: str
    before: str
    after: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def differences(before: BridgeSettings, after: BridgeSettings) -> tuple[Difference, ...]:
    return tuple(_found(before, after))


def _found(before: BridgeSettings, after: BridgeSettings) -> Iterator[Difference]:
    old, new = (each.model_dump(mode="json") for each in (before, after))
    own = [{name: value for name, value in each.items() if name not in OBJECTS} for each in (old, new)]
    yield from _compared("", own[0], own[1])
    for name in OBJECTS:
        mine = [{key: value for key, value in each[name].items() if key != "fields"} for each in (old, new)]
        yield from _compared(name, mine[0], mine[1])
        yield from _pairs(name, before, after)


def _pairs(object_: str, before: BridgeSettings, after: BridgeSettings) -> Iterator[Difference]:
    """By the field in billing: no two pairs have the same."""
    maps = [{pair.billing: wording.pair(pair) for pair in each.of(object_).pairs()} for each in (before, after)]
    for name in dict.fromkeys([*maps[0], *maps[1]]):
        old, new = (each.get(name, "") for each in maps)
        if old != new:
            yield Difference(object_, f"field {name}", old, new)


def _compared(
    object_: str, before: Mapping[str, Any], after: Mapping[str, Any], above: str = ""
) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        what = f"{above} {name.replace('_', ' ')}".strip()
        if old == new:
            continue
        if isinstance(old, Mapping | None) and isinstance(new, Mapping | None):
            yield from _compared(object_, old or {}, new or {}, what)
        else:
            yield Difference(object_, what, _text(old), _text(new))


def _text(value: Any) -> str:
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else ", ".join(map(_item, value)) if isinstance(value, list) else str(value)
    return text[:_LONGEST]


def _item(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(each) for each in value.values() if each not in (None, ""))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

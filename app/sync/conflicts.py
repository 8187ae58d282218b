"""What is told of a conflict: of what kind it is, and the values that a person decides between. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.sync.canonical import currencies_of
from app.sync.decisions import ConflictKind
from app.sync.fieldmap import Rule
from app.sync.merge import Base, Held
from app.sync.records import Kind, Record, Side

_AMOUNT = re.compile(r"-?[\d.]+ ([A-Z]{3})")


def kind_of(item: Held, *values: str) -> ConflictKind | None:
    """None: a value that is only held back, and that nobody has to decide about. `values`: of both sides."""
    if item.conflict:
        return ConflictKind.FIELD
    if not item.rule.spec(item.side).required:
        return None
    if item.rule.crm.kind is Kind.DOCUMENT:
        currencies = {each for value in values for each in currencies_of(value)}
    else:
        amounts = [found.group(1) for value in values if (found := _AMOUNT.fullmatch(value))]
        if not amounts:
            return ConflictKind.REQUIRED
        currencies = set(amounts)
    return ConflictKind.CURRENCY if len(currencies) > 1 else ConflictKind.TOTAL


def opened(
    rule: Rule,
    kind: ConflictKind,
    *,
    pair: Mapping[Side, Record | None],
    base: Base,
    before: Mapping[str, Any],
    cause: str,
    now: datetime,
) -> dict[str, Any]:
    """Base, left, right, who and when. `before`: what was told of it so far; values that are the same keep their time.

    `pair`: None where that record is gone.
    """
    told: dict[str, Any] = {"kind": kind.value, "since": before.get("since") or now.isoformat()}
    same = bool(before)
    for side, record in pair.items():
        value = record.values.get(rule.spec(side).name, "") if record else None
        kept = bool(before) and before.get(side.value) == value
        at = record.updated_at.isoformat() if record and record.updated_at else None
        told |= {
            f"base_{side.value}": base.of(side).get(rule.name),
            side.value: value,
            f"{side.value}_at": before.get(f"{side.value}_at") if kept else at,
        }
        same = same and kept
    told["cause"] = before.get("cause", "") if same else cause
    return told


def open_kinds(held: Mapping[str, Any]) -> list[str]:
    """The kinds of what waits for a person among held values, each once."""
    return sorted({item["conflict"]["kind"] for item in held.values() if item.get("conflict")})


def undecided(held: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What of held values waits for a person, as the changes of an activity."""
    return [each for name, column in held.items() if column.get("conflict") for each in held_back(name, column)]


def held_back(name: str, column: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One held value, as it is told. Where both sides changed the field, neither gets the other one's value."""
    told: dict[str, Any] = {"field": name, "why": column["reason"]}
    conflict = column.get("conflict")
    if conflict:
        told["conflict"] = True
    yield {**told, "side": column["side"], "held": column["value"]}
    if conflict and conflict["kind"] == ConflictKind.FIELD:
        yield {**told, "side": Side(column["side"]).other.value, "held": conflict[column["side"]]}

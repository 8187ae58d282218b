"""The fields of a record: what both sides last agreed on, what they contradict each other in, and who wrote what."""

from collections.abc import Mapping, Sequence
from functools import partial

from app.api.conflict_schemas import OpenConflict
from app.api.links import FieldHistoryOut, WriteOut
from app.api.schemas import LinkOut
from app.dashboard.frame import nothing
from app.dashboard.naming import Names
from app.dashboard.parts import SYSTEMS, cell, count_of, link, state, table, tag, text, unfold, when
from app.sync.records import Side

_WRITERS = {"crossledger": "Crossledger", **{side: f"somebody in {name}" for side, name in SYSTEMS.items()}}
_SHOWN = 50
"""Writes of a field that are shown."""
_HEADS = {side: f"{name}, when both last agreed" for side, name in SYSTEMS.items()}


def fields(record: LinkOut, history: Sequence[FieldHistoryOut], names: Names) -> None:
    agreed = {Side.CRM: record.base_crm, Side.BILLING: record.base_billing}
    called = {
        each: names.of(record.bridge_id, record.object, each)
        for each in {*(record.base_crm or {}), *(record.base_billing or {}), *record.held}
    }
    if not called:
        nothing("The two sides have not agreed on anything yet.")
        return
    known = {(each.field, each.side): each for each in history}
    blank = {
        name
        for name in called
        if name not in record.held
        and not any((values or {}).get(name) or (name, side) in known for side, values in agreed.items())
    }
    sorted_ = sorted(called.items(), key=lambda each: each[1].lower())
    if rows := [each for each in sorted_ if each[0] not in blank]:
        with table("Fields of both sides", ("Field", *_HEADS.values(), "Written by Crossledger")):
            for name, label in rows:
                with tag("tr"):
                    _row(record, name, label, agreed, {side: known.get((name, side)) for side in Side})
    if blank:
        text("p", f"Empty on both sides: {', '.join(label for name, label in sorted_ if name in blank)}.", "faint")


def _row(
    record: LinkOut,
    name: str,
    label: str,
    agreed: Mapping[Side, Mapping[str, str] | None],
    known: Mapping[Side, FieldHistoryOut | None],
) -> None:
    held = record.held.get(name)
    conflict = held.conflict if held and record.conflicts else None
    with tag("th", scope="row"):
        text("span", label)
        if conflict:
            with tag("div"):
                state("conflict")
                link("Decide", f"/decide/{record.id}")
    for side, values in agreed.items():
        with cell(_HEADS[side]):
            _value(values.get(name, "") if values is not None else None, "never")
            _writer(known[side])
            if conflict:
                _now(conflict, side)
    with cell("Written by Crossledger"):
        _writes([each for each in known.values() if each])
        if held and not conflict:
            text("div", f"held back from {SYSTEMS[held.side]}: {held.reason}", "wrong-words")


def _value(value: str | None, missing: str) -> None:
    text("span", value or (missing if value is None else "empty"), "" if value else "faint")


def _now(conflict: OpenConflict, side: Side) -> None:
    value, edited = {
        Side.CRM: (conflict.crm, conflict.crm_at),
        Side.BILLING: (conflict.billing, conflict.billing_at),
    }[side]
    with tag("div", "now"):
        text("span", "now ")
        _value(value, "its record is gone")
    if edited:
        with tag("div", "faint"):
            text("span", "edited ")
            when(edited)


def _writer(known: FieldHistoryOut | None) -> None:
    if known:
        with tag("div", "faint"):
            text("span", f"by {_WRITERS[known.writer]}, ")
            when(known.at)


def _writes(history: Sequence[FieldHistoryOut]) -> None:
    writes = [(each.side, write) for each in history for write in each.writes]
    if not writes:
        text("span", "never", "faint")
        return
    newest = sorted(writes, key=lambda each: each[1].activity_id, reverse=True)
    unfold(count_of(len(writes), "time"), partial(_list, newest))


async def _list(writes: Sequence[tuple[Side, WriteOut]]) -> None:
    for side, write in writes[:_SHOWN]:
        with tag("div", "change"):
            when(write.at)
            text("span", f"in {SYSTEMS[side]}", "faint")
            text("del", write.before or "empty")
            text("span", "→")
            text("ins", write.after or "empty", "" if write.after else "faint")
            why = (write.action, f"because of {write.cause}" if write.cause else "", write.why)
            text("span", ", ".join(filter(None, why)), "faint")
    if len(writes) > _SHOWN:
        text("p", f"The newest {_SHOWN} of {len(writes):,}: what happened, below, has all of them.", "faint")

"""What a person can decide of a conflict, and what each decision would do. Pure.

It is asked of the same functions that carry a decision out, so that what is shown is what is done.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sync.canonical import total_of
from app.sync.decisions import ConflictKind, Decision, Deed, Take
from app.sync.fieldmap import Rule
from app.sync.merge import CALLED, Change, as_decided
from app.sync.objects import ObjectSettings, ObjectType
from app.sync.records import Kind, Side, Writable

_SHORT = 80


@dataclass(frozen=True, slots=True)
class Option:
    """`effect`: what it would do, in a sentence. `refused`: why it cannot be, "" where it can.

    `partner`: of that choice, the id of the record.
    """

    decide: str
    effect: str
    refused: str = ""
    partner: str = ""


def decidable(held: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The conflicts of single fields, by rule name, in which both sides have a value."""
    found = {name: item["conflict"] for name, item in held.items() if item.get("conflict")}
    return {name: told for name, told in found.items() if told["kind"] != ConflictKind.DELETION}


def of_field(rule: Rule, told: Mapping[str, Any]) -> Iterator[Option]:
    """`told`: the conflict as it is stored, see `conflicts.opened`."""
    for take in (Take.CRM, Take.BILLING):
        changes, refused = as_decided(rule, Decision(take=take, crm=told["crm"], billing=told["billing"]))
        yield Option(take.value, "; ".join(map(_effect, changes)), refused)
    yield Option(Take.VALUE, "the value that is typed is written to both sides", _untypable(rule))


def of_record(
    problem: str,
    partners: Sequence[str],
    taken: Mapping[str, str],
    *,
    paired: bool,
    apart: bool,
    type_: ObjectType,
    on: ObjectSettings,
) -> Iterator[Option]:
    """`partners`: the ids of those that it may have; `taken`: those that another one has, by its id.

    `paired`: whether it has one. `apart`: whether it is kept apart.
    `on`: the bridge's settings for the object.
    """
    if problem == "deletion_met_edit":
        yield Option(Deed.DELETE, "the edited record is deleted as well, with its edits")
        yield Option(Deed.KEEP, "the edited record is kept by itself, and not synced any more")
        yield Option(
            Deed.RESTORE, "the deleted record is brought back, and gets the edits, where its vendor can do that"
        )
    for each in partners:
        refused = f"it is already linked to {taken[each]}" if each in taken else ""
        yield Option("partner", f"{each} becomes its partner", refused, partner=each)
    if partners and not paired:
        refused = "" if on.creates else f"no {type_.plural} are made on this bridge"
        yield Option("create", "it gets a partner of its own, beside those", refused)
    if not (type_.facet or apart):
        effect = (
            "the pair is cut, and neither is synced any more" if paired else "it gets no partner, and is not synced"
        )
        yield Option("keep_apart", f"{effect}, until a person decides otherwise")


def _effect(change: Change) -> str:
    before, after = (_shown(change.rule, value) for value in (change.before, change.after))
    note = f" ({change.note})" if change.note else ""
    return f"{change.rule.spec(change.side).label} in {CALLED[change.side]}: {before} becomes {after}{note}"


def _shown(rule: Rule, value: str) -> str:
    text = total_of(value) if value and rule.crm.kind is Kind.DOCUMENT else value
    return f"“{text[:_SHORT]}”" if text else "empty"


def _untypable(rule: Rule) -> str:
    if rule.crm.kind is Kind.DOCUMENT:
        return "lines and taxes are not typed here: edit the document in one of the two systems"
    for side in Side:
        if not rule.direction.reaches(side):
            return f"values of this field do not go to {CALLED[side]}"
        if rule.spec(side).writable is not Writable.ALWAYS:
            return f"{rule.spec(side).label} cannot be changed in {CALLED[side]} through its API"
    return ""

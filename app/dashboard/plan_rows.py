"""The records of a plan, side by side: what would become of each on either side."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from app.api.plans import PlanItemOut
from app.api.schemas import CandidateOut, ChangeOut
from app.dashboard.parts import SYSTEMS, cell, link, table, tag, text
from app.models.plan import Action, ItemState
from app.planning.rehearsal import is_new
from app.sync.objects import OBJECTS
from app.sync.records import Side

ACTIONS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.LINK: "link",
    Action.CONFLICT: "decide",
    Action.SKIP: "leave out",
    Action.WAIT: "wait",
    Action.UNLINK: "cut",
}
MEANING = {
    Action.CREATE: "the other side gets one",
    Action.UPDATE: "a pair that differs",
    Action.LINK: "its partner is there already",
    Action.CONFLICT: "you have to say",
    Action.SKIP: "takes no part",
    Action.WAIT: "what it belongs to comes first",
    Action.UNLINK: "one of the two is gone",
}
STATES = {
    ItemState.PLANNED: "planned",
    ItemState.DONE: "done",
    ItemState.CHANGED: "changed since: not written",
    ItemState.FAILED: "failed",
}
Called: TypeAlias = Callable[[str, str], str]
CalledHere: TypeAlias = Callable[[str], str]
_SHOWN_VALUES = 8
_SHOWN_CANDIDATES = 5


def item_rows(rows: Sequence[PlanItemOut], called: Called) -> None:
    """`called`: the name of a field, by its object and key."""
    if not rows:
        return
    with table("Records of the plan, side by side", ("What", "Record", *SYSTEMS.values())):
        for item in rows:
            with tag("tr"):
                _row(item, partial(called, item.object))


def _row(item: PlanItemOut, called: CalledHere) -> None:
    with cell("What"):
        text("strong", ACTIONS[item.action])
        if item.state is not ItemState.PLANNED:
            text("div", STATES[item.state], f"state {item.state}")
    with cell("Record"):
        text("div", item.title or item.crm_id or item.billing_id or "")
        text("div", OBJECTS[item.object].called[item.side] if item.object in OBJECTS else item.object, "faint")
        if item.detail:
            text("div", item.detail, "faint")
        if item.action is Action.CONFLICT and item.problem == "conflict":
            link("Choose a value", "/decide")
    for side in Side:
        with cell(SYSTEMS[side]):
            _side(item, side, called)


def _side(item: PlanItemOut, side: Side, called: CalledHere) -> None:
    external_id = item.crm_id if side is Side.CRM else item.billing_id
    changes = [each for each in item.changes if each.side in (side, None)]
    if external_id is None:
        _none(item, side)
    elif is_new(external_id) or _all_new(changes):
        text("div", "is made, with" if item.state is ItemState.PLANNED else "was made, with", "faint")
        _values(changes, called)
        return
    elif not changes:
        text("div", "as it is", "faint")
    _few(changes, called)


def _all_new(changes: Sequence[ChangeOut]) -> bool:
    return bool(changes) and all(each.why == "created" for each in changes)


def _values(changes: Sequence[ChangeOut], called: CalledHere) -> None:
    """Of a record that there was not: one after the other, with their names where the pointer rests."""
    with tag("div", "values"):
        for each in changes:
            if each.after:
                text("span", each.after, title=called(each.field))
    _few([each for each in changes if not each.after], called)


def _none(item: PlanItemOut, side: Side) -> None:
    if item.candidates and side is not item.side:
        text("div", f"{len(item.candidates)} could be its partner:", "faint")
        for each in item.candidates[:_SHOWN_CANDIDATES]:
            text("div", _known_as(each))
        text("div", "Once live, you choose under “Decide”.", "faint")
    else:
        text("div", "none", "faint")


def _known_as(candidate: CandidateOut) -> str:
    values = candidate.values
    name = " ".join(filter(None, (values.get("first_name"), values.get("last_name")))) or values.get("name", "")
    return ", ".join(filter(None, (name, values.get("email", "")))) or candidate.id


def _few(changes: Sequence[ChangeOut], called: CalledHere) -> None:
    for each in changes[:_SHOWN_VALUES]:
        _change(each, called)
    if more := changes[_SHOWN_VALUES:]:
        with tag("details"):
            text("summary", f"{len(more)} more")
            for each in more:
                _change(each, called)


def _change(change: ChangeOut, called: CalledHere) -> None:
    with tag("div", "change"):
        text("span", called(change.field), "name")
        if change.after is not None:
            if change.before:
                text("del", change.before)
                text("span", "→")
            text("ins", change.after or "empty", "" if change.after else "faint")
        elif change.held is not None:
            text("span", f"“{change.held}” is held back")
        if said := change.why or change.note:
            text("span", said, "faint")

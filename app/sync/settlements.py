"""How an attempt can end, as columns of the link and an activity. Pure: the words people read are here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.models.event import EventState
from app.models.link import LinkState
from app.sync.conflicts import held_back, kind_of, open_kinds, opened
from app.sync.decisions import ConflictKind
from app.sync.merge import Base, Change, Held, Merge
from app.sync.records import Record, Side
from app.sync.store import LinkRow, Settlement, Target, waits_for

TOO_EARLY = "too_early"
"""The problem of a record from before its object was switched on."""

ONE_WAY = "direction"
"""The problem of a record that is not made on the other side, for the bridge does not go that way."""

AMBIGUOUS = "ambiguous"
"""The problem of a record of which a person has to say which one is its partner."""
UNDONE = "undone"
"""The problem of a pair whose making, or putting away, was undone: it is left alone until a person asks for it."""

_CALM: Mapping[str, Any] = {
    "problem": "",
    "detail": "",
    "candidates": [],
    "tries": 0,
    "first_failed_at": None,
    "next_try_at": None,
    "creating": "",
    "waits_for": "",
    "conflicts": [],
    "apart": False,
}


def in_step(
    target: Target,
    link: LinkRow,
    *,
    pair: Mapping[Side, Record],
    base: Base,
    merged: Merge,
    action: str,
    now: datetime,
    detail: str = "",
    origin: str = "",
) -> Settlement:
    """The pair agrees as far as it can. `action`: created, linked, updated or unchanged.

    Where what is held back is required, it is in conflict until both sides agree again; all else goes on. So it does
    where a person has to decide about a field.
    """
    held = held_columns(merged.held, link=link, pair=pair, base=base, now=now)
    apart = next((item.reason for item in merged.held if item.rule.spec(item.side).required), "")
    calm = {**_CALM, "problem": "conflict", "detail": apart} if apart else _CALM
    activity = None
    if action != "unchanged" or held != link.held:
        activity = _activity(
            target,
            pair[Side.CRM].id,
            pair[Side.BILLING].id,
            action=_action(action, held),
            cause=link.cause,
            detail=detail,
            changes=_changes(merged, held),
        )
    return Settlement(
        outcome=action,
        activity=activity,
        link={
            **calm,
            "conflicts": open_kinds(held),
            "decisions": link.decisions,
            "state": LinkState.CONFLICT.value if apart else LinkState.OK.value,
            "crm_id": pair[Side.CRM].id,
            "billing_id": pair[Side.BILLING].id,
            "billing_part": pair[Side.BILLING].part,
            "base_crm": dict(base.crm),
            "base_billing": dict(base.billing),
            "held": held,
            "synced_at": now,
            **({"written_at": now} if merged.changes else {}),
            **({"origin": origin} if origin else {}),
        },
    )


def _action(action: str, held: Mapping[str, Any]) -> str:
    """Where nothing was written: what is different still."""
    if action != "unchanged":
        return action
    return "conflict" if open_kinds(held) else "held" if held else "settled"


def put_aside(target: Target, link: LinkRow, state: LinkState, problem: str, detail: str) -> Settlement:
    """The record takes no part (excluded), or is no pair any more (unlinked). Said once, not at every event."""
    news = (link.state, link.problem) != (state.value, problem)
    activity = _activity(
        target, link.crm_id, link.billing_id, action=state.value, cause=link.cause, detail=detail, changes=[]
    )
    return Settlement(
        outcome=state.value,
        events=EventState.DONE,
        activity=activity if news else None,
        link={**_CALM, "state": state.value, "problem": problem, "detail": detail, "decisions": link.decisions},
    )


def as_it_was(link: LinkRow) -> Settlement:
    """What is done once is done."""
    return Settlement(outcome="done already", link={"state": link.state})


def waiting(target: Target, link: LinkRow, parent: Target, called: str) -> Settlement:
    """Its parent has no partner yet; it is looked at again when that is linked."""
    detail = f"It waits until its {called} {parent.external_id} is linked."
    return Settlement(
        outcome=f"waits for its {called}",
        waits_for=parent,
        link={
            **_CALM,
            "state": LinkState.WAITING_FOR_PARENT.value,
            "problem": "parent",
            "detail": detail,
            "waits_for": waits_for(parent),
        },
    )


def ambiguous(target: Target, link: LinkRow, detail: str, candidates: Sequence[Record]) -> Settlement:
    """Several records could be the partner, or the only one is taken: a person decides."""
    shown = [{"id": r.id, "part": r.part, "values": {k: v for k, v in r.values.items() if v}} for r in candidates[:20]]
    activity = _activity(
        target, link.crm_id, link.billing_id, action="conflict", cause=link.cause, detail=detail, changes=[]
    )
    return Settlement(
        outcome="conflict",
        activity=activity if link.detail != detail else None,
        link={
            **_CALM,
            "state": LinkState.CONFLICT.value,
            "problem": AMBIGUOUS,
            "detail": detail,
            "candidates": shown,
            "conflicts": [ConflictKind.AMBIGUOUS.value],
            "decisions": link.decisions,
        },
    )


def failed(
    target: Target,
    link: LinkRow,
    *,
    problem: str,
    detail: str,
    fields: Mapping[str, str],
) -> Settlement:
    """Given up or refused: it stays visible until an event or a person tries it again, and what was decided of it."""
    changes = [{"field": name, "note": complaint} for name, complaint in fields.items()]
    return Settlement(
        outcome=f"failed: {detail}"[:500],
        events=EventState.FAILED,
        activity=_activity(
            target, link.crm_id, link.billing_id, action="failed", cause=link.cause, detail=detail, changes=changes
        ),
        link={
            "state": LinkState.FAILED.value,
            "problem": problem,
            "detail": detail,
            "tries": link.tries + 1,
            "next_try_at": None,
        },
    )


def contradicted(target: Target, link: LinkRow, *, detail: str, kind: str, fields: Mapping[str, str]) -> Settlement:
    """Money that would not be the same on both sides: as `failed`, and a person decides."""
    end = failed(target, link, problem="conflict", detail=detail, fields=fields)
    conflicts = sorted({kind, *open_kinds(link.held)})
    columns = {"state": LinkState.CONFLICT.value, "conflicts": conflicts, "decisions": link.decisions}
    activity = {**(end.activity or {}), "action": "conflict"}
    return replace(end, activity=activity, link={**end.link, **columns})


def held_columns(
    held: Sequence[Held], *, link: LinkRow, pair: Mapping[Side, Record], base: Base, now: datetime
) -> dict[str, Any]:
    """By rule name; with `conflict` where a person has to decide."""
    columns: dict[str, Any] = {}
    for item in held:
        rule, name = item.rule, item.rule.name
        columns[name] = {"side": item.side.value, "value": item.value, "reason": item.reason}
        kind = kind_of(item, *(record.values.get(rule.spec(side).name, "") for side, record in pair.items()))
        if kind:
            before = link.held.get(name, {}).get("conflict", {})
            columns[name]["conflict"] = opened(
                rule, kind, pair=pair, base=base, before=before, cause=link.cause, now=now
            )
    return columns


def _activity(
    target: Target,
    crm_id: str | None,
    billing_id: str | None,
    *,
    action: str,
    cause: str,
    detail: str,
    changes: list[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "crm_id": crm_id or "",
        "billing_id": billing_id or "",
        "action": action,
        "cause": cause,
        "detail": detail,
        "changes": changes,
    }


def _changes(merged: Merge, held: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = [_change(change) for change in merged.changes]
    return told + [each for item in merged.held for each in held_back(item.rule.name, held[item.rule.name])]


def _change(change: Change) -> dict[str, Any]:
    told: dict[str, Any] = {
        "field": change.rule.name,
        "side": change.side.value,
        **{side.value: change.rule.spec(side).name for side in Side},
        "before": change.before,
        "after": change.after,
        "why": change.why,
    }
    if change.note:
        told["note"] = change.note
    if change.kept is not None:
        told["kept"] = change.kept
    if change.conflict:
        told["conflict"] = True
    return told

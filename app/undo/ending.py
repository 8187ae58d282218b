"""How the undo of one pair ends: columns of its link, and the activity. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.models.link import LinkState
from app.models.undo import UndoOutcome
from app.sync.merge import Base
from app.sync.records import Side
from app.sync.settlements import UNDONE
from app.sync.store import LinkRow, Settlement
from app.sync.work import Work
from app.undo.comparing import Finding
from app.undo.folding import MADE, THERE
from app.undo.store import restored

UNLINKED = "unlinked"
"""Of a record that could not be put away: what is told to have become of it."""

_MADE = "Its making was undone: it is not synced any more, until somebody asks for it."
_KEPT = "Its making was undone: the {called} stays ({why}), and is not synced any more, until somebody asks for it."
_BACK = "It was put away because its partner was gone; that was undone."


def end_of(work: Work, found: Sequence[Finding], base: Base | None) -> Settlement:
    """`base`: what both sides agree on now, None where that is as it was."""
    link = work.link
    columns: dict[str, Any] = {"state": link.state}
    changes = [_change(each) for each in found if restored(each)]
    if base is not None:
        mine = {each.wish.field for each in found if restored(each)}
        held = {name: item for name, item in link.held.items() if name not in mine}
        columns |= {"base_crm": dict(base.crm), "base_billing": dict(base.billing), "held": held}
    if changes:
        columns["written_at"] = datetime.now(UTC)
    whole = next((each for each in found if each.wish.record), None)
    apart = _apart(work, whole) if whole else {}
    if whole and apart.get("problem") == UNDONE and not restored(whole) and link.problem != UNDONE:
        changes.append(_change(whole, after=UNLINKED))
    activity = {
        "crm_id": link.crm_id or "",
        "billing_id": link.billing_id or "",
        "action": "undone",
        "cause": "undo",
        "detail": str(apart.get("detail", "")),
        "changes": changes,
    }
    return Settlement(outcome="undone", link={**columns, **apart}, activity=activity if changes else None)


def _apart(work: Work, whole: Finding) -> Mapping[str, Any]:
    """What becomes of the pair where one of its records was put away, or brought back."""
    link, wish = work.link, whole.wish
    if work.type.appended:
        return {}
    if wish.back == MADE and link.state != LinkState.UNLINKED and whole.outcome is not UndoOutcome.CHANGED_SINCE:
        called = work.type.called[wish.side]
        kept = whole.outcome is UndoOutcome.CANNOT
        return _cut(UNDONE, _KEPT.format(called=called, why=whole.reason) if kept else _MADE)
    if wish.back != THERE or whole.outcome is not UndoOutcome.RESTORED:
        return {}
    if link.problem == UNDONE and _is_pair(link):
        return {"state": LinkState.OK.value, "problem": "", "detail": ""}
    if link.problem in ("crm_gone_archived", "crm_gone_deleted"):
        return _cut("crm_gone", _BACK)
    return _cut(UNDONE, _BACK) if link.problem == "crm_put_away" else {}


def _cut(problem: str, detail: str) -> Mapping[str, Any]:
    return {"state": LinkState.UNLINKED.value, "problem": problem, "detail": detail}


def _is_pair(link: LinkRow) -> bool:
    return bool(link.crm_id and link.billing_id)


def _change(finding: Finding, after: str | None = None) -> dict[str, Any]:
    wish = finding.wish
    return {
        "field": wish.field,
        "side": wish.side.value,
        **{side.value: wish.names[side] for side in Side},
        "before": finding.now,
        "after": finding.write if after is None else after,
        "why": "undone",
    }

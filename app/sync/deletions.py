"""A pair of which one side is gone: unlinked, and what else the owner has chosen. By default nothing is destroyed.

A deletion that meets an edit which has not arrived yet destroys nothing: a person decides.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import replace

from app.errors import Gone, Unsupported, Wait
from app.models.link import LinkState
from app.providers.base import KeyKind, MatchKey
from app.sync.conflicts import opened
from app.sync.decisions import ConflictKind, Deed
from app.sync.fieldmap import Rule
from app.sync.merge import Base, changed
from app.sync.objects import BillingDeleted, CrmDeleted
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side
from app.sync.settlements import UNDONE, as_it_was, put_aside
from app.sync.store import Settlement
from app.sync.work import BUSY, Work

# Pairs that were cut because a side was gone, not by a person: it may come back (a client restored from the bin).
RETURNABLE = {
    "billing_gone",
    "billing_gone_deleted",
    "crm_gone",
    "crm_gone_archived",
    "crm_gone_deleted",
    "crm_put_away",
}
MERGED = "billing_merged"
"""The problem of a pair whose billing record was merged into one that has another partner."""
GONE = {Side.CRM: "crm_gone", Side.BILLING: "billing_gone"}
_NOT_SYNCED = "and is not synced any more."
_DETAILS = {
    "billing_gone": "The {billing} was deleted in billing. The {crm} is kept, and not synced any more.",
    "billing_gone_deleted": f"The {{billing}} was deleted in billing. The {{crm}} was deleted as well, {_NOT_SYNCED}",
    MERGED: "The {billing} was merged into another one in billing. The {crm} is kept, and not synced any more.",
    "crm_gone": "The {crm} was deleted in the CRM. The {billing} is kept, and not synced any more.",
    "crm_gone_archived": f"The {{crm}} was deleted in the CRM. The {{billing}} was archived, {_NOT_SYNCED}",
    "crm_put_away": "The {crm} was put away in the CRM. The {billing} was archived, until it is back.",
    UNDONE: "What Crossledger had done with this pair was undone. It is left alone until somebody asks for it.",
    "crm_gone_deleted": f"The {{crm}} was deleted in the CRM. The {{billing}} was deleted as well, {_NOT_SYNCED}",
}
_MET_EDIT = {
    Side.CRM: "The {crm} was deleted in the CRM, but the {billing} was edited in billing since both last agreed."
    " Nothing was deleted there: delete it yourself, or restore the {crm}.",
    Side.BILLING: "The {billing} was deleted in billing, but the {crm} was edited in the CRM since both last agreed."
    " Nothing was deleted there: delete it yourself, or restore the {billing}.",
}


async def crm_gone(work: Work, billing: Record | None) -> Settlement:
    """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
    policy = work.settings.crm_deleted
    # One person cannot be put away alone: it stays a contact of its client.
    part = billing is not None and work.type.part and billing.parent
    if billing is None or part or not _applies(work, Side.BILLING) or policy is CrmDeleted.KEEP:
        return unlinked(work, "crm_gone")
    await work.take_turn(billing)
    if policy is CrmDeleted.DELETE:
        if met := await _met_edit(work, billing, Side.CRM):
            return met
        await _delete(work, Side.BILLING, billing)
        return unlinked(work, "crm_gone_deleted", _by(work))
    try:
        if billing.presence is Presence.ACTIVE:
            await work.records[Side.BILLING].archive(billing)
    except Unsupported as refusal:
        return unlinked(work, "crm_gone", f"It was not archived: {refusal.reason}.")
    return unlinked(work, "crm_gone_archived")


async def crm_put_away(work: Work, crm: Record, billing: Record, base: Base | None) -> Settlement:
    """Its partner learns why, and is put away as well; both come back together."""
    told = await work.bring_in_step(crm, billing, base=base, action="updated")
    if billing.presence is Presence.ACTIVE:
        await work.records[Side.BILLING].archive(billing)
    aside = unlinked(work, "crm_put_away")
    changes = told.activity["changes"] if told.activity else []
    activity = {**aside.activity, "changes": changes} if aside.activity else None
    return replace(aside, link={**told.link, **aside.link}, activity=activity)


async def billing_gone(work: Work, crm: Record, billing: Record | None) -> Settlement:
    """`billing`: as the vendor still shows it. What it does not show at all may be hidden, and deletes nothing."""
    if work.link.problem == "billing_gone_deleted":
        return unlinked(work, work.link.problem)
    cut = work.link.state == LinkState.UNLINKED
    keep = work.settings.billing_deleted is BillingDeleted.KEEP
    if cut or keep or billing is None or not _applies(work, Side.CRM):
        return unlinked(work, "billing_gone")
    if met := await _met_edit(work, crm, Side.BILLING):
        return met
    await _delete(work, Side.CRM, crm)
    return unlinked(work, "billing_gone_deleted", _by(work))


async def billing_merged(work: Work) -> Settlement:
    """Its billing record was merged into one that has a partner: a conflict as long as both contacts are there."""
    if await work.fetch(Side.CRM) is None:
        return unlinked(work, MERGED)
    return as_it_was(work.link)


async def heir(work: Work, billing: Record) -> Record | None:
    """The contact that the deleted one was merged into, found by the client's e-mail."""
    email = email_of(billing)
    if not email:
        return None
    found = await work.records[Side.CRM].find(MatchKey(KeyKind.EMAIL, email))
    if len(found) != 1 or found[0].id == work.link.crm_id:
        return None
    known = await work.store.find(work.target, Side.CRM, found[0].id)
    if known and known[1]:
        raise Wait(BUSY, "the contact that it was merged into is being looked at")
    return None if known and known[0].billing_id else found[0]


def unlinked(work: Work, problem: str, more: str = "") -> Settlement:
    end = _aside(work, LinkState.UNLINKED, problem, f"{_DETAILS.get(problem, '')} {more}".strip())
    return replace(end, link={**end.link, "held": {}})


async def _met_edit(work: Work, record: Record, gone: Side) -> Settlement | None:
    """The other side's deletion met edits of this record, and what a person has decided who saw these very edits.

    None: it is to be deleted as well.
    """
    decided, edits = work.decisions.parting, _edits(work, gone.other, record)
    agreed = work.link.base_crm is not None and work.link.base_billing is not None
    if agreed and not edits:
        return None
    if decided is None or decided.edits != {rule.name: value for rule, value in edits.items()}:
        return _asked(work, record, gone, edits)
    if decided.deed is Deed.DELETE:
        return None
    if decided.deed is Deed.KEEP:
        return unlinked(work, GONE[gone], _by(work))
    return await _restored(work, record, gone, edits)


def _by(work: Work) -> str:
    decided = work.decisions.parting
    return f"{decided.by} decided so." if decided else ""


async def _restored(work: Work, record: Record, gone: Side, edits: Mapping[Rule, str]) -> Settlement:
    try:
        back = await work.bring_back(gone)
    except Unsupported as refusal:
        return _asked(work, record, gone, edits, f"It cannot be restored: {refusal.reason}.")
    if back is None:
        return _asked(work, record, gone, edits, "It cannot be restored: it is not shown any more.")
    pair = {gone: back, gone.other: record}
    base = Base(work.link.base_crm or {}, work.link.base_billing or {})
    return await work.bring_in_step(pair[Side.CRM], pair[Side.BILLING], base=base, action="linked", detail=_by(work))


def _asked(work: Work, record: Record, gone: Side, edits: Mapping[Rule, str], more: str = "") -> Settlement:
    """With each value that was edited, as a conflict of its field."""
    pair = {gone: None, gone.other: record}
    base = Base(work.link.base_crm or {}, work.link.base_billing or {})
    held = {
        rule.name: {
            "side": gone.value,
            "value": value,
            "reason": "edited since both last agreed",
            "conflict": opened(
                rule,
                ConflictKind.DELETION,
                pair=pair,
                base=base,
                before=work.link.held.get(rule.name, {}).get("conflict", {}),
                cause=work.link.cause,
                now=work.now(),
            ),
        }
        for rule, value in edits.items()
    }
    end = _aside(work, LinkState.CONFLICT, "deletion_met_edit", f"{_MET_EDIT[gone]} {more}".strip())
    return replace(end, link={**end.link, "held": held, "conflicts": [ConflictKind.DELETION.value]})


def _aside(work: Work, state: LinkState, problem: str, detail: str) -> Settlement:
    called = {side.value: word for side, word in work.type.called.items()}
    return put_aside(work.target, work.link, state, problem, detail.format(**called))


def _applies(work: Work, side: Side) -> bool:
    """Nothing is done to a side that is not written to, nor for a pair that takes no part."""
    return work.settings.direction.reaches(side) and work.link.state != LinkState.EXCLUDED


def _edits(work: Work, side: Side, record: Record) -> dict[Rule, str]:
    """Its values that are others than those that were agreed on, or were never agreed on."""
    base = work.link.base_crm if side is Side.CRM else work.link.base_billing
    return {
        rule: record.values.get(rule.spec(side).name, "")
        for rule in work.rules_of_pair
        if base is None or changed(rule, side, record.values, base)
    }


async def _delete(work: Work, side: Side, record: Record) -> None:
    with contextlib.suppress(Gone):
        await work.records[side].delete(record)

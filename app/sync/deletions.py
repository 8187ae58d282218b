"""A pair of which one side is gone: unlinked, and what else the owner has chosen. By default nothing is destroyed.

A deletion that meets an edit which has not arrived yet destroys nothing: a person decides.
"""

import contextlib
from dataclasses import replace

from app.errors import Gone, Unsupported, Wait
from app.models.link import LinkState
from app.providers.base import KeyKind, MatchKey
from app.sync.merge import Base, changed
from app.sync.objects import BillingDeleted, CrmDeleted
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side
from app.sync.settlements import put_aside
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
_NOT_SYNCED = "and is not synced any more."
_DETAILS = {
    "billing_gone": "The {billing} was deleted in billing. The {crm} is kept, and not synced any more.",
    "billing_gone_deleted": f"The {{billing}} was deleted in billing. The {{crm}} was deleted as well, {_NOT_SYNCED}",
    "crm_gone": "The {crm} was deleted in the CRM. The {billing} is kept, and not synced any more.",
    "crm_gone_archived": f"The {{crm}} was deleted in the CRM. The {{billing}} was archived, {_NOT_SYNCED}",
    "crm_put_away": "The {crm} was put away in the CRM. The {billing} was archived, until it is back.",
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
        if _edited(work, Side.BILLING, billing):
            return _met_edit(work, Side.CRM)
        await _delete(work, Side.BILLING, billing)
        return unlinked(work, "crm_gone_deleted")
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
    if _edited(work, Side.CRM, crm):
        return _met_edit(work, Side.BILLING)
    await _delete(work, Side.CRM, crm)
    return unlinked(work, "billing_gone_deleted")


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
    return _aside(work, LinkState.UNLINKED, problem, f"{_DETAILS.get(problem, '')} {more}".strip())


def _met_edit(work: Work, gone: Side) -> Settlement:
    return _aside(work, LinkState.CONFLICT, "deletion_met_edit", _MET_EDIT[gone])


def _aside(work: Work, state: LinkState, problem: str, detail: str) -> Settlement:
    called = {side.value: word for side, word in work.type.called.items()}
    return put_aside(work.target, work.link, state, problem, detail.format(**called))


def _applies(work: Work, side: Side) -> bool:
    """Nothing is done to a side that is not written to, nor for a pair that takes no part."""
    return work.settings.direction.reaches(side) and work.link.state != LinkState.EXCLUDED


def _edited(work: Work, side: Side, record: Record) -> bool:
    """Whether its values are others than those that were agreed on, or were never agreed on."""
    base = work.link.base_crm if side is Side.CRM else work.link.base_billing
    return base is None or any(changed(rule, side, record.values, base) for rule in work.rules_of_pair)


async def _delete(work: Work, side: Side, record: Record) -> None:
    with contextlib.suppress(Gone):
        await work.records[side].delete(record)

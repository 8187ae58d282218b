"""Records that are parts of their parent's record in billing: the contacts of one client, which is a business.

Which client a person is part of is told by the id of the pair: "client/contact", or "client" for a client of its own.
The CRM says it with the record's parent. Where the two differ, the contact was moved in the CRM, and its part follows.
A client in billing with several persons is looked at part by part.
"""

from dataclasses import dataclass, replace

from app.errors import Gone, Wait
from app.models.link import LinkState
from app.sync.merge import Base, differs
from app.sync.objects import CrmDeleted
from app.sync.people import email_of
from app.sync.records import Record, Side, is_part, own_of, owner_of
from app.sync.settlements import put_aside, waiting
from app.sync.store import LinkRow, Settlement
from app.sync.work import BUSY, Work, is_pair

SEVERAL = 2
"""Persons with an e-mail that make a client a business."""


@dataclass(frozen=True, slots=True)
class Move:
    """`whole`: the billing record that the pair's is to be a part of, "" for none. `attach`: so is the CRM's record,
    below this one."""

    whole: str
    attach: str = ""


async def in_its_parts(work: Work, record: Record) -> Settlement | None:
    """A record in billing that is no partner for one contact: those of its parts that have news are looked at."""
    if work.target.side is not Side.BILLING or not work.in_parts or record.parent:
        return None
    persons = [each for each in record.parts if email_of(each)]
    if len(persons) < SEVERAL and not await _is_company(work, record):
        return None
    news = tuple([each.id for each in record.parts if await _has_news(work, each)])
    detail = "It has several persons, or is a business: each person is synced by itself."
    return replace(put_aside(work.target, work.link, LinkState.EXCLUDED, "parts", detail), parts=news)


async def company_of(work: Work, whole: str) -> LinkRow | None:
    """The pair of the parents' object that this billing record has."""
    above = work.above(Side.BILLING, whole)
    known = await work.store.find(above, Side.BILLING, whole) if above else None
    return known[0] if known and is_pair(known[0]) else None


async def _is_company(work: Work, record: Record) -> bool:
    """Also while it is being made: its slot names the record that it is made for."""
    if await company_of(work, record.id):
        return True
    above = work.above(Side.CRM, record.slot)
    return above is not None and await work.store.find(above, Side.CRM, record.slot) is not None


async def _has_news(work: Work, part: Record) -> bool:
    known = await work.store.find(work.target, Side.BILLING, part.id)
    if known is None:
        return bool(email_of(part))
    link, busy = known
    base = link.base_billing
    return busy or base is None or differs(work.rules_for(part.parent), Side.BILLING, part.values, base)


async def member(work: Work, record: Record, partner: Record) -> tuple[Record, Record]:
    """A contact without a business whose match is a person of a business's client: it joins the business."""
    company = await company_of(work, partner.id)
    if not work.in_parts or company is None or not work.settings.direction.reaches(Side.CRM):
        return record, partner
    mine = [each for each in partner.parts if email_of(each) == email_of(record)]
    known = await work.store.find(work.target, Side.BILLING, mine[0].id) if mine else None
    if not mine or (known and known[1]):
        raise Wait(BUSY, "its partner is being looked at")
    await work.hold(partner.id)
    return await work.records[Side.CRM].move(record.id, parent=company.crm_id or "", values={}), mine[0]


async def whereabouts(work: Work, crm: Record) -> Move | Settlement | None:
    """Before a linked record in billing is read: whether it has to move, or to wait for its parent. Holds what is
    going to be written. None: it stays where it is."""
    billing_id = work.link.billing_id or ""
    if not work.in_parts:
        return None
    now = owner_of(billing_id) if is_part(billing_id) else ""
    wanted, attach = now, ""
    if above := work.above(Side.CRM, crm.parent):
        known = await work.store.find(above, Side.CRM, crm.parent)
        if known is None or not is_pair(known[0]):
            return waiting(work.target, work.link, above, work.called_above(Side.CRM))
        wanted = known[0].billing_id or ""
    elif now:
        wanted = "" if await _goes_on(work, now) else now
    elif (company := await company_of(work, billing_id)) and work.settings.direction.reaches(Side.CRM):
        wanted, attach = billing_id, company.crm_id or ""
    if wanted != now and not (attach or work.settings.direction.reaches(Side.BILLING)):
        wanted = now
    for each in sorted({now, wanted} - {""}):
        await work.hold(each)
    return Move(wanted, attach) if wanted != now else None


async def _goes_on(work: Work, whole: str) -> bool:
    """Whether the one that a contact left is still there. One that was deleted leaves its persons where they are."""
    company = await company_of(work, whole)
    try:
        return company is not None and bool(await work.parents(Side.CRM).fetch(company.crm_id or ""))
    except Gone:
        return False


async def move(work: Work, to: Move, crm: Record, billing: Record | None, values: dict[str, str]) -> tuple[Record, str]:
    """The record in billing as it is after its move, and what was done in words. `values`: what a new one is given."""
    there, before = work.records[Side.BILLING], work.link.billing_id or ""
    if to.attach:
        await work.records[Side.CRM].move(crm.id, parent=to.attach, values={})
    moved = await there.move(before, parent=to.whole, values=values, slot=work.slot_for(Side.BILLING, crm.id))
    detail = f"moved from {before} to {moved.id}"
    if is_part(before) or owner_of(moved.id) == before or billing is None:
        return moved, detail
    if work.settings.crm_deleted is CrmDeleted.KEEP or await company_of(work, before):
        return moved, f"{detail}; {before} was left as it is"
    return moved, f"{detail}; {await there.leave(billing)}"


def base_after(work: Work, moved: Record, base: Base | None) -> Base | None:
    """What was agreed still is where the very same part moved; what was made anew meets its partner first."""
    before = work.link.billing_id or ""
    same_part = is_part(before) and is_part(moved.id) and own_of(before) == own_of(moved.id)
    return base if same_part or owner_of(moved.id) == before else None

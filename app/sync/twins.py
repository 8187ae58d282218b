"""One person, entered on both sides at once: the client that we made for the contact gives way to the person's own."""

from datetime import timedelta

from app.errors import Rejected, Wait
from app.sync.people import full_name
from app.sync.records import Kind, Presence, Record, Side, is_part
from app.sync.store import LinkRow, Settlement
from app.sync.values import same
from app.sync.work import BUSY, Work

TWINS = timedelta(minutes=2)
"""Two records made within this time of each other may be twins."""


async def our_twin(work: Work, record: Record, other: LinkRow) -> Record | None:
    """The client that we made for the contact while a person was making `record`: untouched, and as young."""
    born_together = record.created_at and abs(record.created_at - other.created_at) < TWINS
    if other.origin != "created_billing" or not born_together or not other.billing_id or is_part(other.billing_id):
        return None
    ours = await work.records[Side.BILLING].fetch(other.billing_id, part=other.billing_part)
    base = other.base_billing or {}
    touched = any(
        not same(rule.billing.kind, ours.values.get(rule.billing.name, ""), base.get(rule.name, ""))
        for rule in work.rules
    )
    alike = full_name(ours).casefold() == full_name(record).casefold() and same(
        Kind.TEXT, ours.values.get("name", "").casefold(), record.values.get("name", "").casefold()
    )
    used = ours.updated_at != ours.created_at  # an invoice, a payment, a person added: all of these touch it
    return None if touched or used or not alike or ours.presence is not Presence.ACTIVE else ours


async def replace_twin(work: Work, record: Record, partner: Record, other: LinkRow, ours: Record) -> Settlement:
    """Keep the person's client, archive ours: the twins end as one pair."""
    if not await work.store.cut(other, "twin"):
        raise Wait(BUSY, "its twin is being looked at")
    detail = f"entered on both sides at once; the client that we made ({ours.id}) was archived"
    try:
        await work.records[Side.BILLING].archive(ours)
    except Rejected as refusal:
        detail = f"entered on both sides at once; archive the client that we made ({ours.id}) yourself: {refusal}"
    return await work.bring_in_step(partner, record, base=None, action="linked", detail=detail, origin="matched")

"""Whether a record, or a pair, takes part at the moment: the filter, the archive, the parent.

One that does not is `excluded`: it keeps its link and its base, nothing is written, archived or deleted for it, and it
goes on from there when it takes part again.
"""

from collections.abc import Mapping
from dataclasses import replace

from app.models.link import LinkState
from app.sync import filters
from app.sync.filters import Seen
from app.sync.objects import OBJECTS, BillingArchived
from app.sync.records import Presence, Record, Side
from app.sync.settlements import UNDONE, put_aside, waiting
from app.sync.store import LinkRow, Settlement
from app.sync.work import Work, is_pair

PUT_AWAY = frozenset({"crm_gone_archived", "crm_gone_deleted", "crm_put_away", UNDONE})
"""Pairs whose billing record was put away by us: its partner was gone, or its making was undone."""


def takes_part(link: LinkRow) -> bool:
    """A pair that children can belong to."""
    return is_pair(link) and link.state != LinkState.EXCLUDED


def filtered(work: Work, records: Mapping[Side, Record]) -> Settlement | None:
    """What the filter says of these, the first of them before the other. None: nothing against them so far."""
    if not work.settings.only:
        return None
    seen = {side: Seen(record.values, work.records[side].fields()) for side, record in records.items()}
    return _excluded(work, "filtered", _refusal(work, seen))


def filtered_before_create(work: Work, record: Record) -> Settlement | None:
    """As `filtered`, where there will be a partner, empty in all that only its side knows."""
    if not work.settings.only:
        return None
    side = work.target.side
    there = work.records[side.other].fields()
    seen = {side: Seen(record.values, work.records[side].fields()), side.other: Seen(dict.fromkeys(there, ""), there)}
    return _excluded(work, "filtered", _refusal(work, seen))


async def left_out(work: Work, crm: Record, billing: Record) -> Settlement | None:
    """Why a pair takes no part now; None where it does."""
    if away := filtered(work, {Side.CRM: crm, Side.BILLING: billing}):
        return away
    paused = work.settings.billing_archived is BillingArchived.PAUSE and billing.presence is Presence.ARCHIVED
    if paused and work.link.problem not in PUT_AWAY:
        called = work.type.called[Side.BILLING]
        return _excluded(work, "archived", f"The {called} is archived: it goes on when it is restored.")
    return await _parent_left_out(work, crm)


async def _parent_left_out(work: Work, crm: Record) -> Settlement | None:
    above = work.above(Side.CRM, crm.parent) if crm.parent else None
    if above is None:
        return None
    known = await work.store.find(above, Side.CRM, crm.parent)
    if known is None or known[0].state != LinkState.EXCLUDED or not is_pair(known[0]):
        return None
    return replace(waiting(work.target, work.link, above, OBJECTS[above.object].called[Side.CRM]), waits_for=None)


def _refusal(work: Work, seen: Mapping[Side, Seen]) -> str:
    conditions = work.settings.only
    fields = {side: work.records[side].fields() for side in Side}
    return filters.unknown(conditions, fields) or filters.refusal(conditions, seen)


def _excluded(work: Work, problem: str, detail: str) -> Settlement | None:
    return put_aside(work.target, work.link, LinkState.EXCLUDED, problem, detail) if detail else None

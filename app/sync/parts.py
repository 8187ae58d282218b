"""A record that is a part of its parent's: a client's balance is a part of the client, and of its contact.

It has its parent's id on both sides, so its partner is known as soon as the parent's pair is made. Where the parent
gets another partner, so does the part; where the parent loses its partner, the part waits with it.
"""

from dataclasses import replace

from app.errors import Wait
from app.models.link import LinkState
from app.sync.merge import Base
from app.sync.objects import OBJECTS
from app.sync.participation import left_out, takes_part
from app.sync.records import Side
from app.sync.settlements import put_aside, waiting
from app.sync.statements import COLUMN
from app.sync.store import LinkRow, Settlement
from app.sync.work import BUSY, Work

_GONE = {Side.CRM: "crm_gone", Side.BILLING: "billing_gone"}


async def bring_part_in_step(work: Work) -> Settlement:
    side = work.target.side
    above = replace(work.target, object=work.type.parent)
    found = await work.store.find(above, side, above.external_id)
    if found is None or not takes_part(found[0]):
        end = waiting(work.target, work.link, above, OBJECTS[above.object].called[side])
        return replace(end, link={**end.link, COLUMN[side.other]: None})
    parent = found[0]
    known = replace(
        work,
        link=replace(work.link, crm_id=parent.crm_id, billing_id=parent.billing_id, billing_part=parent.billing_part),
    )
    crm, billing = await known.fetch(Side.CRM), await known.fetch(Side.BILLING)
    if crm is None or billing is None:
        gone = Side.CRM if crm is None else Side.BILLING
        detail = f"Its {work.type.called[gone]} is gone."
        return put_aside(work.target, work.link, LinkState.UNLINKED, _GONE[gone], detail)
    if away := await left_out(known, crm, billing):
        return away
    await _make_room(work, known.link.id_on(side.other) or "")
    base = _base(work.link, parent)
    return await known.bring_in_step(crm, billing, base=base, action="updated" if base else "linked")


async def _make_room(work: Work, partner: str) -> None:
    """The partner had another parent before, whose part still holds it."""
    found = await work.store.find(work.target, work.target.side.other, partner)
    if found and found[0].id != work.link.id and not await work.store.cut(found[0], "moved"):
        raise Wait(BUSY, "its partner is being looked at")


def _base(link: LinkRow, parent: LinkRow) -> Base | None:
    """What was agreed on with another partner says nothing about this one."""
    if (link.crm_id, link.billing_id) != (parent.crm_id, parent.billing_id):
        return None
    if link.base_crm is None or link.base_billing is None:
        return None
    return Base(link.base_crm, link.base_billing)

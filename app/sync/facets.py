"""A record that is an aspect of its parent's: a client's balance is one of the client, and of its contact.

It has its parent's id on both sides, so its partner is known as soon as the parent's pair is made. Where the parent
gets another partner, so does the facet; where the parent loses its partner, the facet waits with it.

A client that is a business has many contacts, and one of them shows it: the one that was linked first.
"""

from dataclasses import replace

from app.errors import Wait
from app.models.link import LinkState
from app.sync.deletions import GONE
from app.sync.merge import Base
from app.sync.objects import OBJECTS
from app.sync.pairing import pair_of
from app.sync.participation import left_out
from app.sync.records import Side, owner_of
from app.sync.settlements import put_aside, waiting
from app.sync.statements import COLUMN
from app.sync.store import LinkRow, Settlement
from app.sync.work import BUSY, Work


async def bring_facet_in_step(work: Work) -> Settlement:
    side = work.target.side
    above = replace(work.target, object=work.type.parent)
    parent = await pair_of(work, above)
    if parent is None:
        end = waiting(work.target, work.link, above, OBJECTS[above.object].called[side])
        return replace(end, link={**end.link, COLUMN[side.other]: None})
    parent = replace(parent, billing_id=owner_of(parent.billing_id or ""))
    if shown := await _shown_elsewhere(work, parent):
        return shown
    known = replace(
        work,
        link=replace(work.link, crm_id=parent.crm_id, billing_id=parent.billing_id, billing_part=parent.billing_part),
    )
    crm, billing = await known.fetch(Side.CRM), await known.fetch(Side.BILLING)
    if crm is None or billing is None:
        gone = Side.CRM if crm is None else Side.BILLING
        detail = f"Its {work.type.called[gone]} is gone."
        return put_aside(work.target, work.link, LinkState.UNLINKED, GONE[gone], detail)
    if away := await left_out(known, crm, billing):
        return away
    await _make_room(work, known.link.id_on(side.other) or "")
    base = _base(work.link, parent)
    end = await known.bring_in_step(crm, billing, base=base, action="updated" if base else "linked")
    return replace(end, link={**end.link, "name": parent.name, "words": parent.words})


async def _shown_elsewhere(work: Work, parent: LinkRow) -> Settlement | None:
    """Another contact of the same client was linked before this one."""
    whole = replace(work.target, object=work.type.parent, side=Side.BILLING, external_id=parent.billing_id or "")
    first = await work.store.first_part(whole)
    if first is None or first.crm_id == parent.crm_id:
        return None
    detail = f"Its {work.type.called[Side.BILLING]} has several contacts; {first.crm_id} shows it."
    return put_aside(work.target, work.link, LinkState.EXCLUDED, "shown_elsewhere", detail)


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

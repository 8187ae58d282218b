"""One attempt to bring one record in step with its partner, from a claimed link to its settlement.

    both ids known   -> fetch both           no transaction is open during any call
                        one is gone          -> unlink, archive by policy
                        merge, write         `work.Work`
    one id known     -> fetch it             `pairing.pair_up`
                        reserve              twins wait here for each other
                        look for a partner   -> link it, or create it, or leave it to a person
    settle                                   one transaction: base, activity, events

Whatever a vendor says no to leaves as an exception of `app.errors`; `app.jobs` decides what happens then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from app.directory import BridgeView
from app.errors import Wait
from app.models.link import LinkState
from app.providers.base import Account, KeyKind, MatchKey, Records
from app.sync.fieldmap import resolve
from app.sync.merge import Base
from app.sync.objects import OBJECTS, CrmDeleted
from app.sync.pairing import first_values, pair_up
from app.sync.parts import Move, base_after, move, whereabouts
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side
from app.sync.settlements import put_aside
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY, Work, is_pair


class Opener(Protocol):
    def __call__(self, bridge: BridgeView, side: Side) -> Account: ...


@dataclass(frozen=True, slots=True)
class Engine:
    store: Store
    open: Opener
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def sync(self, target: Target, bridge: BridgeView, link: LinkRow) -> str:
        """Bring the record and its partner in step; returns the outcome. `link` was claimed for `target`."""
        work = self._work(target, bridge, link)
        try:
            return await self._attempt(work)
        finally:
            await work.let_go()

    async def _attempt(self, work: Work) -> str:
        target, link = work.target, work.link
        end = await (self._pair(work) if link.crm_id and link.billing_id else pair_up(work))
        if end is not None and end.waits_for:
            return await self._wait(work, end)
        if end is None:
            stored = await self.store.forget(target, link, outcome="gone before it had a partner")
        else:
            stored = await self.store.settle(target, link, end)
        if not stored:
            raise Wait(BUSY, "the claim was lost")
        if end and end.outcome in ("created", "linked"):
            await self._tell_children(work, end)
        if end and end.parts:
            await self.store.queue(*(replace(target, external_id=part) for part in end.parts))
        return end.outcome if end else "gone"

    async def _tell_children(self, work: Work, end: Settlement) -> None:
        """A pair was made: whoever waited for it goes on, and the parts of its record in billing are looked at."""
        children = [each for each in OBJECTS.values() if each.parent == work.type.name]
        children = [each for each in children if work.bridge.settings.of(each.name).enabled]
        if children:
            await self.store.wake(work.target, end.link)
        if work.target.side is Side.BILLING or end.outcome == "linked":
            whole = replace(work.target, side=Side.BILLING, external_id=end.link["billing_id"])
            await self.store.queue(*(replace(whole, object=each.name) for each in children if each.part))

    async def _wait(self, work: Work, end: Settlement) -> str:
        """For its parent, which is looked at now where that has not happened yet.

        The parent is asked for once more after the wait is stored: it may have been linked in between, and waking
        whoever waits finds only what is stored.
        """
        if not await self.store.settle(work.target, work.link, end):
            raise Wait(BUSY, "the claim was lost")
        parent = replace(work.target, object=work.type.parent, external_id=end.waits_for)
        known = await self.store.find(parent, parent.side, parent.external_id)
        linked = known is not None and is_pair(known[0])
        await self.store.queue(work.target if linked else parent)
        return end.outcome

    def _work(self, target: Target, bridge: BridgeView, link: LinkRow) -> Work:
        settings = bridge.settings.of(target.object)
        records = {side: self.open(bridge, side).records(target.object, settings) for side in Side}
        slot = records[Side.BILLING].slot
        rules, _ = resolve(
            settings.pairs(),
            records[Side.CRM].fields(),
            records[Side.BILLING].fields(),
            reserved=slot,
            direction=settings.direction,
        )
        return Work(
            type=OBJECTS[target.object],
            settings=settings,
            target=target,
            bridge=bridge,
            link=link,
            records=records,
            rules=rules,
            slot=slot,
            store=self.store,
            now=self.now,
            parents=partial(self._parents, target, bridge),
        )

    def _parents(self, target: Target, bridge: BridgeView, side: Side) -> Records:
        name = OBJECTS[target.object].parent
        return self.open(bridge, side).records(name, bridge.settings.of(name))

    async def _pair(self, work: Work) -> Settlement:
        cut = work.link.state == LinkState.UNLINKED
        if cut and work.link.problem not in _RETURNABLE:
            return _put_aside(work, work.link.problem)
        # Billing last: its PUT sends whole lists back, so as little time as possible lies between its GET and its PUT.
        crm = await work.fetch(Side.CRM)
        to = await whereabouts(work, crm) if crm and not cut else None
        if isinstance(to, Settlement):
            return to
        billing = await work.fetch(Side.BILLING)
        if crm is None and cut and work.link.problem != "billing_gone":  # decided once; what people did since stays
            return _put_aside(work, work.link.problem)
        if crm is None:
            return await self._crm_gone(work, billing)
        if to is not None:
            return await self._moved(work, to, crm, billing)
        if billing is None:
            return _put_aside(work, "billing_gone")
        if cut and billing.presence is Presence.ARCHIVED and work.link.problem == "crm_gone_archived":
            await work.records[Side.BILLING].restore(billing)
        action, detail = ("linked", "it came back") if cut else ("updated", "")
        return await work.bring_in_step(crm, billing, base=_base(work.link), action=action, detail=detail)

    async def _moved(self, work: Work, to: Move, crm: Record, billing: Record | None) -> Settlement:
        values = first_values(work.rules_for(to.whole), Side.BILLING, crm).values_for(Side.BILLING)
        moved, detail = await move(work, to, crm, billing, values)
        base = base_after(work, moved, _base(work.link))
        end = await work.bring_in_step(crm, moved, base=base, action="moved", detail=detail)
        if to.attach:  # the others of its client are news now as well
            await self.store.queue(replace(work.target, side=Side.BILLING, external_id=to.whole))
        return end

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        heir = await self._heir(work, billing) if billing and work.type.person else None
        if heir is not None and billing is not None:
            return await work.bring_in_step(
                heir, billing, base=None, action="linked", detail="the contact was merged into this one"
            )
        problem = "crm_gone"
        # One person cannot be put away alone: it stays a contact of its client.
        alone = billing is not None and not (work.type.part and billing.parent)
        if billing is not None and alone and work.settings.crm_deleted is CrmDeleted.ARCHIVE:
            problem = "crm_gone_archived"
            if billing.presence is Presence.ACTIVE:
                await work.records[Side.BILLING].archive(billing)
        return _put_aside(work, problem)

    async def _heir(self, work: Work, billing: Record) -> Record | None:
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


def _base(link: LinkRow) -> Base | None:
    if link.base_crm is None or link.base_billing is None:
        return None
    return Base(link.base_crm, link.base_billing)


# Pairs that were cut because a side was gone, not by a person: it may come back (a client restored from the bin).
_RETURNABLE = {"billing_gone", "crm_gone", "crm_gone_archived"}
_DETAILS = {
    "billing_gone": "The {billing} was deleted in billing. The {crm} is kept, and not synced any more.",
    "crm_gone": "The {crm} was deleted in the CRM. The {billing} is kept, and not synced any more.",
    "crm_gone_archived": "The {crm} was deleted in the CRM. The {billing} was archived, and is not synced any more.",
}


def _put_aside(work: Work, problem: str) -> Settlement:
    detail = _DETAILS.get(problem, "").format(**{side.value: word for side, word in work.type.called.items()})
    return put_aside(work.target, work.link, LinkState.UNLINKED, problem, detail)

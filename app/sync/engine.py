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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from app.directory import BridgeView
from app.errors import Wait
from app.models.link import LinkState
from app.providers.base import Account, KeyKind, MatchKey
from app.sync.fieldmap import resolve
from app.sync.matching import email_of
from app.sync.merge import Base
from app.sync.pairing import pair_up
from app.sync.policy import CrmDeleted
from app.sync.records import Presence, Record, Side
from app.sync.settlements import put_aside
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY, Work


class Opener(Protocol):
    def __call__(self, bridge: BridgeView, side: Side) -> Account: ...


@dataclass(frozen=True, slots=True)
class Engine:
    store: Store
    open: Opener
    slots: Callable[[BridgeView], str]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def sync(self, target: Target, bridge: BridgeView, link: LinkRow) -> str:
        """Bring the record and its partner in step; returns the outcome. `link` was claimed for `target`."""
        work = self._work(target, bridge, link)
        end = await (self._pair(work) if link.crm_id and link.billing_id else pair_up(work))
        if end is None:
            stored = await self.store.forget(target, link, outcome="gone before it had a partner")
        else:
            stored = await self.store.settle(target, link, end)
        if not stored:
            raise Wait(BUSY, "the claim was lost")
        return end.outcome if end else "gone"

    def _work(self, target: Target, bridge: BridgeView, link: LinkRow) -> Work:
        records = {side: self.open(bridge, side).records(target.object) for side in Side}
        slot = self.slots(bridge)
        rules, _ = resolve(
            bridge.settings.contact.pairs(),
            records[Side.CRM].fields(),
            records[Side.BILLING].fields(),
            reserved=slot,
            direction=bridge.settings.contact.direction,
        )
        return Work(
            target=target,
            bridge=bridge,
            link=link,
            records=records,
            rules=rules,
            slot=slot,
            store=self.store,
            now=self.now,
        )

    async def _pair(self, work: Work) -> Settlement:
        cut = work.link.state == LinkState.UNLINKED
        if cut and work.link.problem not in _RETURNABLE:
            return put_aside(work.target, work.link, LinkState.UNLINKED, work.link.problem, _detail(work.link.problem))
        # Billing last: its PUT sends whole lists back, so as little time as possible lies between its GET and its PUT.
        pair = {side: await work.fetch(side) for side in (Side.CRM, Side.BILLING)}
        crm, billing = pair[Side.CRM], pair[Side.BILLING]
        if crm is None and cut and work.link.problem != "billing_gone":  # decided once; what people did since stays
            return put_aside(work.target, work.link, LinkState.UNLINKED, work.link.problem, _detail(work.link.problem))
        if crm is None:
            return await self._crm_gone(work, billing)
        if billing is None:
            return put_aside(work.target, work.link, LinkState.UNLINKED, "billing_gone", _detail("billing_gone"))
        if cut and billing.presence is Presence.ARCHIVED and work.link.problem == "crm_gone_archived":
            await work.records[Side.BILLING].restore(billing)
        action, detail = ("linked", "it came back") if cut else ("updated", "")
        return await work.bring_in_step(crm, billing, base=_base(work.link), action=action, detail=detail)

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        heir = await self._heir(work, billing) if billing else None
        if heir is not None and billing is not None:
            return await work.bring_in_step(
                heir, billing, base=None, action="linked", detail="the contact was merged into this one"
            )
        problem = "crm_gone"
        if billing is not None and work.bridge.settings.contact.crm_deleted is CrmDeleted.ARCHIVE:
            problem = "crm_gone_archived"
            if billing.presence is Presence.ACTIVE:
                await work.records[Side.BILLING].archive(billing)
        return put_aside(work.target, work.link, LinkState.UNLINKED, problem, _detail(problem))

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
    "billing_gone": "The client was deleted in billing. The contact is kept, and not synced any more.",
    "crm_gone": "The contact was deleted in the CRM. The client is kept, and not synced any more.",
    "crm_gone_archived": "The contact was deleted in the CRM. The client was archived, and is not synced any more.",
}


def _detail(problem: str) -> str:
    return _DETAILS.get(problem, "")

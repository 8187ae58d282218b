"""One attempt to bring one record in step with its partner, from a claimed link to its settlement.

    both ids known   -> fetch both           no transaction is open during any call
                        one is gone          -> unlink, archive or delete by policy: `deletions`
                        left out by a filter -> excluded: `participation`
                        merge, write         `work.Work`
    one id known     -> fetch it             `pairing.pair_up`
                        reserve              twins wait here for each other
                        look for a partner   -> link it, or create it, or leave it to a person
    a part of its parent                     `parts.bring_part_in_step`
    written once, and was                    nothing
    settle                                   one transaction: base, activity, events

Whatever a vendor says no to leaves as an exception of `app.errors`; `app.jobs` decides what happens then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from app.directory import BridgeView
from app.errors import Wait
from app.models.link import LinkState
from app.providers.base import Account
from app.sync.deletions import RETURNABLE, billing_gone, crm_gone, crm_put_away, heir, unlinked
from app.sync.fieldmap import resolve
from app.sync.merge import Base
from app.sync.objects import OBJECTS
from app.sync.pairing import pair_up
from app.sync.participation import PUT_AWAY, filtered, left_out, takes_part
from app.sync.parts import bring_part_in_step
from app.sync.records import Presence, Record, Side
from app.sync.settlements import TOO_EARLY, as_it_was
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY, Work, alive


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
        end = await self._attempt(work)
        if end is not None and end.waits_for:
            return await self._wait(work, end)
        if end is None:
            stored = await self.store.forget(target, link, outcome="gone before it had a partner")
        else:
            stored = await self.store.settle(target, link, end)
        if not stored:
            raise Wait(BUSY, "the claim was lost")
        if end and end.outcome in ("created", "linked") and _has_children(work):
            await self.store.wake(target, end.link)
        return end.outcome if end else "gone"

    async def _attempt(self, work: Work) -> Settlement | None:
        link = work.link
        if work.type.part_of_parent:
            return await bring_part_in_step(work)
        if work.type.once and ((link.crm_id and link.billing_id) or link.problem == TOO_EARLY):
            return as_it_was(link)
        return await (self._pair(work) if link.crm_id and link.billing_id else pair_up(work))

    async def _wait(self, work: Work, end: Settlement) -> str:
        """For its parent, which is looked at now where that has not happened yet.

        The parent is asked for once more after the wait is stored: it may have been linked in between, and waking
        whoever waits finds only what is stored.
        """
        if not await self.store.settle(work.target, work.link, end):
            raise Wait(BUSY, "the claim was lost")
        parent = replace(work.target, object=work.type.parent, external_id=end.waits_for)
        known = await self.store.find(parent, parent.side, parent.external_id)
        linked = known is not None and takes_part(known[0])
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
        )

    async def _pair(self, work: Work) -> Settlement | None:
        problem = work.link.problem
        cut = work.link.state == LinkState.UNLINKED
        if cut and problem not in RETURNABLE:
            return unlinked(work, problem)
        # Billing last: its PUT sends whole lists back, so as little time as possible lies between its GET and its PUT.
        crm = await work.fetch(Side.CRM)
        shown = await work.look(Side.BILLING)
        billing = alive(shown)
        if crm is None and billing and cut and problem == "billing_gone_deleted" and work.target.side is Side.BILLING:
            return await pair_up(work)  # restored, after its partner was deleted with it
        if crm is None and cut and problem != "billing_gone":  # decided once; what people did since stays
            return unlinked(work, problem)
        if crm is None:
            return await self._crm_gone(work, billing)
        if cut and crm.presence is Presence.ARCHIVED:
            return unlinked(work, problem)
        if shown is not None:
            await work.take_turn(shown)
        if cut and problem in PUT_AWAY and shown is not None:
            if away := filtered(work, {Side.CRM: crm, Side.BILLING: shown}):
                return away
            billing = await work.bring_back(Side.BILLING) if problem == "crm_gone_deleted" or billing else None
        if billing is None:
            return await billing_gone(work, crm, shown)
        if away := await left_out(work, crm, billing):
            return away
        if crm.presence is Presence.ARCHIVED:
            return await crm_put_away(work, crm, billing, _base(work.link))
        action, detail = ("linked", _CAME_BACK[work.link.state]) if work.link.state in _CAME_BACK else ("updated", "")
        return await work.bring_in_step(crm, billing, base=_base(work.link), action=action, detail=detail)

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        merged = await heir(work, billing) if billing and work.type.person else None
        if merged is None or billing is None:
            return await crm_gone(work, billing)
        return await left_out(work, merged, billing) or await work.bring_in_step(
            merged, billing, base=None, action="linked", detail="the contact was merged into this one"
        )


_CAME_BACK = {LinkState.UNLINKED.value: "it came back", LinkState.EXCLUDED.value: "it takes part again"}


def _base(link: LinkRow) -> Base | None:
    if link.base_crm is None or link.base_billing is None:
        return None
    return Base(link.base_crm, link.base_billing)


def _has_children(work: Work) -> bool:
    settings = work.bridge.settings
    return any(each.parent == work.type.name and settings.of(each.name).enabled for each in OBJECTS.values())

"""One attempt to bring one record in step with its partner, from a claimed link to its settlement.

    both ids known   -> fetch both           no transaction is open during any call
                        one is gone          -> unlink, archive by policy
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
from app.errors import Unsupported, Wait
from app.models.link import LinkState
from app.providers.base import Account, KeyKind, MatchKey
from app.sync.fieldmap import resolve
from app.sync.merge import Base
from app.sync.objects import OBJECTS, CrmDeleted
from app.sync.pairing import is_pair, pair_up
from app.sync.parts import bring_part_in_step
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side
from app.sync.settlements import TOO_EARLY, as_it_was, put_aside
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY, Work


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
        )

    async def _pair(self, work: Work) -> Settlement:
        cut = work.link.state == LinkState.UNLINKED
        if cut and work.link.problem not in _RETURNABLE:
            return _put_aside(work, work.link.problem)
        # Billing last: its PUT sends whole lists back, so as little time as possible lies between its GET and its PUT.
        pair = {side: await work.fetch(side) for side in (Side.CRM, Side.BILLING)}
        crm, billing = pair[Side.CRM], pair[Side.BILLING]
        if crm is None and cut and work.link.problem != "billing_gone":  # decided once; what people did since stays
            return _put_aside(work, work.link.problem)
        if crm is None:
            return await self._crm_gone(work, billing)
        if billing is None:
            return _put_aside(work, "billing_gone")
        if cut and crm.presence is Presence.ARCHIVED:
            return _put_aside(work, work.link.problem)
        await work.take_turn(billing)
        if crm.presence is Presence.ARCHIVED:
            return await self._crm_put_away(work, crm, billing)
        if cut and billing.presence is Presence.ARCHIVED and work.link.problem in _ARCHIVED_BY_US:
            await work.records[Side.BILLING].restore(billing)
        action, detail = ("linked", "it came back") if cut else ("updated", "")
        return await work.bring_in_step(crm, billing, base=_base(work.link), action=action, detail=detail)

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        heir = await self._heir(work, billing) if billing and work.type.person else None
        if heir is not None and billing is not None:
            return await work.bring_in_step(
                heir, billing, base=None, action="linked", detail="the contact was merged into this one"
            )
        if billing is None or work.settings.crm_deleted is not CrmDeleted.ARCHIVE:
            return _put_aside(work, "crm_gone")
        await work.take_turn(billing)
        try:
            if billing.presence is Presence.ACTIVE:
                await work.records[Side.BILLING].archive(billing)
        except Unsupported as refusal:
            return _put_aside(work, "crm_gone", refusal.reason)
        return _put_aside(work, "crm_gone_archived")

    async def _crm_put_away(self, work: Work, crm: Record, billing: Record) -> Settlement:
        """Its partner learns why, and is put away as well; both come back together."""
        told = await work.bring_in_step(crm, billing, base=_base(work.link), action="updated")
        if billing.presence is Presence.ACTIVE:
            await work.records[Side.BILLING].archive(billing)
        aside = _put_aside(work, "crm_put_away")
        changes = told.activity["changes"] if told.activity else []
        activity = {**aside.activity, "changes": changes} if aside.activity else None
        return replace(aside, link={**told.link, **aside.link}, activity=activity)

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
_RETURNABLE = {"billing_gone", "crm_gone", "crm_gone_archived", "crm_put_away"}
_ARCHIVED_BY_US = {"crm_gone_archived", "crm_put_away"}
_DETAILS = {
    "billing_gone": "The {billing} was deleted in billing. The {crm} is kept, and not synced any more.",
    "crm_gone": "The {crm} was deleted in the CRM. The {billing} is kept, and not synced any more.",
    "crm_put_away": "The {crm} was put away in the CRM. The {billing} was archived, until it is back.",
    "crm_gone_archived": "The {crm} was deleted in the CRM. The {billing} was archived, and is not synced any more.",
}


def _has_children(work: Work) -> bool:
    settings = work.bridge.settings
    return any(each.parent == work.type.name and settings.of(each.name).enabled for each in OBJECTS.values())


def _put_aside(work: Work, problem: str, why: str = "") -> Settlement:
    detail = _DETAILS.get(problem, "").format(**{side.value: word for side, word in work.type.called.items()})
    detail = f"{detail} It was not archived: {why}." if why else detail
    return put_aside(work.target, work.link, LinkState.UNLINKED, problem, detail)

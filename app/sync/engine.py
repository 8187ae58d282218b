"""One attempt to bring one record in step with its partner, from a claimed link to its settlement.

    both ids known   -> fetch both           no transaction is open during any call
                        one is gone          -> unlink, archive or delete by policy: `deletions`
                        left out by a filter -> excluded: `participation`
                        merge, write         `work.Work`
    one id known     -> fetch it             `pairing.pair_up`
                        reserve              twins wait here for each other
                        look for a partner   -> link it, or create it, or leave it to a person
    an aspect of its parent                  `facets.bring_facet_in_step`
    written once, and was                    nothing
    settle                                   one transaction: base, activity, events

Whatever a vendor says no to leaves as an exception of `app.errors`; `app.jobs` decides what happens then.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from app.directory import BridgeView
from app.errors import CrossledgerError, Several, Wait
from app.models.link import LinkState
from app.providers.base import Account, Records
from app.sync.choosing import LEFT_OUT, kept_apart
from app.sync.decisions import Decisions
from app.sync.deletions import (
    MERGED,
    RETURNABLE,
    billing_gone,
    billing_merged,
    crm_gone,
    crm_put_away,
    heir,
    unlinked,
)
from app.sync.facets import bring_facet_in_step
from app.sync.merge import Base
from app.sync.naming import called
from app.sync.objects import OBJECTS
from app.sync.pairing import first_values, pair_of, pair_up
from app.sync.participation import PUT_AWAY, filtered, left_out
from app.sync.parts import Move, base_after, move, whereabouts
from app.sync.records import Presence, Record, Side
from app.sync.resolving import resolved
from app.sync.settlements import ONE_WAY, TOO_EARLY, UNDONE, as_it_was
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.work import BUSY, Work, alive


class Opener(Protocol):
    def __call__(self, bridge: BridgeView, side: Side, /) -> Account: ...


@dataclass(frozen=True, slots=True)
class Engine:
    store: Store
    open: Opener
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def sync(self, target: Target, bridge: BridgeView, link: LinkRow, *, asked: bool = False) -> str:
        """Bring the record and its partner in step; returns the outcome. `link` was claimed for `target`.

        `asked`: a person wants this very record, also where its pair was undone.
        """
        work = replace(self.work(target, bridge, link), asked=asked)
        try:
            return await self._attempt(work)
        except CrossledgerError as failure:
            if not isinstance(failure, Wait) and (columns := _called(work)):
                await self.store.call(link, columns["name"], columns["words"])
            raise
        finally:
            await work.let_go()

    async def _attempt(self, work: Work) -> str:
        target, link = work.target, work.link
        if not (link.crm_id and link.billing_id) and target.side.other not in work.type.made_on:
            return await self._forget(work)
        try:
            end = await self._end(work)
        except Several as found:
            return await self._one_by_one(work, found.ids)
        end = _told(work, end) if end is not None else None
        if end is not None and end.waits_for:
            return await self._wait(work, end, end.waits_for)
        if end is None:
            stored = await self.store.forget(target, link, outcome="gone before it had a partner")
        else:
            stored = await self.store.settle(target, link, end)
        if not stored:
            raise Wait(BUSY, "the claim was lost")
        if end and end.outcome in ("created", "linked"):
            await self._tell_children(work, end)
        if end and end.sum and end.activity and work.type.counted:
            await self._tell_parent(work)
        if end and end.parts:
            await self.store.queue(*(replace(target, external_id=part) for part in end.parts))
        return end.outcome if end else "gone"

    async def _forget(self, work: Work) -> str:
        if not await self.store.forget(work.target, work.link, outcome=f"belongs to no linked {work.type.name}"):
            raise Wait(BUSY, "the claim was lost")
        return "not linked"

    async def _one_by_one(self, work: Work, ids: tuple[str, ...]) -> str:
        """What was told of stands for other records: each is looked at by itself, and this is no record."""
        await self.store.queue(*(replace(work.target, external_id=external_id) for external_id in ids))
        outcome = f"stands for {len(ids)} {work.type.plural}"
        if not await self.store.forget(work.target, work.link, outcome=outcome):
            raise Wait(BUSY, "the claim was lost")
        return outcome

    async def _end(self, work: Work) -> Settlement | None:
        link = work.link
        if link.problem == LEFT_OUT:
            return as_it_was(link)
        if apart := kept_apart(work):
            return apart
        if work.type.facet:
            return await bring_facet_in_step(work)
        if work.type.once and ((link.crm_id and link.billing_id) or link.problem == TOO_EARLY):
            return as_it_was(link)
        return await (self._pair(work) if link.crm_id and link.billing_id else pair_up(work))

    async def _tell_children(self, work: Work, end: Settlement) -> None:
        """A pair was made: whoever waited for it goes on, and the parts of its record in billing are looked at."""
        children = [each for each in OBJECTS.values() if each.parent == work.type.name]
        children = [each for each in children if work.bridge.settings.of(each.name).enabled]
        if children:
            await self.store.wake(work.target, end.link)
        if work.target.side is Side.BILLING or end.outcome == "linked":
            whole = replace(work.target, side=Side.BILLING, external_id=end.link["billing_id"])
            await self.store.queue(*(replace(whole, object=each.name) for each in children if each.part))

    async def _tell_parent(self, work: Work) -> None:
        """Of an invoice that was paid, no field has changed that is kept in step: but it owes less."""
        parent = work.seen[Side.BILLING].parent
        await self.store.queue(
            replace(work.target, object=work.type.parent, side=Side.BILLING, external_id=parent, run_id=None)
        )

    async def _wait(self, work: Work, end: Settlement, parent: Target) -> str:
        """For its parent, which is looked at now where that has not happened yet.

        The parent is asked for once more after the wait is stored: it may have been linked in between, and waking
        whoever waits finds only what is stored.
        """
        if not await self.store.settle(work.target, work.link, end):
            raise Wait(BUSY, "the claim was lost")
        await self.store.queue(work.target if await pair_of(work, parent) else parent)
        return end.outcome

    def work(self, target: Target, bridge: BridgeView, link: LinkRow) -> Work:
        """What an attempt at this record has in hand. Whoever asks for it lets it go."""
        settings = bridge.settings.of(target.object)
        records = {side: self.open(bridge, side).records(target.object, settings) for side in Side}
        rules = bridge.rules.get(target.object)
        if rules is None:
            found, _ = resolved(settings, records)
            rules = tuple(bridge.settings.as_set(rule, target.object) for rule in found)
            bridge.rules[target.object] = rules
        return Work(
            type=OBJECTS[target.object],
            settings=settings,
            target=target,
            bridge=bridge,
            link=link,
            records=records,
            rules=rules,
            slot=records[Side.BILLING].slot,
            store=self.store,
            now=self.now,
            parents=partial(self._parents, target, bridge),
            decisions=Decisions.model_validate(link.decisions),
        )

    def _parents(self, target: Target, bridge: BridgeView, side: Side) -> Records:
        name = OBJECTS[target.object].parent
        return self.open(bridge, side).records(name, bridge.settings.of(name))

    async def _pair(self, work: Work) -> Settlement | None:
        problem = work.link.problem
        cut = work.link.state == LinkState.UNLINKED
        wanted = work.decisions.partner is not None or (problem == UNDONE and work.asked)
        if cut and problem not in RETURNABLE and not wanted:
            return unlinked(work, problem)
        if problem == MERGED:
            return await billing_merged(work)
        # Billing last: its PUT sends whole lists back, so as little time as possible lies between its GET and its PUT.
        crm = await work.fetch(Side.CRM)
        to = await whereabouts(work, crm) if crm and not cut else None
        if isinstance(to, Settlement):
            return to
        shown = await work.look(Side.BILLING)
        billing = alive(shown)
        if crm is None and billing and cut and problem == "billing_gone_deleted" and work.target.side is Side.BILLING:
            return await pair_up(work)  # restored, after its partner was deleted with it
        if crm is None and cut and problem != "billing_gone":  # decided once; what people did since stays
            return unlinked(work, problem)
        if crm is None:
            return await self._crm_gone(work, billing)
        if to is not None:
            return await self._moved(work, to, crm, billing)
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

    async def _moved(self, work: Work, to: Move, crm: Record, billing: Record | None) -> Settlement:
        if billing and (away := await left_out(work, crm, billing)):
            return away
        values = first_values(work.rules_for(to.whole), Side.BILLING, crm).values_for(Side.BILLING)
        moved, detail = await move(work, to, crm, billing, values)
        base = base_after(work, moved, _base(work.link))
        end = await work.bring_in_step(crm, moved, base=base, action="moved", detail=detail)
        if to.attach:  # the others of its client are news now as well
            await self.store.queue(replace(work.target, side=Side.BILLING, external_id=to.whole))
        return end

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        merged = await heir(work, billing) if billing and work.type.person else None
        if merged is None or billing is None:
            return await crm_gone(work, billing)
        return await left_out(work, merged, billing) or await work.bring_in_step(
            merged, billing, base=None, action="linked", detail="the contact was merged into this one"
        )


_CAME_BACK = {LinkState.UNLINKED.value: "it came back", LinkState.EXCLUDED.value: "it takes part again"}


def _told(work: Work, end: Settlement) -> Settlement:
    """With what people call the record, where that has changed, and with the money that it is about.

    So of a pair, and of what stays in billing for the direction is such; an account that several bridges share would
    tell of that at each.
    """
    paired = end.link.get("crm_id") and end.link.get("billing_id")
    counts = paired or (end.link.get("problem") == ONE_WAY and not work.bridge.shares_billing)
    billing = work.seen.get(Side.BILLING) if counts else None
    return replace(end, link={**_called(work), **end.link}, sum=billing.sum if billing else None)


def _called(work: Work) -> dict[str, str]:
    name, words = called(work.seen)
    return {"name": name, "words": words} if name and (name, words) != (work.link.name, work.link.words) else {}


def _base(link: LinkRow) -> Base | None:
    if link.base_crm is None or link.base_billing is None:
        return None
    return Base(link.base_crm, link.base_billing)

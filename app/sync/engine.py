"""One attempt to bring one record in step with its partner. The only place where both sides meet.

    claim the link's row                     one statement
    both ids known   -> fetch both           no transaction is open during any call
                        one is gone          -> unlink, archive by policy
                        merge, write, settle
    one id known     -> fetch it             excluded? gone?
                        reserve              twins wait here for each other
                        look for a partner   -> link it, or create it, or leave it to a person
    settle                                   one transaction: base, activity, events

Whatever a vendor says no to leaves as an exception of `app.errors`; `app.jobs` decides what happens then.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from app.directory import BridgeView
from app.errors import Duplicate, Gone, Rejected, Wait
from app.models.link import LinkState
from app.providers.base import Account, KeyKind, MatchKey
from app.sync import settlements
from app.sync.fieldmap import Rule, resolve
from app.sync.matching import SLOT_MARGIN, Candidates, email_of, full_name, look, twin_key
from app.sync.merge import Base, Held, Merge, merge, rebase
from app.sync.policy import CrmDeleted
from app.sync.records import Kind, Presence, Record, Side, Writable
from app.sync.settlements import in_step, put_aside
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.values import e164, fit, same

BUSY = 0.15
TWINS = timedelta(minutes=10)


class Opener(Protocol):
    def __call__(self, bridge: BridgeView, side: Side) -> Account: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Everything one attempt needs: the bridge's two accounts, opened, and the rules between them."""

    target: Target
    bridge: BridgeView
    link: LinkRow
    accounts: dict[Side, Account]
    rules: tuple[Rule, ...]
    slot: str


@dataclass(frozen=True, slots=True)
class Engine:
    store: Store
    open: Opener
    slots: Callable[[BridgeView], str]
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    async def sync(self, target: Target, bridge: BridgeView, link: LinkRow) -> str:
        """Bring the record and its partner in step; returns the outcome. `link` was claimed for `target`."""
        work = self._work(target, bridge, link)
        end = await (self._pair(work) if link.crm_id and link.billing_id else self._single(work))
        if end is None:
            await self.store.forget(target, link, outcome="gone before it had a partner")
            return "gone"
        if not await self.store.settle(target, link, end):
            raise Wait(BUSY, "the claim was lost")
        return end.outcome

    def _work(self, target: Target, bridge: BridgeView, link: LinkRow) -> Work:
        accounts = {side: self.open(bridge, side) for side in Side}
        slot = self.slots(bridge)
        rules, _ = resolve(
            bridge.settings.contact.pairs(),
            accounts[Side.CRM].fields(target.object),
            accounts[Side.BILLING].fields(target.object),
            reserved=slot,
            direction=bridge.settings.contact.direction,
        )
        return Work(target=target, bridge=bridge, link=link, accounts=accounts, rules=rules, slot=slot)

    # -- both ids are known ------------------------------------------------------------------------------------

    async def _pair(self, work: Work) -> Settlement:
        cut = work.link.state == LinkState.UNLINKED
        if cut and work.link.problem not in _RETURNABLE:
            return put_aside(work.target, work.link, LinkState.UNLINKED, work.link.problem, _detail(work.link.problem))
        pair = dict(zip(Side, await asyncio.gather(*(self._fetch(work, side) for side in Side)), strict=True))
        crm, billing = pair[Side.CRM], pair[Side.BILLING]
        if crm is None:
            return await self._crm_gone(work, billing)
        if billing is None:
            return put_aside(work.target, work.link, LinkState.UNLINKED, "billing_gone", _detail("billing_gone"))
        if cut and billing.presence is Presence.ARCHIVED and work.link.problem == "crm_gone_archived":
            await work.accounts[Side.BILLING].restore(work.target.object, billing)
        action, detail = ("linked", "it came back") if cut else ("updated", "")
        return await self._bring_in_step(work, crm, billing, base=_base(work.link), action=action, detail=detail)

    async def _fetch(self, work: Work, side: Side) -> Record | None:
        """The record now; None where it is gone or in the vendor's bin."""
        external_id = work.link.id_on(side)
        if external_id is None:
            return None
        part = work.link.billing_part if side is Side.BILLING else ""
        try:
            record = await work.accounts[side].fetch(work.target.object, external_id, part=part)
        except Gone:
            record = await self._without_its_part(work, side, external_id) if part else None
        return None if record is None or record.presence is Presence.DELETED else record

    async def _without_its_part(self, work: Work, side: Side, external_id: str) -> Record | None:
        """The linked person was taken off the client, or the client is gone. Another person is not a new name."""
        try:
            record = await work.accounts[side].fetch(work.target.object, external_id)
        except Gone:
            return None
        email = (work.link.base_billing or {}).get("email", "")
        if not same(Kind.EMAIL, email_of(record), email):
            raise Rejected(
                f"The person who was linked is no longer on client {external_id}. Enter the e-mail {email or '(none)'}"
                " for a person of that client again, or unlink the pair."
            )
        return record

    async def _crm_gone(self, work: Work, billing: Record | None) -> Settlement:
        """A contact that answers no more was deleted, or merged into another one (mautic/mautic#7466)."""
        heir = await self._heir(work, billing) if billing else None
        if heir is not None and billing is not None:
            return await self._bring_in_step(
                work, heir, billing, base=None, action="linked", detail="the contact was merged into this one"
            )
        problem = "crm_gone"
        if billing is not None and work.bridge.settings.contact.crm_deleted is CrmDeleted.ARCHIVE:
            problem = "crm_gone_archived"
            if billing.presence is Presence.ACTIVE:
                await work.accounts[Side.BILLING].archive(work.target.object, billing)
        return put_aside(work.target, work.link, LinkState.UNLINKED, problem, _detail(problem))

    async def _heir(self, work: Work, billing: Record) -> Record | None:
        email = email_of(billing)
        if not email:
            return None
        found = await work.accounts[Side.CRM].find(work.target.object, MatchKey(KeyKind.EMAIL, email))
        if len(found) != 1 or found[0].id == work.link.crm_id:
            return None
        known = await self.store.find(work.target, Side.CRM, found[0].id)
        return None if known and known[0].billing_id else found[0]

    async def _bring_in_step(
        self,
        work: Work,
        crm: Record,
        billing: Record,
        *,
        base: Base | None,
        action: str,
        detail: str = "",
        origin: str = "",
    ) -> Settlement:
        newer = _newer(crm, billing)
        merged = merge(base, crm.values, billing.values, work.rules, prefer=work.bridge.settings.prefer, newer=newer)
        pair = {Side.CRM: crm, Side.BILLING: billing}
        landed = {side: await self._write(work, side, pair, merged) for side in (Side.BILLING, Side.CRM)}
        merged = Merge(merged.changes, (*merged.held, *_refused(merged, landed)))
        after = {side: {**pair[side].values, **landed[side]} for side in Side}
        return in_step(
            work.target,
            work.link,
            pair=pair,
            base=rebase(work.rules, base, after[Side.CRM], after[Side.BILLING], merged.held),
            merged=merged,
            action=action if merged.changes or action != "updated" else "unchanged",
            now=self.now(),
            detail=detail,
            origin=origin,
        )

    async def _write(self, work: Work, side: Side, pair: dict[Side, Record], merged: Merge) -> dict[str, str]:
        """Write what differs to one side; returns the written fields as the vendor now has them."""
        values = merged.values_for(side)
        if not values:
            return {}
        slot = pair[Side.CRM].id if side is Side.BILLING and work.slot else ""
        answer = await work.accounts[side].update(work.target.object, pair[side], values, slot=slot)
        return _landed(values, answer)

    # -- one id is known ---------------------------------------------------------------------------------------

    async def _single(self, work: Work) -> Settlement | None:
        """The record has no partner yet. None: it is gone, nothing is left to do."""
        side = work.target.side
        record = await self._fetch(work, side)
        if record is None:
            return None
        if excluded := _excluded(work.bridge, side, record):
            problem, detail = excluded
            return put_aside(work.target, work.link, LinkState.EXCLUDED, problem, detail)
        await self._wait_for_partner(work, record)
        if not await self.store.reserve(work.link, work.target, match_key=twin_key(record), creating=side.other):
            raise Wait(BUSY, "a twin is being linked")
        found = await look(work.accounts[side.other], work.target.object, self._keys(work, record), record)
        if len(found.records) > 1:
            detail = f"{len(found.records)} records match by {found.by}; which one is it?"
            return settlements.ambiguous(work.target, work.link, detail, found.records)
        if found.records:
            return await self._link(work, record, found)
        return await self._create(work, record)

    async def _wait_for_partner(self, work: Work, record: Record) -> None:
        """Our own create may be answered later than the event it causes: its slot already names the partner."""
        if not record.slot:
            return
        known = await self.store.find(work.target, work.target.side.other, record.slot)
        if known is not None and known[1]:
            raise Wait(BUSY, "its partner is being linked")

    def _keys(self, work: Work, record: Record) -> list[MatchKey]:
        """Where to look for a partner. The slot costs a call of its own, so it is asked where it can have an answer:

        not for a contact entered after the bridge was made, whose first attempt this is: nothing can carry its id.
        """
        keys: list[MatchKey] = []
        other, again = work.target.side.other, work.link.creating == work.target.side.other.value
        if other is Side.CRM and record.slot:
            keys.append(MatchKey(KeyKind.SLOT, record.slot))
        entered = record.created_at
        older = entered is None or entered < work.bridge.created_at - SLOT_MARGIN
        if other is Side.BILLING and work.slot and (again or older):
            keys.append(MatchKey(KeyKind.SLOT, record.id))
        if email := email_of(record):
            keys.append(MatchKey(KeyKind.EMAIL, email))
        elif other is Side.CRM and again:
            keys.extend(_weak_keys(record))
        return keys

    async def _link(self, work: Work, record: Record, found: Candidates) -> Settlement:
        (partner,) = found.records
        side = work.target.side
        known = await self.store.find(work.target, side.other, partner.id)
        if known is not None:
            other, busy = known
            if busy and other.id_on(side) is None:
                raise Wait(BUSY, "its partner is being looked at")
            if other.id_on(side) and other.state != LinkState.UNLINKED:
                return await self._taken(work, record, partner, other, found.by)
        pair = {side: record, side.other: partner}
        return await self._bring_in_step(
            work,
            pair[Side.CRM],
            pair[Side.BILLING],
            base=None,
            action="linked",
            detail=f"found by {found.by}",
            origin="matched",
        )

    async def _taken(self, work: Work, record: Record, partner: Record, other: LinkRow, by: str) -> Settlement:
        """The only candidate belongs to another record already."""
        if work.target.side is Side.BILLING and (ours := await self._our_twin(work, record, other)):
            return await self._replace_twin(work, record, partner, other, ours)
        detail = f"the only match by {by} ({partner.id}) is already linked to {other.id_on(work.target.side)}"
        return settlements.ambiguous(work.target, work.link, detail, [partner])

    async def _our_twin(self, work: Work, record: Record, other: LinkRow) -> Record | None:
        """The client that we made for the contact while a person was making `record`: untouched, and as young."""
        born_together = record.created_at and abs(record.created_at - other.created_at) < TWINS
        if other.origin != "created_billing" or not born_together or other.billing_id is None:
            return None
        ours = await work.accounts[Side.BILLING].fetch(work.target.object, other.billing_id, part=other.billing_part)
        base = other.base_billing or {}
        touched = any(
            not same(rule.billing.kind, ours.values.get(rule.billing.name, ""), base.get(rule.name, ""))
            for rule in work.rules
        )
        return None if touched or ours.presence is not Presence.ACTIVE else ours

    async def _replace_twin(
        self, work: Work, record: Record, partner: Record, other: LinkRow, ours: Record
    ) -> Settlement:
        """Keep the person's client, archive ours: the twins end as one pair."""
        if not await self.store.cut(other, "twin"):
            raise Wait(BUSY, "its twin is being looked at")
        await work.accounts[Side.BILLING].archive(work.target.object, ours)
        detail = f"entered on both sides at once; the client that we made ({ours.id}) was archived"
        return await self._bring_in_step(
            work, partner, record, base=None, action="linked", detail=detail, origin="matched"
        )

    async def _create(self, work: Work, record: Record) -> Settlement:
        side = work.target.side.other
        values, held = _first_values(work.rules, side, record)
        slot = record.id if side is Side.BILLING and work.slot else ""
        try:
            answer = await work.accounts[side].create(work.target.object, values, slot=slot)
        except Duplicate as refusal:
            return await self._refused_as_duplicate(work, record, refusal)
        landed = _landed(values, answer)
        made = Merge(settlements.created_changes(work.rules, side, values), held)
        pair = {side.other: record, side: answer}
        after = {side.other: record.values, side: {**answer.values, **landed}}
        return in_step(
            work.target,
            work.link,
            pair=pair,
            base=rebase(work.rules, None, after[Side.CRM], after[Side.BILLING], held),
            merged=made,
            action="created",
            now=self.now(),
            origin=f"created_{side.value}",
        )

    async def _refused_as_duplicate(self, work: Work, record: Record, refusal: Duplicate) -> Settlement:
        """The vendor allows no second one. With the same e-mail it is the partner; by phone alone a person decides."""
        existing = await work.accounts[work.target.side.other].fetch(work.target.object, refusal.existing)
        if email_of(existing) and email_of(existing) == email_of(record):
            return await self._link(work, record, Candidates((existing,), "e-mail"))
        detail = f"the other side allows no second record like {existing.id}: {refusal}"
        return settlements.ambiguous(work.target, work.link, detail, [existing])


def _base(link: LinkRow) -> Base | None:
    if link.base_crm is None or link.base_billing is None:
        return None
    return Base(link.base_crm, link.base_billing)


def _newer(crm: Record, billing: Record) -> Side:
    if crm.updated_at and billing.updated_at and billing.updated_at > crm.updated_at:
        return Side.BILLING
    return Side.CRM


# Pairs that were cut because a side was gone, not by a person: it may come back (a client restored from the bin).
_RETURNABLE = {"billing_gone", "crm_gone", "crm_gone_archived"}
_DETAILS = {
    "billing_gone": "The client was deleted in billing. The contact is kept, and not synced any more.",
    "crm_gone": "The contact was deleted in the CRM. The client is kept, and not synced any more.",
    "crm_gone_archived": "The contact was deleted in the CRM. The client was archived, and is not synced any more.",
}


def _detail(problem: str) -> str:
    return _DETAILS.get(problem, "")


def _excluded(bridge: BridgeView, side: Side, record: Record) -> tuple[str, str] | None:
    """Why a record without a partner takes no part: a short name and a sentence."""
    if not bridge.settings.contact.direction.reaches(side.other):
        return "direction", "This bridge does not create records in that direction."
    if record.presence is Presence.ARCHIVED:
        return "archived", "The record is archived and has no partner."
    if not twin_key(record):
        return "unidentified", "It has no name, no company and no e-mail: nothing to recognise it by."
    return None


def _first_values(rules: tuple[Rule, ...], side: Side, record: Record) -> tuple[dict[str, str], tuple[Held, ...]]:
    """What a new record on `side` starts with, and what it cannot take."""
    values: dict[str, str] = {}
    held: list[Held] = []
    for rule in rules:
        spec, value = rule.spec(side), record.values.get(rule.spec(side.other).name, "")
        if not value or spec.writable is Writable.NEVER or not rule.direction.reaches(side):
            continue
        fitted = fit(spec, value)
        if fitted.refused:
            held.append(Held(rule, side, value, fitted.refused))
        else:
            values[spec.name] = fitted.value
    return values, tuple(held)


def _landed(sent: dict[str, str], answer: Record) -> dict[str, str]:
    """The sent fields as the answer shows them. An answer that leaves a field out is taken to have kept it."""
    return {name: answer.values.get(name, "") or value for name, value in sent.items()}


def _refused(merged: Merge, landed: dict[Side, dict[str, str]]) -> list[Held]:
    """Fields that were sent, accepted, and are not there (highlevel-api-docs#313)."""
    refused: list[Held] = []
    for change in merged.changes:
        spec = change.rule.spec(change.side)
        kept = landed[change.side][spec.name]
        if not same(spec.kind, kept, change.after) and same(spec.kind, kept, change.before):
            refused.append(Held(change.rule, change.side, change.after, "accepted by the API, but not kept"))
    return refused


def _weak_keys(record: Record) -> list[MatchKey]:
    """After a create whose answer was lost, for a record without e-mail: it is found by what else it has."""
    if phone := e164(record.values.get("phone", "")):
        return [MatchKey(KeyKind.PHONE, phone)]
    return [MatchKey(KeyKind.NAME, full_name(record))]

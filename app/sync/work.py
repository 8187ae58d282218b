"""What one attempt has in hand: both accounts, the rules between them, and what is done with a pair of records."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.directory import BridgeView
from app.errors import Gone, Rejected, Wait
from app.models.link import LinkState
from app.providers.base import Records
from app.sync.canonical import sums
from app.sync.decisions import Decisions
from app.sync.fieldmap import Rule
from app.sync.merge import Base, Change, Held, Merge, merge, rebase
from app.sync.objects import OBJECTS, ObjectSettings, ObjectType
from app.sync.people import email_of
from app.sync.records import Kind, Presence, Record, Side, is_part, owner_of
from app.sync.settlements import in_step
from app.sync.store import LinkRow, Settlement, Store, Target
from app.sync.values import same

BUSY = 0.15
"""Seconds until a pair that another job works on is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """`slot`: the billing field that carries the CRM id, "" where there is none.

    `settings`: the bridge's for this object. `held`: other rows that this attempt owns until it ends.
    `parents`: the records of the object that this one's records belong to. `decisions`: a person's, of this link.
    `asked`: a person wants this very record. `seen`: what was read of it and of its partner, as it was last.
    """

    type: ObjectType
    settings: ObjectSettings
    target: Target
    bridge: BridgeView
    link: LinkRow
    records: dict[Side, Records]
    rules: tuple[Rule, ...]
    slot: str
    store: Store
    now: Callable[[], datetime]
    parents: Callable[[Side], Records]
    decisions: Decisions
    held: list[Target] = field(default_factory=list)
    asked: bool = False
    seen: dict[Side, Record] = field(default_factory=dict)

    @property
    def in_parts(self) -> bool:
        """Whether records of this object can be parts of their parent's record in billing, on this bridge."""
        return self.type.part and self.bridge.settings.of(self.type.parent).enabled

    def rules_for(self, billing_parent: str) -> tuple[Rule, ...]:
        """Those of a record in billing with this parent: what the whole has, no part of it has."""
        if not (self.type.part and billing_parent):
            return self.rules
        return tuple(rule for rule in self.rules if not rule.billing.whole)

    @property
    def rules_of_pair(self) -> tuple[Rule, ...]:
        billing_id = self.link.billing_id or ""
        return self.rules_for(owner_of(billing_id) if is_part(billing_id) else "")

    def above(self, side: Side, parent: str) -> Target | None:
        """The record that one with this `parent` belongs to; None where it belongs to none that is synced."""
        if not self.type.parent or (self.type.part and not (parent and self.in_parts)):
            return None
        return replace(self.target, object=self.type.parent, side=side, external_id=parent)

    def called_above(self, side: Side) -> str:
        return OBJECTS[self.type.parent].called[side]

    async def hold(self, whole: str) -> None:
        """Until this attempt ends, no other one writes a part of this record in billing, or the record itself.

        A list of parts is written as a whole there: of two that read it at once, one would undo the other.
        """
        target = replace(self.target, object=self.type.parent, side=Side.BILLING, external_id=whole)
        if await self.store.claim(target) is None:
            raise Wait(BUSY, "another part of the same record is being looked at")
        self.held.append(target)

    async def let_go(self) -> None:
        for each in self.held:
            await self.store.release(each)

    async def fetch(self, side: Side) -> Record | None:
        """The record now; None where it is gone or in the vendor's bin."""
        return alive(await self.look(side))

    async def bring_back(self, side: Side) -> Record | None:
        """Out of the archive or the bin, where we have put it ourselves."""
        record = await self.look(side)
        if record is None or record.presence is Presence.ACTIVE:
            return record
        await self.records[side].restore(record)
        return await self.fetch(side)

    async def look(self, side: Side) -> Record | None:
        """The record now, also from the vendor's bin; None where it is not shown at all."""
        external_id = self.link.id_on(side)
        if external_id is None:
            return None
        part = self.link.billing_part if side is Side.BILLING else ""
        try:
            self.seen[side] = await self.records[side].fetch(external_id, part=part)
        except Gone:
            return await self._without_its_part(side, external_id) if part else None
        return self.seen[side]

    async def _without_its_part(self, side: Side, external_id: str) -> Record | None:
        """The linked person was taken off the client, or the client is gone. Another person is not a new name."""
        try:
            record = await self.records[side].fetch(external_id)
        except Gone:
            return None
        email = (self.link.base_billing or {}).get("email", "")
        if not same(Kind.EMAIL, email_of(record), email):
            raise Rejected(
                f"The person who was linked is no longer on client {external_id}. Enter the e-mail {email or '(none)'}"
                " for a person of that client again, or unlink the pair."
            )
        return record

    async def take_turn(self, billing: Record) -> None:
        """Raises Wait while another record of the same parent is written."""
        if self.type.in_turn:
            key = self.type.reserved(billing, billing.parent)
            if not await self.store.reserve(self.link, self.target, match_key=key, creating=Side.BILLING):
                raise Wait(BUSY, "another one of the same parent is being written")

    async def bring_in_step(
        self,
        crm: Record,
        billing: Record,
        *,
        base: Base | None,
        action: str,
        detail: str = "",
        origin: str = "",
    ) -> Settlement:
        rules = self.rules_for(billing.parent)
        merged = merge(
            base,
            crm.values,
            billing.values,
            rules,
            prefer=self.bridge.settings.prefer,
            newer=_newer(crm, billing),
            decisions=self.decisions.fields,
        )
        pair = {Side.CRM: crm, Side.BILLING: billing}
        merged = _without_locked(await self._without_vanished(merged, pair), pair)
        written = {side: await self._write(side, pair, merged) for side in (Side.BILLING, Side.CRM)}
        kept = {side: landed(merged.values_for(side), answer) for side, answer in written.items()}
        merged = Merge(as_kept(merged.changes, kept), (*merged.held, *_refused(merged, kept, written)))
        after = {side: {**pair[side].values, **kept[side]} for side in Side}
        pair = {side: replace(pair[side], id=written[side].id) for side in Side}
        self.seen.update({side: replace(written[side], values=after[side]) for side in Side})
        detail = "; ".join(part for part in (detail, action == "linked" and crm.remark) if part)
        return in_step(
            self.target,
            self.link,
            pair=pair,
            base=rebase(rules, base, after[Side.CRM], after[Side.BILLING], merged.held),
            merged=merged,
            action=action if merged.changes or action != "updated" else "unchanged",
            now=self.now(),
            detail=detail,
            origin=origin,
        )

    async def _without_vanished(self, merged: Merge, pair: Mapping[Side, Record]) -> Merge:
        """A field that was taken out of an account is absent, not emptied: it erases nothing on the other side."""
        gone: set[str] = set()
        for side in Side:
            emptied = [name for c in merged.changes if c.side is side.other for name in _emptied(c, pair)]
            gone |= set(await self.records[side].vanished(emptied)) if emptied else set()
        lost = [c for c in merged.changes if gone.intersection(_emptied(c, pair))]
        held = [Held(c.rule, c.side, "", "the field is not there any more; check the connection") for c in lost]
        return Merge(tuple(c for c in merged.changes if c not in lost), (*merged.held, *held))

    async def _write(self, side: Side, pair: dict[Side, Record], merged: Merge) -> Record:
        """Write what differs to one side; returns the record as the vendor now has it."""
        values = merged.values_for(side)
        if not values:
            return pair[side]
        slot = self.slot_for(side, pair[Side.CRM].id)
        return await self.records[side].update(pair[side], values, slot=slot)

    def slot_for(self, side: Side, crm_id: str) -> str:
        return crm_id if side is Side.BILLING and self.slot else ""


def _emptied(change: Change, pair: Mapping[Side, Record]) -> Sequence[str]:
    """The fields that are empty where the value comes from: what is there no more reads so as well."""
    rule, source = change.rule, change.side.other
    if not rule.steps:
        return () if change.after else (rule.spec(source).name,)
    return [name for name in rule.inputs(source) if not pair[source].values.get(name)]


def alive(record: Record | None) -> Record | None:
    return None if record is None or record.presence is Presence.DELETED else record


def is_pair(link: LinkRow) -> bool:
    return bool(link.crm_id and link.billing_id) and link.state != LinkState.UNLINKED


def _without_locked(merged: Merge, pair: dict[Side, Record]) -> Merge:
    """What a record does not let be written as it is now is held back, with its reason."""
    locked = {c: why for c in merged.changes if (why := pair[c.side].locked.get(c.rule.spec(c.side).name))}
    held = [Held(c.rule, c.side, c.after, _with_sums(c, why, pair)) for c, why in locked.items()]
    return Merge(tuple(c for c in merged.changes if c not in locked), (*merged.held, *held))


def _with_sums(change: Change, why: str, pair: dict[Side, Record]) -> str:
    if change.rule.crm.kind is not Kind.DOCUMENT:
        return why
    left, right = (pair[side].values.get(change.rule.spec(side).name, "") for side in Side)
    return f"{why} ({sums(left, right)})"


def landed(sent: dict[str, str], answer: Record) -> dict[str, str]:
    """The sent fields as the vendor has them now; a field that it threw away is not taken for one that it kept."""
    return {name: answer.values.get(name, "") for name in sent}


def as_kept(changes: tuple[Change, ...], kept: Mapping[Side, Mapping[str, str]]) -> tuple[Change, ...]:
    """`kept`: the values that landed, by side and its names. What the vendor has as it was sent is told once."""
    landed = ((change, kept[change.side][change.rule.spec(change.side).name]) for change in changes)
    return tuple(replace(change, kept=value) if value != change.after else change for change, value in landed)


def _refused(merged: Merge, landed: dict[Side, dict[str, str]], written: dict[Side, Record]) -> list[Held]:
    """Fields that were sent, accepted, and are not there (highlevel-api-docs#313); the answer may say why."""
    refused: list[Held] = []
    for change in merged.changes:
        spec = change.rule.spec(change.side)
        kept = landed[change.side][spec.name]
        if not same(spec.kind, kept, change.after) and same(spec.kind, kept, change.before):
            why = written[change.side].locked.get(spec.name, "accepted by the API, but not kept")
            refused.append(Held(change.rule, change.side, change.after, why))
    return refused


def _newer(crm: Record, billing: Record) -> Side:
    if crm.updated_at and billing.updated_at and billing.updated_at > crm.updated_at:
        return Side.BILLING
    return Side.CRM

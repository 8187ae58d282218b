"""One pair: its values as they are now, compared with what we had left, and back to what they were.

claim        nobody else works on the pair meanwhile
read         both sides; only those that something is wanted of
compare      what somebody has changed since is left, and listed
intend       one transaction: what will be written, and that both sides agree on it then
write        one update for each side; the vendors' webhooks of it find both sides agreed
settle       one transaction: the base, the activity, what became of each value
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.directory import BridgeView
from app.errors import CrossledgerError, Gone, Reconnect, Retry, Wait
from app.models.undo import UndoItem, UndoOutcome
from app.redaction import internal_error
from app.sync.engine import Engine
from app.sync.fieldmap import Rule
from app.sync.merge import Base, changed, rebase
from app.sync.records import FieldSpec, Record, Side, is_part, owner_of
from app.sync.store import LinkRow, Target
from app.sync.work import BUSY, Work
from app.undo.comparing import Finding, cannot, compare, ended
from app.undo.ending import end_of
from app.undo.folding import Done, Wish, fold
from app.undo.scope import Scope
from app.undo.store import ClaimLost, UndoStore, restoring
from app.undo.wholes import Wholes, cut_away

log = structlog.get_logger()


@dataclass(slots=True)
class Pair:
    """A link that something is to be undone on. `now`: its records as they were read, and as they are after a write."""

    work: Work
    done: Sequence[Done]
    wishes: list[Wish]
    now: dict[Side, Record | None] = field(default_factory=dict)

    def spec(self, wish: Wish) -> FieldSpec | None:
        return self.work.records[wish.side].fields().get(wish.name)


@dataclass(frozen=True, slots=True)
class Reverting:
    engine: Engine
    store: UndoStore

    async def preview(
        self, bridge: BridgeView, scope: Scope, link_id: int
    ) -> tuple[LinkRow, str, list[Finding]] | None:
        """What would become of a link, with its object. Reads both sides, and writes nothing. None: it is gone."""
        shown = await self.store.show(link_id)
        if shown is None:
            return None
        link, object_ = shown
        pair = await self._pair(bridge, scope, _target(bridge, object_, link, "", None), link)
        try:
            await self._read(pair)
            return link, object_, await self._compared(pair)
        except (Wait, Retry, Reconnect):
            raise
        except CrossledgerError as refusal:
            return link, object_, [cannot(wish, str(refusal)) for wish in pair.wishes]

    async def undo(self, bridge: BridgeView, scope: Scope, run_id: int, link_id: int) -> None:
        """Bring back what can be. Raises Wait, Retry and Reconnect; then nothing of it is lost, and it can go on."""
        # The same after a stop, and another one for each pair: parts of one record are written one after the other.
        claim = f"undo-{run_id}-{link_id}"
        claimed = await self.store.claim(link_id, claim)
        if claimed is None:
            if await self.store.show(link_id) is None:
                return
            raise Wait(BUSY, "the record is being looked at")
        link, object_ = claimed
        try:
            pair = await self._pair(bridge, scope, _target(bridge, object_, link, claim, run_id), link)
            try:
                if pair.wishes:
                    await self._undo(pair, await self.store.items(run_id, link_id))
            finally:
                await pair.work.let_go()
        except ClaimLost as lost:
            raise Wait(BUSY, "the claim was lost") from lost
        finally:
            await self.store.release(link_id, claim)

    async def _pair(self, bridge: BridgeView, scope: Scope, target: Target, link: LinkRow) -> Pair:
        work = self.engine.work(target, bridge, link)
        done = await self.store.done(link.id, *scope.of(bridge.id))
        names = {rule.name: {side: rule.spec(side).name for side in Side} for rule in work.rules}
        wishes = fold(done, scope, names)
        wishes += cut_away(work, done, scope, wishes)
        return Pair(work, done, wishes)

    async def _undo(self, pair: Pair, before: Sequence[UndoItem]) -> None:
        """`before`: what an attempt that was stopped has kept; it knows which writes were its own."""
        work = pair.work
        try:
            await self._read(pair)
            found = [_recalled(each, before) for each in await self._compared(pair)]
            meant = [each for each in found if restoring(each)]
            await self.store.intend(work.target, work.link, meant, self._agreed(pair, meant))
            for side in (Side.BILLING, Side.CRM):
                found = await self._write(pair, side, found)
            wholes = Wholes(pair.work, pair.now, self.store)
            found = [await wholes.do(each) if each.wish.record else each for each in found]
            base = self._agreed(pair, [each for each in found if each.write is not None])
        except (Wait, Retry, Reconnect, ClaimLost, SQLAlchemyError):
            raise
        except CrossledgerError as refusal:
            found, base = [cannot(wish, str(refusal)) for wish in pair.wishes], None
        except Exception as bug:
            log.exception("undo.bug", run=work.target.run_id, link=work.link.id)
            found, base = [cannot(wish, internal_error(bug)) for wish in pair.wishes], None
        await self.store.settle(work.target, work.link, found, end_of(work, found, base))

    async def _read(self, pair: Pair) -> None:
        """Both sides, billing last: its PUT sends whole lists back. Of what is kept in a history nothing is asked."""
        work = pair.work
        if work.type.appended or not pair.wishes:
            return
        billing_id = work.link.billing_id or ""
        if work.target.claim and is_part(billing_id):
            await work.hold(owner_of(billing_id))
        for side in Side:
            with suppress(Gone):
                pair.now[side] = await work.look(side)

    async def _compared(self, pair: Pair) -> list[Finding]:
        work = pair.work
        if work.type.appended:
            called = f"{work.type.plural} stay: what is written into a history is not taken out of it"
            return [cannot(wish, called) for wish in pair.wishes]
        wholes = Wholes(work, pair.now, self.store)
        return [
            await wholes.compare(wish) if wish.record else compare(wish, pair.spec(wish), pair.now.get(wish.side))
            for wish in pair.wishes
        ]

    async def _write(self, pair: Pair, side: Side, found: list[Finding]) -> list[Finding]:
        """One update for all of a side; where the vendor refuses that, one for each value, so that one stays alone."""
        current = pair.now.get(side)
        mine = [each for each in found if each.wish.side is side and restoring(each) and not each.wish.record]
        if current is None or not mine:
            return found
        told: dict[str, Finding] = {}
        for group in await self._groups(pair, side, current, mine):
            told |= group
        return [told.get(each.wish.name, each) if each in mine else each for each in found]

    async def _groups(self, pair: Pair, side: Side, current: Record, mine: list[Finding]) -> list[dict[str, Finding]]:
        values = {each.wish.name: each.write or "" for each in mine}
        try:
            answer = await pair.work.records[side].update(current, values)
        except (Wait, Retry, Reconnect):
            raise
        except CrossledgerError as refusal:
            if len(mine) == 1:
                return [{mine[0].wish.name: cannot(mine[0].wish, str(refusal), mine[0].now)}]
            told: list[dict[str, Finding]] = []
            for each in mine:
                fresh = await pair.work.look(side)
                told += await self._groups(pair, side, fresh or current, [each])
            return told
        landed = {name: answer.values.get(name, "") for name in values}
        known = pair.now.get(side) or current
        pair.now[side] = replace(answer, values={**known.values, **answer.values, **landed})
        return [{each.wish.name: _ended(pair, each, answer) for each in mine}]

    def _agreed(self, pair: Pair, meant: Sequence[Finding]) -> Base | None:
        """The base in which both sides agree on these fields as they are, or will be. None where there is no pair.

        An edit of the other side that has not arrived yet stays one, and goes its way afterwards.
        """
        link = pair.work.link
        crm, billing = (pair.now.get(side) for side in Side)
        if link.base_crm is None or link.base_billing is None or crm is None or billing is None:
            return None
        wanted = {(each.wish.side, each.wish.name): each for each in meant if not each.wish.record}
        records: dict[Side, Record] = {Side.CRM: crm, Side.BILLING: billing}
        then = {
            side: {**records[side].values, **{name: f.write or "" for (s, name), f in wanted.items() if s is side}}
            for side in Side
        }
        base = {Side.CRM: dict(link.base_crm), Side.BILLING: dict(link.base_billing)}
        for rule in pair.work.rules_of_pair:
            mine = {side: wanted.get((side, rule.spec(side).name)) for side in Side}
            if not any(mine.values()):
                continue
            agreed = rebase((rule,), None, then[Side.CRM], then[Side.BILLING], ())
            for side in Side:
                if mine[side] or not _has_news(rule, side, records[side], base[side], mine[side.other]):
                    base[side][rule.name] = agreed.of(side)[rule.name]
        return Base(base[Side.CRM], base[Side.BILLING])


def _has_news(rule: Rule, side: Side, record: Record, base: Mapping[str, str], other: Finding | None) -> bool:
    """Whether an edit of this side waits to be carried over. Of another field map nothing is known."""
    known = other is not None and other.wish.names[side] == rule.spec(side).name
    return known and rule.name in base and changed(rule, side, record.values, base)


def _recalled(finding: Finding, before: Sequence[UndoItem]) -> Finding:
    """What is so already, because we have written it before we were stopped, was restored by us."""
    wish = finding.wish
    mine = next((each for each in before if (each.side, each.name) == (wish.side.value, wish.name)), None)
    if mine is None or finding.outcome is not UndoOutcome.RESTORED or finding.write is not None:
        return finding
    return replace(finding, now=mine.now, reason="", write=finding.now)


def _ended(pair: Pair, finding: Finding, answer: Record) -> Finding:
    spec = pair.spec(finding.wish)
    return ended(finding, spec, answer) if spec else finding


def _target(bridge: BridgeView, object_: str, link: LinkRow, claim: str, run_id: int | None) -> Target:
    side = Side.CRM if link.crm_id else Side.BILLING
    id_ = link.id_on(side) or ""
    return Target(bridge_id=bridge.id, object=object_, side=side, external_id=id_, claim=claim, run_id=run_id)

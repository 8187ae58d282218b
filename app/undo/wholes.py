"""Records as a whole: one that we made is put away again, one that we put away is brought back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.errors import CrossledgerError, Reconnect, Retry, Wait
from app.models.undo import UndoOutcome
from app.sync.participation import PUT_AWAY
from app.sync.records import Presence, Record, Side, is_part
from app.sync.settlements import UNDONE
from app.sync.work import Work
from app.undo.comparing import GONE, LATER, Finding, cannot, touched
from app.undo.folding import AWAY, ELSEWHERE, MADE, THERE, Done, Wish, whole
from app.undo.scope import RECORD, Scope
from app.undo.store import UndoStore, restoring

_PRESENCE = {Presence.ACTIVE: THERE, Presence.ARCHIVED: AWAY, Presence.DELETED: AWAY}
_A_PART = "it is one person of a client, and cannot be put away alone"
_OTHERS = "the client has other persons as well"
_MOVED = "the record was moved; whoever moved its partner back moves it back"


def cut_away(work: Work, done: Sequence[Done], scope: Scope, wishes: Sequence[Wish]) -> list[Wish]:
    """Wishes that only the link can tell: what was put away because its partner was gone, or has moved."""
    actions = {each.action for each in done}
    problem = work.link.problem
    wanted: list[Wish] = []
    if "unlinked" in actions and problem in PUT_AWAY - {UNDONE}:
        wanted.append(whole(Side.BILLING, back=THERE, wrote=AWAY))
    if "unlinked" in actions and problem == "billing_gone_deleted":
        wanted.append(whole(Side.CRM, back=THERE, wrote=AWAY))
    if "moved" in actions:
        wanted.append(whole(Side.BILLING, back=ELSEWHERE, wrote=THERE))
    known = {each.side for each in wishes if each.record}
    return [each for each in wanted if each.side not in known and scope.covers(each.side, RECORD)]


@dataclass(frozen=True, slots=True)
class Wholes:
    """`now`: both records as they were read."""

    work: Work
    now: Mapping[Side, Record | None]
    store: UndoStore

    async def compare(self, wish: Wish) -> Finding:
        if wish.back == ELSEWHERE:
            return cannot(wish, _MOVED)
        record = self.now.get(wish.side)
        if wish.back == THERE:
            return self._brought_back(wish, record)
        there = _PRESENCE[record.presence] if record else ""
        if record is None or there == AWAY:
            return Finding(wish=wish, now=there, outcome=UndoOutcome.RESTORED, reason="it is put away already")
        if await self._touched(wish, record):
            return Finding(wish=wish, now=there, outcome=UndoOutcome.CHANGED_SINCE, reason=LATER)
        if why := await self._stays(record, wish.side):
            return cannot(wish, why, there)
        return Finding(wish=wish, now=there, outcome=UndoOutcome.RESTORING, write=AWAY)

    async def do(self, finding: Finding) -> Finding:
        """Archive or restore. A refusal is a finding; Wait, Retry and Reconnect leave as they are."""
        record = self.now.get(finding.wish.side)
        if record is None or not restoring(finding):
            return finding
        records = self.work.records[finding.wish.side]
        try:
            await (records.restore(record) if finding.write == THERE else records.archive(record))
        except (Wait, Retry, Reconnect):
            raise
        except CrossledgerError as refusal:
            return cannot(finding.wish, str(refusal), finding.now)
        return Finding(wish=finding.wish, now=finding.now, outcome=UndoOutcome.RESTORED, write=finding.write)

    def _brought_back(self, wish: Wish, record: Record | None) -> Finding:
        if record is None:
            return cannot(wish, GONE)
        if record.presence is Presence.ACTIVE:
            return Finding(wish=wish, now=THERE, outcome=UndoOutcome.RESTORED, reason="it is so already")
        return Finding(wish=wish, now=AWAY, outcome=UndoOutcome.RESTORING, write=THERE)

    async def _stays(self, record: Record, side: Side) -> str:
        if is_part(record.id):
            return _A_PART
        if self.work.type.person and len(record.parts) > 1:
            return _OTHERS
        return await self.work.records[side].stays(record)

    async def _touched(self, wish: Wish, record: Record) -> bool:
        """Whether somebody has edited the record since we made it: its values say so, or that we carried them over."""
        if wish.back != MADE:
            return False
        done = [each for each in await self.store.done(self.work.link.id) if each.action != UNDONE]
        written: dict[str, tuple[str, ...]] = {}
        for change in (change for each in done for change in each.changes if change.get("after") is not None):
            if change["side"] != wish.side:
                if change["field"] not in written:
                    return True
            else:
                left = (change["after"], *([change["kept"]] if change.get("kept") is not None else []))
                written.setdefault(change["field"], left)
        rules = {rule.name: rule for rule in self.work.rules}
        named = {rules[name].spec(wish.side).name: left for name, left in written.items() if name in rules}
        return bool(touched(record, named, self.work.records[wish.side].fields()))

"""Which of the records that were found may be the partner, where a record is no person."""

from datetime import date, timedelta

from app.sync.matching import SLOT_WORDS, Candidates
from app.sync.records import Record, Side
from app.sync.store import LinkRow
from app.sync.work import Work, is_pair

CLOCKS = timedelta(minutes=2)
_A_DAY = timedelta(days=1)


async def partners(work: Work, record: Record, found: Candidates) -> Candidates:
    """Many tasks have the same title: one that has its partner is no candidate, nor one that differs in its sum."""
    free = [each for each in found.records if await _is_free(work, each)]
    if found.by == SLOT_WORDS:
        return Candidates(tuple(free), found.by)
    ours = [each for each in free if work.type.counted and await _is_our_lost_one(work, record, each)]
    alike = [each for each in free if all(_agree(each, record, n) for n in work.type.alike)]
    if alike and not ours and work.type.counted:
        (first, *_), called = alike, work.type.called[work.target.side.other]
        doubt = f"The other side has a {called} that looks the same ({first.id}): is it this one, or another?"
        return Candidates(tuple(alike), found.by, doubt)
    return Candidates(tuple(ours or alike), found.by)


def _agree(one: Record, other: Record, field: str) -> bool:
    """Or are of neighbouring days: around midnight two accounts in two time zones date the same payment differently."""
    left, right = one.values.get(field), other.values.get(field)
    if left == right or not (left and right):
        return left == right
    try:
        return abs(date.fromisoformat(left) - date.fromisoformat(right)) <= _A_DAY
    except ValueError:
        return False


async def _is_free(work: Work, candidate: Record) -> bool:
    known = await work.store.find(work.target, work.target.side.other, candidate.id)
    return known is None or not is_pair(known[0])


async def _is_our_lost_one(work: Work, record: Record, candidate: Record) -> bool:
    """A create went out, for the record or for the candidate, and its answer was lost: this is what came of it.

    What we make on a side with a slot carries the record's id there.
    """
    there = work.target.side.other
    known = await work.store.find(work.target, there, candidate.id)
    if known is not None and made_by_us(known[0], record, work.target.side):
        return not work.slot_for(work.target.side, candidate.id) or record.slot == candidate.id
    mine = work.slot_for(there, record.id)
    return candidate.slot == mine if mine else made_by_us(work.link, candidate, there)


def made_by_us(link: LinkRow, record: Record, side: Side) -> bool:
    """A create for `link` went out to `side`, and `record` may be what came of it."""
    young = record.created_at is not None and record.created_at >= link.created_at - CLOCKS
    return young and link.creating == side.value

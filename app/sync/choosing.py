"""Which record of the other side is the partner: found, or chosen by a person; and what a person keeps apart."""

from collections.abc import Sequence
from dataclasses import replace

from app.errors import Gone
from app.models.link import LinkState
from app.providers.base import MatchKey
from app.sync.matching import SLOT_WORDS, Candidates, look
from app.sync.partners import CLOCKS, made_by_us, partners
from app.sync.records import Record
from app.sync.settlements import AMBIGUOUS, ambiguous, put_aside
from app.sync.store import Settlement
from app.sync.work import Work, alive

APART = "kept_apart"
LEFT_OUT = "left_out"
"""The problem of a record that a person leaves out: it stays as it is until a person takes it in again."""


def kept_apart(work: Work) -> Settlement | None:
    """A person keeps the record apart, and nobody has decided otherwise since. No vendor is asked."""
    decided = work.decisions
    anew = decided.partner or (decided.apart and decided.apart.create)
    if anew or not (decided.apart or work.link.apart):
        return None
    paired = work.link.crm_id and work.link.billing_id
    state = LinkState.UNLINKED if paired else LinkState.EXCLUDED
    detail = f"{decided.by} keeps it apart: it is not synced." if decided.apart else work.link.detail
    return _apart(work, state, detail, kept=True)


async def choose(work: Work, record: Record, keys: Sequence[MatchKey]) -> Candidates | Settlement:
    """At most one partner for the record, or why there is none to be had now."""
    if chosen := await _chosen(work):
        return chosen
    found = await look(work.records[work.target.side.other], keys, record, since=work.link.created_at - CLOCKS)
    free, apart = await _without_those_apart(work, record, found)
    if not work.type.person:
        free = await partners(work, record, free)
    if free.records and _is_new_to_the_person(work, free):
        return ambiguous(
            work.target, work.link, f"{free.records[0].id} matches by {free.by} as well; which one is it?", free.records
        )
    if free.doubt or len(free.records) > 1:
        detail = free.doubt or f"{len(free.records)} records match by {free.by}; which one is it?"
        return ambiguous(work.target, work.link, detail, free.records)
    if free.records and (undecided := await _waits_itself(work, free)):
        return undecided
    if apart and not free.records and not work.decisions.apart:
        return _apart(work, LinkState.EXCLUDED, f"It is kept apart from {apart}, which is the only one like it.")
    return free


def is_kept_from(work: Work, candidate: str) -> bool:
    """Whether a person has decided that the record is not this one."""
    return work.decisions.apart is not None and candidate in work.decisions.apart.candidates


async def _chosen(work: Work) -> Candidates | None:
    """None: nobody has chosen one, or it is gone."""
    choice = work.decisions.partner
    if choice is None:
        return None
    try:
        found = alive(await work.records[work.target.side.other].fetch(choice.id, part=choice.part))
    except Gone:
        return None
    return Candidates((found,), f"the choice of {choice.by}") if found else None


async def _without_those_apart(work: Work, record: Record, found: Candidates) -> tuple[Candidates, str]:
    """With the id of one that is kept apart, "" where none is. The external id is a link, and no likeness."""
    if found.by == SLOT_WORDS:
        return found, ""
    free: list[Record] = []
    apart = ""
    for each in found.records:
        known = await work.store.find(work.target, work.target.side.other, each.id)
        if is_kept_from(work, each.id) or (known and known[0].apart and not known[0].id_on(work.target.side)):
            apart = each.id
        else:
            free.append(each)
    return replace(found, records=tuple(free)), apart


async def _waits_itself(work: Work, found: Candidates) -> Settlement | None:
    """The only match waits for a person to say which one is its partner: not to be decided by news of one of them.

    It is looked at again, as this may be one more.
    """
    (match,) = found.records
    there = replace(work.target, side=work.target.side.other, external_id=match.id)
    known = await work.store.find(work.target, there.side, match.id)
    if found.by == SLOT_WORDS or known is None or known[0].problem != AMBIGUOUS or known[0].id_on(work.target.side):
        return None
    await work.store.queue(there)
    detail = f"A person has to say first which one is the partner of {match.id}, which it may be."
    return put_aside(work.target, work.link, LinkState.EXCLUDED, "undecided", detail)


def _is_new_to_the_person(work: Work, found: Candidates) -> bool:
    """Who wants a partner to be made has not seen these; but one may be what came of the create already."""
    if work.decisions.apart is None or found.by == SLOT_WORDS:
        return False
    return not all(made_by_us(work.link, each, work.target.side.other) for each in found.records)


def _apart(work: Work, state: LinkState, detail: str, *, kept: bool = False) -> Settlement:
    """The candidates stay, for whoever decides otherwise."""
    end = put_aside(work.target, work.link, state, APART, detail)
    columns = {name: value for name, value in end.link.items() if name != "candidates"}
    return replace(end, link={**columns, "apart": kept})

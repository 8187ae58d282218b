"""What a record that a sweep has read means: nothing, news, or news that an event should have told of. Pure.

A *missed event* is a change of a record
- that is not in step with it: its values differ from those that were last agreed, it is not known at all, or it came
  back after it was gone;
- of which no event has told: none of the record was received at the vendor's time of the change, or later;
- with no event of it, and no delivered one of its partner, waiting to be handled: that one would repair it anyway;
- older than the grace period, for a younger one may still be on its way;
- of an object whose changes are told of at all.

So one record counts once, however many of its deliveries were lost. A lost delivery cannot be seen when another one of
the record or its partner came after it, or when the record was looked at for another reason: each job fetches both
sides as they are then, and leaves nothing to find. The echo of a write of ours is no change, for both sides agree. A
change that the vendor sends no event for is counted like one whose event was lost: nobody can tell them apart. What is
missing from a list is looked at, and not counted: a list alone proves no deletion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from app.models.link import LinkState
from app.sync.deletions import RETURNABLE
from app.sync.fieldmap import Rule
from app.sync.merge import differs
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side, own_of


class Finding(Enum):
    NOTHING = "nothing"
    LATER = "later"  # too young: its event may be on its way; the next sweep sees it again
    NEWS = "news"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The record's row in `links`. `base`: what its side had when both last agreed. `parent`: of a part, its owner's
    partner. `partner`: the other side's id."""

    base: Mapping[str, str] | None
    state: str
    problem: str
    part: str
    parent: str
    partner: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """Events of one record. `at`: when the newest was received. `pending`: one of it waits, or one that was delivered
    of its partner."""

    at: datetime | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is judged by. `begun`: records from before are not ours to find (a backfill brings them).

    `in_parts`: a record may join another parent. `pauses`: one that is archived takes no part.
    """

    side: Side
    rules: Sequence[Rule]
    begun: datetime
    now: datetime
    grace: timedelta
    told: bool
    leave_young: bool
    in_parts: bool
    pauses: bool


def judge(terms: Terms, record: Record, known: Known | None, heard: Heard, *, ours: bool = False) -> Finding:
    """`ours`: the record is known as another object, so that nobody had to tell of it."""
    if heard.pending:
        return Finding.NOTHING
    changed_at = record.updated_at or record.created_at
    moved = known is not None and terms.in_parts and known.base is not None and known.parent != record.parent
    changed = _is_new(terms, record) if known is None else _has_changed(terms, record, known, heard)
    if not (changed or moved):
        return Finding.NOTHING
    if not changed or not terms.told or changed_at is None or (ours and known is None) or _stands_for_parts(known):
        return Finding.NEWS
    if terms.now - changed_at < terms.grace:
        return Finding.LATER if terms.leave_young else Finding.NEWS
    return Finding.NEWS if heard.at and heard.at >= changed_at else Finding.MISSED


def _stands_for_parts(known: Known | None) -> bool:
    """It is counted as what it is, a business; as a person it is only looked at, for its persons may have news."""
    return known is not None and known.problem == "parts"


def _is_new(terms: Terms, record: Record) -> bool:
    if record.presence is Presence.DELETED or record.aside:
        return False
    changed_at = record.updated_at or record.created_at
    # Invoice Ninja's times are whole seconds.
    return changed_at is None or changed_at >= terms.begun.replace(microsecond=0)


def _has_changed(terms: Terms, record: Record, known: Known, heard: Heard) -> bool:
    if known.state == LinkState.UNLINKED:
        return record.presence is Presence.ACTIVE and _came_back(terms.side, known.problem)
    if record.presence is Presence.DELETED:
        return bool(known.partner)
    if terms.pauses and (record.presence is Presence.ARCHIVED) != (known.problem == "archived") and known.partner:
        return True
    if known.base is not None:
        return differs(terms.rules, terms.side, record.values, known.base)
    if known.state not in (LinkState.EXCLUDED, LinkState.FAILED, LinkState.CONFLICT):
        return False  # it is on its way
    if record.aside:
        return False  # still no record of this object, whatever was edited
    changed_at = record.updated_at
    return changed_at is not None and (heard.at or known.created_at) < changed_at


def _came_back(side: Side, problem: str) -> bool:
    return problem in RETURNABLE and problem.startswith(side.value)


def shown(record: Record, known: Mapping[str, Known]) -> list[Record]:
    """The record as it is linked, and those of its parts that are looked at one by one.

    A list shows the values of its first person; the pair may be that of another one.
    """
    own = known.get(record.id)
    mine = next((each for each in record.parts if own and own_of(each.id) == own.part), None)
    whole = replace(record, values={**record.values, **mine.values}) if mine else record
    in_parts = own is not None and own.problem == "parts"
    parts = [each for each in record.parts if each.id in known or (in_parts and email_of(each))]
    return [whole, *parts]

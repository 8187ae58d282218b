"""A record without a partner: find it one, or create it, or leave it to a person.

Twins (one person entered on both sides in the same moment) are kept apart by `Store.reserve`: only one of them
looks and creates, the other waits and then finds the pair. What slips through ends in `twins.replace_twin`.
"""

from dataclasses import replace
from datetime import UTC, datetime

from app.errors import Conflict, Duplicate, Wait
from app.models.link import LinkState
from app.sync.apart import of_another
from app.sync.carrying import agree, carried
from app.sync.choosing import LEFT_OUT, choose, is_kept_from
from app.sync.conflicts import kind_of
from app.sync.fieldmap import Rule
from app.sync.keys import keys_of, recognised
from app.sync.matching import SLOT_WORDS, Candidates
from app.sync.merge import Base, Change, Held, Merge, merge_tags, rebase
from app.sync.objects import OBJECTS
from app.sync.participation import filtered, filtered_before_create, left_out, takes_part
from app.sync.partners import made_by_us
from app.sync.parts import in_its_parts, member
from app.sync.people import email_of
from app.sync.records import Presence, Record, Side, Writable, owner_of
from app.sync.settlements import ONE_WAY, TOO_EARLY, ambiguous, in_step, put_aside, waiting
from app.sync.store import LinkRow, Settlement, Target
from app.sync.twins import our_twin, replace_twin
from app.sync.work import BUSY, Work, as_kept, landed

_SHARED = (
    "Several CRM accounts bring their contacts to this billing account, so it is not known whose this client is. Enter"
    " the contact in the CRM account that it belongs to, with the same e-mail: then the two are linked."
)
_LONGEST_TURN = 30.0
"""Seconds between two looks for whether a twin is linked."""


async def pair_up(work: Work) -> Settlement | None:
    """The record has no partner yet. None: it is gone, nothing is left to do."""
    side = work.target.side
    if apart := await of_another(work):
        return apart
    record = await work.fetch(side)
    if record is None:
        return None
    if (divided := await in_its_parts(work, record)) is not None:
        return divided
    if excluded := _excluded(work, record):
        problem, detail = excluded
        return put_aside(work.target, work.link, LinkState.EXCLUDED, problem, detail)
    if away := filtered(work, {side: record}):
        return away
    if side is Side.BILLING and (name := await _elsewhere(work, record)):
        detail = f"It belongs to bridge “{name}”, which shares this billing account."
        return put_aside(work.target, work.link, LinkState.EXCLUDED, "elsewhere", detail)
    parent: LinkRow | None = None
    if above := work.above(side, record.parent):
        parent = await pair_of(work, above)
        if parent is None:
            return waiting(work.target, work.link, above, work.called_above(side))
        if work.type.part and parent.billing_id:
            await work.hold(parent.billing_id)
    await _wait_for_partner(work, record)
    as_known = replace(record, values=recognised(work, record, side.other if work.type.person else Side.BILLING))
    match_key = work.type.reserved(as_known, owner_of(parent.billing_id or "") if parent else "")
    if not await work.store.reserve(work.link, work.target, match_key=match_key, creating=side.other):
        age = (work.now() - work.link.created_at).total_seconds() if work.type.person else 0
        raise Wait(min(max(BUSY, age / 10), _LONGEST_TURN), "a twin is being linked")
    below = owner_of(parent.id_on(side.other) or "") if parent else ""
    found = await choose(work, record, await keys_of(work, record, below))
    if isinstance(found, Settlement):
        return found
    if found.records:
        return await _link(work, record, found, below)
    if not work.settings.creates:
        detail = f"No {work.type.called[side.other]} of the other side is like it by {_likeness(work)}."
        return put_aside(work.target, work.link, LinkState.EXCLUDED, "unmatched", detail)
    if side is Side.BILLING and work.bridge.shares_billing and parent is None:
        return put_aside(work.target, work.link, LinkState.EXCLUDED, "shared", _SHARED)
    return filtered_before_create(work, record) or await _create(work, record, below)


def _likeness(work: Work) -> str:
    return " and ".join((work.type.recognised_by, *work.type.alike))


async def pair_of(work: Work, above: Target) -> LinkRow | None:
    """The pair of a parent. Where its record in billing is in parts, one of them speaks for it."""
    known = await work.store.find(above, above.side, above.external_id)
    if known is not None and takes_part(known[0]):
        return known[0]
    divided = known is None or known[0].problem == "parts"  # None: only its parts were looked at, by a backfill
    return await work.store.first_part(above) if divided else None


async def _elsewhere(work: Work, billing: Record) -> str | None:
    if not work.bridge.shares_billing:
        return None
    return await work.store.elsewhere(work.target, billing.id, billing.slot)


async def _wait_for_partner(work: Work, record: Record) -> None:
    """Our own create may be answered later than the event it causes: its slot already names the partner."""
    if not record.slot:
        return
    known = await work.store.find(work.target, work.target.side.other, record.slot)
    if known is not None and known[1] and known[0].id != work.link.id:
        raise Wait(BUSY, "its partner is being linked")


async def _link(work: Work, record: Record, found: Candidates, below: str = "") -> Settlement:
    (partner,) = found.records
    side = work.target.side
    if side is Side.CRM and not below:
        record, partner = await member(work, record, partner)
    if side is Side.CRM and (name := await _elsewhere(work, partner)):
        detail = f"the only match by {found.by} ({partner.id}) belongs to bridge “{name}”"
        return ambiguous(work.target, work.link, detail, [partner])
    pair = {side: record, side.other: partner}
    if away := await left_out(work, pair[Side.CRM], pair[Side.BILLING]):
        return away
    known = await work.store.find(work.target, side.other, partner.id)
    if known is not None and known[0].problem == LEFT_OUT:
        detail = f"Its match {partner.id} is left out, by a person."
        return put_aside(work.target, work.link, LinkState.EXCLUDED, "unmatched", detail)
    copy = side.other if found.by == SLOT_WORDS and made_by_us(work.link, partner, side.other) else None
    if known is not None:
        other, busy = known
        if found.by == SLOT_WORDS and made_by_us(other, record, side):
            copy = side
        if busy and other.id_on(side) is None:
            raise Wait(BUSY, "its partner is being looked at")
        if side is Side.BILLING and other.problem == "twin" and (ours := await our_twin(work, record, other)):
            return await replace_twin(work, record, partner, other, ours)  # it was stopped before it was archived
        if other.id_on(side) and other.state != LinkState.UNLINKED:
            return await _taken(work, record, partner, other, found.by)
        if other.problem == "crm_gone_archived" and partner.presence is Presence.ARCHIVED:
            await work.records[side.other].restore(partner)
    if work.type.part and side is Side.BILLING and partner.parent != below:
        if partner.parent and below:
            detail = f"the only match by {found.by} ({partner.id}) belongs to another {work.called_above(side.other)}"
            return ambiguous(work.target, work.link, detail, [partner])
        pair[side.other] = (
            await work.records[side.other].move(partner.id, parent=below, values={}) if below else partner
        )
    return await work.bring_in_step(
        pair[Side.CRM],
        pair[Side.BILLING],
        base=_copied(work.rules, pair, copy) if copy else None,
        action="linked",
        detail=f"found by {found.by}",
        origin="matched",
    )


def _copied(rules: tuple[Rule, ...], pair: dict[Side, Record], copy: Side) -> Base:
    """`copy` is our own copy of the other record: whatever differs was edited there since, and is no conflict."""
    values: dict[Side, dict[str, str]] = {Side.CRM: {}, Side.BILLING: {}}
    for rule in rules:
        if rule.steps and not agree(rule, {side: pair[side].values for side in Side}):
            continue  # it is not told what it was when the copy was made: both meet anew
        theirs = pair[copy.other].values.get(rule.spec(copy.other).name, "")
        ours = pair[copy].values.get(rule.spec(copy).name, "")
        values[copy][rule.name] = ours
        values[copy.other][rule.name] = theirs if rule.steps or not theirs else ours
    return Base(values[Side.CRM], values[Side.BILLING])


async def _taken(work: Work, record: Record, partner: Record, other: LinkRow, by: str) -> Settlement:
    """The only candidate belongs to another record already."""
    if work.target.side is Side.BILLING and (ours := await our_twin(work, record, other)):
        return await replace_twin(work, record, partner, other, ours)
    detail = f"the only match by {by} ({partner.id}) is already linked to {other.id_on(work.target.side)}"
    return ambiguous(work.target, work.link, detail, [partner])


async def _create(work: Work, record: Record, below: str = "") -> Settlement:
    side = work.target.side.other
    rules = work.rules_for(below if side is Side.BILLING else record.parent)
    made = first_values(rules, side, record)
    values = made.values_for(side)
    for missing in made.held:
        if kind := kind_of(missing, missing.value):
            raise Conflict(missing.reason, kind=kind)
    try:
        answer = await work.records[side].create(values, slot=work.slot_for(side, record.id), parent=below)
    except Duplicate as refusal:
        return await _refused_as_duplicate(work, record, refusal, below)
    pair, kept = {side.other: record, side: answer}, landed(values, answer)
    after = {side.other: record.values, side: {**answer.values, **kept}}
    work.seen.update(pair)
    return in_step(
        work.target,
        work.link,
        pair=pair,
        base=rebase(rules, None, after[Side.CRM], after[Side.BILLING], made.held),
        merged=Merge(as_kept(made.changes, {side: kept}), made.held),
        action="created",
        now=work.now(),
        detail=record.remark,
        origin=f"created_{side.value}",
    )


async def _refused_as_duplicate(work: Work, record: Record, refusal: Duplicate, below: str) -> Settlement:
    """The vendor allows no second one. With the same e-mail it is the partner; by phone alone a person decides.

    Of other objects it is the partner where what they are recognised by is the same.
    """
    existing = await work.records[work.target.side.other].fetch(refusal.existing)
    kept = is_kept_from(work, existing.id)
    if not kept and work.type.person and email_of(existing) and email_of(existing) == email_of(record):
        return await _link(work, record, Candidates((existing,), "e-mail"), below)
    theirs = replace(record, values=recognised(work, record, work.target.side.other))
    if not kept and not work.type.person and work.type.identity(existing) == work.type.identity(theirs):
        return await _link(work, record, Candidates((existing,), work.type.recognised_by), below)
    detail = f"the other side allows no second record like {existing.id}: {refusal}"
    return ambiguous(work.target, work.link, detail, [existing])


def _excluded(work: Work, record: Record) -> tuple[str, str] | None:
    """Why a record without a partner takes no part: a short name and a sentence."""
    if work.settings.creates and not work.settings.direction.reaches(work.target.side.other):
        return ONE_WAY, "This bridge does not create records in that direction."
    if record.presence is Presence.ARCHIVED:
        return "archived", "The record is archived and has no partner."
    if record.aside:
        return "aside", record.aside
    if work.type.parent and not work.type.part and not record.parent:
        return "alone", f"It belongs to no {OBJECTS[work.type.parent].called[work.target.side]}."
    if (since := _since(work)) and record.created_at and record.created_at < since:
        return TOO_EARLY, f"It is from before {since:%Y-%m-%d %H:%M} UTC, and only newer {work.type.plural} are synced."
    if not work.type.identity(record):
        nameless = "no name, no company and no e-mail" if work.type.person else f"no {work.type.recognised_by}"
        return "unidentified", f"It has {nameless}: nothing to recognise it by."
    return None


def _since(work: Work) -> datetime | None:
    """What is written once is written from the bridge's making on at the earliest. Vendors count in whole seconds."""
    since = work.settings.since or (work.bridge.created_at if work.type.once else None)
    return since.astimezone(UTC).replace(microsecond=0) if since else None


def first_values(rules: tuple[Rule, ...], side: Side, record: Record) -> Merge:
    """What a new record on `side` starts with, told like changes from empty, and what it cannot take."""
    changes: list[Change] = []
    held: list[Held] = []
    for rule in rules:
        if rule.tags:
            given = {side.other: record.values, side: {}}
            decided = [
                each for each in merge_tags(rule, None, given[Side.CRM], given[Side.BILLING]) if each.side is side
            ]
            changes += [replace(each, why="created") for each in decided if isinstance(each, Change)]
            held += [each for each in decided if isinstance(each, Held)]
            continue
        if rule.spec(side).writable is Writable.NEVER or not rule.direction.reaches(side):
            continue
        fitted = carried(rule, side, record.values)
        if fitted.refused:
            held.append(Held(rule, side, fitted.value, fitted.refused))
        elif fitted.value:
            changes.append(Change(rule, side, "", fitted.value, "created", fitted.note))
    return Merge(tuple(changes), tuple(held))

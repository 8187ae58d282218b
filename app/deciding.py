"""Deciding conflicts, for the API and the command line.

A decision is stored with its link and with the values that were seen, and a job for the link is queued in the same
transaction. The job carries it out if both sides are still as they were seen; else the conflict is shown anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlmodel import col

from app.cases import Which, case_of, is_open, known, record_options, taken_candidates
from app.connections import Connections
from app.errors import OutOfDate, Rejected
from app.mapping import versions
from app.models import Bridge, Link
from app.queue import Priority, RecordJob, defer, transact
from app.sync.decisions import Apart, Decision, Decisions, Deed, Parting, Partner, Take
from app.sync.fieldmap import Prefer, Rule
from app.sync.merge import as_decided
from app.sync.options import decidable
from app.sync.policy import BridgeSettings

BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Of a field. `always`: from now on as well, for every record of the bridge. `seen`: the CRM's and the billing
    value as the person knows them; None: as they are stored."""

    take: Take
    value: str = ""
    always: bool = False
    seen: tuple[str, str] | None = None


async def decide_fields(connections: Connections, link_id: int, choices: Mapping[str, Choice], by: str) -> int:
    """How many jobs were queued. Raises Gone, OutOfDate, Rejected."""
    case = await case_of(connections, link_id)
    rules = {each.name: each.rule for each in case.fields if each.rule}
    bridge = await connections.directory.one(case.link.bridge_id)

    async def stored(connection: AsyncConnection) -> int:
        async with AsyncSession(connection) as session:
            link = await _locked(session, link_id)
            before = Decisions.model_validate(link.decisions)
            decided = {name: _decision(link, rules.get(name), name, each, by) for name, each in choices.items()}
            _store(link, before.model_copy(update={"fields": {**before.fields, **decided}}))
            for name, each in choices.items():
                if each.always:
                    await _make_policy(session, bridge.id, link.object, name, each.take, by)
            await session.flush()
            return await defer(connection, [RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id)])

    queued = await transact(connections.engine, stored)
    always = [(name, each.take) for name, each in choices.items() if each.always]
    if always:
        await connections.directory.refresh()
    for name, take in always:
        which = Which(bridge_id=bridge.id, object=case.link.object, field=name)
        queued += await decide_many(connections, which, take, by)
    return queued


async def decide_record(connections: Connections, link_id: int, option: str, by: str, *, partner: str = "") -> int:
    """`option`: one of those that `case_of` tells of the record, with its partner. Raises Gone, OutOfDate, Rejected."""
    async with AsyncSession(connections.engine) as session:
        link = known(await session.get(Link, link_id), link_id)
        bridge = await connections.directory.one(link.bridge_id)

    async def stored(connection: AsyncConnection) -> int:
        async with AsyncSession(connection) as session:
            link = await _locked(session, link_id)
            options = record_options(bridge, link, await taken_candidates(session, link))
            offered = [each for each in options if (each.decide, each.partner) == (option, partner)]
            if not offered:
                raise OutOfDate(f"This conflict cannot be decided by “{option}” (any more); see its options.")
            if offered[0].refused:
                raise Rejected(f"This cannot be done: {offered[0].refused}.")
            _store(link, _of_record(link, option, partner, by))
            await session.flush()
            return await defer(connection, [RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id)])

    return await transact(connections.engine, stored)


async def decide_many(connections: Connections, which: Which, take: Take, by: str) -> int:
    """The same for each conflict of a field that fits, in batches, behind live events. Returns how many were queued.

    What cannot be done is left as it is, with the reason, when its job comes round.
    """
    after, queued = 0, 0
    while True:
        last, added = await transact(
            connections.engine, partial(_decide_some, which=which, take=take, by=by, after=after)
        )
        if last is None:
            return queued
        after, queued = last, queued + added


async def _decide_some(
    connection: AsyncConnection, *, which: Which, take: Take, by: str, after: int
) -> tuple[int | None, int]:
    """The next ones with ids above `after`. Returns the last id, None where there are no more, and the jobs added."""
    id_, enabled = col(Link.id), select(col(Bridge.id)).where(col(Bridge.enabled))
    # Locked in one order, so that two callers cannot wait for each other.
    some = (
        select(Link)
        .where(id_ > after, col(Link.bridge_id).in_(enabled), *which.conditions())
        .order_by(id_)
        .limit(BATCH)
        .with_for_update()
    )
    async with AsyncSession(connection) as session:
        links = (await session.scalars(some)).all()
        jobs: list[RecordJob] = []
        for link in links:
            fitting = {name: told for name, told in decidable(link.held).items() if which.fits(name, told)}
            if fitting:
                before = Decisions.model_validate(link.decisions)
                decided = {
                    name: Decision(take=take, crm=told["crm"], billing=told["billing"], by=by)
                    for name, told in fitting.items()
                }
                _store(link, before.model_copy(update={"fields": {**before.fields, **decided}}))
                jobs.append(RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id, Priority.FLOOD))
        await session.flush()
        last = links[-1].id if links else None
        return last, await defer(connection, jobs)


async def _locked(session: AsyncSession, link_id: int) -> Link:
    """The link, with something to decide, until the transaction ends."""
    link = known(await session.get(Link, link_id, with_for_update=True), link_id)
    if not is_open(link):
        raise OutOfDate("There is nothing to decide about this record (any more).")
    bridge = await session.get_one(Bridge, link.bridge_id)
    if not bridge.enabled:
        raise OutOfDate("The bridge of this record is switched off.")
    return link


def _decision(link: Link, rule: Rule | None, name: str, choice: Choice, by: str) -> Decision:
    told = decidable(link.held).get(name)
    if told is None:
        raise OutOfDate(f"There is nothing to decide about “{name}” (any more).")
    if choice.seen is not None and choice.seen != (told["crm"], told["billing"]):
        raise OutOfDate(f"“{name}” has changed since you looked: it is “{told['crm']}” and “{told['billing']}” now.")
    if choice.always and choice.take is Take.VALUE:
        raise Rejected("A typed value is for one record: “always” goes with the CRM's or the billing value.")
    decision = Decision(take=choice.take, value=choice.value, crm=told["crm"], billing=told["billing"], by=by)
    refused = as_decided(rule, decision)[1] if rule else "it is not in the field map any more"
    if refused:
        raise Rejected(f"“{name}” cannot be decided so: {refused}.")
    return decision


def _of_record(link: Link, option: str, partner: str, by: str) -> Decisions:
    if option == "partner":
        part = next((each.get("part", "") for each in link.candidates if each["id"] == partner), "")
        return Decisions(partner=Partner(id=partner, part=part, by=by))
    if option in ("keep_apart", "create"):
        candidates = tuple(each["id"] for each in link.candidates)
        return Decisions(apart=Apart(candidates=candidates, create=option == "create", by=by))
    edits = {name: item["value"] for name, item in link.held.items() if item.get("conflict")}
    return Decisions(parting=Parting(deed=Deed(option), edits=edits, by=by))


def _store(link: Link, decisions: Decisions) -> None:
    link.decisions = decisions.model_dump(mode="json", exclude_defaults=True)
    link.tries, link.next_try_at = 0, None


async def _make_policy(session: AsyncSession, bridge_id: int, object_: str, field: str, take: Take, by: str) -> None:
    """The lock lets jobs go on that tell of the bridge."""
    row = await session.get_one(Bridge, bridge_id, with_for_update={"key_share": True}, populate_existing=True)
    settings = BridgeSettings.model_validate(row.settings)
    on = settings.of(object_)
    changed = on.model_copy(update={"prefer": {**on.prefer, field: Prefer(take.value)}})
    row.settings = settings.model_copy(update={object_: changed}).model_dump(mode="json")
    await session.flush()
    note = "decided for good in a conflict"
    await versions.keep(await session.connection(), bridge_id, settings, row.settings, actor=by, note=note)

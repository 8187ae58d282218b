"""What the engine reads and writes in our own database, each in one short statement or transaction.

A *claim* makes one job the owner of a row of `links` for a while: `claim` takes it; `settle` and `postpone` give it
back, and do nothing where it was lost meanwhile (a job thought dead that comes back late changes nothing here).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, TextClause, case, delete, or_, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.db import Database
from app.models import Event, Link
from app.models.event import EventState
from app.models.link import LinkState
from app.queue import RecordJob, defer, transact
from app.sync import statements
from app.sync.objects import OBJECTS
from app.sync.records import Side, Sum, owner_of
from app.sync.room import take_over
from app.sync.statements import CLAIM, COLUMN, FIND, FREE, JSON, OUTDATED, RELEASE, RESERVE


class ClaimLost(Exception):
    """Rolls a transaction back; never leaves this module."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The record a job is about. `claim` names the job's attempt, `run_id` the run that it is part of."""

    bridge_id: int
    object: str
    side: Side
    external_id: str
    claim: str
    run_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """`last_event`: the newest pending event of the record when it was claimed. `rests`: seconds to wait for the rest
    of a burst. `revision`: of the bridge's settings, for which alone an attempt is stored; None: for any."""

    id: int
    crm_id: str | None
    billing_id: str | None
    billing_part: str
    state: str
    problem: str
    detail: str
    origin: str
    base_crm: Mapping[str, str] | None
    base_billing: Mapping[str, str] | None
    held: Mapping[str, Any]
    tries: int
    creating: str
    created_at: datetime
    synced_at: datetime | None
    decisions: Mapping[str, Any]
    apart: bool
    name: str = ""
    words: str = ""
    last_event: int = 0
    cause: str = ""
    rests: float = 0
    revision: int | None = None

    def id_on(self, side: Side) -> str | None:
        return self.crm_id if side is Side.CRM else self.billing_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended: columns of the link, what its events are told, the activity if something was done.

    `waits_for`: the parent whose pair must be made first. `parts`: of the record on its own side, by their ids, that
    are to be looked at. `sum`: the money that a pair is about.
    """

    outcome: str
    link: Mapping[str, Any] = field(default_factory=dict)
    activity: Mapping[str, Any] | None = None
    events: EventState = EventState.DONE
    waits_for: Target | None = None
    parts: tuple[str, ...] = ()
    sum: Sum | None = None


class Store:
    """No method leaves a transaction open."""

    def __init__(self, db: Database, *, claim_seconds: float, burst_seconds: float = 0) -> None:
        self.db = db
        self._seconds = {"seconds": claim_seconds, "burst": burst_seconds}

    async def claim(self, target: Target) -> LinkRow | None:
        """Own the record's row, made where there is none. None: another job owns it now."""
        row = await self._one(CLAIM[target.side], {**_key(target), "claim": target.claim, **self._seconds})
        return LinkRow(**row) if row is not None else None

    async def reserve(self, link: LinkRow, target: Target, *, match_key: str, creating: Side | None) -> bool:
        """Before looking for a partner and maybe creating it: no twin may do the same. False: one does, or we lost.

        `creating`: None where nothing is going to be created yet.
        """
        side = creating.value if creating else link.creating
        values = {"id": link.id, "claim": target.claim, "match_key": match_key, "creating": side}
        try:
            return await self._one(RESERVE, values) is not None
        except IntegrityError:
            await self._free(target, match_key)
            return False

    async def _free(self, target: Target, match_key: str) -> None:
        """A job that died after `reserve` must not keep twins waiting for ever; but a person that came of its create
        would look like a twin, until the job is tried again and finds that."""
        values = {**_key(target), "match_key": match_key, "patient": OBJECTS[target.object].person}
        async with self.db.engine.begin() as connection:
            await connection.execute(FREE, values)

    async def find(self, target: Target, side: Side, external_id: str) -> tuple[LinkRow, bool] | None:
        """The row that holds this id in the target's bridge, and whether a job owns it right now."""
        row = await self._one(FIND[side], {**_key(target), "external_id": external_id})
        if row is None:
            return None
        return LinkRow(**{name: value for name, value in row.items() if name != "busy"}), row["busy"]

    async def awaited(self, target: Target) -> bool:
        """Whether a record like this may have come of a create of ours whose answer was lost."""
        return await self._one(statements.AWAITED[target.side], _key(target)) is not None

    async def coming(self, target: Target) -> bool:
        """Whether a record like this may be about to come of a create of ours that is under way, or was lost."""
        return await self._one(statements.COMING[target.side], _key(target)) is not None

    async def first_part(self, target: Target) -> LinkRow | None:
        """Of the pairs of the parts of a billing record, the oldest: it speaks for the whole."""
        row = await self._one(statements.FIRST_PART, _key(target))
        return LinkRow(**row) if row is not None else None

    async def elsewhere(self, target: Target, billing_id: str, slot: str) -> str | None:
        """The other bridge, by its name, that has a billing record, or is linking it: `slot` names its partner."""
        row = await self._one(statements.ELSEWHERE, {**_key(target), "billing_id": billing_id, "slot": slot})
        return str(row["name"]) if row else None

    async def settle(self, target: Target, link: LinkRow, end: Settlement) -> bool:
        """Store how the attempt ended, all of it or nothing. False: the claim was lost, nothing was stored."""
        statement = statements.settle(tuple(end.link), end.activity is not None, end.sum is not None)
        values = settled(target, link, end)
        try:
            return await self._one(statement, values) is not None
        except IntegrityError:
            pass  # the partner has a row of its own by now
        try:
            async with self.db.engine.begin() as connection:
                await take_over(connection, target, link, end.link)
                if (await connection.execute(statement, values)).first() is None:
                    raise ClaimLost  # the partner's row stays
        except (ClaimLost, IntegrityError):  # the latter: another partner; this attempt came too late
            return False
        return True

    async def call(self, link: LinkRow, name: str, words: str) -> None:
        """What the record is called, where the attempt at it does not come to its end."""
        await self._one(statements.NAME, {"id": link.id, "name": name, "words": words})

    async def release(self, target: Target) -> None:
        """Let others have at once what a dead job owned."""
        await self._one(RELEASE[target.side], {**_key(target), "claim": target.claim})

    async def cut(self, link: LinkRow, problem: str) -> bool:
        """Unlink a pair that no job owns at the moment. False: one does."""
        free = or_(col(Link.claimed_until).is_(None), col(Link.claimed_until) < text("now()"))
        async with self.db.engine.begin() as connection:
            done = await connection.execute(
                update(Link)
                .where(col(Link.id) == link.id, free)
                .values(state=LinkState.UNLINKED.value, problem=problem)
                .returning(col(Link.id))
            )
            return done.first() is not None

    async def postpone(
        self, target: Target, link: LinkRow | None, columns: Mapping[str, Any], job: RecordJob | None
    ) -> None:
        """Give the claim back unfinished and queue the next attempt; its events stay pending. One transaction.

        Of a person whose create may have gone out, the key is kept, see `_free`.
        """
        key = case((col(Link.creating) != "", col(Link.match_key))) if OBJECTS[target.object].person else None
        async with self.db.engine.begin() as connection:
            if link is not None:
                await connection.execute(
                    update(Link)
                    .where(col(Link.id) == link.id, col(Link.claim).in_((target.claim, target.claim + OUTDATED)))
                    .values({"claim": "", "claimed_until": None, "match_key": key, **columns})
                )
            if job is not None:
                await defer(connection, [job])

    async def queue(self, *targets: Target) -> None:
        """Have records looked at now."""
        await transact(self.db.engine, partial(defer, jobs=[_job(target) for target in targets]))

    async def wake(self, target: Target, columns: Mapping[str, Any]) -> None:
        """A pair was made: queue the records that waited for it."""
        ids = {(side, id_) for side, name in COLUMN.items() for id_ in (columns[name], owner_of(columns[name]))}
        keys = [replace(target, side=side, external_id=id_) for side, id_ in sorted(ids)]
        values = {"bridge_id": target.bridge_id, "keys": [waits_for(key) for key in keys]}

        async def woken(connection: AsyncConnection) -> int:
            rows = await connection.execute(statements.WAITING, values)
            jobs = [_job(replace(target, object=o, side=Side(s), external_id=x)) for o, s, x in rows]
            return await defer(connection, jobs)

        await transact(self.db.engine, woken)

    async def dismiss(self, target: Target, reason: str) -> None:
        """Answer all pending events of a record whose bridge takes no part (any more)."""
        async with self.db.engine.begin() as connection:
            await connection.execute(
                update(Event)
                .where(col(Event.state) == EventState.PENDING.value, *_of_record(target))
                .values(state=EventState.IGNORED.value, outcome=reason, handled_at=text("now()"))
            )

    async def forget(self, target: Target, link: LinkRow, *, outcome: str) -> bool:
        """Drop the row of a record that is gone and never had a partner. False: the claim was lost."""
        async with self.db.engine.begin() as connection:
            ours = (col(Link.id) == link.id, col(Link.claim) == target.claim)
            dropped = await connection.execute(delete(Link).where(*ours).returning(col(Link.id)))
            if dropped.first() is None:
                return False
            await _answer_events(connection, target, link, Settlement(outcome=outcome))
            return True

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> RowMapping | None:
        async with self.db.single.connect() as connection:
            return (await connection.execute(statement, values)).mappings().first()


def waits_for(parent: Target) -> str:
    """What a waiting row names its parent by."""
    return f"{parent.object}/{parent.side.value}/{parent.external_id}"


def _job(target: Target) -> RecordJob:
    return RecordJob(**_key(target), run_id=target.run_id)


def settled(target: Target, link: LinkRow, end: Settlement) -> dict[str, Any]:
    """The values of `statements.settle`."""
    return {
        **{name: json.dumps(value) if name in JSON else value for name, value in end.link.items()},
        **_key(target),
        "id": link.id,
        "claim": target.claim,
        "revision": link.revision,
        "last_event": link.last_event,
        "event_state": end.events.value,
        "event_outcome": end.outcome,
        **({"activity": json.dumps({**end.activity, "run_id": target.run_id})} if end.activity is not None else {}),
        **(end.sum.columns() if end.sum else {}),
    }


def _key(target: Target) -> dict[str, Any]:
    return {
        "bridge_id": target.bridge_id,
        "object": target.object,
        "side": target.side.value,
        "external_id": target.external_id,
    }


def _of_record(target: Target) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Event.bridge_id) == target.bridge_id,
        col(Event.object) == target.object,
        col(Event.side) == target.side.value,
        col(Event.external_id) == target.external_id,
    )


async def _answer_events(connection: AsyncConnection, target: Target, link: LinkRow, end: Settlement) -> None:
    if not link.last_event:
        return
    await connection.execute(
        update(Event)
        .where(col(Event.state) == EventState.PENDING.value, col(Event.id) <= link.last_event, *_of_record(target))
        .values(state=end.events.value, outcome=end.outcome, handled_at=text("now()"))
    )

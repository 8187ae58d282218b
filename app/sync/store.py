"""What the engine reads and writes in our own database, each in one short statement or transaction.

A *claim* makes one job the owner of a row of `links` for a while: `claim` takes it; `settle` and `postpone` give it
back, and do nothing where it was lost meanwhile (a job thought dead that comes back late changes nothing here).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, TextClause, delete, insert, or_, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.models import Activity, Event, Link
from app.models.event import EventState
from app.models.link import LinkState
from app.queue import RecordJob, defer
from app.sync.records import Side


class ClaimLost(Exception):
    """Rolls a transaction back; never leaves this module."""


COLUMN = {Side.CRM: "crm_id", Side.BILLING: "billing_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The record a job is about. `claim` names the job: two runs of one job share it."""

    bridge_id: int
    object: str
    side: Side
    external_id: str
    claim: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link as the engine sees it. `last_event`: the newest pending event of the record when it was claimed."""

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
    last_event: int = 0
    cause: str = ""

    def id_on(self, side: Side) -> str | None:
        return self.crm_id if side is Side.CRM else self.billing_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended: columns of the link, what its events are told, the activity if something was done."""

    outcome: str
    link: Mapping[str, Any] = field(default_factory=dict)
    activity: Mapping[str, Any] | None = None
    events: EventState = EventState.DONE


_FIELDS = (
    "id, crm_id, billing_id, billing_part, state, problem, detail, origin, base_crm, base_billing, held, tries,"
    " creating, created_at, synced_at"
)
_PENDING = (
    "FROM events e WHERE e.state = 'pending' AND e.bridge_id = :bridge_id AND e.object = :object"
    " AND e.side = :side AND e.external_id = :external_id"
)
# The names put into these statements are the constants above; values are always parameters.
_CLAIM = {
    side: text(
        f"INSERT INTO links AS l (bridge_id, object, {column}, claim, claimed_until)"  # noqa: S608
        " VALUES (:bridge_id, :object, :external_id, :claim, now() + make_interval(secs => :seconds))"
        f" ON CONFLICT (bridge_id, object, {column})"
        " DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until"
        " WHERE l.claimed_until IS NULL OR l.claimed_until < now() OR l.claim = excluded.claim"
        f" RETURNING {_FIELDS}, (SELECT coalesce(max(e.id), 0) {_PENDING}) AS last_event,"
        f" (SELECT coalesce(max(e.kind), '') {_PENDING}) AS cause"
    )
    for side, column in COLUMN.items()
}
_FIND = {
    side: text(
        f"SELECT {_FIELDS}, coalesce(claimed_until > now(), false) AS busy FROM links"  # noqa: S608
        f" WHERE bridge_id = :bridge_id AND object = :object AND {column} = :external_id"
    )
    for side, column in COLUMN.items()
}
_RESERVE = text(
    "UPDATE links SET match_key = :match_key, creating = :creating WHERE id = :id AND claim = :claim RETURNING id"
)


class Store:
    """No method leaves a transaction open."""

    def __init__(self, engine: AsyncEngine, *, claim_seconds: float) -> None:
        self._engine = engine
        self._claim_seconds = claim_seconds

    async def claim(self, target: Target) -> LinkRow | None:
        """Own the record's row, made where there is none. None: another job owns it now."""
        values = {**_key(target), "claim": target.claim, "seconds": self._claim_seconds}
        row = await self._one(_CLAIM[target.side], values)
        return LinkRow(**row) if row is not None else None

    async def reserve(self, link: LinkRow, target: Target, *, match_key: str, creating: Side) -> bool:
        """Before looking for a partner and maybe creating it: no twin may do the same. False: one does, or we lost."""
        values = {"id": link.id, "claim": target.claim, "match_key": match_key, "creating": creating.value}
        try:
            return await self._one(_RESERVE, values) is not None
        except IntegrityError:
            return False

    async def find(self, target: Target, side: Side, external_id: str) -> tuple[LinkRow, bool] | None:
        """The row that holds this id in the target's bridge, and whether a job owns it right now."""
        row = await self._one(
            _FIND[side], {"bridge_id": target.bridge_id, "object": target.object, "external_id": external_id}
        )
        if row is None:
            return None
        columns = dict(row)
        busy = columns.pop("busy")
        return LinkRow(**columns), busy

    async def settle(self, target: Target, link: LinkRow, end: Settlement) -> bool:
        """Store how the attempt ended, in one transaction. False: the claim was lost, nothing was stored."""
        try:
            async with self._engine.begin() as connection:
                await _take_over(connection, target, link, end.link)
                kept = await connection.execute(
                    update(Link)
                    .where(col(Link.id) == link.id, col(Link.claim) == target.claim)
                    .values(claim="", claimed_until=None, match_key=None, **end.link)
                    .returning(col(Link.id))
                )
                if kept.first() is None:
                    raise ClaimLost
                if end.activity is not None:
                    await connection.execute(insert(Activity).values(link_id=link.id, **end.activity))
                await _answer_events(connection, target, link, end)
        except (ClaimLost, IntegrityError):  # the latter: another row was linked to the partner in this instant
            return False
        return True

    async def cut(self, link: LinkRow, problem: str) -> bool:
        """Unlink a pair that no job owns at the moment. False: one does."""
        free = or_(col(Link.claimed_until).is_(None), col(Link.claimed_until) < text("now()"))
        async with self._engine.begin() as connection:
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
        """Give the claim back unfinished and queue the next attempt; its events stay pending. One transaction."""
        async with self._engine.begin() as connection:
            if link is not None:
                await connection.execute(
                    update(Link)
                    .where(col(Link.id) == link.id, col(Link.claim) == target.claim)
                    .values(claim="", claimed_until=None, match_key=None, **columns)
                )
            if job is not None:
                await defer(connection, [job])

    async def dismiss(self, target: Target, reason: str) -> None:
        """Answer all pending events of a record whose bridge takes no part (any more)."""
        async with self._engine.begin() as connection:
            await connection.execute(
                update(Event)
                .where(col(Event.state) == EventState.PENDING.value, *_of_record(target))
                .values(state=EventState.IGNORED.value, outcome=reason, handled_at=text("now()"))
            )

    async def forget(self, target: Target, link: LinkRow, *, outcome: str) -> bool:
        """Drop the row of a record that is gone and never had a partner. False: the claim was lost."""
        async with self._engine.begin() as connection:
            ours = (col(Link.id) == link.id, col(Link.claim) == target.claim)
            dropped = await connection.execute(delete(Link).where(*ours).returning(col(Link.id)))
            if dropped.first() is None:
                return False
            await _answer_events(connection, target, link, Settlement(outcome=outcome))
            return True

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> RowMapping | None:
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            return (await connection.execute(statement, values)).mappings().first()


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


async def _take_over(connection: AsyncConnection, target: Target, link: LinkRow, columns: Mapping[str, Any]) -> None:
    """Where the link now gets its partner's id, the partner's own lonely or cut row makes room."""
    for side, column in COLUMN.items():
        external_id = columns.get(column)
        if external_id and external_id != link.id_on(side):
            await connection.execute(
                delete(Link).where(
                    col(Link.bridge_id) == target.bridge_id,
                    col(Link.object) == target.object,
                    col(getattr(Link, column)) == external_id,
                    or_(col(getattr(Link, COLUMN[side.other])).is_(None), col(Link.state) == LinkState.UNLINKED.value),
                    col(Link.id) != link.id,
                )
            )


async def _answer_events(connection: AsyncConnection, target: Target, link: LinkRow, end: Settlement) -> None:
    if not link.last_event:
        return
    await connection.execute(
        update(Event)
        .where(col(Event.state) == EventState.PENDING.value, col(Event.id) <= link.last_event, *_of_record(target))
        .values(state=end.events.value, outcome=end.outcome, handled_at=text("now()"))
    )

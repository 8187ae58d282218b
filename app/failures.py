"""Records that are not in step, grouped by what they have in common: the bridge, the problem, and the reason.

Two reasons are one where they differ only in what they are about: ids, numbers, addresses and quoted values are taken
out, so that “phone +39 06 1234 is not valid” and “phone +44 20 7946 is not valid” are one group.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.models import Activity, Bridge, Link
from app.models.link import LinkState

NOT_IN_STEP = (LinkState.RETRYING, LinkState.WAITING, LinkState.FAILED, LinkState.CONFLICT)
_LONGEST = 500
"""Characters of a reason that are looked at."""
KEY = re.compile(r"[1-9]\d{0,17}\.[0-9a-f]{16}")
"""The bridge's id, and what stands for problem and reason."""

_GAP = "…"
# What a reason is about, in the order in which it is taken out. A field of a vendor may end in a digit
# (custom_value1). An id of Invoice Ninja is ten letters in disorder, one of HighLevel about twenty.
_SUBJECTS = (
    r"“[^”]*”|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)",
    r"[^\s(<]+@[^\s)>]+\w",
    r"(?<![^\s()\[\],;:])(?![a-z_]{3,}\d?(?!\w))[^\s()\[\],;:]*\d[^\s()\[\],;:]*",
    r"\m(?:(?=[A-Za-z]{10}\M)[a-zA-Z]+[a-z][A-Z][a-zA-Z]*[a-z][A-Z][a-zA-Z]*|[A-Za-z]{18,})\M",
    rf"{_GAP}(?:[\s+(),./-]*{_GAP})+",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`example`: the id of the link that joined last. `first_at` and `last_at`: when the first and the last of these
    records fell out of step."""

    key: str
    bridge_id: int
    bridge: str
    problem: str
    reason: str
    count: int
    example: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Failures:
    """`groups`: the largest first, as many as were asked for. `records` and `kinds` count all there are."""

    groups: Sequence[Group]
    records: int
    kinds: int


async def grouped(
    engine: AsyncEngine, *, bridge_id: int | None = None, problem: str | None = None, limit: int = 100
) -> Failures:
    """What is not in step now."""
    statement = _grouped(bridge_id, problem).limit(limit)
    async with engine.connect() as connection:
        rows = (await connection.execute(statement)).mappings().all()
    groups = [Group(**{name: row[name] for name in Group.__slots__}) for row in rows]
    return Failures(groups, *((rows[0]["records"], rows[0]["kinds"]) if rows else (0, 0)))


def bridge_of(key: str) -> int:
    """The bridge of a group. Raises ValueError where that is no key."""
    if not KEY.fullmatch(key):
        raise ValueError(f"“{key}” is no key of a group")
    return int(key.partition(".")[0])


async def members(engine: AsyncEngine, key: str) -> Sequence[int]:
    """The ids of the links of a group, as it is now."""
    async with engine.connect() as connection:
        return list(await connection.scalars(_members(key)))


async def listed(engine: AsyncEngine, key: str, *, limit: int, below: int) -> Sequence[Link]:
    """Those with ids below `below`, newest first."""
    id_, members = col(Link.id), _members(key).subquery()
    newest = select(Link).where(id_.in_(select(members.c.id)), id_ < below).order_by(id_.desc()).limit(limit)
    async with AsyncSession(engine) as session:
        return (await session.scalars(newest)).all()


def _members(key: str) -> Select[Any]:
    each = _each(bridge_of(key), None)
    return select(each.c.id).where(_key(each) == key).order_by(each.c.id)


def _grouped(bridge_id: int | None, problem: str | None) -> Select[Any]:
    each, count = _each(bridge_id, problem), func.count()
    group = (
        select(
            each.c.bridge_id,
            each.c.problem,
            each.c.reason,
            count.label("count"),
            func.max(each.c.id).label("example"),
            func.min(each.c.since).label("first_at"),
            func.max(each.c.since).label("last_at"),
            func.sum(count).over().cast(BigInteger).label("records"),
            func.count().over().label("kinds"),
        )
        .group_by(each.c.bridge_id, each.c.problem, each.c.reason)
        .subquery()
    )
    return (
        select(group, _key(group).label("key"), col(Bridge.name).label("bridge"))
        .join(Bridge, col(Bridge.id) == group.c.bridge_id)
        .order_by(group.c["count"].desc(), group.c.example.desc())
    )


def _each(bridge_id: int | None, problem: str | None) -> Subquery:
    """One row for each record that is not in step."""
    only: list[ColumnElement[bool]] = [col(Link.state).in_([state.value for state in NOT_IN_STEP])]
    only += [
        column == value for column, value in ((col(Link.bridge_id), bridge_id), (col(Link.problem), problem)) if value
    ]
    return (
        select(col(Link.id), col(Link.bridge_id), col(Link.problem), _reason().label("reason"), _since().label("since"))
        .where(*only)
        .offset(0)  # each reason is made once: without it the planner makes it again for every column
        .subquery()
    )


def _since() -> ColumnElement[datetime]:
    """When a record fell out of step: of a decision that waits, when that was told."""
    told = select(col(Activity.at)).where(col(Activity.link_id) == col(Link.id)).order_by(col(Activity.id).desc())
    return func.coalesce(col(Link.first_failed_at), told.limit(1).scalar_subquery(), col(Link.created_at))


def _reason() -> ColumnElement[str]:
    """Of a link: why, whatever it is about."""
    reason: ColumnElement[str] = func.left(col(Link.detail), _LONGEST)
    for id_ in (col(Link.crm_id), col(Link.billing_id)):
        reason = func.replace(reason, func.coalesce(id_, _GAP), _GAP)
    for subject in _SUBJECTS:
        reason = func.regexp_replace(reason, subject, _GAP, "g")
    return reason


def _key(group: Subquery) -> ColumnElement[str]:
    reason = func.left(func.md5(func.concat(group.c.problem, "/", group.c.reason)), 16)
    return func.concat(group.c.bridge_id, ".", reason)

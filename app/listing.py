"""Linked records by bridge, object and how they are doing, found by what they are called: lists of any length.

How a record is doing is exactly what the overview counts, so that each of its counts leads to a list of as many. No
question walks more than a few pages of an index: where none fits as a whole, each of its few parts is asked by itself
(a state of an object of a bridge), for no more than a page of rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.models import Link
from app.models.link import LinkState
from app.sync.naming import query_of
from app.sync.objects import OBJECTS


class Doing(StrEnum):
    """How a record is doing, each in one way, but that those waiting for their parent are waiting as well.

    `decide`: a person has to, be it about one field only.
    """

    IN_STEP = "in_step"
    WAITING = "waiting"
    WAITING_FOR_PARENT = "waiting_for_parent"
    FAILING = "failing"
    DECIDE = "decide"
    LEFT_OUT = "left_out"


_STATES: Mapping[Doing, Sequence[LinkState]] = {
    Doing.IN_STEP: (LinkState.OK,),
    Doing.WAITING: (LinkState.PENDING, LinkState.RETRYING, LinkState.WAITING, LinkState.WAITING_FOR_PARENT),
    Doing.WAITING_FOR_PARENT: (LinkState.WAITING_FOR_PARENT,),
    Doing.FAILING: (LinkState.FAILED,),
    Doing.DECIDE: (LinkState.CONFLICT,),
    Doing.LEFT_OUT: (LinkState.EXCLUDED, LinkState.UNLINKED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is None is not asked for. `search`: beginnings of words of its name or e-mail, or an id of either vendor."""

    bridge_id: int | None = None
    object: str | None = None
    doing: Doing | None = None
    search: str = ""


async def records(engine: AsyncEngine, wanted: Wanted, *, limit: int, below: int) -> Sequence[Link]:
    """Newest first, with ids below `below`."""
    async with AsyncSession(engine) as session:
        ids = (await session.execute(text(statement(wanted)), values(wanted, limit=limit, below=below))).scalars().all()
        newest = select(Link).where(col(Link.id).in_(ids)).order_by(col(Link.id).desc())
        return (await session.scalars(newest)).all()


def statement(wanted: Wanted) -> str:
    """The ids of a page. All that is put into it is ours."""
    if wanted.search.strip():
        return _SEARCHED.format(only=_only(wanted), found=_found(wanted.search))
    if wanted.doing is None and wanted.object is None:
        return _ALL.format(only=_only(wanted))
    parts = [_parts(wanted)]
    if wanted.doing is Doing.DECIDE:  # and what is in step but for a field of which a person decides
        parts.append(_OPEN.format(only=_only(wanted)))
    return f"SELECT DISTINCT id FROM ({' UNION ALL '.join(parts)}) part ORDER BY id DESC LIMIT :limit"  # noqa: S608


def values(wanted: Wanted, *, limit: int, below: int) -> dict[str, Any]:
    return {
        "bridge_id": wanted.bridge_id,
        "object": wanted.object,
        "objects": [wanted.object] if wanted.object else list(OBJECTS),
        "states": [state.value for state in (_STATES[wanted.doing] if wanted.doing else LinkState)],
        "words": query_of(wanted.search),
        "id": wanted.search.strip(),
        "limit": limit,
        "below": below,
    }


async def found_by(engine: AsyncEngine, search: str, link_id: Mapped[Any]) -> ColumnElement[bool]:
    """Whether this finds the link of a row. A few are named; many are asked, for the next row that has one is near."""
    asked = {"id": search.strip(), "words": query_of(search)}
    async with engine.connect() as connection:
        some = text(f"{_found(search)} LIMIT {_FEW + 1}")
        ids = list((await connection.execute(some, asked)).scalars())
    if len(ids) <= _FEW:
        return link_id == any_(literal(ids, ARRAY(BigInteger)))
    fits = or_(
        text(_FITS).bindparams(words=asked["words"]),
        col(Link.crm_id) == asked["id"],
        col(Link.billing_id) == asked["id"],
    )
    return select(fits).where(col(Link.id) == link_id).scalar_subquery()


def _found(search: str) -> str:
    return f"{_LIKE} UNION {_HAS_ID}" if query_of(search) else _HAS_ID


_FEW = 500
_FITS = "array_to_tsvector(string_to_array(links.words, ' '::text)) @@ CAST(:words AS tsquery)"
_LIKE = f"SELECT id FROM links WHERE {_FITS}"  # noqa: S608 -- constants of this module
_HAS_ID = "SELECT id FROM links WHERE crm_id = :id UNION SELECT id FROM links WHERE billing_id = :id"
_SEARCHED = """
    WITH found AS MATERIALIZED ({found})
    SELECT l.id FROM found JOIN links l ON l.id = found.id
     WHERE l.id < :below AND {only} ORDER BY l.id DESC LIMIT :limit
"""
_ALL = "SELECT l.id FROM links l WHERE l.id < :below AND {only} ORDER BY l.id DESC LIMIT :limit"
# Compared as a row and ordered by all of its columns, a part is a stretch of one index, and of no other.
_PARTS = """
    (SELECT part.id FROM {keys} CROSS JOIN LATERAL (
        SELECT l.id FROM links l
         WHERE ({columns}, l.id) < ({named}, :below) AND ({columns}, l.id) > ({named}, 0) AND {only}
         ORDER BY {order}, l.id DESC LIMIT :limit) part)
"""
_OPEN = "SELECT l.id FROM links l WHERE l.conflicts <> '[]' AND l.id < :below AND {only}"


def _parts(wanted: Wanted) -> str:
    keys = {"state": "unnest(CAST(:states AS text[]))"}
    if wanted.bridge_id is not None or wanted.object is not None:
        bridges = "(SELECT CAST(:bridge_id AS bigint))" if wanted.bridge_id is not None else "(SELECT id FROM bridges)"
        keys = {"bridge_id": bridges, "object": "unnest(CAST(:objects AS text[]))", **keys}
    return _PARTS.format(
        keys=", ".join(f"{source} AS k{n}({name})" for n, (name, source) in enumerate(keys.items())),
        columns=", ".join(f"l.{name}" for name in keys),
        named=", ".join(f"k{n}.{name}" for n, name in enumerate(keys)),
        order=", ".join(f"l.{name} DESC" for name in keys),
        only=_only(wanted),
    )


def _only(wanted: Wanted) -> str:
    terms = [f"l.{name} = :{name}" for name in ("bridge_id", "object") if getattr(wanted, name) is not None]
    if wanted.doing is Doing.DECIDE:
        terms.append("(l.state = 'conflict' OR l.conflicts <> '[]')")
    elif wanted.doing is not None:
        terms.append("l.state = ANY(:states) AND l.conflicts = '[]'")
    return " AND ".join(terms) or "true"

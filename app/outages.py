"""What keeps records waiting now: accounts that let nobody in, and vendors that do not answer as they should."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

RECONNECT = "reconnect"
"""The problem of records that wait for an account that lets nobody in."""
MOST = 1000
"""Records that are counted: a page says “more than” instead of reading on."""
NAMED = 3
"""Accounts that are named."""

_REFUSED = text("""
    SELECT id, name, provider, state_reason AS reason, refused_since AS since, count(*) OVER () AS all
      FROM connections WHERE state = 'needs_reconnect' ORDER BY refused_since, id LIMIT :named
""")
# One hiccup is no outage: what has failed twice in a row is told of.
_TRIED = text("""
    SELECT count(*) AS records, min(first_failed_at) AS since, mode() WITHIN GROUP (ORDER BY detail) AS reason
      FROM (SELECT detail, first_failed_at FROM links WHERE state = 'retrying' AND tries > 1 LIMIT :most) l
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """An account whose credentials its vendor does not accept."""

    id: int
    name: str
    provider: str
    reason: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Records that are tried again by themselves. `reason`: the one of most of them. At most `MOST` + 1."""

    records: int
    since: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Outages:
    """`refused`: those that have been for longest, `NAMED` at most; `accounts` counts all of them."""

    refused: list[Refused]
    accounts: int
    tried: Tried | None


async def outages(engine: AsyncEngine) -> Outages:
    async with engine.connect() as connection:
        rows = (await connection.execute(_REFUSED, {"named": NAMED})).mappings().all()
        tried = (await connection.execute(_TRIED, {"most": MOST + 1})).mappings().one()
    refused = [Refused(**{name: row[name] for name in Refused.__slots__}) for row in rows]
    return Outages(refused, rows[0]["all"] if rows else 0, Tried(**tried) if tried["records"] else None)

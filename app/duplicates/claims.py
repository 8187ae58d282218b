"""Keeping every job away from some billing records while a vendor merges them, in all bridges of their account."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.errors import Retry

SECONDS = 120
"""How long a claim lasts; longer than any vendor call."""
PATIENCE, PAUSE = 10.0, 0.1

# A record without a row gets one for as long as this lasts, in each bridge of the account: no job may begin with it.
_ROOM = text("""
    INSERT INTO links (bridge_id, object, billing_id)
    SELECT b.id, object_, id_
      FROM bridges b, unnest(CAST(:objects AS text[])) object_, unnest(CAST(:ids AS text[])) id_
     WHERE b.billing_connection_id = (SELECT billing_connection_id FROM bridges WHERE id = :bridge_id)
     ORDER BY b.id, object_, id_
    ON CONFLICT DO NOTHING RETURNING id
""")
_LINES = text("""
    SELECT l.id, coalesce(l.claimed_until > now() AND l.claim <> :claim, false) AS busy
      FROM links l JOIN bridges b ON b.id = l.bridge_id
     WHERE b.billing_connection_id = (SELECT billing_connection_id FROM bridges WHERE id = :bridge_id)
       AND l.object = ANY(:objects) AND (l.billing_id = ANY(:ids)
        OR strpos(l.billing_id, '/') > 0 AND split_part(l.billing_id, '/', 1) = ANY(:ids))
     ORDER BY l.id FOR UPDATE OF l
""")
_CLAIM = text("""
    UPDATE links SET claim = :claim, claimed_until = now() + make_interval(secs => :seconds) WHERE id = ANY(:links)
""")
_RENEW = text("""
    UPDATE links SET claimed_until = now() + make_interval(secs => :seconds)
     WHERE id = ANY(:links) AND claim = :claim
""")
_LOST = text("SELECT id FROM links WHERE id = ANY(:links) AND claim <> :claim LIMIT 1")
_RELEASE = text("UPDATE links SET claim = '', claimed_until = NULL WHERE id = ANY(:links) AND claim = :claim")
_DROP = text("DELETE FROM links WHERE id = ANY(:made) AND claim = :claim AND crm_id IS NULL")


class _Busy(Exception):
    """Rolls back what was claimed so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """`links`: the rows that are ours, by id; `made`: those of them that were not there before."""

    engine: AsyncEngine
    claim: str
    links: Sequence[int]
    made: Sequence[int]

    async def renew(self) -> None:
        """Of those that are still there. Raises Retry where one was lost."""
        values = {"links": list(self.links), "claim": self.claim, "seconds": SECONDS}
        async with self.engine.begin() as connection:
            await connection.execute(_RENEW, values)
            if await connection.scalar(_LOST, values) is not None:
                raise Retry("it took too long, and these records are at work elsewhere: try again")


@contextlib.asynccontextmanager
async def holding(
    engine: AsyncEngine, bridge_id: int, objects: Sequence[str], ids: Collection[str]
) -> AsyncIterator[Hold]:
    """`ids`: of whole records in billing; their parts are held as well. Raises Retry where others hold one."""
    hold = await _patiently(engine, bridge_id, objects, ids)
    try:
        yield hold
    finally:
        values = {"links": list(hold.links), "made": list(hold.made), "claim": hold.claim}
        async with engine.begin() as connection:
            await connection.execute(_DROP, values)
            await connection.execute(_RELEASE, values)


async def _patiently(engine: AsyncEngine, bridge_id: int, objects: Sequence[str], ids: Collection[str]) -> Hold:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        try:
            return await _hold(engine, bridge_id, objects, ids)
        except _Busy:
            if asyncio.get_running_loop().time() > deadline:
                raise Retry("one of these records is being synced at the moment: try again") from None
            await asyncio.sleep(PAUSE)


async def _hold(engine: AsyncEngine, bridge_id: int, objects: Sequence[str], ids: Collection[str]) -> Hold:
    claim = f"merge-{uuid4()}"
    values = {"bridge_id": bridge_id, "objects": list(objects), "ids": sorted(ids), "claim": claim}
    async with engine.begin() as connection:
        made = (await connection.execute(_ROOM, values)).scalars().all()
        lines = (await connection.execute(_LINES, values)).all()
        if any(busy for _, busy in lines):
            raise _Busy
        links = [id_ for id_, _ in lines]
        await connection.execute(_CLAIM, {"links": links, "claim": claim, "seconds": SECONDS})
    return Hold(engine=engine, claim=claim, links=links, made=made)

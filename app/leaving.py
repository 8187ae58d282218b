"""Leaving a record out, and cutting a pair, at a person's word; and taking either back.

left out | keeps its pair and what both sides agreed on; nothing is read, written or deleted for it until a person takes
         | it in again, and it goes on from there
cut      | both stay, each by itself, and neither is synced; a person can make them one again
"""

from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from app.connections import Connections
from app.deciding import decide_record
from app.errors import Gone, OutOfDate, Rejected
from app.models import Activity, Bridge, Link
from app.models.link import LinkState
from app.queue import RecordJob, defer, transact
from app.sync.choosing import LEFT_OUT
from app.sync.decisions import Apart, Decisions
from app.sync.objects import OBJECTS

_WITHOUT_TROUBLE = {"tries": 0, "first_failed_at": None, "next_try_at": None, "waits_for": ""}
_NOBODYS = {"claim": "", "claimed_until": None}


async def exclude(connections: Connections, link_id: int, by: str) -> None:
    """From this moment on. A job that works on it now stores nothing any more. Raises Gone, OutOfDate."""
    async with AsyncSession(connections.engine) as session, session.begin():
        link = await _locked(session, link_id)
        if link.problem == LEFT_OUT:
            raise OutOfDate("This record is left out already.")
        if link.state == LinkState.UNLINKED:
            raise OutOfDate("This pair is cut: nothing of it is synced.")
        if link.conflicts:
            raise OutOfDate("This record waits for a decision. Decide first, or keep it apart there.")
        link.sqlmodel_update(
            {
                "state": LinkState.EXCLUDED.value,
                "problem": LEFT_OUT,
                "detail": f"{by} leaves it out.",
                **_WITHOUT_TROUBLE,
                **_NOBODYS,
            }
        )
        session.add(_activity(link, "excluded"))


async def include(connections: Connections, link_id: int) -> int:
    """Undo `exclude`: it is looked at now. Returns how many jobs were queued. Raises Gone, OutOfDate."""

    async def stored(connection: AsyncConnection) -> int:
        async with AsyncSession(connection) as session:
            link = await _locked(session, link_id)
            if link.problem != LEFT_OUT:
                raise OutOfDate("This record is not left out by a person.")
            await _require_enabled(session, link)
            # A pair that was left out tells by its state that it takes part again.
            link.state = (LinkState.EXCLUDED if link.crm_id and link.billing_id else LinkState.PENDING).value
            link.problem = link.detail = ""
            await session.flush()
            return await defer(connection, [RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id)])

    return await transact(connections.engine, stored)


async def unlink(connections: Connections, link_id: int, by: str) -> int:
    """Cut the pair; a job carries it out. Returns how many were queued. Raises Gone, OutOfDate, Rejected."""

    async def stored(connection: AsyncConnection) -> int:
        async with AsyncSession(connection) as session:
            link = await _locked(session, link_id)
            if OBJECTS[link.object].facet:
                raise Rejected(f"{OBJECTS[link.object].plural} belong to their contact, and are not cut by themselves.")
            if not (link.crm_id and link.billing_id) or link.state == LinkState.UNLINKED:
                raise OutOfDate("This record has no partner that it could be cut from.")
            if link.problem == LEFT_OUT:
                raise OutOfDate("This record is left out: take it in again first.")
            await _require_enabled(session, link)
            link.decisions = Decisions(apart=Apart(by=by)).model_dump(mode="json", exclude_defaults=True)
            link.tries, link.next_try_at = 0, None
            await session.flush()
            return await defer(connection, [RecordJob.asked(link.bridge_id, link.object, link.crm_id, link.billing_id)])

    return await transact(connections.engine, stored)


async def relink(connections: Connections, link_id: int, by: str) -> int:
    """Undo `unlink`: the two are one again. Returns how many jobs were queued. Raises Gone, OutOfDate, Rejected."""
    async with AsyncSession(connections.engine) as session:
        link = await session.get(Link, link_id)
    if link is None:
        raise Gone(f"There is no link {link_id}.")
    return await decide_record(connections, link_id, "partner", by, partner=link.billing_id or "")


async def _locked(session: AsyncSession, link_id: int) -> Link:
    link = await session.get(Link, link_id, with_for_update=True)
    if link is None:
        raise Gone(f"There is no link {link_id}.")
    return link


async def _require_enabled(session: AsyncSession, link: Link) -> None:
    if not (await session.get_one(Bridge, link.bridge_id)).enabled:
        raise OutOfDate("The bridge of this record is switched off.")


def _activity(link: Link, action: str) -> Activity:
    return Activity(
        bridge_id=link.bridge_id,
        link_id=link.id,
        object=link.object,
        crm_id=link.crm_id or "",
        billing_id=link.billing_id or "",
        action=action,
        cause="asked",
        detail=link.detail,
        at=datetime.now(UTC),
    )

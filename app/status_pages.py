"""How one bridge is doing, shown to whoever has the address: in a frame within the CRM, to the people of one location.

It tells counts and moments, never a record, a sum or a name of an account.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app import overview
from app.models import Activity, StatusPage
from app.models.connection import ConnectionState
from app.overview import BridgeHealth
from app.people.roles import Principal
from app.vault import digest, new_secret

PATH = "/status"
"""Where the pages are; the key follows."""


class Mood(StrEnum):
    """How it is doing, in one word. The first that holds."""

    PAUSED = "paused"
    TROUBLED = "troubled"  # somebody at the agency has to do something
    BUSY = "busy"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Status:
    """`changed_at`: when something was last written to either side."""

    heading: str
    mood: Mood
    health: BridgeHealth
    changed_at: datetime | None


async def make(connection: AsyncConnection, who: Principal, bridge_id: int, *, heading: str) -> str:
    """The key of its address, which is not kept. A key that there was before opens nothing any more."""
    key = new_secret()
    row = {"digest": digest(key), "heading": heading, "actor": who.name, "made_at": func.now()}
    made = insert(StatusPage).values(bridge_id=bridge_id, **row)
    await connection.execute(made.on_conflict_do_update(index_elements=["bridge_id"], set_=row))
    return key


async def of_bridge(engine: AsyncEngine, bridge_id: int) -> StatusPage | None:
    async with AsyncSession(engine) as session:
        return await session.get(StatusPage, bridge_id)


async def remove(connection: AsyncConnection, bridge_id: int) -> bool:
    """False: there was none."""
    gone = delete(StatusPage).where(col(StatusPage.bridge_id) == bridge_id).returning(col(StatusPage.bridge_id))
    return await connection.scalar(gone) is not None


async def opened(engine: AsyncEngine, key: str) -> Status | None:
    """What the page with this key shows. None: there is no such page."""
    async with engine.connect() as connection:
        wanted = select(col(StatusPage.bridge_id), col(StatusPage.heading))
        found = (await connection.execute(wanted.where(col(StatusPage.digest) == digest(key)))).one_or_none()
        if found is None:
            return None
        bridge_id, heading = found
        newest = select(col(Activity.at)).where(col(Activity.bridge_id) == bridge_id)
        changed_at = await connection.scalar(newest.order_by(col(Activity.id).desc()).limit(1))
    rows = await overview.bridges(engine, limit=1, below=bridge_id + 1)
    health = next((each for each in rows if each.id == bridge_id), None)
    return Status(heading or health.name, mood_of(health), health, changed_at) if health else None


def mood_of(health: BridgeHealth) -> Mood:
    refused = ConnectionState.NEEDS_RECONNECT.value in (health.crm_state, health.billing_state)
    moods = {
        Mood.PAUSED: not health.enabled,
        Mood.TROUBLED: bool(refused or health.failing or health.decide),
        Mood.BUSY: bool(health.waiting or health.oldest_at),
    }
    return next((mood for mood, holds in moods.items() if holds), Mood.WELL)

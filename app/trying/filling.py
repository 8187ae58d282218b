"""Filling the sandbox with people, as those who work there would."""

from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from app.models import Event, Link
from app.sync.records import Side
from app.trying.seeds import CLIENTS, CONTACTS, NEW_CLIENTS, Fields
from app.trying.stage import LOCATION, Stage


async def fill_before(stage: Stage) -> None:
    """What is there before anything is connected."""
    await _add_clients(stage, CLIENTS)


async def fill(stage: Stage) -> None:
    """What comes while both are kept in step."""
    for each in CONTACTS:
        await stage.ask(Side.CRM, "POST", "/contacts/", {"locationId": LOCATION, **each})
    await _add_clients(stage, NEW_CLIENTS)


async def fill_anew(engine: AsyncEngine, stage: Stage, bridges: Sequence[int]) -> None:
    """The simulators have lost everybody: no record is what it was. The activities stay, as of what was done."""
    async with engine.begin() as connection:
        for model in (Link, Event):
            await connection.execute(delete(model).where(col(model.bridge_id).in_(bridges)))
    await fill_before(stage)
    await fill(stage)


async def _add_clients(stage: Stage, clients: Sequence[Fields]) -> None:
    for each in clients:
        await stage.ask(Side.BILLING, "POST", "/api/v1/clients", dict(each))

"""Pausing a connection with all its bridges, or one object of a bridge; and stopping everything at once.

A bridge by itself is paused by PATCH /bridges/{bridge_id}.
"""

from collections.abc import Sequence
from contextlib import suppress

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, select
from sqlmodel import col

from app import pausing
from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import Id, Moment, Word
from app.api.guard import Caller
from app.api.problems import problems, refused
from app.api.reading import one
from app.api.requests import PauseIn
from app.api.schemas import Out, PauseOut
from app.errors import Rejected
from app.models import Bridge, Connection, Run
from app.models.run import RunState
from app.sync.objects import OBJECTS

router = APIRouter(tags=["pauses"], route_class=Bounded)


class PausedOut(BaseModel):
    paused: int = Field(description="Bridges that were live")


class ResumedOut(BaseModel):
    resumed: list[int] = Field(description="The bridges that go on; others are held by something else as well")


class EverythingOut(Out):
    """All bridges were stopped at once, and these were not let go on since."""

    bridges: int
    actor: str
    since: Moment


class EverythingStoppedOut(PausedOut):
    cancelled: list[int] = Field(description="The runs that were under way, or paused")


@router.post("/bridges/stop", summary="Stop everything on all bridges")
async def stop_everything(desk: AtDesk, who: Caller) -> EverythingStoppedOut:
    """All are paused, and every run is cancelled. What was done stays; nothing more is written."""
    async with desk.engine.begin() as connection:
        ids = [id_ for id_ in (await connection.scalars(select(col(Bridge.id)))).all() if id_ is not None]
        paused = await pausing.pause(connection, ids, pausing.EVERYTHING, pausing.By(actor=who.name))
    await desk.connections.directory.refresh()
    return EverythingStoppedOut(paused=paused, cancelled=await cancel_runs(desk))


@router.post("/bridges/resume", summary="Let go on what was stopped at once")
async def resume_everything(desk: AtDesk) -> ResumedOut:
    """The bridges that were live when everything was stopped. Runs that were cancelled are begun anew by hand."""
    return await _resumed(desk, pausing.EVERYTHING)


@router.post("/connections/{connection_id}/pause", summary="Pause a connection", responses=problems(400, 404, 413))
async def pause_connection(desk: AtDesk, who: Caller, connection_id: Id, wanted: PauseIn) -> PausedOut:
    """All bridges of it are paused. What changes meanwhile is caught up with when they go on."""
    await one(desk.engine, Connection, connection_id)
    source, by = pausing.connection_source(connection_id), pausing.By(actor=who.name, until=wanted.until)
    async with desk.engine.begin() as connection:
        ids = await pausing.bridges_of(connection, connection_id)
        paused = await pausing.pause(connection, ids, source, by)
    await desk.connections.directory.refresh()
    return PausedOut(paused=paused)


@router.post("/connections/{connection_id}/resume", summary="End the pause of a connection", responses=problems(404))
async def resume_connection(desk: AtDesk, connection_id: Id) -> ResumedOut:
    """Those of its bridges go on that nothing else holds."""
    await one(desk.engine, Connection, connection_id)
    return await _resumed(desk, pausing.connection_source(connection_id))


@router.post(
    "/bridges/{bridge_id}/objects/{object}/pause", summary="Pause an object", responses=problems(400, 404, 413)
)
async def pause_object(desk: AtDesk, who: Caller, bridge_id: Id, object: Word, wanted: PauseIn) -> list[PauseOut]:  # noqa: A002 -- as the path says
    """Nothing of it is written by changes and sweeps, and the rest of the bridge goes on. Answers what holds it."""
    bridge = await desk.connections.directory.bridge(bridge_id)
    await one(desk.engine, Bridge, bridge_id)
    if bridge is None or object not in bridge.settings.objects():
        raise _no_object(object)
    async with desk.engine.begin() as connection:
        await pausing.pause_object(connection, bridge_id, object, pausing.By(actor=who.name, until=wanted.until))
    await desk.connections.directory.refresh()
    return await _pauses(desk, bridge_id)


@router.post(
    "/bridges/{bridge_id}/objects/{object}/resume", summary="End the pause of an object", responses=problems(404)
)
async def resume_object(desk: AtDesk, bridge_id: Id, object: Word) -> list[PauseOut]:  # noqa: A002
    """Everything that changed meanwhile is looked at now. Answers what still holds the bridge."""
    await one(desk.engine, Bridge, bridge_id)
    if object not in OBJECTS:
        raise _no_object(object)
    await pausing.end(desk.engine, pausing.object_source(object), bridge_id)
    await desk.connections.directory.refresh()
    return await _pauses(desk, bridge_id)


def _no_object(name: str) -> HTTPException:
    return refused(f"There is no object “{name}” that is on; there are: {', '.join(OBJECTS)}.")


async def cancel_runs(desk: Desk, *which: ColumnElement[bool]) -> list[int]:
    """Those that are under way, or paused; returns their ids."""
    active = [state.value for state in (RunState.RUNNING, RunState.PAUSED)]
    asked = select(col(Run.id)).where(col(Run.state).in_(active), *which).order_by(col(Run.id))
    async with desk.engine.connect() as connection:
        ids = [id_ for id_ in (await connection.scalars(asked)).all() if id_ is not None]
    for run_id in ids:
        with suppress(Rejected):  # it has come to its end by itself
            await desk.runs.cancel(run_id)
    return ids


async def pauses_of(desk: Desk, ids: Sequence[int] | None = None) -> dict[int, list[PauseOut]]:
    """By bridge: of these, or of all."""
    rows = await pausing.pauses_of(desk.engine, ids)
    return {id_: [PauseOut.model_validate(each) for each in pauses] for id_, pauses in rows.items()}


async def show_stopped(desk: Desk) -> EverythingOut | None:
    """None where everything goes on."""
    found = await pausing.held_by(desk.engine, pausing.EVERYTHING)
    return EverythingOut.model_validate(found) if found else None


async def _pauses(desk: Desk, bridge_id: int) -> list[PauseOut]:
    return (await pauses_of(desk, [bridge_id])).get(bridge_id, [])


async def _resumed(desk: Desk, source: str) -> ResumedOut:
    resumed = await pausing.end(desk.engine, source)
    await desk.connections.directory.refresh()
    return ResumedOut(resumed=sorted(resumed))

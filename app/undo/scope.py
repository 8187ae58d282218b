"""What an undo is about: some of the activities of one bridge."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.errors import Gone, Rejected
from app.models import Activity, Bridge, Link, Run
from app.sync.records import Side

RECORD = "record"
"""Stands for the record as a whole, where a field is named: that it was made, archived or brought back."""


class Scope(BaseModel):
    """One of `activity_id`, `link_id`, `run_id` and `first`; the others narrow it. Kept as the options of the run.

    `first` and `last`: the ids between which its activities are; what is done later is none of it.
    """

    model_config = ConfigDict(extra="forbid")

    activity_id: int | None = None
    link_id: int | None = None
    run_id: int | None = None
    first: int | None = None
    last: int
    object: str | None = None
    side: Side | None = None
    fields: tuple[str, ...] | None = None

    def of(self, bridge_id: int) -> list[ColumnElement[bool]]:
        """Its activities."""
        given = (
            (col(Activity.id), self.activity_id),
            (col(Activity.link_id), self.link_id),
            (col(Activity.run_id), self.run_id),
            (col(Activity.object), self.object),
        )
        equal = [column == value for column, value in given if value is not None]
        since = [col(Activity.id) >= self.first] if self.first is not None else []
        return [col(Activity.bridge_id) == bridge_id, col(Activity.id) <= self.last, *equal, *since]

    def covers(self, side: str, *names: str) -> bool:
        """Whether a field of a side is meant, by any of its names."""
        return self.side in (None, side) and (self.fields is None or not {*names}.isdisjoint(self.fields))

    def options(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)


async def scope_of(
    engine: AsyncEngine,
    *,
    activity_id: int | None = None,
    link_id: int | None = None,
    run_id: int | None = None,
    bridge_id: int | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    object_: str | None = None,
    side: Side | None = None,
    fields: Collection[str] | None = None,
) -> tuple[int, Scope]:
    """The bridge, and the scope frozen as it is at this moment. One of the first four names it.

    Raises Gone where there is no such thing, Rejected where nothing was done in it.
    """
    async with engine.connect() as connection:
        if bridge_id is None:
            bridge_id = await _bridge(connection, activity_id, link_id, run_id)
        elif await connection.scalar(select(col(Bridge.id)).where(col(Bridge.id) == bridge_id)) is None:
            raise Gone(f"There is no bridge {bridge_id}.")
        times = [col(Activity.at) >= since] if since else []
        times += [col(Activity.at) < until] if until else []
        ids = select(func.min(col(Activity.id)), func.max(col(Activity.id)))
        first, last = (await connection.execute(ids.where(col(Activity.bridge_id) == bridge_id, *times))).one()
    if last is None:
        raise Rejected("This bridge did nothing in that time: there is nothing to undo.")
    return bridge_id, Scope(
        activity_id=activity_id,
        link_id=link_id,
        run_id=run_id,
        first=first if times else None,
        last=last,
        object=object_,
        side=side,
        fields=tuple(fields) if fields else None,
    )


async def _bridge(connection: AsyncConnection, activity_id: int | None, link_id: int | None, run_id: int | None) -> int:
    """The bridge of the one thing that is named."""
    named: tuple[tuple[str, Any, int | None], ...] = (
        ("activity", Activity, activity_id),
        ("link", Link, link_id),
        ("run", Run, run_id),
    )
    for called, model, id_ in named:
        if id_ is not None:
            bridge = await connection.scalar(select(col(model.bridge_id)).where(col(model.id) == id_))
            if bridge is None:
                raise Gone(f"There is no {called} {id_}.")
            return int(bridge)
    raise Rejected("Name an activity, a link, a run, or a bridge with a time.")

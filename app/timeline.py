"""What happened to one pair, by time: what its vendors told, and what was done.

Two logs are read side by side, each by its own numbers, so that a page of them walks a stretch of each index and each
row is shown once, whatever is added meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlmodel import col

from app.models import Activity, Event, Link
from app.sync.records import Side, is_part, own_of, owner_of


@dataclass(frozen=True, slots=True)
class Happened:
    """One of the two."""

    at: datetime
    event: Event | None = None
    activity: Activity | None = None


@dataclass(frozen=True, slots=True)
class Below:
    """Where to go on: the numbers of the last ones that were shown."""

    activity: int
    event: int


NEWEST = Below(10**18 - 1, 10**18 - 1)
"""Above all there are."""

# Compared as rows and ordered by all of their columns, both are stretches of one index, and of no other.
EVENTS = text("""
    SELECT part.id FROM unnest(CAST(:sides AS text[]), CAST(:ids AS text[])) AS k(side, external_id)
     CROSS JOIN LATERAL (
        SELECT e.id FROM events e
         WHERE (e.external_id, e.id) < (k.external_id, :below) AND (e.external_id, e.id) > (k.external_id, 0)
           AND e.side = k.side AND e.bridge_id = :bridge_id AND e.object = :object
         ORDER BY e.external_id DESC, e.id DESC LIMIT :limit) part
     ORDER BY part.id DESC LIMIT :limit
""")
ACTIVITIES = text("""
    SELECT a.id FROM activities a WHERE (a.link_id, a.id) < (:link_id, :below) AND (a.link_id, a.id) > (:link_id, 0)
     ORDER BY a.link_id DESC, a.id DESC LIMIT :limit
""")


async def timeline(
    engine: AsyncEngine, link: Link, *, limit: int, below: Below
) -> tuple[Sequence[Happened], Below | None]:
    """At most `limit`, newest first, and where to go on, if there is more."""
    values = {**_of(link), "limit": limit + 1}
    async with AsyncSession(engine) as session:
        ids = (await session.scalars(ACTIVITIES, {**values, "below": below.activity})).all()
        newest = select(Activity).where(col(Activity.id).in_(ids)).order_by(col(Activity.id).desc())
        done = [Happened(each.at, activity=each) for each in await session.scalars(newest) if each.at]
        ids = (await session.scalars(EVENTS, {**values, "below": below.event})).all()
        latest = select(Event).where(col(Event.id).in_(ids)).order_by(col(Event.id).desc())
        told = [Happened(each.received_at, event=each) for each in await session.scalars(latest) if each.received_at]
    shown = list(islice(merge(done, told, key=lambda each: each.at, reverse=True), limit))
    if len(shown) == len(done) + len(told):
        return shown, None
    return shown, Below(
        min((each.activity.id or 0 for each in shown if each.activity), default=below.activity),
        min((each.event.id or 0 for each in shown if each.event), default=below.event),
    )


def _of(link: Link) -> dict[str, Any]:
    """What finds a link's rows. Of a part, news of the whole, or of a part whose whole was not named, is its own."""
    ids = [
        (side.value, id_)
        for side, own in ((Side.CRM, link.crm_id), (Side.BILLING, link.billing_id))
        if own
        for id_ in ((own, owner_of(own), f"{owner_of(own)}/", f"/{own_of(own)}") if is_part(own) else (own,))
    ]
    return {
        "link_id": link.id,
        "bridge_id": link.bridge_id,
        "object": link.object,
        "sides": [side for side, _ in ids],
        "ids": [id_ for _, id_ in ids],
    }

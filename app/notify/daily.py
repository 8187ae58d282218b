"""The daily summaries: each is queued once, by whoever moves its channel on to the next day.

That and the job that tells are one transaction: two workers at once, or a restart in between, tell nothing twice, and
what was due while nobody worked is told once when somebody does.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app import earnings, overview
from app.notify.summary import Standing, summary
from app.notify.telling import Telling, queue

log = structlog.get_logger()

_MOST = 10_000
"""Bridges."""
_DAYS = 2
"""Of what is missed: today and yesterday."""
_IS_DUE = text("SELECT EXISTS (SELECT 1 FROM channels WHERE enabled AND summary_at <= now())")
_MOVED_ON = text("""
    UPDATE channels
       SET summary_at = summary_at
           + make_interval(hours => 24 * (1 + floor(extract(epoch FROM now() - summary_at) / 86400)::int))
     WHERE id IN (SELECT id FROM channels WHERE enabled AND summary_at <= now() ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING id, bridges, now() AS at
""")


@dataclass(frozen=True, slots=True)
class Daily:
    """`root`: where people reach the service."""

    engine: AsyncEngine
    root: str

    async def tell_due(self) -> int:
        """Returns how many summaries were queued."""
        async with self.engine.connect() as connection:
            if not await connection.scalar(_IS_DUE):
                return 0
        standings = await self._standings()
        async with self.engine.begin() as connection:
            tellings = []
            for id_, bridges, at in sorted(await connection.execute(_MOVED_ON)):
                wanted = [each for each in standings if not bridges or each.health.id in bridges]
                tellings.append(Telling(id_, "summary", summary(id_, wanted, at, self.root)))
            await queue(connection, tellings)
        if tellings:
            log.info("summary.queued", channels=[each.channel for each in tellings])
        return len(tellings)

    async def _standings(self) -> list[Standing]:
        live = overview.Standing.LIVE
        found = await overview.bridges(self.engine, limit=_MOST, below=2**63 - 1, standing=live, days=_DAYS)
        owed = await earnings.unpaid(self.engine)
        return [Standing(each, owed.get(each.id, [])) for each in found]


def next_at(hour: int | None, now: datetime) -> datetime | None:
    """The next time that it is this hour of the day in UTC."""
    if hour is None:
        return None
    today = now.astimezone(UTC).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)

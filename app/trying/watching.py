"""What is under way in the sandbox: deliveries that were not made yet, events and records that wait."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.sync.records import Side
from app.trying.host import Standing
from app.trying.stage import Stage

_WAITING = text("""
    SELECT (SELECT count(*) FROM events WHERE bridge_id = ANY(:bridges) AND state = 'pending'),
           (SELECT count(*) FROM links WHERE bridge_id = ANY(:bridges)
               AND state IN ('pending', 'retrying', 'waiting', 'waiting_for_parent'))
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """`deliveries`: webhooks that a simulator has still to send. `events`: those that nobody has handled. `records`."""

    deliveries: int
    events: int
    records: int

    @property
    def caught_up(self) -> bool:
        return not (self.deliveries or self.events or self.records)


async def waiting(engine: AsyncEngine, stage: Stage, standing: Standing) -> Waiting:
    said = [await stage.ask(side, "GET", "/_control/deliveries", last="0") for side in Side]
    async with engine.connect() as connection:
        events, records = (await connection.execute(_WAITING, {"bridges": list(standing.bridges)})).one()
    return Waiting(sum(int(each["pending"]) for each in said), events, records)

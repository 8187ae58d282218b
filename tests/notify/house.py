"""An installation with two connections and a bridge between them, for conditions that are made by hand."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.main import Service, build
from app.models import Channel
from app.notify.hooks import new_signing_secret
from app.notify.notifier import Notifier
from app.notify.targets import SignedHook
from app.settings import Settings

_PLACE = """
    WITH c AS (INSERT INTO connections (provider, name, account_id, sealed) VALUES ('highlevel', :name, :name, 'x')
               RETURNING id),
         i AS (INSERT INTO connections (provider, name, account_id, sealed)
               VALUES ('invoice_ninja', :name || ' billing', :name, 'x') RETURNING id)
    INSERT INTO bridges (name, crm_connection_id, billing_connection_id)
    SELECT 'Bridge ' || :name, c.id, i.id FROM c, i RETURNING id, crm_connection_id
"""


@dataclass
class House:
    service: Service
    bridge: int = 0
    crm: int = 0
    url: str = ""

    @property
    def notifier(self) -> Notifier:
        return Notifier.make(self.service.settings, self.service.engine, self.service.connections)

    async def look(self) -> int:
        return await self.notifier.watch.look()

    async def sql(self, statement: str, **values: Any) -> list[Mapping[str, Any]]:
        async with self.service.engine.begin() as connection:
            done = await connection.execute(text(statement), values)
            return [dict(row) for row in done.mappings()] if done.returns_rows else []

    async def place(self, name: str) -> tuple[int, int]:
        """The ids of a bridge and of its CRM connection."""
        (row,) = await self.sql(_PLACE, name=name)
        return row["id"], row["crm_connection_id"]

    async def troubled(self, count: int, state: str = "failed", bridge: int = 0) -> None:
        """From now on so many records of the bridge are in this state."""
        bridge = bridge or self.bridge
        await self.sql("DELETE FROM links WHERE bridge_id = :bridge AND state = :state", bridge=bridge, state=state)
        await self.sql(
            "INSERT INTO links (bridge_id, object, crm_id, state, problem, detail) SELECT :bridge, 'contact',"
            " :state || n, :state, 'rejected', 'jane@example.com' FROM generate_series(1, :count) n",
            bridge=bridge,
            state=state,
            count=count,
        )

    async def delivered(self, count: int, hours: float, kind: str = "ContactUpdate", apart: float = 1) -> None:
        """The CRM connection has sent so many, the last one so long ago, one every `apart` hours before."""
        await self.sql(
            "INSERT INTO events (delivery, connection_id, kind, state, received_at)"
            " SELECT :kind || ' ' || :hours || ' ' || n, :connection, :kind, 'done',"
            " now() - make_interval(secs => (CAST(:hours AS float8) + (:count - n) * CAST(:apart AS float8)) * 3600)"
            " FROM generate_series(1, :count) n",
            kind=kind,
            hours=str(hours),
            count=count,
            connection=self.crm,
            apart=apart,
        )

    async def channel(self, url: str = "https://hooks.example.com/x", **wanted: Any) -> Channel:
        target = SignedHook(url, new_signing_secret())
        named = {"name": "Mine", "kinds": [], "bridges": [], **wanted}
        return await self.notifier.channels.add(target, **named)

    async def alerts(self) -> list[Mapping[str, Any]]:
        return await self.sql("SELECT * FROM alerts ORDER BY id")

    async def queued(self) -> list[dict[str, Any]]:
        """What is to be told, in the order in which it was queued: `channel_id` and `message` of each."""
        rows = await self.sql("SELECT args FROM procrastinate_jobs WHERE task_name = 'tell' ORDER BY id")
        return [row["args"] if isinstance(row["args"], dict) else json.loads(row["args"]) for row in rows]

    async def told(self) -> list[tuple[str, str, int]]:
        """Type, kind and level of each."""
        said = [job["message"] for job in await self.queued()]
        return [(each["type"], each["kind"], each["level"]) for each in said]


@asynccontextmanager
async def housed(settings: Settings, database: str, *, worker: bool = False) -> AsyncIterator[House]:
    """Opened again on the same database, it is the same house after a restart."""
    service = build(settings, database)
    async with service.running(web=False, worker=worker):
        house = House(service)
        known = await house.sql("SELECT id, crm_connection_id FROM bridges ORDER BY id LIMIT 1")
        house.bridge, house.crm = (
            (known[0]["id"], known[0]["crm_connection_id"]) if known else await house.place("Main street")
        )
        yield house

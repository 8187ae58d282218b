"""Where the sandbox lives: in the one process that serves and works, which starts its simulators and ends them.

It exists as long as there is a connection with one of its addresses; nothing else says so. After a restart of the
service the simulators are started again with what they remember. One process at a time has them: a lock of the database
says which, for another machine's loopback is another place.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog
from sqlalchemy import text

from app.connections import Connections
from app.db import Database
from app.errors import Rejected
from app.providers.sandboxed import ADDRESSES, Ports
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.sync.records import Side
from app.trying.stage import NAMES, Stage, forget

log = structlog.get_logger()

LOOKS, IDLE = 2.0, 30.0
"""Seconds between two looks whether the simulators run; where there is no sandbox, whether there is one now."""
_FEW = 15.0
"""Seconds without a heartbeat after which a worker is not counted any more."""
_FOUND = text("SELECT id, provider FROM connections WHERE base_url = ANY(:addresses)")
_BRIDGES = text("SELECT id FROM bridges WHERE crm_connection_id = ANY(:ids) OR billing_connection_id = ANY(:ids)")
_WORKERS = text(
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => :seconds)"
)
_CLAIM = "SELECT pg_try_advisory_lock(hashtextextended('crossledger sandbox', 0))"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the sandbox is in the database: our ids. A set-up that was interrupted has less than all of it."""

    crm: int | None = None
    billing: int | None = None
    bridges: tuple[int, ...] = ()

    @property
    def connections(self) -> tuple[int, ...]:
        return tuple(each for each in (self.crm, self.billing) if each is not None)


@dataclass(slots=True)
class Host:
    settings: Settings
    db: Database
    connections: Connections
    ports: Ports
    standing: Standing = field(default_factory=Standing)
    """As it was when somebody last looked."""
    works: bool = False
    """Whether this process serves and works as well."""
    stage: Stage | None = None
    _alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    _claim: psycopg.AsyncConnection[Any] | None = None

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Nobody else begins the sandbox, takes it away, or starts its processes meanwhile."""
        async with self._alone:
            yield

    async def look(self) -> Standing:
        async with self.db.engine.connect() as connection:
            found = {
                provider: id_
                for id_, provider in await connection.execute(_FOUND, {"addresses": list(ADDRESSES.values())})
            }
            bridges = (await connection.scalars(_BRIDGES, {"ids": list(found.values())})).all() if found else []
        crm, billing = found.get(NAMES[Side.CRM]), found.get(NAMES[Side.BILLING])
        self.standing = Standing(crm, billing, tuple(bridges))
        return self.standing

    async def obstacle(self) -> str:
        """Why a sandbox cannot begin here; "" where it can."""
        if not self.works:
            return (
                "The sandbox needs a service that runs as one process (“crossledger serve”); here, workers run apart."
            )
        async with self.db.engine.connect() as connection:
            workers = await connection.scalar(_WORKERS, {"seconds": _FEW})
        if workers and workers > 1:
            return (
                "The sandbox needs a service that runs as one process; here, another worker runs as well. If it was"
                " ended a moment ago, wait a quarter of a minute and try again."
            )
        return ""

    def running(self) -> Stage:
        """Raises Rejected where there is nothing to work with."""
        if self.stage is None or not self.stage.alive:
            raise Rejected("The sandbox does not run here at the moment.")
        return self.stage

    async def start(self) -> Stage:
        """Have both simulators run, as `alone`. Raises Rejected where another process has them."""
        if self.stage is not None and self.stage.alive:
            return self.stage
        await self.stop()
        if not await self._claimed():
            raise Rejected("The sandbox runs in another process of this service.")
        self.stage = await Stage.start(self.settings.home / "sandbox", self.settings.local_url)
        self.ports.open(self.stage.ports)
        log.info("sandbox.started", fresh=self.stage.fresh)
        return self.stage

    async def stop(self, *, for_ever: bool = False) -> None:
        """End the processes. `for_ever`: what they remember is gone as well."""
        self.ports.close()
        if self.stage is not None:
            stage, self.stage = self.stage, None
            await stage.stop()
        if for_ever:
            forget(self.settings.home / "sandbox")
        if self._claim is not None:
            claim, self._claim = self._claim, None
            await claim.close()

    @asynccontextmanager
    async def keeping(self, *, works: bool) -> AsyncIterator[None]:
        """For as long as the service runs."""
        self.works = works
        keeper = asyncio.create_task(self._keep(), name="sandbox")
        try:
            yield
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            await self.stop()

    async def _keep(self) -> None:
        while True:
            try:
                if not self._alone.locked():
                    await self._look_after()
            except Exception as trouble:  # noqa: BLE001 -- a keeper that has ended silently helps nobody
                log.info("sandbox.not_running", reason=str(trouble).partition("\n")[0] or type(trouble).__name__)
            waited = 0.0
            while waited < (LOOKS if self.standing.connections else IDLE):
                await asyncio.sleep(LOOKS)
                waited += LOOKS

    async def _look_after(self) -> None:
        async with self.alone():
            standing = await self.look()
            if not self.works:
                return
            if not standing.connections:  # taken away elsewhere, or by hand
                if self.stage is not None:
                    await self.stop(for_ever=True)
            elif self.stage is None or not self.stage.alive:
                await self._start_again(standing)

    async def _start_again(self, standing: Standing) -> None:
        from app.trying.filling import fill_anew

        stage = await self.start()
        if standing.billing is not None:
            subscriptions = Subscriptions(self.connections, self.settings.public_url, self.settings.local_url)
            await subscriptions.check(standing.billing)
        if stage.fresh and standing.bridges:
            await fill_anew(self.db.engine, stage, standing.bridges)

    async def _claimed(self) -> bool:
        with contextlib.suppress(psycopg.Error):
            if self._claim is not None and not self._claim.closed:
                await self._claim.close()
        self._claim = await self.db.connect()
        row = await (await self._claim.execute(_CLAIM)).fetchone()
        return bool(row and row[0])

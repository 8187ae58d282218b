"""Webhooks that install themselves: made when an account is connected, looked at every hour, taken away with it.

Who wants them is in `connections.webhooks_managed`; what became of it, in `webhooks_checked_at` and `webhooks_problem`.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import structlog
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.connections import Connections
from app.errors import CrossledgerError, Reconnect, Rejected
from app.models import Connection, FormerKey
from app.models.connection import ConnectionState
from app.providers.hooks import Change, Mailbox, Step
from app.providers.sandboxed import is_sandbox
from app.vault import WebhookSecrets

log = structlog.get_logger()

AT_ONCE = 8
"""Connections that are looked at side by side."""
FAREWELL = 15.0
"""Seconds that a vendor has to give up our webhooks when its connection is deleted."""
# Of two that look at once, a person's press and the hourly check, each would make what the other has just made.
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('crossledger webhooks of connection ' || :id, 0))")


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """`local_url`: where the sandbox's simulators call, which run on this machine."""

    connections: Connections
    public_url: str
    local_url: str = ""

    async def look(self, connection_id: int) -> Sequence[Change]:
        """What an installation would do now. Raises Unsupported, and what the vendor's answer means."""
        row = await self._row(connection_id)
        return await self.connections.hooks(row).look(await self._mailbox(row))

    def obstacle(self, row: Connection) -> str:
        """Why an installation cannot work, as far as we know without asking; "" where it may."""
        return self._unreachable(row) or self.connections.hooks(row).obstacle

    def _unreachable(self, row: Connection) -> str:
        if not _is_loopback(self.public_url) or _is_loopback(row.base_url) or is_sandbox(row.base_url):
            return ""
        return (
            f"the vendor cannot reach {self.public_url}: set CROSSLEDGER_PUBLIC_URL to the address under which this"
            " service is reached from outside, and start it again"
        )

    async def install(self, connection_id: int) -> Sequence[Change]:
        """Bring them in order now, and keep them so. Raises what stands against it, which is noted as well."""
        self.connections.hooks(await self._row(connection_id))  # raises Unsupported before anything is changed
        await self.connections.keep_webhook_secrets(connection_id)
        await self._manage(connection_id, managed=True)
        return await self._bring_in_order(await self._row(connection_id))

    async def check(self, connection_id: int) -> None:
        """Bring them in order where that is wanted; a failure is noted, not raised."""
        row = await self._row(connection_id)
        if not row.webhooks_managed:
            return
        try:
            await self._bring_in_order(row)
        except Reconnect as refusal:
            await self.connections.needs_reconnect(replace(refusal, connection=connection_id), row)
        except CrossledgerError as failure:
            log.warning("webhooks.problem", connection=connection_id, reason=str(failure))

    async def check_all(self) -> None:
        """Those of every connection that works."""
        async with AsyncSession(self.connections.engine) as session:
            wanted = select(col(Connection.id)).where(
                col(Connection.webhooks_managed), col(Connection.state) == ConnectionState.ACTIVE.value
            )
            ids = [id_ for id_ in (await session.scalars(wanted)).all() if id_ is not None]
        for start in range(0, len(ids), AT_ONCE):
            done = await asyncio.gather(*map(self.check, ids[start : start + AT_ONCE]), return_exceptions=True)
            for id_, failure in zip(ids[start:], done, strict=False):
                if isinstance(failure, BaseException):
                    log.warning("webhooks.not_checked", connection=id_, reason=str(failure) or type(failure).__name__)

    async def remove(self, connection_id: int) -> Sequence[Change]:
        """Take them away and leave it at that."""
        row = await self._row(connection_id)
        hooks = self.connections.hooks(row)
        async with self._turn(row):
            await self._manage(connection_id, managed=False)
            return await hooks.remove(await self._mailbox(row))

    async def say_farewell(self, row: Connection) -> None:
        """The connection was deleted: what it had installed goes too, if the vendor answers."""
        if not row.webhooks_managed:
            return
        try:
            async with asyncio.timeout(FAREWELL):
                await self.connections.hooks(row, stored=False).remove(await self._mailbox(row))
        except (CrossledgerError, TimeoutError) as failure:
            log.warning("webhooks.left_behind", connection=row.id, reason=str(failure) or "the vendor did not answer")

    async def _bring_in_order(self, row: Connection) -> Sequence[Change]:
        try:
            if unreachable := self._unreachable(row):
                raise Rejected(unreachable)
            async with self._turn(row):
                changes = await self.connections.hooks(row).install(await self._mailbox(row))
        except CrossledgerError as failure:
            await self._note(row, str(failure))
            raise
        for change in changes:
            if change.step is not Step.KEEP:
                log.info("webhooks.changed", connection=row.id, step=change.step, of=change.name, reason=change.reason)
        if not await self._note(row, ""):  # deleted, given up, or given other secrets meanwhile
            await self.say_farewell(row)
        return changes

    @asynccontextmanager
    async def _turn(self, row: Connection) -> AsyncIterator[None]:
        """One after the other for each connection, in whichever process."""
        async with self.connections.engine.begin() as connection:
            await connection.execute(_TURN, {"id": str(row.id)})
            yield

    async def _note(self, row: Connection, problem: str) -> bool:
        """False: what was done for `row` is not wanted any more."""
        async with self.connections.engine.begin() as connection:
            noted = await connection.scalar(
                update(Connection)
                .where(
                    col(Connection.id) == row.id,
                    col(Connection.webhooks_managed),
                    col(Connection.webhook_key_digest) == row.webhook_key_digest,
                )
                .values(webhooks_checked_at=text("now()"), webhooks_problem=problem)
                .returning(col(Connection.id))
            )
        return noted is not None

    async def _manage(self, connection_id: int, *, managed: bool) -> None:
        async with self.connections.engine.begin() as connection:
            await connection.execute(
                update(Connection)
                .where(col(Connection.id) == connection_id)
                .values(webhooks_managed=managed, webhooks_problem="")
            )

    async def _row(self, connection_id: int) -> Connection:
        async with AsyncSession(self.connections.engine) as session:
            return await session.get_one(Connection, connection_id)

    async def _mailbox(self, row: Connection) -> Mailbox:
        """Where the vendor is to call. A connection that never kept its secrets would be given new ones."""
        secrets = self.connections.webhook_secrets(row) or WebhookSecrets.new()
        async with self.connections.engine.connect() as connection:
            former = set(await connection.scalars(select(col(FormerKey.digest))))
        former |= {row.webhook_key_digest} if row.webhook_key_digest else set()
        ours = self.local_url if is_sandbox(row.base_url) else self.public_url
        return Mailbox(root=f"{ours}/webhooks", key=secrets.key, secret=secrets.secret, former=former)


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")

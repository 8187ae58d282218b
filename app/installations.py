"""What HighLevel says of the app itself: installed in a location, or taken out of it.

event     | for                                  | what follows
UNINSTALL | a connection made by consent         | disabled, its tokens forgotten; its bridges, links and history stay
          | one that waits to be claimed         | forgotten
          | an agency                            | the same, and each of its locations is asked whether it still answers
          | a private token, or one that has answered since the event came | nothing
INSTALL   | a location of a connected agency     | waits to be claimed
          | any other                            | nothing: consent comes back by the browser
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import text

from app.connections import Connections
from app.errors import CrossledgerError, Reconnect, Retry, Wait
from app.installing import Installer

log = structlog.get_logger()

GIVE_UP_AFTER = timedelta(days=1)

_WAITING = text("""
    SELECT id, kind, external_id AS account_id, received_at FROM events
     WHERE state = 'pending' AND bridge_id IS NULL AND object = 'app' ORDER BY id
""")
_SETTLE = text("UPDATE events SET state = :state, outcome = :outcome, handled_at = now() WHERE id = :id")
_FORGET = text("""
    DELETE FROM connections c WHERE provider = 'highlevel' AND account_id = :account_id AND state = 'pending'
       AND created_at < :received_at
       AND NOT EXISTS (SELECT 1 FROM bridges b WHERE c.id IN (b.crm_connection_id, b.billing_connection_id))
""")
# One that has answered after the event came was installed again.
_DISABLE = text("""
    UPDATE connections SET state = 'disabled', state_reason = :reason
     WHERE provider = 'highlevel' AND account_id = :account_id AND auth = 'oauth' AND state <> 'disabled'
       AND coalesce(checked_at, created_at) < :received_at
    RETURNING id
""")
_FORGET_TOKENS = text("DELETE FROM tokens WHERE connection_id = ANY(:ids)")
_OPENED_BY = text("""
    SELECT c.id FROM connections c JOIN tokens t ON t.connection_id = c.id
     WHERE c.provider = 'highlevel' AND c.kind = 'account' AND c.state = 'active' AND t.company_id = :account_id
""")
_KNOWN = text("""
    SELECT 1 FROM connections
     WHERE provider = 'highlevel' AND account_id = :account_id AND state IN ('active', 'pending')
""")
_AGENCIES = text("SELECT id FROM connections WHERE provider = 'highlevel' AND kind = 'agency' AND state = 'active'")


@dataclass(frozen=True, slots=True)
class Said:
    """A stored INSTALL or UNINSTALL. `account_id`: of the location, or of the agency where it names none."""

    id: int
    kind: str
    account_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Installations:
    connections: Connections
    installer: Installer

    async def settle(self) -> None:
        """Act on what waits, in the order in which it came. What cannot be done now is tried again for a day."""
        async with self.connections.engine.connect() as connection:
            waiting = [Said(**row) for row in (await connection.execute(_WAITING)).mappings()]
        for said in waiting:
            try:
                outcome, state = await self._settled(said), "done"
            except (Retry, Wait) as trouble:
                if datetime.now(UTC) - said.received_at < GIVE_UP_AFTER:
                    log.info("app.event_waits", id=said.id, reason=str(trouble))
                    continue
                outcome, state = str(trouble), "failed"
            except CrossledgerError as refused:
                outcome, state = str(refused), "failed"
            log.info("app.event_settled", id=said.id, kind=said.kind, account=said.account_id, outcome=outcome)
            async with self.connections.engine.begin() as connection:
                await connection.execute(_SETTLE, {"id": said.id, "state": state, "outcome": outcome})

    async def _settled(self, said: Said) -> str:
        return await (self._uninstalled(said) if said.kind == "UNINSTALL" else self._installed(said))

    async def _uninstalled(self, said: Said) -> str:
        reason = f"The app was uninstalled in HighLevel on {said.received_at:%Y-%m-%d at %H:%M UTC}. Connect it again."
        named = {"account_id": said.account_id, "received_at": said.received_at}
        async with self.connections.engine.begin() as connection:
            forgotten = (await connection.execute(_FORGET, named)).rowcount
            disabled = (await connection.execute(_DISABLE, {**named, "reason": reason})).scalars().all()
            await connection.execute(_FORGET_TOKENS, {"ids": list(disabled)})
            opened = (await connection.execute(_OPENED_BY, named)).scalars().all()
        await self.connections.directory.refresh()
        if disabled:
            log.warning("connection.uninstalled", connections=list(disabled), account=said.account_id)
            await self._ask(opened)
            return "its connection is disabled"
        return "an installation that waited to be claimed is forgotten" if forgotten else "no connection was made by it"

    async def _ask(self, connection_ids: Sequence[int]) -> None:
        """Whether they still answer; one that does not needs a reconnect from now on."""
        for connection_id in connection_ids:
            try:
                await self.connections.renew(connection_id)
            except Reconnect as refused:
                await self.connections.needs_reconnect(Reconnect(refused.reason, connection_id))
            except CrossledgerError as failure:
                log.info("connection.does_not_answer", connection=connection_id, reason=str(failure))

    async def _installed(self, said: Said) -> str:
        async with self.connections.engine.connect() as connection:
            if (await connection.execute(_KNOWN, {"account_id": said.account_id})).first():
                return "it is connected already, or waits to be claimed"
            agencies = (await connection.execute(_AGENCIES)).scalars().all()
        for agency_id in agencies:
            if await self.installer.offer(agency_id, said.account_id):
                return "it waits to be claimed"
        return "no connected agency opens it; consent comes back by the browser"

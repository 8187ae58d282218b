"""What joins HighLevel's OAuth to the token guardian: how a pair becomes the next one, and how a lost one is found."""

from dataclasses import dataclass

import httpx
import structlog
from sqlalchemy import text

from app.errors import CrossledgerError
from app.providers.base import Grant
from app.providers.highlevel.oauth import HighLevelOAuth
from app.tokens import Guardian, Held

log = structlog.get_logger()

_AGENCY = text("""
    SELECT c.id FROM connections c JOIN tokens t ON t.connection_id = c.id
     WHERE c.provider = 'highlevel' AND c.kind = 'agency' AND c.state = 'active' AND c.account_id = :company
""")


@dataclass(frozen=True, slots=True)
class HighLevelExchange:
    """`app.tokens.Exchange` for HighLevel."""

    oauth: HighLevelOAuth
    client: httpx.AsyncClient
    guardian: Guardian

    async def refresh(self, refresh_token: str, *, agency: bool) -> Grant:
        return await self.oauth.refresh(refresh_token, agency=agency)

    async def recover(self, held: Held) -> Grant | None:
        """Through the agency's token where the agency is connected, else by the vendor's reconnect."""
        try:
            if not held.agency and (grant := await self._through_agency(held)):
                return grant
            return await self.oauth.reconnect(self.client, agency=held.agency, account_id=held.account_id)
        except CrossledgerError as failure:
            log.info("token.not_recovered", connection=held.connection_id, reason=str(failure))
            return None

    async def _through_agency(self, held: Held) -> Grant | None:
        async with self.guardian.db.single.connect() as connection:
            agency = await connection.scalar(_AGENCY, {"company": held.company_id})
        if agency is None:
            return None
        keys = self.guardian.keys(agency, "highlevel", held.company_id)
        return await self.oauth.location_token(
            self.client, await keys.current(), company_id=held.company_id, location_id=held.account_id
        )

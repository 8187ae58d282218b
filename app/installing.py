"""From a vendor's page of consent to a connection: who began it, what was agreed to, and for which accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.connections import Connections
from app.errors import ConfigurationError, CrossledgerError, Gone, Rejected
from app.models import Connection
from app.models.connection import Auth, ConnectionKind, ConnectionState
from app.providers.base import Grant
from app.providers.highlevel.oauth import AUTHORIZE_URLS, SCOPES, HighLevelOAuth, InstalledLocation
from app.vault import Vault, digest, new_secret

__all__ = ["AUTHORIZE_URLS", "Choice", "Forged", "Installer"]

log = structlog.get_logger()

PROVIDER = "highlevel"
CALLBACK = "/oauth/highlevel/callback"
VISIT_SECONDS = 900
MOST_PENDING = 100

_BEGIN = text("""
    INSERT INTO oauth_states (digest, provider, principal, connection_id, expires_at)
    VALUES (:digest, 'highlevel', :principal, :connection_id, now() + make_interval(secs => :seconds))
""")
_END = text("""
    UPDATE oauth_states SET used_at = now()
     WHERE digest = :digest AND principal = :principal AND used_at IS NULL AND expires_at > now()
    RETURNING connection_id
""")
_SWEEP = text("DELETE FROM oauth_states WHERE expires_at < now() - interval '1 day'")
# An installation that nobody here began never changes a connection that works, nor one with an entered token. Such a
# token (`sealed`) stays at work until the new grant is proven. A consent counts as an answer of the account: an
# UNINSTALL from before it is old news (`app.installations`).
_ADOPT = text("""
    INSERT INTO connections AS c (provider, name, state, state_reason, base_url, account_id, kind, auth)
    VALUES ('highlevel', :name, :state, :reason, :base_url, :account_id, :kind, 'oauth')
    ON CONFLICT (provider, base_url, account_id) DO UPDATE
       SET kind = excluded.kind,
           auth = CASE WHEN c.sealed = '' THEN 'oauth' ELSE c.auth END,
           state = CASE WHEN c.sealed = '' THEN excluded.state ELSE c.state END,
           state_reason = CASE WHEN c.sealed = '' THEN excluded.state_reason ELSE c.state_reason END,
           checked_at = CASE WHEN :pending THEN c.checked_at ELSE now() END
     WHERE NOT :pending OR (c.state <> 'active' AND c.auth = 'oauth')
    RETURNING id
""")
_BUDGET = text("INSERT INTO budgets (connection_id) VALUES (:id) ON CONFLICT DO NOTHING")
_REFUSED = text("""
    UPDATE connections SET state = 'needs_reconnect', state_reason = :reason,
           refused_since = coalesce(refused_since, now())
     WHERE id = :id
""")


class Forged(Rejected):
    """A callback that does not belong to a visit that this person began here."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A location that has installed the app; `connection_id` where it is connected."""

    location: InstalledLocation
    connection_id: int | None


@dataclass(frozen=True, slots=True)
class Installer:
    oauth: HighLevelOAuth
    vault: Vault
    connections: Connections
    public_url: str

    async def begin(self, principal: str, connection_id: int | None = None, back: str = "") -> str:
        """The address of the page of consent. `principal`: the session that may come back from it. `back`: a path of
        ours, where it goes on afterwards."""
        nonce = new_secret()
        values = {
            "digest": digest(nonce),
            "principal": principal,
            "connection_id": connection_id,
            "seconds": VISIT_SECONDS,
        }
        state = self.vault.seal({"visit": nonce, "back": back})
        bridges = await self.connections.directory.bridges()
        used = {"contact", "agency"}.union(*(bridge.settings.objects() for bridge in bridges))
        scopes = sorted(scope for name in used for scope in SCOPES.get(name, {}))
        url = self.oauth.authorization_url(state=state, redirect_uri=self.callback, scopes=scopes)
        async with self.connections.engine.begin() as connection:
            await connection.execute(_SWEEP)
            await connection.execute(_BEGIN, values)
        return url

    def back_of(self, state: str) -> str:
        """The path that a visit was begun with; "" for none, and for what is no answer to a request of ours."""
        try:
            return self.vault.unseal(state).get("back", "")
        except (ConfigurationError, ValueError):
            return ""

    async def finish(self, code: str, state: str, principal: str) -> Connection:
        """What the owner agreed to, as a connection. Raises Forged, and what the vendor says to the code.

        Without `state` somebody installed the app from the vendor's side: it is pending until it is claimed.
        """
        if not state:
            return await self._adopted(await self.oauth.exchange(code, self.callback), pending=True)
        wanted = await self._ended(state, principal)
        grant = await self.oauth.exchange(code, self.callback)
        if wanted is not None:
            row = await self._row(wanted)
            if row.account_id != grant.account_id:
                raise Rejected(
                    f"You agreed for another account ({grant.account_id}) than the one to be connected again"
                    f" ({row.account_id}). Start again, and choose that one."
                )
        return await self._adopted(grant, pending=False)

    async def claim(self, connection_id: int) -> Connection:
        """An administrator takes an installation that came from the vendor's side."""
        await self.pending(connection_id)
        await self._proven(connection_id)
        return await self._row(connection_id)

    async def pending(self, connection_id: int) -> Connection:
        """An installation that waits for somebody. Raises Rejected where it does not."""
        row = await self._row(connection_id)
        if row.state != ConnectionState.PENDING:
            raise Rejected("This connection is not waiting to be claimed.")
        return row

    async def choices(self, agency_id: int) -> list[Choice]:
        """The locations of a connected agency that have installed the app."""
        agency = await self._agency(agency_id)
        token = await self.connections.guardian.keys(agency_id, PROVIDER, agency.account_id).current()
        found = await self.oauth.installed_locations(self.connections.client, token, agency.account_id)
        async with self.connections.engine.connect() as connection:
            statement = text(
                "SELECT account_id, id FROM connections WHERE provider = 'highlevel' AND kind = 'account'"
                " AND state <> 'disabled' AND account_id = ANY(:ids)"
            )
            rows = await connection.execute(statement, {"ids": [each.id for each in found]})
            known = {row[0]: row[1] for row in rows}
        return [Choice(each, known.get(each.id)) for each in found]

    async def pick(self, agency_id: int, location_ids: Sequence[str]) -> list[Connection]:
        """Connect some of an agency's locations, each with a token of its own."""
        agency = await self._agency(agency_id)
        offered = {choice.location.id for choice in await self.choices(agency_id)}
        if unknown := sorted(set(location_ids) - offered):
            raise Rejected(f"The app is not installed in location {unknown[0]}.")
        keys = self.connections.guardian.keys(agency_id, PROVIDER, agency.account_id)
        picked = []
        for location_id in dict.fromkeys(location_ids):
            grant = await self._location(agency, await keys.current(), location_id)
            picked.append(await self._adopted(grant, pending=False))
        return picked

    async def offer(self, agency_id: int, location_id: str) -> bool:
        """A location where the agency has installed the app, to be claimed. False: it is not one of the agency's."""
        agency = await self._agency(agency_id)
        if not any(choice.location.id == location_id for choice in await self.choices(agency_id)):
            return False
        keys = self.connections.guardian.keys(agency_id, PROVIDER, agency.account_id)
        await self._adopted(await self._location(agency, await keys.current(), location_id), pending=True)
        return True

    async def _location(self, agency: Connection, token: str, location_id: str) -> Grant:
        return await self.oauth.location_token(
            self.connections.client, token, company_id=agency.account_id, location_id=location_id
        )

    @property
    def callback(self) -> str:
        """The redirect URL that is entered in the Marketplace app."""
        return self.public_url + CALLBACK

    async def _ended(self, state: str, principal: str) -> int | None:
        try:
            nonce = self.vault.unseal(state)["visit"]
        except (ConfigurationError, KeyError, ValueError):
            raise Forged("This is not an answer to a request of ours. Start again from here.") from None
        async with self.connections.engine.begin() as connection:
            row = (await connection.execute(_END, {"digest": digest(nonce), "principal": principal})).first()
        if row is None:
            raise Forged("This request was answered already, is too old, or was begun by somebody else. Start again.")
        return None if row[0] is None else int(row[0])

    async def _adopted(self, grant: Grant, *, pending: bool) -> Connection:
        if not grant.account_id:
            raise Rejected("HighLevel does not say which location or agency this is for.")
        connection_id = await self._stored(grant, pending=pending)
        if pending:
            log.warning("connection.pending", connection=connection_id, account=grant.account_id)
        else:
            await self._proven(connection_id)
        return await self._row(connection_id)

    async def _stored(self, grant: Grant, *, pending: bool) -> int:
        kind = ConnectionKind.AGENCY if grant.agency else ConnectionKind.ACCOUNT
        values: dict[str, Any] = {
            "name": f"{'Agency' if grant.agency else 'Location'} {grant.account_id}",
            "state": (ConnectionState.PENDING if pending else ConnectionState.ACTIVE).value,
            "reason": "Installed from HighLevel; claim it if you know who did." if pending else "",
            "base_url": self.oauth.base_url,
            "account_id": grant.account_id,
            "kind": kind.value,
            "pending": pending,
        }
        async with self.connections.engine.begin() as connection:
            if pending:
                count = await connection.scalar(text("SELECT count(*) FROM connections WHERE state = 'pending'"))
                if int(count or 0) >= MOST_PENDING:
                    raise Rejected("Too many installations are waiting to be claimed already.")
            connection_id = await connection.scalar(_ADOPT, values)
            if connection_id is None:
                raise Rejected(
                    "This account is connected here already; nothing was changed. Connect it again from here."
                )
            await connection.execute(_BUDGET, {"id": connection_id})
        await self.connections.guardian.keep(connection_id, grant)
        await self.connections.directory.refresh()
        return int(connection_id)

    async def _proven(self, connection_id: int) -> None:
        """Ask the account; a scope that is missing does not undo the consent, but is told."""
        row = await self._row(connection_id)
        try:
            profile = await self.connections.renew_oauth(row)
        except Gone as nothing:
            raise Rejected(f"There is no such location: {nothing}") from nothing
        except CrossledgerError as failure:
            if row.sealed:
                raise Rejected(f"{failure}. The connection keeps the token that it had.") from failure
            await self._refused(connection_id, str(failure))
            return
        await self._named(connection_id, profile.label)

    async def _refused(self, connection_id: int, reason: str) -> None:
        async with self.connections.engine.begin() as connection:
            await connection.execute(_REFUSED, {"id": connection_id, "reason": reason})
        await self.connections.directory.refresh()

    async def _named(self, connection_id: int, label: str) -> None:
        """The account's own name, where a person has given none."""
        statement = text("""
            UPDATE connections SET name = :label
             WHERE id = :id AND name IN ('Location ' || account_id, 'Agency ' || account_id)
        """)
        async with self.connections.engine.begin() as connection:
            await connection.execute(statement, {"id": connection_id, "label": label})

    async def _agency(self, connection_id: int) -> Connection:
        row = await self._row(connection_id)
        if row.kind != ConnectionKind.AGENCY or row.auth != Auth.OAUTH:
            raise Rejected("This connection is no agency.")
        return row

    async def _row(self, connection_id: int) -> Connection:
        async with AsyncSession(self.connections.engine, expire_on_commit=False) as session:
            row = await session.get(Connection, connection_id)
        if row is None:
            raise Gone(f"There is no connection {connection_id}.")
        return row

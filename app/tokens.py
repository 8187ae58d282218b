"""The token guardian: an OAuth connection always has a token to call with, and its refresh token is spent once.

A refresh token is good for one exchange, without grace: two processes that exchange the same one cut the connection,
and so does a new pair that is used before it is kept. So one of all processes claims the exchange in the database,
calls the vendor with no transaction open, keeps the new pair, and only then hands it out.

what happens                      | what follows
another process exchanges it      | the old token while it lives, else a short Wait
vendor in trouble, answer lost    | claim given back; the same refresh token is tried again later
"not active" (Inactive)           | the pair is kept, work waits
refused, and a newer pair stored  | our claim had lapsed and another process was quicker: its pair
refused (Reconnect)               | perhaps a new pair was lost with a process: asked for in another way, else a person
our database away after an answer | kept in memory and stored as soon as it is back
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.errors import Reconnect, Retry, Wait
from app.providers.base import Grant
from app.vault import Vault

log = structlog.get_logger()

AHEAD = timedelta(minutes=30)
"""A token is exchanged so long before it expires, by the first who calls with it or by the hourly look."""
LAST_MOMENT = timedelta(seconds=60)
CLAIM_SECONDS = 120
PATIENCE = 2.0
"""Seconds to wait for the process that exchanges the token, before the job comes back later."""
KEEP_TRYING = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 30)

_READ = text("SELECT * FROM tokens WHERE connection_id = :id")
_CLAIM = text("""
    UPDATE tokens SET claim = :claim, claimed_until = now() + make_interval(secs => :seconds)
     WHERE connection_id = :id AND version = :version AND (claimed_until IS NULL OR claimed_until < now())
    RETURNING sealed
""")
_RELEASE = text("UPDATE tokens SET claim = '', claimed_until = NULL WHERE connection_id = :id AND claim = :claim")
_STORE = text("""
    INSERT INTO tokens AS t (connection_id, sealed, scopes, company_id, agency, expires_at)
    VALUES (:id, :sealed, :scopes, :company_id, :agency, :expires_at)
    ON CONFLICT (connection_id) DO UPDATE SET sealed = excluded.sealed, expires_at = excluded.expires_at,
        scopes = CASE WHEN excluded.scopes <> '' THEN excluded.scopes ELSE t.scopes END,
        company_id = CASE WHEN excluded.company_id <> '' THEN excluded.company_id ELSE t.company_id END,
        agency = excluded.agency, version = t.version + 1, claim = '', claimed_until = NULL
      WHERE CAST(:version AS integer) IS NULL OR t.version = :version
    RETURNING version
""")
_DUE = text("""
    SELECT t.connection_id, c.provider, c.account_id FROM tokens t JOIN connections c ON c.id = t.connection_id
     WHERE t.expires_at < now() + make_interval(secs => :seconds) AND c.state = 'active' AND c.auth = 'oauth'
     ORDER BY t.expires_at
""")


class Exchange(Protocol):
    """How a provider makes a new pair of an old one."""

    async def refresh(self, refresh_token: str, *, agency: bool) -> Grant:
        """Spends it. Raises Reconnect, Inactive, Retry, AnswerLost."""

    async def recover(self, held: "Held") -> Grant | None:
        """A new pair without the spent refresh token, where the provider knows a way; None where not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A pair as it is stored."""

    connection_id: int
    provider: str
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    version: int
    expires_at: datetime
    scopes: frozenset[str]
    company_id: str
    account_id: str
    agency: bool

    def good_for(self, time: timedelta) -> bool:
        return self.expires_at - datetime.now(UTC) > time


@dataclass(slots=True)
class Guardian:
    db: Database
    vault: Vault
    exchanges: Mapping[str, Exchange]
    _known: dict[int, Held] = field(default_factory=dict)

    def keys(self, connection_id: int, provider: str, account_id: str) -> "ConnectionKeys":
        return ConnectionKeys(self, connection_id, provider, account_id)

    async def keep(self, connection_id: int, grant: Grant, *, version: int | None = None) -> bool:
        """Store a pair. `version`: only where that one is still stored. False: another pair was stored meanwhile."""
        values = {
            "id": connection_id,
            "sealed": self.vault.seal({"access_token": grant.access_token, "refresh_token": grant.refresh_token}),
            "scopes": " ".join(sorted(grant.scopes)),
            "company_id": grant.company_id,
            "agency": grant.agency,
            "expires_at": grant.expires_at,
            "version": version,
        }
        async with self.db.single.connect() as connection:
            kept = (await connection.execute(_STORE, values)).first()
        self._known.pop(connection_id, None)
        return kept is not None

    async def scopes(self, connection_id: int) -> frozenset[str]:
        """What the owner agreed to."""
        async with self.db.single.connect() as connection:
            row = (await connection.execute(_READ, {"id": connection_id})).mappings().first()
        return frozenset(row["scopes"].split() if row else ())

    async def due(self) -> list[tuple[int, str, str]]:
        """Id, provider and account of each connection whose token is to be exchanged soon."""
        async with self.db.single.connect() as connection:
            rows = await connection.execute(_DUE, {"seconds": AHEAD.total_seconds()})
            return [(row[0], row[1], row[2]) for row in rows]

    async def current(self, keys: "ConnectionKeys") -> str:
        held = self._known.get(keys.connection_id)
        if held is None or not held.good_for(AHEAD):
            held = await self._read(keys)
        if not held.good_for(AHEAD):
            held = await self._exchanged(held, must=not held.good_for(LAST_MOMENT))
        return held.access_token

    async def renewed(self, keys: "ConnectionKeys", refused: str) -> str:
        held = await self._read(keys)
        if held.access_token == refused:
            held = await self._exchanged(held, must=True)
        return held.access_token

    async def _read(self, keys: "ConnectionKeys") -> Held:
        async with self.db.single.connect() as connection:
            row = (await connection.execute(_READ, {"id": keys.connection_id})).mappings().first()
        if row is None:
            raise Reconnect("this connection has no token: connect it again", keys.connection_id)
        pair = self.vault.unseal(row["sealed"])
        held = Held(
            connection_id=keys.connection_id,
            provider=keys.provider,
            access_token=pair["access_token"],
            refresh_token=pair["refresh_token"],
            version=row["version"],
            expires_at=row["expires_at"],
            scopes=frozenset(row["scopes"].split()),
            company_id=row["company_id"],
            account_id=keys.account_id,
            agency=row["agency"],
        )
        self._known[keys.connection_id] = held
        return held

    async def _exchanged(self, held: Held, *, must: bool) -> Held:
        """The next pair; `held` itself where another process makes it and `held` still lives (not `must`)."""
        claim = uuid4().hex
        values = {"id": held.connection_id, "version": held.version, "claim": claim, "seconds": CLAIM_SECONDS}
        async with self.db.single.connect() as connection:
            won = (await connection.execute(_CLAIM, values)).first() is not None
        if not won:
            return await self._next(held) if must else held
        try:
            # A job that is cancelled meanwhile must not take the new pair with it.
            return await asyncio.shield(self._exchange(held, claim))
        except (Retry, Wait) as trouble:
            if must:
                raise
            log.info("token.not_renewed_yet", connection=held.connection_id, reason=str(trouble))
            return held  # it lives a while yet

    async def _stored(self, held: Held) -> Held:
        """What is stored now for the connection of `held`."""
        return await self._read(self.keys(held.connection_id, held.provider, held.account_id))

    async def _next(self, held: Held) -> Held:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.1)
            now = await self._stored(held)
            if now.version != held.version:
                return now
        raise Wait(1, "its token is being renewed")

    async def _exchange(self, held: Held, claim: str) -> Held:
        try:
            grant = await self._asked(held)
        except BaseException:
            await self._release(held, claim)
            raise
        if grant is not None:
            await self._surely_kept(held, grant)
            log.info("token.renewed", connection=held.connection_id, expires_at=grant.expires_at.isoformat())
        return await self._stored(held)

    async def _asked(self, held: Held) -> Grant | None:
        """The next pair; None where another process has stored it already."""
        exchange = self.exchanges[held.provider]
        try:
            if not held.refresh_token:
                raise Reconnect("there is no refresh token", held.connection_id)
            return await exchange.refresh(held.refresh_token, agency=held.agency)
        except Reconnect as refused:
            if (await self._stored(held)).version != held.version:  # xagent#1454
                return None
            # A process may have died between the vendor's answer and our store: then this token is spent, by us.
            if grant := await exchange.recover(held):
                log.warning("token.recovered", connection=held.connection_id)
                return grant
            raise Reconnect(refused.reason, held.connection_id) from refused

    async def _surely_kept(self, held: Held, grant: Grant) -> None:
        for pause in KEEP_TRYING:
            try:
                await self.keep(held.connection_id, grant, version=held.version)
            except (SQLAlchemyError, OSError) as error:
                log.error("token.not_stored", connection=held.connection_id, reason=type(error).__name__, seconds=pause)
                await asyncio.sleep(pause)
            else:
                return
        raise Retry("the new token could not be stored")

    async def _release(self, held: Held, claim: str) -> None:
        try:
            async with self.db.single.connect() as connection:
                await connection.execute(_RELEASE, {"id": held.connection_id, "claim": claim})
        except (SQLAlchemyError, OSError) as error:  # it lapses by itself
            log.info("token.claim_not_released", connection=held.connection_id, reason=type(error).__name__)


@dataclass(frozen=True, slots=True)
class ConnectionKeys:
    """The keys of one connection (`app.providers.base.Keys`)."""

    guardian: Guardian
    connection_id: int
    provider: str
    account_id: str

    async def current(self) -> str:
        return await self.guardian.current(self)

    async def renewed(self, refused: str) -> str:
        return await self.guardian.renewed(self, refused)

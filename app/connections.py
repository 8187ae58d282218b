"""Connections: checked by a call before they are stored, opened for the length of a job, waiting when refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlmodel import col

from app.budget import Budgets
from app.directory import BridgeView, ConnectionView, Directory
from app.errors import ConfigurationError, CrossledgerError, Reconnect, Rejected
from app.models import Budget, Connection, FormerKey
from app.models.connection import Auth, ConnectionKind, ConnectionState
from app.providers.base import Access, Account, Gate, Login, Membership, OpenGate, Profile, Provider
from app.providers.hooks import Hooks
from app.providers.sandboxed import is_sandbox
from app.queue import transact
from app.redaction import keep_secret, keep_secret_here
from app.sync.records import Side
from app.sync.resuming import resume
from app.tokens import Guardian
from app.vault import Vault, WebhookSecrets, digest

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Connections:
    engine: AsyncEngine
    directory: Directory
    vault: Vault
    budgets: Budgets
    client: httpx.AsyncClient
    sandbox: httpx.AsyncClient
    """For the accounts of the sandbox, and for no other."""
    providers: Mapping[str, Provider]
    guardian: Guardian

    def provider(self, name: str) -> Provider:
        try:
            return self.providers[name]
        except KeyError:
            known = ", ".join(sorted(self.providers))
            raise ConfigurationError(f"There is no provider “{name}”; there are {known}.") from None

    def open(
        self,
        bridge: BridgeView,
        side: Side,
        /,
        *,
        background: bool = False,
        through: Callable[[Gate], Gate] | None = None,
    ) -> Account:
        """The bridge's account on one side, ready for calls. `background`: live events go before them. `through`: what
        is to stand before its gate."""
        view = bridge.connection(side)
        provider = self.provider(view.provider)
        data = dict(view.data)
        if provider.slot_fields:
            data["slot_field"] = self.slot(bridge)
        access = replace(self._access(view), data=data)
        gate: Gate = self.budgets.gate(view.id, view.provider, background=background)
        return provider.open(access, through(gate) if through else gate, self._client(view.base_url))

    def slot(self, bridge: BridgeView) -> str:
        """The billing field that carries the CRM id; "" where the provider has none."""
        fields = self.provider(bridge.billing.provider).slot_fields
        return bridge.settings.slot or (fields[0] if fields else "")

    def hooks(self, row: Connection, *, stored: bool = True) -> Hooks:
        """The account's webhooks, ready for calls. Raises Unsupported where none can be installed.

        `stored`: False for a connection that was deleted, whose budget is gone.
        """
        gate = self.budgets.gate(row.id or 0, row.provider) if stored else OpenGate()
        return self.provider(row.provider).hooks(self._access(row), gate, self._client(row.base_url))

    async def sign_in(self, provider: str, *, base_url: str, login: Login) -> Sequence[Membership]:
        """The accounts that a login opens, with their tokens. Raises what the vendor's answer means."""
        for secret in (login.password, login.one_time_password, login.api_secret):
            keep_secret_here(secret)
        asked = self.provider(provider)
        return await asked.sign_in(base_url or asked.default_base_url, login, self.client)

    async def check(self, provider: str, *, base_url: str, account_id: str, secrets: Mapping[str, str]) -> Profile:
        """Ask the vendor whether these credentials work. Raises what the vendor's answer means."""
        keep_secret(*secrets.values())
        asked = self.provider(provider)
        url = base_url or asked.default_base_url
        return await asked.probe(Access(base_url=url, account_id=account_id, secrets=secrets), self._client(url))

    async def add(
        self, provider: str, *, name: str, base_url: str, secrets: Mapping[str, str], profile: Profile
    ) -> tuple[Connection, WebhookSecrets]:
        """Store a checked connection. Raises IntegrityError where the account is connected already."""
        webhook = WebhookSecrets.new()
        row = Connection(
            provider=provider,
            name=name,
            base_url=profile.base_url or base_url or self.provider(provider).default_base_url,
            account_id=profile.account_id,
            sealed=self.vault.seal(secrets),
            entered_at=datetime.now(UTC),
            **self._stored(provider, webhook),
            facts=dict(profile.facts),
            warnings=list(profile.warnings),
            data=dict(profile.data),
            checked_at=datetime.now(UTC),
        )
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            session.add(row)
            await session.flush()
            session.add(Budget(connection_id=row.id or 0))
        await self.directory.refresh()
        return row, webhook

    def webhook_secrets(self, row: Connection) -> WebhookSecrets | None:
        """None: this connection's were never kept, only their digests."""
        return WebhookSecrets(**self.vault.unseal(row.webhook_sealed)) if row.webhook_sealed else None

    async def renew_webhook_secrets(self, connection_id: int) -> WebhookSecrets:
        """The old ones stop working at once."""
        webhook = WebhookSecrets.new()
        async with AsyncSession(self.engine) as session, session.begin():
            row = await session.get_one(Connection, connection_id, with_for_update=True)
            await forget_key(session, row.webhook_key_digest)
            for name, value in self._stored(row.provider, webhook).items():
                setattr(row, name, value)
        await self.directory.refresh()
        return webhook

    async def keep_webhook_secrets(self, connection_id: int) -> None:
        """Make sure that the service can write them into subscriptions: those of older versions were not kept."""
        async with AsyncSession(self.engine) as session:
            row = await session.get_one(Connection, connection_id)
        if not row.webhook_sealed:
            await self.renew_webhook_secrets(connection_id)

    def _stored(self, provider: str, webhook: WebhookSecrets) -> dict[str, Any]:
        keep = self.provider(provider).installs_webhooks
        return {
            "webhook_key_digest": digest(webhook.key),
            "webhook_secret_digest": digest(webhook.secret),
            "webhook_sealed": self.vault.seal({"key": webhook.key, "secret": webhook.secret}) if keep else "",
        }

    async def renew(self, connection_id: int, secrets: Mapping[str, str] | None = None) -> Profile:
        """Check a stored connection again, with new credentials where given, and let waiting work go on.

        Raises what the vendor's answer means; a connection that fails the check keeps what it had.
        """
        async with AsyncSession(self.engine) as session:
            row = await session.get_one(Connection, connection_id)
        if row.auth == Auth.OAUTH and not secrets:
            return await self.renew_oauth(row)
        kept = {**(self.vault.unseal(row.sealed) if row.sealed else {}), **(secrets or {})}
        profile = await self.check(row.provider, base_url=row.base_url, account_id=row.account_id, secrets=kept)
        if profile.account_id != row.account_id:
            raise Rejected(
                f"These credentials belong to another account, “{profile.label}”. Connect that one as a connection of"
                " its own; this one keeps its credentials."
            )
        if secrets:
            entered: dict[str, Any] = {
                "sealed": self.vault.seal(kept),
                "auth": Auth.ENTERED.value,
                "entered_at": text("now()"),
            }
            await self._well(connection_id, profile, **entered)
        else:
            await self._well(connection_id, profile, checked=row.sealed)
        return profile

    async def renew_oauth(self, row: Connection) -> Profile:
        """The same for a connection that was agreed to in a browser: whether its token opens the account.

        If it does, it takes the place of a token that was entered before.
        """
        keys = self.guardian.keys(row.id or 0, row.provider, row.account_id)
        if row.kind == ConnectionKind.AGENCY:
            await keys.current()
            profile = Profile(account_id=row.account_id, label=row.name)
        else:
            access = Access(base_url=row.base_url, account_id=row.account_id, secrets={}, keys=keys)
            provider = self.provider(row.provider)
            profile = await provider.probe(access, self._client(row.base_url))
            granted = await self.guardian.scopes(row.id or 0)
            bridges = await self.directory.bridges_of(row.id or 0)
            used = {"contact"}.union(*(bridge.settings.objects() for bridge, _ in bridges))
            needed = [each for name in sorted(used) for each in provider.scopes.get(name, {}).items()]
            missing = [f"{scope} ({why})" for scope, why in needed if scope not in granted]
            if missing:
                profile = replace(profile, facts={**profile.facts, "missing scopes": ", ".join(missing)})
        await self._well(row.id or 0, profile, checked=row.sealed, auth=Auth.OAUTH.value, sealed="")
        return profile

    async def _well(self, connection_id: int, profile: Profile, *, checked: str | None = None, **columns: Any) -> None:
        """The account answers: store what was learned, and let work that waited go on.

        `checked`: the stored credentials that were tried. A check of these may end after somebody has brought new ones,
        and says nothing about those.
        """
        unchanged = [] if checked is None else [col(Connection.sealed) == checked]
        async with self.engine.begin() as connection:
            await connection.execute(
                update(Connection)
                .where(col(Connection.id) == connection_id, *unchanged)
                .values(
                    state=ConnectionState.ACTIVE.value,
                    state_reason="",
                    refused_since=None,
                    facts=dict(profile.facts),
                    warnings=list(profile.warnings),
                    data=dict(profile.data),
                    checked_at=text("now()"),
                    **columns,
                )
            )
        await self.directory.refresh()
        await self.resume(connection_id)

    async def resume(self, connection_id: int) -> int:
        """Queue every record of the connection's bridges that has unanswered events; returns how many."""
        return await transact(self.engine, partial(resume, connection_id=connection_id))

    async def needs_reconnect(self, failure: Reconnect, used: ConnectionView | Connection | None = None) -> bool:
        """The vendor refuses the credentials. Said once; work on this connection waits.

        False: they were renewed since `used` was read, so the refusal is old news.
        """
        async with self.engine.begin() as connection:
            changed = await connection.execute(
                update(Connection)
                .where(
                    col(Connection.id) == failure.connection,
                    col(Connection.state) == ConnectionState.ACTIVE.value,
                    *([col(Connection.sealed) == used.sealed] if used else []),
                )
                .values(
                    state=ConnectionState.NEEDS_RECONNECT.value, state_reason=str(failure), refused_since=text("now()")
                )
                .returning(col(Connection.id))
            )
            if changed.first() is None:
                active = col(Connection.state) == ConnectionState.ACTIVE.value
                mended = select(col(Connection.id)).where(col(Connection.id) == failure.connection, active)
                return await connection.scalar(mended) is None
        log.warning("connection.needs_reconnect", connection=failure.connection, reason=str(failure))
        await self.directory.refresh()
        return True

    async def renew_tokens(self) -> None:
        """Exchange the OAuth tokens that expire soon."""
        for connection_id, provider, account_id in await self.guardian.due():
            try:
                await self.guardian.keys(connection_id, provider, account_id).current()
            except Reconnect as refused:
                await self.needs_reconnect(refused)
            except CrossledgerError as failure:
                log.info("token.not_renewed_yet", connection=connection_id, reason=str(failure))

    async def look_again(self) -> None:
        """Try the connections that wait for a reconnect: some refusals pass by themselves."""
        async with AsyncSession(self.engine) as session:
            waiting = select(col(Connection.id)).where(col(Connection.state) == ConnectionState.NEEDS_RECONNECT.value)
            ids = [id_ for id_ in (await session.scalars(waiting)).all() if id_ is not None]
        for connection_id in ids:
            try:
                await self.renew(connection_id)
            except (CrossledgerError, NoResultFound) as failure:  # the latter: deleted meanwhile
                log.info("connection.still_refused", connection=connection_id, reason=str(failure))

    def _client(self, base_url: str) -> httpx.AsyncClient:
        return self.sandbox if is_sandbox(base_url) else self.client

    def _access(self, view: ConnectionView | Connection) -> Access:
        oauth = view.auth == Auth.OAUTH
        return Access(
            base_url=view.base_url,
            account_id=view.account_id,
            secrets={} if oauth else self.vault.unseal(view.sealed),
            data=view.data,
            keys=self.guardian.keys(view.id or 0, view.provider, view.account_id) if oauth else None,
        )


async def forget_key(session: AsyncSession | AsyncConnection, key_digest: str | None) -> None:
    """A connection's webhook key is used no more: what carries it at the vendor is to go."""
    if key_digest:
        await session.execute(insert(FormerKey).values(digest=key_digest).on_conflict_do_nothing())

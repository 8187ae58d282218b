"""Connections and bridges, kept in memory: webhooks and jobs ask for them thousands of times a minute.

Whoever finds the copy older than `_FRESH` seconds has a new one read, and goes on with the old one. A question that
finds nothing waits for a new one, so that a connection made a moment ago on another machine is known here at once.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app import pausing
from app.errors import Gone, Reconnect
from app.models import Bridge, Connection
from app.models.connection import ConnectionState, obstacle
from app.sync.fieldmap import Rule
from app.sync.policy import BridgeSettings
from app.sync.records import Side

log = structlog.get_logger()

_FRESH = 2.0
_TOO_OLD = 10.0
_LOOK_AGAIN = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionView:
    id: int
    provider: str
    state: str
    base_url: str
    account_id: str
    kind: str = "account"
    auth: str = "entered"
    sealed: str = field(repr=False)
    key_digest: str | None = field(repr=False)
    secret_digest: str = field(repr=False)
    data: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeView:
    id: int
    enabled: bool
    crm: ConnectionView
    billing: ConnectionView
    settings: BridgeSettings
    created_at: Any
    revision: int = 0
    """Of its settings."""
    paused: bool = False
    """It was live, and is to be again."""
    paused_objects: frozenset[str] = frozenset()
    shares_billing: bool = False
    """Another bridge brings another CRM account to the same billing account."""
    rules: dict[str, tuple[Rule, ...]] = field(init=False, default_factory=dict, repr=False, compare=False)
    """Of each object, once worked out: they follow from the rest, which stays as it is."""

    def connection(self, side: Side) -> ConnectionView:
        return self.crm if side is Side.CRM else self.billing

    def holds(self, object_: str) -> bool:
        """What changes of this object waits until the pause ends."""
        return self.paused or object_ in self.paused_objects

    @property
    def obstacle(self) -> str:
        """Why nothing goes through one of its connections, for people; "" while both are in use."""
        idle = (each for each in (self.crm, self.billing) if each.state != ConnectionState.ACTIVE)
        return next((obstacle(each.provider, each.state) for each in idle), "")

    def require_connections(self) -> None:
        """Raises Reconnect of no connection: the one that is out of use was told of when it came to that."""
        if self.obstacle:
            raise Reconnect(self.obstacle)


@dataclass(frozen=True, slots=True)
class Snapshot:
    connections: Mapping[int, ConnectionView] = field(default_factory=dict)
    bridges: Mapping[int, BridgeView] = field(default_factory=dict)
    by_account: Mapping[tuple[str, str], tuple[ConnectionView, ...]] = field(default_factory=dict)
    by_key: Mapping[str, ConnectionView] = field(default_factory=dict)
    of_connection: Mapping[int, tuple[tuple[BridgeView, Side], ...]] = field(default_factory=dict)


class Directory:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._snapshot = Snapshot()
        self._read_at = self._changed_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def refresh(self) -> None:
        """Something was changed here: the next question waits for a new copy."""
        self._changed_at = time.monotonic()

    async def close(self) -> None:
        """Wait for a reading that nobody waits for: it has a connection of the pool."""
        if self._reading is not None:
            await asyncio.wait({self._reading})

    async def connections_of(self, provider: str, account_id: str) -> tuple[ConnectionView, ...]:
        """Every connection to this account of this provider; none where it is not connected."""
        key = (provider, account_id)
        return (await self._now()).by_account.get(key) or (await self._again()).by_account.get(key, ())

    async def connection_by_key(self, key_digest: str) -> ConnectionView | None:
        return (await self._now()).by_key.get(key_digest) or (await self._again()).by_key.get(key_digest)

    async def bridges_of(self, connection_id: int) -> tuple[tuple[BridgeView, Side], ...]:
        """Bridges that take the connection's events, live or paused, each with the side that the connection is on."""
        return (await self._now()).of_connection.get(connection_id) or (await self._again()).of_connection.get(
            connection_id, ()
        )

    async def bridges(self) -> tuple[BridgeView, ...]:
        """All that are enabled."""
        return tuple(each for each in (await self._now()).bridges.values() if each.enabled)

    async def bridge(self, bridge_id: int) -> BridgeView | None:
        return (await self._now()).bridges.get(bridge_id) or (await self._again()).bridges.get(bridge_id)

    async def one(self, bridge_id: int) -> BridgeView:
        """Raises Gone."""
        bridge = await self.bridge(bridge_id)
        if bridge is None:
            raise Gone(f"There is no bridge {bridge_id}.")
        return bridge

    async def _now(self) -> Snapshot:
        now = time.monotonic()
        if now - self._read_at > _FRESH:
            self._start_reading()
        return await self._since(max(self._changed_at, now - _TOO_OLD))

    async def _again(self) -> Snapshot:
        return await self._since(max(self._changed_at, time.monotonic() - _LOOK_AGAIN))

    async def _since(self, moment: float) -> Snapshot:
        """A copy whose reading began after `moment`."""
        while self._read_at <= moment:
            await asyncio.shield(self._start_reading())
        return self._snapshot

    def _start_reading(self) -> asyncio.Task[None]:
        """Many ask at once when the copy is old: one looks."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._replace())
            self._reading.add_done_callback(_retrieve)
        return self._reading

    async def _replace(self) -> None:
        read_at = time.monotonic()
        self._snapshot = await self._read()
        self._read_at = read_at

    async def _read(self) -> Snapshot:
        # One moment for both tables: a bridge never names a connection that this copy does not have.
        async with AsyncSession(self._engine.execution_options(isolation_level="REPEATABLE READ")) as session:
            connections = {_id(c): _connection(c) for c in (await session.scalars(select(Connection))).all()}
            rows = (await session.scalars(select(Bridge))).all()
            objects = await pausing.paused_objects(session)
        shared = Counter(row.billing_connection_id for row in rows)
        bridges = {
            _id(b): _bridge(
                b, connections, shares=shared[b.billing_connection_id] > 1, paused=objects.get(_id(b), frozenset())
            )
            for b in rows
        }
        by_account: dict[tuple[str, str], tuple[ConnectionView, ...]] = {}
        of_connection: dict[int, tuple[tuple[BridgeView, Side], ...]] = {}
        for view in connections.values():
            key = (view.provider, view.account_id)
            by_account[key] = (*by_account.get(key, ()), view)
        for bridge in bridges.values():
            for side in Side if bridge.enabled or bridge.paused else ():
                connection_id = bridge.connection(side).id
                of_connection[connection_id] = (*of_connection.get(connection_id, ()), (bridge, side))
        by_key = {view.key_digest: view for view in connections.values() if view.key_digest}
        return Snapshot(connections, bridges, by_account, by_key, of_connection)


def _retrieve(reading: asyncio.Task[None]) -> None:
    """A copy that could not be read is said to those who wait for it; nobody may."""
    if not reading.cancelled() and (error := reading.exception()):
        log.info("directory.not_read", reason=str(error).partition("\n")[0])


def _id(row: Connection | Bridge) -> int:
    if row.id is None:
        raise ValueError("the row is not stored yet")
    return row.id


def view_of(row: Bridge, connections: Mapping[int | None, Connection], settings: BridgeSettings) -> BridgeView:
    """A bridge as it would be with these settings, stored or not."""
    return BridgeView(
        id=row.id or 0,
        enabled=row.enabled,
        crm=_connection(connections[row.crm_connection_id]),
        billing=_connection(connections[row.billing_connection_id]),
        settings=settings,
        created_at=row.created_at,
        revision=row.revision,
    )


def _connection(row: Connection) -> ConnectionView:
    return ConnectionView(
        id=_id(row),
        provider=row.provider,
        state=row.state,
        base_url=row.base_url,
        account_id=row.account_id,
        kind=row.kind,
        auth=row.auth,
        sealed=row.sealed,
        key_digest=row.webhook_key_digest,
        secret_digest=row.webhook_secret_digest,
        data=row.data,
    )


def _bridge(
    row: Bridge, connections: Mapping[int, ConnectionView], *, shares: bool, paused: frozenset[str]
) -> BridgeView:
    try:
        settings, readable = BridgeSettings.model_validate(row.settings), True
    except ValidationError as error:  # one that cannot be read stops, the others go on
        log.error("bridge.unreadable_settings", bridge=row.id, reason=str(error).partition("\n")[0])
        settings, readable = BridgeSettings(), False
    return BridgeView(
        id=_id(row),
        enabled=row.enabled and readable,
        crm=connections[row.crm_connection_id],
        billing=connections[row.billing_connection_id],
        settings=settings,
        created_at=row.created_at,
        revision=row.revision,
        paused=not row.enabled and row.live_since is not None,
        paused_objects=paused,
        shares_billing=shares,
    )

"""The composition root: settings in, a running service out. Nothing imports this but the command line and tests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import procrastinate
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app.api import make_router as api_router
from app.budget import Budgets, Limit
from app.connections import Connections
from app.db import Bundled, Database
from app.directory import Directory
from app.inbox import Inbox
from app.installations import Installations
from app.installing import Installer
from app.jobs import RecordSync
from app.oauth import HighLevelExchange
from app.polling import Poller
from app.providers.addresses import Reach
from app.providers.base import Provider
from app.providers.highlevel.oauth import HighLevelOAuth
from app.providers.highlevel.provider import HighLevel
from app.providers.http import make_client
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.queue import make_app
from app.redaction import keep_secret
from app.settings import Settings
from app.sync.engine import Engine
from app.sync.store import Store
from app.tokens import Guardian
from app.vault import Vault
from app.web import access, docs, health, pages, problems, webhooks
from app.web.protection import ProtectedAPI
from app.worker import Worker

DESCRIPTION = "Keeps GoHighLevel and Invoice Ninja in step, both ways."
LATE = 300.0

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one process, wired. `web` and `worker` may run in one process or in many."""

    settings: Settings
    db: Database
    engine: AsyncEngine
    queue: procrastinate.App
    client: httpx.AsyncClient
    directory: Directory
    connections: Connections
    inbox: Inbox
    worker: Worker
    installer: Installer

    @asynccontextmanager
    async def running(self, *, web: bool, worker: bool) -> AsyncIterator[None]:
        """Everything that lives as long as the process does; on leaving, running jobs are finished."""
        stop = asyncio.Event()
        async with self.queue.open_async():
            if web:
                self.inbox.start()
            working = asyncio.create_task(self.worker.run(stop), name="worker") if worker else None
            try:
                yield
            finally:
                stop.set()
                if working:
                    await working
                if web:
                    await self.inbox.stop()
                await self.client.aclose()
                await self.db.dispose()


def providers(settings: Settings) -> Mapping[str, Provider]:
    """Every external system we know, by name."""
    return {provider.name: provider for provider in (HighLevel(settings.highlevel_base_url), InvoiceNinja())}


def reach(settings: Settings) -> Reach:
    return Reach.PRIVATE_TOO if settings.allow_private_addresses else Reach.INTERNET


def highlevel_app(settings: Settings) -> HighLevelOAuth:
    """The Marketplace app of this installation; it may have none."""
    return HighLevelOAuth(
        client_id=settings.highlevel_client_id,
        client_secret=settings.highlevel_client_secret.get_secret_value(),
        base_url=settings.highlevel_base_url,
        authorize_url=settings.highlevel_authorize_url,
        reach=reach(settings),
    )


def build(settings: Settings, url: str, bundled: Bundled | None = None) -> Service:
    """Wire one process. Raises ConfigurationError where a key or a secret is missing."""
    settings.require_secrets()
    keep_secret(*settings.secrets)
    db = Database.at(url)
    engine = db.engine
    queue = make_app(url)
    client = make_client(reach(settings))
    directory = Directory(engine)
    limits = {
        "highlevel": Limit(settings.highlevel_calls, settings.highlevel_interval, settings.highlevel_calls_per_day),
        "invoice_ninja": Limit(settings.invoice_ninja_calls, settings.invoice_ninja_interval),
    }
    vault = Vault(*settings.sealing_keys)
    guardian = Guardian(db, vault, {})
    app = highlevel_app(settings)
    guardian.exchanges = {"highlevel": HighLevelExchange(app, client, guardian)}
    connections = Connections(engine, directory, vault, Budgets(db, limits), client, providers(settings), guardian)
    store = Store(db, claim_seconds=settings.claim_seconds, burst_seconds=settings.burst_seconds)
    sync = RecordSync(settings, directory, connections, store, Engine(store, connections.open))

    async def revive() -> None:
        if bundled is not None:
            await bundled.revive()

    installer = Installer(app, vault, connections, settings.public_url)
    installations, poller = Installations(connections, installer), Poller(connections)
    worker = Worker(settings, engine, queue, sync, connections, installations, poller, revive)
    worker.register()
    inbox = Inbox(db, directory)
    return Service(settings, db, engine, queue, client, directory, connections, inbox, worker, installer)


def managed(service: Service, *, worker: bool) -> Lifespan:
    """A web application's lifespan that runs the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running(web=True, worker=worker):
            yield

    return lifespan


async def work_until_told(service: Service) -> None:
    """A worker alone, until SIGINT or SIGTERM; jobs that run are finished first."""
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with service.running(web=False, worker=True):
        await told.wait()


def web_app(service: Service, lifespan: Lifespan | None) -> FastAPI:
    # A redirect below /webhooks/ is an answer like 404: the sender may give up.
    app = ProtectedAPI(
        public_url=service.settings.public_url,
        title="Crossledger",
        description=DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    access.install(app, access.Gate.make(service.settings, service.engine))
    pages.install(app)
    app.state.installer = service.installer
    webhooks.install(app, webhooks.Door.make(service.settings, service.inbox, service.directory))
    docs.install(app)
    app.include_router(health.make_router(service.engine, late_after=LATE))
    app.include_router(api_router(service.settings, service.engine, service.connections))
    app.include_router(pages.make_router())
    return app

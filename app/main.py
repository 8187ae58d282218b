"""The composition root: settings in, a running service out. Nothing imports this but the command line and tests."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

import httpx
import procrastinate
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from app import api
from app.budget import Budgets, Limit
from app.connections import Connections
from app.dashboard import Dashboard
from app.db import Bundled, Database
from app.directory import Directory
from app.duplicates.search import Search
from app.inbox import Inbox
from app.installations import Installations
from app.installing import Installer
from app.jobs import RecordSync
from app.models.run import RunKind
from app.notify.notifier import Notifier
from app.oauth import HighLevelExchange
from app.planning.backfill import Backfill
from app.planning.plan import Planner
from app.providers.addresses import Reach
from app.providers.base import Provider
from app.providers.client import make_client, make_sandbox_client
from app.providers.highlevel.oauth import HighLevelOAuth
from app.providers.highlevel.provider import HighLevel
from app.providers.invoice_ninja.provider import InvoiceNinja
from app.providers.sandboxed import Ports
from app.queue import make_app
from app.redaction import keep_secret
from app.replaying import Replaying
from app.runs import Runs
from app.settings import Settings
from app.sweep.schedule import Schedule
from app.sweep.work import Sweeper
from app.sync.engine import Engine
from app.sync.store import Store
from app.tokens import Guardian
from app.trying.host import Host
from app.undo.reverting import Reverting
from app.undo.store import UndoStore
from app.undo.undoing import Undoing
from app.vault import Vault
from app.web import access, docs, health, pages, problems, sandbox_webhooks, webhooks
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
    runs: Runs
    undoing: Undoing
    sandbox: Host
    dashboard: Dashboard = field(default_factory=Dashboard)

    async def close(self) -> None:
        await self.client.aclose()
        await self.connections.sandbox.aclose()
        await self.directory.close()
        await self.db.dispose()

    @asynccontextmanager
    async def running(self, *, web: bool, worker: bool) -> AsyncIterator[None]:
        """Everything that lives as long as the process does; on leaving, running jobs are finished."""
        stop = asyncio.Event()
        async with self.queue.open_async():
            if web:
                self.inbox.start()
            working = asyncio.create_task(self.worker.run(stop), name="worker") if worker else None
            try:
                async with self.sandbox.keeping(works=web and worker):
                    yield
            finally:
                stop.set()
                if working:
                    await working
                if web:
                    await self.inbox.stop()
                await self.close()


def providers(settings: Settings) -> Mapping[str, Provider]:
    """Every external system we know, by name."""
    highlevel = HighLevel(settings.highlevel_base_url, settings.highlevel_app_url)
    return {provider.name: provider for provider in (highlevel, InvoiceNinja())}


def reach(settings: Settings) -> Reach:
    return Reach.allowing(private=settings.allow_private_addresses)


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
    ports = Ports()
    connections = Connections(
        engine, directory, vault, Budgets(db, limits), client, make_sandbox_client(ports), providers(settings), guardian
    )
    store = Store(db, claim_seconds=settings.claim_seconds, burst_seconds=settings.burst_seconds)
    sync = RecordSync(settings, directory, connections, store, Engine(store, connections.open))

    async def revive() -> None:
        if bundled is not None:
            await bundled.revive()

    installer = Installer(app, vault, connections, settings.public_url)
    undo_store = UndoStore(db, settings.claim_seconds)
    undoing = Undoing(directory, Reverting(sync.engine, undo_store), undo_store)
    background = partial(connections.open, background=True)
    works = {
        RunKind.PLAN: Planner(engine, connections, store, background).work,
        RunKind.BACKFILL: Backfill(engine, connections, store, background).work,
        RunKind.SWEEP: Sweeper(connections, timedelta(seconds=settings.sweep_grace)).work,
        RunKind.DUPLICATES: Search(connections).work,
        RunKind.UNDO: undoing.work,
        RunKind.REPLAY: Replaying(engine).work,
    }
    runs = Runs(engine, connections, works)
    installations, sweeps = Installations(connections, installer), Schedule(connections, runs)
    worker = Worker(settings, engine, queue, sync, connections, installations, runs, sweeps, revive)
    worker.register()
    Notifier.make(settings, engine, connections).register(queue)
    inbox, sandbox = Inbox(db, directory), Host(settings, db, connections, ports)
    parts = (directory, connections, inbox, worker, installer, runs, undoing, sandbox)
    return Service(settings, db, engine, queue, client, *parts)


def managed(service: Service, *, worker: bool) -> Lifespan:
    """A web application's lifespan that runs the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running(web=True, worker=worker), service.dashboard.running():
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
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    access.install(app, access.Gate.make(service.settings, service.engine))
    app.state.installer = service.installer
    app.state.runs = service.runs
    app.state.undoing = service.undoing
    app.state.sandbox = service.sandbox
    webhooks.install(app, webhooks.Door.make(service.settings, service.inbox, service.directory))
    sandbox_webhooks.install(app, service.inbox, service.directory, service.sandbox)
    docs.install(app)
    app.include_router(health.make_router(service.engine, late_after=LATE))
    api.install(app, service.settings, service.connections, service.runs, service.undoing, service.sandbox)
    pages.install(app)
    service.dashboard.install(app)
    return app

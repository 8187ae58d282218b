"""What tests share: the bundled PostgreSQL with a fresh database each, the simulators as real servers, the service."""

import asyncio
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from httpx._config import DEFAULT_TIMEOUT_CONFIG
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr
from sqlalchemy import create_engine, make_url, text

from app.db import Bundled, conninfo
from app.main import Service, build, web_app
from app.migrations import upgrade
from app.pausing import HELD
from app.sandbox.highlevel.config import Config
from app.sandbox.processes import Simulator
from app.settings import Settings
from app.web.server import Server, listening
from tests.databases import Databases, named
from tests.person import person

# As in `app.logs`, but to whatever takes the output of a test, and without hiding anything. The default draws each
# traceback with all its variables, which takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.LogfmtRenderer(),
    ]
)

# How long things take is for `make bench`; the first text that is drawn in a fresh clone takes seconds.
hypothesis_settings.register_profile("crossledger", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("crossledger")

# A test that asks a server on a machine with much else to do waits longer than httpx's five seconds.
DEFAULT_TIMEOUT_CONFIG.read = DEFAULT_TIMEOUT_CONFIG.connect = 60

ADMIN_TOKEN = "a-token-for-tests-only-1234567890"
LOCATION = "sandboxLocation0001"


def admin_sql(url: str, *statements: str) -> None:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL with a migrated template. CROSSLEDGER_TEST_DATABASE_URL names one; else the bundled."""
    with tempfile.TemporaryDirectory(prefix="crossledger-test-", ignore_cleanup_errors=True) as home:
        given = os.environ.get("CROSSLEDGER_TEST_DATABASE_URL")
        bundled = None if given else Bundled(Path(home))
        url = conninfo(given or (bundled.url if bundled else ""))
        if bundled:
            Databases.hurry(url)
        template = f"template_{secrets.token_hex(4)}"
        admin_sql(url, f"CREATE DATABASE {template}")
        upgrade(named(url, template))
        yield named(url, template)
        admin_sql(url, f"DROP DATABASE {template} WITH (FORCE)")
        if bundled:
            bundled.stop()


@pytest.fixture(scope="session")
def databases(server: str) -> Iterator[Databases]:
    pool = Databases(server)
    yield pool
    pool.close()


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    url = databases.take()
    yield url
    databases.give_back(url)


@pytest.fixture(scope="session")
def highlevel_process() -> Iterator[Simulator]:
    simulator = Simulator.start("highlevel", delivery_delay=0.01, burst_limit=0)
    yield simulator
    simulator.stop()


@pytest.fixture(scope="session")
def ninja_process() -> Iterator[Simulator]:
    simulator = Simulator.start("invoice-ninja", delivery_delay=0.01)
    yield simulator
    simulator.stop()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path,
        secret_key="only-for-tests-" + "x" * 32,
        admin_token=ADMIN_TOKEN,
        port=0,
        allow_private_addresses=True,
        retry_first=0.2,
        poll_interval=0.05,
        stalled_after=3,
        burst_seconds=0,
        highlevel_calls=0,
        highlevel_calls_per_day=0,
    )


@dataclass
class World:
    """A running service between two running simulators, and the hands of the people on both sides."""

    service: Service
    url: str
    admin: httpx.AsyncClient
    highlevel: httpx.AsyncClient
    ninja: httpx.AsyncClient
    highlevel_url: str
    ninja_url: str
    bridge_id: int = 0
    crm_connection_id: int = 0
    billing_connection_id: int = 0

    async def contact(self, contact_id: str) -> dict[str, Any]:
        answer = await self.highlevel.get(f"/contacts/{contact_id}")
        answer.raise_for_status()
        return dict(answer.json()["contact"])

    async def add_contact(self, **fields: Any) -> str:
        answer = await self.highlevel.post("/contacts/", json={"locationId": LOCATION, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["contact"]["id"])

    async def edit_contact(self, contact_id: str, **fields: Any) -> None:
        (await self.highlevel.put(f"/contacts/{contact_id}", json=fields)).raise_for_status()

    async def clients(self, status: str = "active") -> list[dict[str, Any]]:
        answer = await self.ninja.get("/api/v1/clients", params={"per_page": "500", "status": status})
        answer.raise_for_status()
        return list(answer.json()["data"])

    async def client(self, client_id: str) -> dict[str, Any]:
        return dict((await self.ninja.get(f"/api/v1/clients/{client_id}")).raise_for_status().json()["data"])

    async def add_client(self, **fields: Any) -> dict[str, Any]:
        return dict((await self.ninja.post("/api/v1/clients", json=fields)).raise_for_status().json()["data"])

    async def edit_client(self, client_id: str, **fields: Any) -> None:
        """As a person does in the web application: the whole record goes back."""
        whole = await self.client(client_id)
        (await self.ninja.put(f"/api/v1/clients/{client_id}", json={**whole, **fields})).raise_for_status()

    async def edit_person(self, client_id: str, **fields: Any) -> None:
        whole = await self.client(client_id)
        first = {**whole["contacts"][0], **fields}
        body = {**whole, "contacts": [first, *whole["contacts"][1:]]}
        (await self.ninja.put(f"/api/v1/clients/{client_id}", json=body)).raise_for_status()

    async def rows(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of one of our own lists."""
        answer = (await self.admin.get(f"/api/v1/{path}", params=params)).raise_for_status()
        return list(answer.json()["items"])

    async def quiet(self, seconds: float = 60) -> None:
        """Wait until every delivery has arrived, every event is answered or held, and no job is left to do now."""
        await until(self._is_quiet, seconds, "the service never came to rest")

    async def _is_quiet(self) -> bool:
        statement = text(f"""
            SELECT (SELECT count(*) FROM events e LEFT JOIN bridges b ON b.id = e.bridge_id
                     WHERE e.state = 'pending' AND (b.id IS NULL OR NOT {HELD.format(object="e.object")}))
                 + (SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync' AND status IN ('todo', 'doing'))
        """)  # noqa: S608 -- constants of ours
        for _ in range(3):  # what was done between two questions may have sent something
            async with self.service.engine.connect() as connection:
                if await connection.scalar(statement):
                    return False
            for vendor in (self.highlevel, self.ninja):
                sent = (await vendor.get("/_control/deliveries", params={"last": "0"})).json()
                if sent["under_way"]:
                    return False
        return True

    async def calls(self, vendor: httpx.AsyncClient, method: str = "") -> list[dict[str, Any]]:
        """What the service asked of a simulator since the last `forget_calls`."""
        answer = await vendor.get("/_control/requests", params={"token": "service"})
        return [each for each in answer.json()["requests"] if method in ("", each["method"])]

    async def forget_calls(self) -> None:
        for vendor in (self.highlevel, self.ninja):
            await vendor.delete("/_control/requests")

    async def fault(self, vendor: httpx.AsyncClient, **fault: Any) -> None:
        (await vendor.post("/_control/faults", json=fault)).raise_for_status()

    async def mend(self) -> None:
        for vendor in (self.highlevel, self.ninja):
            await vendor.delete("/_control/faults")


async def until(check: Callable[[], Awaitable[Any]], seconds: float = 30, complaint: str = "it never happened") -> Any:
    """Ask again and again; the first answer that is true ends the wait."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        if answer := await check():
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"{complaint} within {seconds} s"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(service: Service, *, worker: bool = True) -> AsyncIterator[str]:
    """The service as a real HTTP server on loopback, in this event loop."""
    listener = listening("127.0.0.1", service.settings.port)
    web = Server(web_app(service, None), log_level="error", lifespan="off")
    async with service.running(web=True, worker=worker), service.dashboard.running():
        task = asyncio.create_task(web.serve(sockets=[listener]))
        await until(lambda: _true(web.started), 30, "the web server did not start")
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            web.should_exit = True
            await task


async def _true(value: bool) -> bool:
    return value


@pytest.fixture
async def bare_world(
    settings: Settings, database: str, highlevel_process: Simulator, ninja_process: Simulator
) -> AsyncIterator[World]:
    """Service and simulators, nothing connected yet."""
    async with AsyncExitStack() as stack:
        highlevel = await stack.enter_async_context(
            person(
                highlevel_process.url,
                {
                    "Authorization": "Bearer sandbox-highlevel-human-token",
                    "Version": "2021-07-28",
                },
            )
        )
        ninja = await stack.enter_async_context(
            person(
                ninja_process.url,
                {
                    "X-API-TOKEN": "sandbox-ninja-human-token",
                    "Accept": "application/json",
                },
            )
        )
        for vendor in (highlevel, ninja):
            (await vendor.post("/_control/reset")).raise_for_status()
        (await highlevel.post("/_control/settings", json={"burst_limit": 0, "delivery_delay": 0.01})).raise_for_status()
        pem = (await highlevel.get("/_control/public-key")).text
        keyed = settings.model_copy(
            update={
                "highlevel_webhook_public_keys": (pem,),
                "highlevel_base_url": highlevel_process.url,
                "highlevel_authorize_url": f"{highlevel_process.url}/v2/oauth/chooselocation",
                "highlevel_client_id": Config().client_id,
                "highlevel_client_secret": SecretStr(Config().client_secret),
            }
        )
        service = build(keyed, database)
        url = await stack.enter_async_context(serving(service))
        admin = await stack.enter_async_context(person(url, {"Authorization": f"Bearer {ADMIN_TOKEN}"}))
        yield World(service, url, admin, highlevel, ninja, highlevel_process.url, ninja_process.url)


@pytest.fixture
async def world(bare_world: World) -> World:
    """Both accounts connected, one bridge between them, webhooks registered on both sides."""
    await connect(bare_world)
    return bare_world


async def connect(world: World, *, live: bool = True, **settings: Any) -> None:
    crm = await world.admin.post(
        "/api/v1/connections",
        json={
            "provider": "highlevel",
            "name": "Location",
            "location_id": LOCATION,
            "private_token": "sandbox-highlevel-service-token",
            "base_url": world.highlevel_url,
        },
    )
    assert crm.status_code == 201, crm.text
    billing = await world.admin.post(
        "/api/v1/connections",
        json={
            "provider": "invoice_ninja",
            "name": "Company",
            "base_url": world.ninja_url,
            "api_token": "sandbox-ninja-service-token",
            "install_webhooks": False,
        },
    )
    assert billing.status_code == 201, billing.text
    bridge = await world.admin.post(
        "/api/v1/bridges",
        json={
            "name": "Bridge",
            "crm_connection_id": crm.json()["id"],
            "billing_connection_id": billing.json()["id"],
            "settings": settings,
            "live": live,
        },
    )
    assert bridge.status_code == 201, bridge.text
    world.crm_connection_id, world.billing_connection_id = crm.json()["id"], billing.json()["id"]
    world.bridge_id = bridge.json()["id"]
    await subscribe(world, billing.json()["webhooks"])


async def subscribe(world: World, webhooks: dict[str, Any]) -> None:
    """Register the URLs by hand, as the README says."""
    (
        await world.highlevel.post(
            "/_control/webhooks", json={"url": f"{world.url}/webhooks/highlevel", "events": "all"}
        )
    ).raise_for_status()
    (
        await world.ninja.post(
            "/_control/webhooks",
            json={
                "target_url": f"{world.url}/webhooks/{webhooks['url'].partition('/webhooks/')[2]}",
                "events": webhooks["events"],
                "headers": {webhooks["header"]: webhooks["secret"]},
            },
        )
    ).raise_for_status()

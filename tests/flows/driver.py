"""A whole installation as an operator has it: PostgreSQL, both simulators and the service, each its own process."""

import asyncio
import atexit
import os
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from app.db import Bundled, conninfo
from app.migrations import upgrade
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.webhooks import Signer
from app.sandbox.processes import Simulator
from tests.forks import Fork, forked
from tests.person import person
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
LOCATION = "sandboxLocation0001"
SECRET_KEY = "only-for-flows-" + "k" * 32
ADMIN_TOKEN = "only-for-flows-" + "t" * 32
SERVICE_TOKENS = {"highlevel": "sandbox-highlevel-service-token", "ninja": "sandbox-ninja-service-token"}
HUMANS = {
    "highlevel": {"Authorization": "Bearer sandbox-highlevel-human-token", "Version": "2021-07-28"},
    "ninja": {"X-API-TOKEN": "sandbox-ninja-human-token", "Accept": "application/json"},
}
CLIENT_EVENTS = ("1", "10", "11", "37", "45")
START_PATIENCE = 30.0

_UNSETTLED = """
    SELECT (SELECT count(*) FROM events WHERE state = 'pending')
         + (SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync' AND status IN ('todo', 'doing'))
"""


@dataclass(frozen=True)
class Running:
    """One process of the service. `started_in`: seconds until it was ready (0 for a worker, which has no such sign)."""

    process: subprocess.Popen[bytes] | Fork
    log: Path
    started_in: float = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """As the kernel does when memory is short: no warning, nothing is finished."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class Site:
    """`highlevel` and `ninja` are the hands of the people who work there."""

    home: Path
    bundled: Bundled
    simulators: dict[str, Simulator]
    highlevel: httpx.AsyncClient
    ninja: httpx.AsyncClient
    settings: dict[str, str]
    port: int
    running: list[Running] = field(default_factory=list)
    program: tuple[str, ...] = ("-m", "app.cli")
    forks: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, *options: str) -> Running:
        """Start `crossledger serve`; returns when /readyz says so."""
        started = time.perf_counter()
        process, log = self._spawn("serve", *options)
        async with httpx.AsyncClient(base_url=self.url, timeout=5, trust_env=False) as client:
            while not await _is_ready(client):
                waited = time.perf_counter() - started
                if process.poll() is not None or waited > START_PATIENCE:
                    process.kill()
                    process.wait()
                    raise RuntimeError(f"the service did not start:\n{log.read_text()[-3000:]}")
                await asyncio.sleep(0.01)
        return self._keep(Running(process, log, time.perf_counter() - started))

    def work(self) -> Running:
        """Start `crossledger worker`."""
        return self._keep(Running(*self._spawn("worker")))

    def _spawn(self, *arguments: str) -> tuple[subprocess.Popen[bytes] | Fork, Path]:
        log = self.home / f"{arguments[0]}-{len(self.running)}.log"
        command = (*self.program, *arguments)
        # In an empty directory, so that no .env of a developer is read.
        if self.forks:
            return forked(command, env=self.environment(), cwd=self.home, stdout=log), log
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                env=self.environment(),
            )
        return process, log

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CROSSLEDGER_")}
        ours = {f"CROSSLEDGER_{name.upper()}": value for name, value in self.settings.items()}
        return {**inherited, **ours, "PYTHONPATH": str(ROOT)}

    def _keep(self, running: Running) -> Running:
        self.running.append(running)
        return running

    def stop_all(self) -> None:
        for running in self.running:
            if running.process.poll() is None:
                running.stop()

    def postmaster(self) -> int:
        """The pid of the bundled PostgreSQL."""
        return int((self.home / "postgres" / "postmaster.pid").read_text().split()[0])

    @property
    def database(self) -> str:
        return conninfo(self.bundled.url)

    async def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.database, autocommit=True) as connection:
            return await (await connection.execute(statement, values or None)).fetchall()

    async def at_rest(self, seconds: float = 60) -> float:
        """Wait until nothing is under way anywhere; returns the seconds it took. A second of silence is asked for."""
        began = time.perf_counter()
        calm = 0
        while calm < 5:
            calm = 0 if await self.under_way() else calm + 1
            if time.perf_counter() - began > seconds:
                raise AssertionError(f"{await self.under_way()} events and jobs are not done after {seconds:.0f} s")
            await asyncio.sleep(0.2)
        return time.perf_counter() - began

    async def under_way(self) -> int:
        """Deliveries, events and jobs that are not done."""
        sending = [int((await vendor.get("/_control/deliveries")).json()["pending"]) for vendor in self.vendors]
        return sum(sending) + int((await self.rows(_UNSETTLED))[0][0])

    @property
    def vendors(self) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
        return self.highlevel, self.ninja

    def admin(self) -> httpx.AsyncClient:
        """Our own API, for whoever administers."""
        authorized = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        return httpx.AsyncClient(base_url=self.url, headers=authorized, timeout=30, trust_env=False)

    async def connect(self, *, live: bool = True) -> dict[str, Any]:
        """Both accounts and the bridge, through the API of the running service; returns billing's `webhooks`."""
        async with self.admin() as admin:

            async def post(path: str, **body: Any) -> dict[str, Any]:
                answer = await admin.post(f"/api/v1/{path}", json=body)
                if answer.is_error:
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.text}")
                return dict(answer.json())

            token = {"private_token": SERVICE_TOKENS["highlevel"]}
            crm = await post("connections", provider="highlevel", name="Location", location_id=LOCATION, **token)
            url = self.simulators["ninja"].url
            token = {"api_token": SERVICE_TOKENS["ninja"]}
            company = {"provider": "invoice_ninja", "name": "Company", "base_url": url, "install_webhooks": False}
            billing = await post("connections", **company, **token)
            ids = {"crm_connection_id": crm["id"], "billing_connection_id": billing["id"]}
            await post("bridges", name="Bridge", live=live, **ids)
        return dict(billing["webhooks"])

    async def subscribe_highlevel(self) -> None:
        body = {"url": f"{self.url}/webhooks/highlevel", "events": "all"}
        (await self.highlevel.post("/_control/webhooks", json=body)).raise_for_status()

    async def subscribe_ninja(self, webhooks: dict[str, Any]) -> None:
        """`webhooks` as `connect` returns it."""
        for event_id in CLIENT_EVENTS:
            body = {
                "target_url": webhooks["url"].replace("{event_id}", event_id),
                "event_id": event_id,
                "rest_method": "post",
                "headers": {webhooks["header"]: webhooks["secret"]},
            }
            (await self.ninja.post("/api/v1/webhooks", json=body)).raise_for_status()

    async def add_contact(self, **fields: Any) -> str:
        answer = await self.highlevel.post("/contacts/", json={"locationId": LOCATION, **fields})
        return str(answer.raise_for_status().json()["contact"]["id"])

    async def edit_contact(self, contact_id: str, **fields: Any) -> None:
        (await self.highlevel.put(f"/contacts/{contact_id}", json=fields)).raise_for_status()

    async def contacts(self) -> list[dict[str, Any]]:
        return list((await self.highlevel.get("/_control/state")).raise_for_status().json()["contacts"])

    async def clients(self, status: str = "active") -> list[dict[str, Any]]:
        """`status`: active, archived, deleted, or several with commas."""
        found: list[dict[str, Any]] = []
        while True:
            page = {"per_page": "1000", "status": status, "sort": "id|asc", "page": str(len(found) // 1000 + 1)}
            rows = (await self.ninja.get("/api/v1/clients", params=page)).raise_for_status().json()["data"]
            found += rows
            if len(rows) < 1000:
                return found

    async def calls(self, vendor: httpx.AsyncClient) -> list[dict[str, Any]]:
        """What the service asked of a simulator since the last `forget_calls`, oldest first."""
        return list((await vendor.get("/_control/requests", params={"token": "service"})).json()["requests"])

    async def forget_calls(self) -> None:
        for vendor in self.vendors:
            (await vendor.delete("/_control/requests")).raise_for_status()


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == 200
    except httpx.HTTPError:
        return False


class Postman:
    """Makes signed deliveries of HighLevel's, each with a new id: headers and body."""

    def __init__(self) -> None:
        self._config = Config()
        self._signer = Signer(self._config.signing_seed)

    def delivery(self, contact_id: str, kind: str = "ContactUpdate") -> tuple[dict[str, str], bytes]:
        app_id = self._config.app_id
        body = (
            f'{{"type":"{kind}","locationId":"{LOCATION}","versionId":"{app_id}","appId":"{app_id}",'
            f'"id":"{contact_id}","firstName":"Jane","lastName":"Doe","email":"jane@acme.example",'
            f'"webhookId":"{uuid.uuid4()}"}}'
        ).encode()
        return {"Content-Type": "application/json", **self._signer.headers(body, self._config)}, body


@asynccontextmanager
async def installed(*, forks: bool = False, **settings: str) -> AsyncIterator[Site]:
    """A migrated database and both simulators, nothing connected, no service yet. All is gone afterwards.

    `forks`: the service is forked from a process that has loaded it, and is there two seconds sooner.
    """
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossledger-", ignore_cleanup_errors=True)))
        bundled = await asyncio.to_thread(_migrated, home)
        stack.callback(_end_postgres, home, bundled)
        simulators = {
            "highlevel": stack.enter_context(Simulator.start("highlevel", delivery_delay=0, burst_limit=0)),
            "ninja": stack.enter_context(Simulator.start("invoice-ninja", delivery_delay=0)),
        }
        vendors = [
            await stack.enter_async_context(person(simulator.url, HUMANS[name]))
            for name, simulator in simulators.items()
        ]
        port = free_port()
        base = {
            "data_dir": str(home),
            "secret_key": SECRET_KEY,
            "admin_token": ADMIN_TOKEN,
            "port": str(port),
            "public_url": f"http://127.0.0.1:{port}",
            "log_level": "warning",
            "allow_private_addresses": "true",
            "highlevel_base_url": simulators["highlevel"].url,
            "highlevel_webhook_public_keys": (await vendors[0].get("/_control/public-key")).text,
            "highlevel_calls": "0",
            "highlevel_calls_per_day": "0",
        }
        site = Site(home, bundled, simulators, vendors[0], vendors[1], {**base, **settings}, port, forks=forks)
        stack.callback(site.stop_all)
        yield site


def _migrated(home: Path) -> Bundled:
    """A running PostgreSQL in `home`: a copy of one that was made before, for making it takes seconds of both cores."""
    subprocess.run(["cp", "-a", f"{_first_database()}/postgres", f"{home}/"], check=True)  # noqa: S607 -- with its owner
    return Bundled(home)


@cache
def _first_database() -> Path:
    """The directory of one that was migrated, and stopped."""
    place = tempfile.TemporaryDirectory(prefix="crossledger-first-", ignore_cleanup_errors=True)
    atexit.register(place.cleanup)
    home = Path(place.name)
    bundled = Bundled(home)
    try:
        upgrade(conninfo(bundled.url))
    finally:
        _end_postgres(home, bundled)
    return home


def _end_postgres(home: Path, bundled: Bundled) -> None:
    """Stop it even where a killed process never gave it back."""
    bundled.stop()
    with suppress(OSError, ValueError, IndexError):
        postmaster = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGINT)
        for _ in range(100):
            os.kill(postmaster, 0)
            time.sleep(0.1)

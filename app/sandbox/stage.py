"""Everything on one machine without accounts: both simulators, the service, one bridge, the webhooks registered."""

import asyncio
import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from app.db import Bundled, conninfo
from app.main import Service, build, web_app
from app.migrations import upgrade
from app.sandbox.highlevel.webhooks import EVENTS
from app.sandbox.processes import Simulator
from app.settings import Settings
from app.web.server import Server, listening

LOCATION = "sandboxLocation0001"
GRACE = 2.0
"""Seconds in which a webhook may still be on its way."""
SERVICE_TOKENS = ("sandbox-highlevel-service-token", "sandbox-ninja-service-token")
HUMAN_HIGHLEVEL = {"Authorization": "Bearer sandbox-highlevel-human-token", "Version": "2021-07-28"}
HUMAN_NINJA = {"X-API-TOKEN": "sandbox-ninja-human-token", "Accept": "application/json"}
_UNSETTLED = text("""
    SELECT (SELECT count(*) FROM events WHERE state = 'pending')
         + (SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync' AND status IN ('todo', 'doing'))
""")
BRIDGE = {
    "contact": {"tags": {"into": "custom_value1"}},
    **{name: {"enabled": True} for name in ("business", "task", "note", "opportunity", "balance", "notice")},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """`highlevel` and `ninja` are the hands of the people who work there; `admin` is our own API."""

    url: str
    admin_token: str
    admin: httpx.AsyncClient
    highlevel: httpx.AsyncClient
    ninja: httpx.AsyncClient
    service: Service

    async def under_way(self) -> int:
        """Deliveries, events and jobs that are not done."""
        answers = [await vendor.get("/_control/deliveries") for vendor in (self.highlevel, self.ninja)]
        async with self.service.engine.connect() as connection:
            waiting = (await connection.execute(_UNSETTLED)).scalar_one()
        return int(waiting) + sum(int(answer.json()["pending"]) for answer in answers)


@asynccontextmanager
async def set_up(port: int) -> AsyncIterator[Stage]:
    """Ready for the first edit. Everything is gone afterwards, the database included."""
    async with AsyncExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="crossledger-", ignore_cleanup_errors=True))
        bundled, highlevel, ninja = await asyncio.gather(
            asyncio.to_thread(Bundled, Path(home)),
            asyncio.to_thread(Simulator.start, "highlevel"),
            asyncio.to_thread(Simulator.start, "invoice-ninja"),
        )
        stack.callback(bundled.stop)
        stack.callback(highlevel.stop)
        stack.callback(ninja.stop)
        database = conninfo(bundled.url)
        await asyncio.to_thread(upgrade, database)
        people = {
            "highlevel": await stack.enter_async_context(_client(highlevel.url, HUMAN_HIGHLEVEL)),
            "ninja": await stack.enter_async_context(_client(ninja.url, HUMAN_NINJA)),
        }
        key = (await people["highlevel"].get("/_control/public-key")).text
        listener = listening("127.0.0.1", port)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        token = secrets.token_urlsafe(24)
        settings = Settings(
            _env_file=None,
            data_dir=Path(home),
            secret_key=secrets.token_urlsafe(48),
            admin_token=token,
            public_url=url,
            allow_private_addresses=True,
            highlevel_base_url=highlevel.url,
            highlevel_webhook_public_keys=(key,),
            retry_first=1,
            sweep_grace=GRACE,
        )
        service = build(settings, database, bundled)
        await stack.enter_async_context(serving(service, listener))
        admin = await stack.enter_async_context(_client(url, {"Authorization": f"Bearer {token}"}))
        stage = Stage(url, token, admin, service=service, **people)
        await connect(stage, ninja.url)
        yield stage


@asynccontextmanager
async def serving(service: Service, listener: socket.socket) -> AsyncIterator[None]:
    """The service as an HTTP server in this event loop."""
    web = Server(web_app(service, None), log_level="error", lifespan="off")
    async with service.running(web=True, worker=True):
        task = asyncio.create_task(web._serve([listener]))
        while not web.started:  # noqa: ASYNC110 -- uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield
        finally:
            web.should_exit = True
            await task


async def connect(stage: Stage, ninja_url: str) -> None:
    """What the README tells a person to do, with the sandbox's accounts. Invoice Ninja's webhooks come along."""
    crm = await _post(
        stage.admin,
        "/api/v1/connections",
        provider="highlevel",
        name="Sandbox location",
        location_id=LOCATION,
        private_token=SERVICE_TOKENS[0],
    )
    billing = await _post(
        stage.admin,
        "/api/v1/connections",
        provider="invoice_ninja",
        name="Sandbox company",
        base_url=ninja_url,
        api_token=SERVICE_TOKENS[1],
    )
    await _post(
        stage.admin,
        "/api/v1/bridges",
        name="Sandbox",
        crm_connection_id=crm["id"],
        billing_connection_id=billing["id"],
        settings=BRIDGE,
    )
    # An address for each: deliveries of businesses and products do not say what happened.
    events = {event: f"{stage.url}/webhooks/highlevel/{event}" for event in EVENTS}
    await _post(stage.highlevel, "/_control/webhooks", events=events)


async def until(check: Callable[[], Awaitable[Any]], seconds: float) -> Any:
    """Ask again and again; the first answer that is true, or the last one when time is up."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (answer := await check()) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    return answer


def run_simulators(highlevel_port: int, ninja_port: int, say: Callable[[str], object]) -> None:
    """Both simulators until Ctrl-C."""
    with (
        Simulator.start("highlevel", port=highlevel_port) as highlevel,
        Simulator.start("invoice-ninja", port=ninja_port) as ninja,
    ):
        say(f"HighLevel      {highlevel.url}   location {LOCATION}, token {SERVICE_TOKENS[0]}")
        say(f"Invoice Ninja  {ninja.url}   token {SERVICE_TOKENS[1]}")
        say("Ctrl-C ends both. /_control has the switches: faults, webhook-faults, requests, deliveries, reset.")
        try:
            highlevel.process.wait()
        except KeyboardInterrupt:
            say("")


async def _post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    if answer.is_error:
        raise RuntimeError(f"{path} answers {answer.status_code}: {answer.text}")
    return dict(answer.json())


def _client(url: str, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=20, trust_env=False)

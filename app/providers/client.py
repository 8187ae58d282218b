"""The process-wide clients: what they may reach, how long they wait, and the connections that they keep."""

import ssl
from functools import cache
from typing import Any

import httpcore
import httpx

from app.providers.addresses import Network, Reach, Resolver, resolve
from app.providers.sandboxed import Ports, SandboxNetwork

LONGEST_ANSWER = 30.0
"""Seconds."""
TIMEOUT = httpx.Timeout(LONGEST_ANSWER, connect=10)
LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=40, keepalive_expiry=30)
USER_AGENT = "Crossledger/0.1"


class Client(httpx.AsyncClient):
    """Sends what it is given, once. A cookie that one account was given must not travel with another's calls."""

    async def send(self, request: httpx.Request, **_: Any) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        answer.request = request
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer


def make_client(reach: Reach = Reach.INTERNET, resolver: Resolver = resolve) -> httpx.AsyncClient:
    """The process-wide client. Redirects are never followed: a token must not travel to another host."""
    return _client(make_transport(reach, resolver))


def make_sandbox_client(ports: Ports) -> httpx.AsyncClient:
    """For the accounts of the sandbox, and good for nothing else."""
    return _client(Hosts(SandboxNetwork(ports)))


def _client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    return Client(
        transport=transport,
        timeout=TIMEOUT,
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
    )


@cache
def trusted() -> ssl.SSLContext:
    """The authorities of the world; reading them takes 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


def make_transport(reach: Reach, resolver: Resolver = resolve) -> httpx.AsyncBaseTransport:
    """Goes where `reach` allows, whatever a name stands for in that moment."""
    return Hosts(Network(reach, resolver))


class Hosts(httpx.AsyncBaseTransport):
    """Connections, kept for each host by itself: one that hangs takes none from the others, and at each call httpcore
    looks at all connections that it keeps."""

    def __init__(self, network: httpcore.AsyncNetworkBackend) -> None:
        self._network = network
        self._of: dict[tuple[str, str, int | None], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        host = (url.scheme, url.host, url.port)
        if host not in self._of:
            self._of[host] = _transport(self._network)
        return await self._of[host].handle_async_request(request)

    async def aclose(self) -> None:
        for each in self._of.values():
            await each.aclose()


def _transport(network: httpcore.AsyncNetworkBackend) -> httpx.AsyncHTTPTransport:
    authorities = trusted()
    transport = httpx.AsyncHTTPTransport(verify=authorities, limits=LIMITS, trust_env=False)
    # httpx has no argument for the network below its pool. Where it keeps its pool elsewhere one day, nothing starts.
    if not isinstance(transport._pool, httpcore.AsyncConnectionPool):
        raise TypeError("this version of httpx keeps its connections in another way")
    transport._pool = httpcore.AsyncConnectionPool(
        ssl_context=authorities,
        max_connections=LIMITS.max_connections,
        max_keepalive_connections=LIMITS.max_keepalive_connections,
        keepalive_expiry=LIMITS.keepalive_expiry,
        network_backend=network,
    )
    return transport

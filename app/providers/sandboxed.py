"""The accounts of the sandbox: simulators that this process has started on its own machine.

They have names that no name server ever answers (`.invalid`, RFC 2606). Only calls of a connection with such an
address go out through `SandboxNetwork`, and they reach the port of that simulator and nothing else. For everybody else
loopback is as far away as ever: the other network knows nothing of these ports.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

import httpcore
import httpx

from app.errors import Rejected
from app.providers.addresses import Option
from app.providers.streams import connect

SUFFIX = "sandbox.invalid"
HOSTS: Mapping[str, str] = MappingProxyType(
    {"highlevel": f"highlevel.{SUFFIX}", "invoice_ninja": f"invoice-ninja.{SUFFIX}"}
)
"""Of each provider."""
ADDRESSES: Mapping[str, str] = MappingProxyType({name: f"http://{host}" for name, host in HOSTS.items()})
"""The base URLs of the two accounts."""
_LOOPBACK = "127.0.0.1"
_PORT = 80
"""What an address without a port means: no other is any of ours."""


@lru_cache
def is_sandbox(base_url: str) -> bool:
    """Whether this is the address of an account of the sandbox, running or not, however it is written."""
    try:
        host = httpx.URL(base_url).host.rstrip(".").lower()
    except httpx.InvalidURL:
        return False
    return host == SUFFIX or host.endswith(f".{SUFFIX}")


@dataclass(slots=True)
class Ports:
    """Where the simulators of this process listen now, by their names. Empty: there are none."""

    of: dict[str, int] = field(default_factory=dict)

    def open(self, ports: Mapping[str, int]) -> None:
        """`ports` by provider."""
        self.of = {HOSTS[name]: port for name, port in ports.items()}

    def close(self) -> None:
        self.of = {}


class SandboxNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the simulators, by name, and nowhere else. No name is looked up."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises Rejected for what is not the sandbox's, and ConnectError while it does not run here."""
        if host not in HOSTS.values() or port != _PORT:
            raise Rejected(f"“{host}” is no account of the sandbox")
        own = self._ports.of.get(host)
        if own is None:
            raise httpcore.ConnectError("the sandbox does not run at the moment")
        return await connect(_LOOPBACK, own, timeout)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Option] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Rejected("no vendor is called through a file")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

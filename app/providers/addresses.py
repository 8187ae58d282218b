"""Where our calls may go: a vendor's address is typed by a person, and must not lead into our own network.

A name is resolved once, what it stands for is judged, and the connection goes to just that address: nothing is
resolved a second time in between, so a name that answers differently each time (DNS rebinding) gains nothing. TLS is
checked against the name all the same. A connection that is kept alive stays with the address that was judged.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

import httpcore
import structlog

from app.errors import Rejected
from app.providers.streams import connect

log = structlog.get_logger()

Address: TypeAlias = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
Option: TypeAlias = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]

MOST = 4
"""Addresses of one name that are tried."""
PATIENCE = 3.0
"""Seconds for one of several addresses of a name, before the next one is tried."""


class Reach(StrEnum):
    """How far our calls go. What tells a cloud machine its own credentials is out of reach in either."""

    INTERNET = "internet"
    PRIVATE_TOO = "private too"

    @classmethod
    def allowing(cls, *, private: bool) -> "Reach":
        return cls.PRIVATE_TOO if private else cls.INTERNET


_METADATA_NAMES = {
    "metadata",
    "metadata.google.internal",
    "metadata.goog",
    "metadata.azure.internal",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
}
# Where clouds tell a machine about itself: link-local IPv4 nearly everywhere, and what some have beside it.
_METADATA = [
    ip_network(each)
    for each in (
        "169.254.0.0/16",
        "fe80::a9fe:a9fe/128",  # OpenStack
        "fd00:ec2::/32",  # Amazon
        "fd20:ce::/32",  # Google
        "fd00:42::42/128",  # Scaleway
        "168.63.129.16/32",  # Azure
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
    )
]
# What is_global leaves open, in one of the Python versions that we run on: IANA's special-purpose registries.
_SPECIAL = [ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")]
_UNICAST = ip_network("2000::/3")
_NAT64 = [ip_network(each) for each in ("64:ff9b::/96", "64:ff9b:1::/48")]
_COMPATIBLE = ip_network("::/96")


def is_metadata(address: Address) -> bool:
    """Also where an IPv6 address wraps an IPv4 one."""
    return any(each in network for each in (address, *_wrapped(address)) for network in _METADATA)


def is_public(address: Address) -> bool:
    """On the internet: not this machine, not a network of our own, nothing with a special purpose."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address in _NAT64[0]:
            return all(map(is_public, _wrapped(address)))
        if address not in _UNICAST:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _wrapped(address: Address) -> Iterator[IPv4Address]:
    if not isinstance(address, IPv6Address):
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if address in _COMPATIBLE or any(address in network for network in _NAT64):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)


def refuse_metadata(host: str) -> None:
    """Raises Rejected for a name that means a cloud's metadata."""
    if host.rstrip(".").lower() in _METADATA_NAMES:
        raise Rejected(_NEVER.format(host=host))


def permitted(host: str, addresses: Iterable[str], reach: Reach) -> list[str]:
    """Those of a host's addresses that may be called. Raises Rejected where none may.

    The text does not say what the name stands for: that is a secret of the network behind it.
    """
    found = [ip_address(each) for each in addresses]
    reachable = [each for each in found if not is_metadata(each)]
    good = [each for each in reachable if reach is Reach.PRIVATE_TOO or is_public(each)]
    if found and not good:
        log.warning("address.refused", host=host, addresses=",".join(map(str, found)))
        raise Rejected((_PRIVATE if reachable else _NEVER).format(host=host))
    return [str(each) for each in good]


_NEVER = "“{host}” is where a cloud tells its machines their credentials: it is never called"
_PRIVATE = (
    "“{host}” is on this machine or in a private network, and such addresses are not called. If that is where it"
    " should be, set CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES=true and restart"
)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a host, the best one first."""
    with suppress(ValueError):  # an address needs no look-up, which would wait for a free thread
        return [str(ip_address(host))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Network(httpcore.AsyncNetworkBackend):
    """Connects to permitted addresses only. Asked once for each connection, not for each call."""

    def __init__(self, reach: Reach, resolver: Resolver = resolve) -> None:
        self._reach = reach
        self._resolve = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Option] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises Rejected for an address out of reach, before anything is sent there."""
        refuse_metadata(host)
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} is not found in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        good = permitted(host, addresses, self._reach)[:MOST]
        for number, address in enumerate(good, 1):
            patience = timeout if number == len(good) else min(PATIENCE, timeout or PATIENCE)
            try:
                return await connect(address, port, patience)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Option] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never: it is on this machine."""
        raise Rejected("no vendor is called through a file")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

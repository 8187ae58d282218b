"""Our calls cannot be pointed inwards: at this machine, a private network, or a cloud's metadata."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any

import httpx
import pytest

from app.errors import Rejected, Retry
from app.providers.addresses import Reach, is_metadata, is_public, permitted
from app.providers.base import OpenGate
from app.providers.client import make_client
from app.providers.highlevel.oauth import HighLevelOAuth
from app.providers.highlevel.wire import HighLevelDialect
from app.providers.http import Wire

TOKEN = "pit-canary-0123456789"

METADATA = (
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
    "168.63.129.16",
    "100.100.100.200",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "64:ff9b:1::a9fe:a9fe",
)
INWARDS = (
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:808:808::1",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "100::1",
    "5f00::1",
    "fc00::1",
    "fdff::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
)
OUTSIDE = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "169.253.0.1",
    "169.255.0.1",
    "2606:4700::1111",
    "2a00:1450:4001:800::200e",
    "::ffff:1.1.1.1",
    "64:ff9b::808:808",
)


@pytest.mark.parametrize("address", METADATA)
def test_a_clouds_metadata_is_out_of_reach_whatever_is_set(address: str) -> None:
    assert is_metadata(ip_address(address))
    for reach in Reach:
        with pytest.raises(Rejected, match="never called"):
            permitted("vendor.example", [address], reach)


@pytest.mark.parametrize("address", INWARDS)
def test_an_address_inwards_needs_the_setting(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not is_metadata(ip_address(address))
    with pytest.raises(Rejected, match="CROSSLEDGER_ALLOW_PRIVATE_ADDRESSES=true") as refusal:
        permitted("vendor.example", [address], Reach.INTERNET)
    assert address not in str(refusal.value)
    assert permitted("vendor.example", [address], Reach.PRIVATE_TOO) == [str(ip_address(address))]


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_on_the_internet_is_called(address: str) -> None:
    assert is_public(ip_address(address))
    assert permitted("vendor.example", [address], Reach.INTERNET) == [str(ip_address(address))]


@pytest.mark.parametrize("host", ["metadata.google.internal", "METADATA.google.internal.", "instance-data", "metadata"])
async def test_a_name_of_a_clouds_metadata_is_not_even_looked_up(host: str) -> None:
    names = Names(["127.0.0.1"])
    async with make_client(Reach.PRIVATE_TOO, names) as client:
        with pytest.raises(Rejected, match="never called"):
            await wire(client, f"http://{host}:1").get("/x")
    assert names.asked == []


def test_of_several_addresses_only_the_good_ones_are_used() -> None:
    several = ["10.0.0.1", "1.1.1.1", "169.254.169.254", "2606:4700::1111"]
    assert permitted("vendor.example", several, Reach.INTERNET) == ["1.1.1.1", "2606:4700::1111"]
    assert permitted("vendor.example", several, Reach.PRIVATE_TOO) == ["10.0.0.1", "1.1.1.1", "2606:4700::1111"]


class Vendor:
    """A server on loopback that notes what it is sent."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}") -> None:
        self.answer = answer
        self.heard: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.tasks: list[asyncio.Task[Any] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.append(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, OSError):
            while True:
                self.heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.answer)
                await writer.drain()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def listening(vendor: Vendor, tls: ssl.SSLContext | None = None) -> AsyncIterator[Vendor]:
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0, ssl=tls)
    vendor.port = server.sockets[0].getsockname()[1]
    try:
        yield vendor
    finally:
        server.close()
        await asyncio.gather(*(task for task in vendor.tasks if task))


class Names:
    """A resolver that answers from a list, the last one for ever, and counts how often it was asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def wire(client: httpx.AsyncClient, url: str) -> Wire:
    return Wire(client, url, HighLevelDialect(TOKEN), OpenGate())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f000001",
        "0177.0.0.1", "127.0.0.1.", "LOCALHOST", "①②⑦.0.0.1", "0",
    ],
)  # fmt: skip
async def test_no_spelling_of_this_machine_is_called(host: str) -> None:
    async with listening(Vendor()) as vendor, make_client() as client:
        with pytest.raises((Rejected, Retry, httpx.InvalidURL)) as refusal:
            await wire(client, f"http://{host}:{vendor.port}").get("/x")
    assert (vendor.connections, vendor.heard) == (0, [])
    if host in ("127.0.0.1", "localhost", "[::1]"):
        assert isinstance(refusal.value, Rejected)


async def test_what_the_setting_allows_is_called() -> None:
    async with listening(Vendor()) as vendor, make_client(Reach.PRIVATE_TOO) as client:
        assert await wire(client, f"http://127.0.0.1:{vendor.port}").get("/x") == {}
    assert TOKEN.encode() in vendor.heard[0]


async def test_a_name_that_turns_inwards_later_is_refused_at_the_next_connection() -> None:
    """DNS rebinding: good when the account was connected, this machine afterwards."""
    names = Names(["192.0.2.1"], ["127.0.0.1"])
    async with listening(Vendor()) as vendor, make_client(resolver=names) as client:
        for _ in range(2):
            with pytest.raises(Rejected, match="private network"):
                await wire(client, f"http://vendor.example:{vendor.port}").get("/x")
    assert vendor.connections == 0
    assert names.asked == ["vendor.example"] * 2


async def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the judgement and the connection nothing is resolved again: the second answer would be another."""
    monkeypatch.setattr("app.providers.addresses.is_public", lambda address: str(address) == "127.0.0.1")
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    async with listening(Vendor()) as vendor, make_client(resolver=names) as client:
        call = wire(client, f"http://vendor.example:{vendor.port}")
        assert [await call.get("/x") for _ in range(3)] == [{}] * 3
        assert names.asked == ["vendor.example"]
        assert vendor.connections == 1
        assert f"Host: vendor.example:{vendor.port}".encode() in vendor.heard[0]


async def test_the_second_address_is_tried_where_the_first_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(["127.0.0.2", "127.0.0.1"])
    async with listening(Vendor()) as vendor, make_client(Reach.PRIVATE_TOO, names) as client:
        assert await wire(client, f"http://vendor.example:{vendor.port}").get("/x") == {}


async def test_a_name_that_is_not_found_is_tried_again_later() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    async def nothing(host: str, port: int) -> Sequence[str]:
        return []

    for resolver in (nobody, nothing):
        async with make_client(resolver=resolver) as client:
            with pytest.raises(Retry, match="cannot be reached"):
                await wire(client, "http://vendor.example").get("/x")


async def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    async with make_client(resolver=slow) as client:
        client.timeout = httpx.Timeout(0.05)
        with pytest.raises(Retry, match="not found in time"):
            await wire(client, "http://vendor.example").get("/x")


async def test_a_token_does_not_travel_with_a_redirect() -> None:
    async with listening(Vendor()) as thief:
        location = f"Location: http://127.0.0.1:{thief.port}/take\r\n".encode()
        answer = b"HTTP/1.1 307 Temporary Redirect\r\n" + location + b"Content-Length: 0\r\n\r\n"
        async with listening(Vendor(answer)) as vendor, make_client(Reach.PRIVATE_TOO) as client:
            with pytest.raises(Rejected, match="307"):
                await wire(client, f"http://127.0.0.1:{vendor.port}").write("POST", "/x", {"a": 1})
    assert len(vendor.heard) == 1
    assert (thief.connections, thief.heard) == (0, [])


# -- TLS ------------------------------------------------------------------------------------------------------------


async def test_tls_is_checked_against_the_name_and_not_the_address(certified: Any) -> None:
    tls = certified("vendor.example")
    async with listening(Vendor(), tls) as vendor, make_client(Reach.PRIVATE_TOO, Names(["127.0.0.1"])) as client:
        assert await wire(client, f"https://vendor.example:{vendor.port}").get("/x") == {}


async def test_a_certificate_of_another_name_gets_no_token(certified: Any) -> None:
    tls = certified("other.example")
    async with listening(Vendor(), tls) as vendor, make_client(Reach.PRIVATE_TOO, Names(["127.0.0.1"])) as client:
        with pytest.raises(Retry, match="certificate"):
            await wire(client, f"https://vendor.example:{vendor.port}").get("/x")
    assert vendor.heard == []


async def test_a_proxy_that_the_environment_names_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be called in place of the address that was judged."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    app = HighLevelOAuth(client_id="a-b", client_secret="x", base_url="https://x.example", authorize_url="")
    async with make_client() as client, app._client() as oauth:
        assert client._mounts == {}
        assert oauth._mounts == {}

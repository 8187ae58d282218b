"""Our connections, on the event loop of the service and on Python's own: what is sent comes, a dead one is not used."""

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
import uvloop

from app.errors import AnswerLost, Retry
from app.providers.addresses import Reach
from app.providers.base import OpenGate
from app.providers.client import make_client
from app.providers.highlevel.wire import HighLevelDialect
from app.providers.http import Wire

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
GOOD = b'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{"good": 1}'
BAD = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{"bad": 1}'
LARGE = 3_000_000

Heard = tuple[bytes, bytes]
Manner = Callable[["Vendor", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Vendor:
    """Serves each connection in its manner; notes heads and bodies of what it is sent."""

    def __init__(self, manner: Manner) -> None:
        self.manner = manner
        self.heard: list[Heard] = []
        self.connections = 0
        self.open = 0
        self.quiet = asyncio.Event()
        """Nobody is connected."""
        self.quiet.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        self.quiet.clear()
        with suppress(asyncio.IncompleteReadError, OSError):
            await self.manner(self, reader, writer)
        writer.close()
        self.open -= 1
        if not self.open:
            self.quiet.set()

    async def hear(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        _, found, length = head.lower().partition(b"content-length: ")
        self.heard.append((head, await reader.readexactly(int(length.split()[0]) if found else 0)))


async def _answers(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await vendor.hear(reader)
        writer.write(GOOD)


def visited(
    loop: Callable[[], asyncio.AbstractEventLoop],
    manner: Manner,
    visit: Callable[[Vendor, Wire], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> Vendor:
    """The vendor after `visit`, and after the client was closed."""

    async def run() -> Vendor:
        vendor = Vendor(manner)
        server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0, ssl=tls)
        address = f"{'https' if tls else 'http'}://vendor.example:{server.sockets[0].getsockname()[1]}"
        async with make_client(Reach.PRIVATE_TOO, _here) as client:
            await visit(vendor, Wire(client, address, HighLevelDialect("token"), OpenGate()))
        async with asyncio.timeout(10):
            await vendor.quiet.wait()
        server.close()
        return vendor

    with asyncio.Runner(loop_factory=loop) as runner:
        return runner.run(run())


async def _here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("secure", [False, True])
def test_much_goes_and_comes_on_one_connection(loop: Any, secure: bool, certified: Any) -> None:
    body = {"text": "x" * LARGE}

    async def echo(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await vendor.hear(reader)
            said = vendor.heard[-1][1]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(said) + said)

    async def visit(vendor: Vendor, wire: Wire) -> None:
        assert [await wire.write("POST", "/x", body) for _ in range(3)] == [body] * 3
        assert vendor.connections == 1

    vendor = visited(loop, echo, visit, certified("vendor.example") if secure else None)
    assert [json.loads(said) for _, said in vendor.heard] == [body] * 3


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("reset", [None, False, True])
def test_a_connection_that_the_vendor_has_closed_is_not_used_again(
    loop: Any, secure: bool, reset: bool | None, certified: Any
) -> None:
    """`reset`: not in the ways of TCP. None: in those of TLS as well."""

    async def once(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        writer.write(GOOD)
        await writer.drain()
        if reset is not None:
            await asyncio.sleep(0.05)  # what was sent is there before
            _hang_up(writer, reset=reset)

    async def visit(vendor: Vendor, wire: Wire) -> None:
        for _ in range(3):
            assert await wire.write("PUT", "/x", {}) == {"good": 1}
            await _is_readable(wire.client)

    vendor = visited(loop, once, visit, certified("vendor.example") if secure else None)
    assert (vendor.connections, len(vendor.heard)) == (3, 3)


@pytest.mark.parametrize("loop", LOOPS)
def test_what_nobody_has_asked_answers_no_question(loop: Any) -> None:
    """A server that gives an idle connection up may say so before it closes it."""

    async def talks(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        writer.write(GOOD)
        await writer.drain()
        if vendor.connections == 1:
            await asyncio.sleep(0.05)  # not in one piece with the answer
            writer.write(BAD)
        await reader.read()

    async def visit(vendor: Vendor, wire: Wire) -> None:
        assert await wire.get("/x") == {"good": 1}
        await _is_readable(wire.client)
        assert await wire.get("/x") == {"good": 1}

    assert visited(loop, talks, visit).connections == 2


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("reset", [False, True])
def test_a_vendor_that_hangs_up_has_not_answered(loop: Any, reset: bool) -> None:
    async def hangs_up(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        if len(vendor.heard) % 2:
            writer.write(GOOD[:-4])
            await writer.drain()
        _hang_up(writer, reset=reset)

    async def visit(vendor: Vendor, wire: Wire) -> None:
        for _ in range(2):
            with pytest.raises(AnswerLost, match="did not answer"):
                await wire.write("PUT", "/x", {})
            with pytest.raises(Retry, match="did not answer"):
                await wire.get("/x")

    vendor = visited(loop, hangs_up, visit)
    assert [head.split(b" ")[0] for head, _ in vendor.heard] == [b"PUT", b"GET", b"GET"] * 2


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("reset", [False, True])
def test_a_read_whose_connection_is_given_up_just_then_is_asked_once_more(loop: Any, reset: bool) -> None:
    async def gives_up(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        if len(vendor.heard) == 1:
            writer.write(GOOD)
            await vendor.hear(reader)  # on the connection that is kept: it comes too late
            _hang_up(writer, reset=reset)
        writer.write(GOOD)

    async def visit(vendor: Vendor, wire: Wire) -> None:
        assert await wire.get("/x") == {"good": 1}
        assert await wire.read("/x", {"page": 2}) == {"good": 1}

    vendor = visited(loop, gives_up, visit)
    assert (vendor.connections, len(vendor.heard)) == (2, 3)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_answer_that_ends_with_its_connection_is_not_whole_where_that_was_lost(loop: Any) -> None:
    async def breaks_off(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"good": 1}')
        await writer.drain()
        await asyncio.sleep(0.05)  # what was sent is there before
        _hang_up(writer, reset=len(vendor.heard) == 2)

    async def visit(vendor: Vendor, wire: Wire) -> None:
        assert await wire.write("PUT", "/x", {}) == {"good": 1}
        with pytest.raises(AnswerLost, match="did not answer"):
            await wire.write("PUT", "/x", {})

    visited(loop, breaks_off, visit)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_vendor_that_is_silent_is_given_up(loop: Any) -> None:
    async def silent(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await vendor.hear(reader)
        await reader.read()

    async def visit(vendor: Vendor, wire: Wire) -> None:
        wire.client.timeout = 0.1
        with pytest.raises(AnswerLost, match="did not answer"):
            await wire.write("PUT", "/x", {})

    visited(loop, silent, visit)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_vendor_that_is_not_trusted_hears_nothing(loop: Any, certified: Any) -> None:
    async def visit(vendor: Vendor, wire: Wire) -> None:
        with pytest.raises(Retry, match="certificate"):
            await wire.get("/x")

    assert visited(loop, _answers, visit, certified("other.example")).heard == []


@pytest.mark.parametrize("loop", LOOPS)
def test_a_vendor_that_never_begins_with_tls_is_given_up(loop: Any) -> None:
    async def silent(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def visit(vendor: Vendor, wire: Wire) -> None:
        wire.client.timeout = 0.1
        secure = Wire(wire.client, wire.base_url.replace("http:", "https:"), wire.dialect, wire.gate)
        with pytest.raises(Retry, match="cannot be reached"):
            await secure.get("/x")

    visited(loop, silent, visit)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_cookie_of_one_account_does_not_travel_with_the_calls_of_another(loop: Any) -> None:
    async def sets_one(vendor: Vendor, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await vendor.hear(reader)
            writer.write(GOOD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=one; Path=/\r\n\r\n"))

    async def visit(vendor: Vendor, wire: Wire) -> None:
        await wire.get("/x")
        await Wire(wire.client, wire.base_url, HighLevelDialect("another"), OpenGate()).get("/x")

    vendor = visited(loop, sets_one, visit)
    assert b"another" in vendor.heard[1][0]
    assert b"session" not in vendor.heard[1][0]


def _hang_up(writer: asyncio.StreamWriter, *, reset: bool) -> None:
    if reset:
        plain: socket.socket = writer.get_extra_info("socket")
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _is_readable(client: Any) -> None:
    """Returns when news have come on the one connection that is kept."""
    (host,) = client._transport._of.values()
    async with asyncio.timeout(10):
        while not all(each.has_expired() for each in host._pool.connections):  # noqa: ASYNC110 -- it has no event
            await asyncio.sleep(0.005)

"""Connections as asyncio has them, for httpcore.

Those that it brings itself go through anyio, which costs more than the reading and writing; and with each call they ask
the system about every idle connection, whether the other side has closed it. Here that is told once, when it happens.
"""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpcore


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection. Nothing holds it back: a request and an answer are in memory as a whole in any case."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by type

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended, self._failure = True, exc
        self._wake()

    def _wake(self) -> None:
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """b"" at the end. Raises ReadTimeout, ReadError."""
        if not self._received and not self._ended:
            self._waiting = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(timeout):
                    await self._waiting
            except TimeoutError as error:
                raise httpcore.ReadTimeout(str(error)) from error
        if self._failure and not self._received:
            raise httpcore.ReadError(str(self._failure)) from self._failure
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Returns at once: what nobody takes is an answer that does not come. Raises WriteError."""
        if self._transport.is_closing():
            raise httpcore.WriteError("the connection was closed")
        self._transport.write(buffer)

    async def aclose(self) -> None:
        self._transport.abort()  # without waiting for TLS to say farewell

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "Stream":
        """Raises ConnectTimeout, ConnectError."""
        loop = asyncio.get_running_loop()
        with _named():
            async with asyncio.timeout(timeout):  # where it fails, asyncio closes the connection
                secure = await loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname)
        if secure is None:
            raise httpcore.ConnectError("the connection was closed")
        self._transport = secure
        return self

    def get_extra_info(self, info: str) -> Any:
        """`is_readable`, of an idle connection: it was closed, or says what nobody has asked."""
        if info == "is_readable":
            return self._ended or bool(self._received)
        return self._transport.get_extra_info(info)


async def connect(address: str, port: int, timeout: float | None) -> Stream:
    """To an address, not a name. Raises ConnectTimeout, ConnectError."""
    with _named():
        async with asyncio.timeout(timeout):
            _, stream = await asyncio.get_running_loop().create_connection(Stream, address, port)
            return stream


@contextmanager
def _named() -> Iterator[None]:
    """What can go wrong while a connection is made, as httpcore calls it."""
    try:
        yield
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:  # a certificate that is not trusted as well
        raise httpcore.ConnectError(str(error)) from error

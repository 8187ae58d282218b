"""The connections that the process-wide client keeps."""

import asyncio

import httpx
import pytest

from app.providers import client as clients
from app.providers.addresses import Reach
from app.providers.client import make_client


async def test_a_host_that_hangs_takes_no_connection_from_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "LIMITS", httpx.Limits(max_connections=1, max_keepalive_connections=1))
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    hanging, good = [await asyncio.start_server(each, "127.0.0.1", 0) for each in (hang, answer)]
    urls = [f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}" for server in (hanging, good)]
    async with make_client(Reach.PRIVATE_TOO) as client:
        waiting = asyncio.create_task(client.get(urls[0]))
        await asked.wait()
        assert (await asyncio.wait_for(client.get(urls[1]), 10)).status_code == 200
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    for server in (hanging, good):
        server.close()

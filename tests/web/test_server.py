"""The HTTP server as it is run: how it ends, and how soon it answers."""

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from app.web.server import Server, listening


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that nobody asks anything."""


@dataclass(eq=False)
class Late:
    """A connection that uvicorn finishes making only after it has asked all others to end."""

    connections: set[Any]
    asked: int = 0

    def shutdown(self) -> None:
        self.asked += 1
        self.connections.discard(self)


async def test_a_stop_waits_for_no_client_whose_connection_was_being_made() -> None:
    web = Server(nothing, log_level="error", lifespan="off")
    web.config.load()
    web.lifespan = web.config.lifespan_class(web.config)
    web.servers = []
    connections: set[Any] = web.server_state.connections
    there, late = Late(connections), Late(connections)
    connections.add(there)
    stopping = asyncio.create_task(web.shutdown())
    await asyncio.sleep(0)
    connections.add(late)
    await asyncio.wait_for(stopping, 10)
    assert (there.asked, late.asked) == (1, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_it_listens_on_names_its_protocol_so_that_asyncio_sends_small_answers_at_once(host: str) -> None:
    with listening(host, 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
        with socket.create_connection((host, bound.getsockname()[1]), timeout=5), bound.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP

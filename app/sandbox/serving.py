"""Serving a simulator with uvicorn so that it can hang up on a client, which ASGI itself has no word for."""

import socket
from typing import cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "crossledger.transport"


class HangUpProtocol(HttpToolsProtocol):
    """uvicorn's own protocol, with its transport in the scope."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(Scope, self.scope)["extensions"] = {TRANSPORT: self.transport}


class HungUpError(Exception):
    """Raised in place of hanging up when the app is not served by `HangUpProtocol` (an in-process ASGI client)."""


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer, and return when it is closed.

    Waiting matters: an app that returns before uvicorn saw the connection end is answered for with a 500.
    """
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise HungUpError(scope["path"])
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


def listen(port: int) -> socket.socket:
    """A bound socket on loopback; port 0 takes a free one."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=HangUpProtocol,
        loop="uvloop",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=130,  # a test on a busy machine may pause for longer than uvicorn's five seconds
    )
    return uvicorn.Server(config)

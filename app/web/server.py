"""uvicorn, as the service runs it."""

import asyncio
import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

KEEP_ALIVE = 130
"""Seconds that an idle connection is kept. A proxy in front must be the one that closes it (they do after 60 to 120):
what it sends on a connection that we close in the same moment is lost, and Invoice Ninja sends a webhook once."""
_PATIENCE = 20
"""Seconds that a stop waits for what is being answered."""
_LOOKS = 0.1


def listening(host: str, port: int) -> socket.socket:
    """Port 0 takes a free one. Raises OSError.

    asyncio switches Nagle's algorithm off only where a socket names its protocol; else each answer takes 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.create_server((host, port), family=family, backlog=2048)
    return socket.socket(made.family, made.type, socket.IPPROTO_TCP, fileno=made.detach())


class Server(uvicorn.Server):
    """Ends in a moment, whatever came in the moment before.

    uvicorn asks the connections that there are to end. One that is still being made is not among them; it would be
    kept, and the stop would wait until its client leaves.
    """

    def __init__(self, app: ASGIApp, **settings: Any) -> None:
        given = {"access_log": False, "timeout_keep_alive": KEEP_ALIVE, "timeout_graceful_shutdown": _PATIENCE}
        super().__init__(uvicorn.Config(app, **{**given, **settings}))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        late = asyncio.create_task(self._end_late_ones(set(self.server_state.connections)))
        try:
            await super().shutdown(sockets)
        finally:
            late.cancel()

    async def _end_late_ones(self, asked: set[Any]) -> None:
        while True:
            await asyncio.sleep(_LOOKS)
            for connection in self.server_state.connections - asked:
                connection.shutdown()
                asked.add(connection)

"""The load client, a process of its own: raw sockets, requests made and signed before the clock starts.

`python -m tests.bench.load` reads a JSON plan on stdin ({"port", "connections", "kind", "count", "contacts"}) and
prints one JSON result. It costs about a tenth of what it measures, so that the server stays the subject.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, cast

import uvloop

from tests.flows.driver import Postman

EMPTY = "/webhooks-empty"
"""As near as a webhook's address: first among the routes, without the headers that browsers get."""


class Connection(asyncio.Protocol):
    """One keep-alive connection: the next request leaves when the last answer is complete."""

    def __init__(self, requests: Iterator[bytes], seconds: list[float], statuses: dict[str, int]) -> None:
        self._requests, self._seconds, self._statuses = requests, seconds, statuses
        self._buffer = b""
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not one by type

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        self._seconds.append(time.perf_counter() - self._sent)
        status = head[9:12].decode()
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._buffer = b""
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def made(kind: str, count: int, contacts: Sequence[str]) -> list[bytes]:
    """webhook: durable. refused: the same with another body than was signed. get, post: empty endpoints."""
    if kind == "get":
        return [b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"] * count
    postman = Postman()
    requests = []
    for number in range(count):
        headers, body = postman.delivery(contacts[number % len(contacts)])
        path = EMPTY if kind == "post" else "/webhooks/highlevel"
        requests.append(_post(path, headers, body + b" " if kind == "refused" else body))
    return requests


def _post(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    return f"POST {path} HTTP/1.1\r\nHost: bench\r\n{''.join(lines)}\r\n".encode() + body


async def run(plan: dict[str, Any]) -> dict[str, Any]:
    requests = iter(made(plan["kind"], plan["count"], plan.get("contacts") or []))
    seconds: list[float] = []
    statuses: dict[str, int] = {}
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: Connection(requests, seconds, statuses), "127.0.0.1", plan["port"])
        for _ in range(plan["connections"])
    ]
    began, cpu = time.perf_counter(), time.process_time()
    for _, connection in opened:
        connection.send_next()
    await asyncio.gather(*(connection.done for _, connection in opened))
    elapsed = time.perf_counter() - began
    seconds.sort()
    return {
        "kind": plan["kind"],
        "per_second": len(seconds) / elapsed,
        "p50": seconds[len(seconds) // 2],
        "p99": seconds[int(len(seconds) * 0.99)],
        "longest": seconds[-1],
        "statuses": statuses,
        "client_cpu": (time.process_time() - cpu) / elapsed,
    }


def main() -> None:
    plan = json.load(sys.stdin)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(run(plan))))


if __name__ == "__main__":
    main()

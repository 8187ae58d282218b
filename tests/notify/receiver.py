"""A program that is told by webhook: it checks signatures as Standard Webhooks says, by code of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tests.conftest import until


@dataclass
class Receiver:
    """`status`: what it answers. `told`: bodies, with their headers, in the order in which they came."""

    status: int = 200
    answer: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""
    told: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    refused: int = 0

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if self.status >= 300:
            self.refused += 1
        else:
            self.told.append((dict(request.headers), body))
        return PlainTextResponse(self.answer, self.status, self.headers)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.told]

    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]


def verified(headers: dict[str, str], body: bytes, secret: str) -> bool:
    key = base64.b64decode(secret.split("_", 1)[1])
    content = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    return f"v1,{expected}" in headers["webhook-signature"].split(" ")


@asynccontextmanager
async def receiving(receiver: Receiver, port: int = 0) -> AsyncIterator[Receiver]:
    app = Starlette(routes=[Route("/{rest:path}", receiver.take, methods=["POST"])])
    web = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off", access_log=False))
    task = asyncio.create_task(web.serve())
    await until(lambda: _started(web), 10, "the receiver did not start")
    receiver.url = f"http://127.0.0.1:{web.servers[0].sockets[0].getsockname()[1]}/a-secret-path-of-its-own"
    try:
        yield receiver
    finally:
        web.should_exit = True
        await task


async def _started(web: uvicorn.Server) -> bool:
    return bool(web.started)

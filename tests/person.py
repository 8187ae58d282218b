"""A client for somebody who works in one of the two systems, or administers ours."""

import asyncio
import ssl
from collections.abc import Mapping

import httpx

_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Without the certificates of the world, which take 20 ms to read: it stays on loopback."""


class _Patient(httpx.AsyncHTTPTransport):
    """Presses again what Invoice Ninja took for a double click: the same within a second (contract, section 3)."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await super().handle_async_request(request)
        while answer.status_code == 400 and b"Duplicate request" in await answer.aread():
            await asyncio.sleep(1)
            answer = await super().handle_async_request(request)
        return answer


def person(url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, transport=_Patient(verify=_NOBODY))

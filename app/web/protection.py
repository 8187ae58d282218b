"""What a browser is told about our pages and answers: nothing from elsewhere, in no frame, kept nowhere."""

from collections.abc import Awaitable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
ASSETS = "/docs/assets"
_ALWAYS = {
    "content-security-policy": POLICY,
    "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
_A_YEAR = "max-age=31536000"


class ProtectedAPI(FastAPI):
    """Adds the headers to every answer, also to errors of our own. Not below /webhooks/: no browser comes there."""

    def __init__(self, *, public_url: str, **given: Any) -> None:
        super().__init__(**given)
        named = {**_ALWAYS, **({"strict-transport-security": _A_YEAR} if public_url.startswith("https://") else {})}
        self._protection = [(name.encode(), value.encode()) for name, value in named.items()]

    def build_middleware_stack(self) -> ASGIApp:
        return _Protected(super().build_middleware_stack(), self._protection)


class _Protected:
    def __init__(self, app: ASGIApp, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._app = app
        self._headers = headers
        self._of_assets = [(name, value) for name, value in headers if name != b"cache-control"]

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Not a coroutine of its own: a webhook passes at the price of this comparison.
        if scope["type"] != "http" or scope["path"].startswith("/webhooks"):
            return self._app(scope, receive, send)
        headers = self._of_assets if scope["path"].startswith(ASSETS) else self._headers

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", ())}
                added = (header for header in headers if header[0] not in own)
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        return self._app(scope, receive, send_protected)

"""The `/_control` surface of a simulator, and the ASGI middleware that logs its requests and applies API faults.

A simulator uses it like this:

    control = Control(deliveries=..., label=..., reset=..., state=...)
    watched = [Middleware(Controlled, control=control)]
    Starlette(routes=[control.routes(), ...], middleware=watched, lifespan=control.lifespan)
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.sandbox.deliveries import Deliveries, caused_by
from app.sandbox.faults import Fault, Faults, WebhookFault
from app.sandbox.serving import hang_up

PREFIX = "/_control"
KEPT = 200_000
"""The log holds this many requests at most, and loses its older half then; `since` goes on counting."""
_ID = re.compile(r"(?<=/)(?:[A-Za-z0-9]{10}|(?=[^/]*\d)[A-Za-z0-9-]{17,40}|\d+)(?=/|$)")
_WORD = re.compile(r"[a-z]{10}")


class Logged(NamedTuple):
    method: str
    path: str
    query: str
    status: int
    """0 when the connection was closed without an answer."""
    token: str
    at: float


def without_ids(path: str) -> str:
    """`/contacts/ocQHyuzHvysMo5N5VsXc/tags` -> `/contacts/{id}/tags`. Ten lower-case letters are a word, not an id."""
    return _ID.sub(lambda found: found[0] if _WORD.fullmatch(found[0]) else "{id}", path)


def plain_error(status: int) -> Any:
    return {"message": "Server Error" if status >= 500 else "The given data was invalid."}


class Control:
    """What can be seen and set in one running simulator.

    `label` names the token of a request (from its scope; "" for none), `reset` and `state` act on the simulator's own
    store, `error_body` is the vendor's error body for a status, `template` takes the ids out of a path.
    """

    def __init__(
        self,
        *,
        deliveries: Deliveries,
        label: Callable[[Scope], str],
        reset: Callable[[], None],
        state: Callable[[], Any],
        error_body: Callable[[int], Any] = plain_error,
        template: Callable[[str], str] = without_ids,
    ) -> None:
        self.faults = Faults()
        self.log: list[Logged] = []
        self._forgotten = 0
        self.deliveries = deliveries
        self.label = label
        self.error_body = error_body
        self._reset = reset
        self._state = state
        self._template = template

    def note(self, request: Logged) -> None:
        self.log.append(request)
        if len(self.log) > KEPT:  # a demo can run for days
            self._forgotten += KEPT // 2
            del self.log[: KEPT // 2]

    def _forget_requests(self) -> None:
        self.log.clear()
        self._forgotten = 0

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        await self.deliveries.close()

    def routes(self) -> Mount:
        return Mount(
            PREFIX,
            routes=[
                Route("/requests", self._requests, methods=["GET", "DELETE"]),
                Route("/counts", self._counts, methods=["GET"]),
                Route("/faults", self._api_faults, methods=["GET", "POST", "DELETE"]),
                Route("/webhook-faults", self._webhook_faults, methods=["GET", "POST", "DELETE"]),
                Route("/deliveries", self._deliveries, methods=["GET", "DELETE"]),
                Route("/reset", self._reset_all, methods=["POST"]),
                Route("/state", self._show_state, methods=["GET"]),
            ],
        )

    async def _requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._forget_requests()
            return JSONResponse({"count": 0, "requests": []})
        asked = request.query_params
        path = re.compile(asked.get("path", ""))
        found = [
            each._asdict()
            for each in self.log[max(int(asked.get("since", 0)) - self._forgotten, 0) :]
            if each.method == asked.get("method", each.method)
            and each.token == asked.get("token", each.token)
            and path.search(each.path)
        ]
        return JSONResponse({"count": len(found), "requests": found})

    async def _counts(self, request: Request) -> Response:
        token = request.query_params.get("token")
        counts: dict[str, int] = {}
        for each in self.log:
            if token is None or each.token == token:
                key = f"{each.method} {self._template(each.path)}"
                counts[key] = counts.get(key, 0) + 1
        return JSONResponse(counts)

    async def _api_faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                return JSONResponse({"id": self.faults.add(Fault.parse(await request.json()))})
            except (ValueError, TypeError, re.error) as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        if request.method == "DELETE":
            self.faults.clear()
        return JSONResponse(self.faults.list())

    async def _webhook_faults(self, request: Request) -> Response:
        faults = self.deliveries.faults
        if request.method == "POST":
            try:
                return JSONResponse({"id": faults.add(WebhookFault.parse(await request.json()))})
            except (ValueError, TypeError) as error:
                return JSONResponse({"error": str(error)}, status_code=400)
        if request.method == "DELETE":
            faults.clear()
        return JSONResponse(faults.list())

    async def _deliveries(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.deliveries.clear()
        log = list(self.deliveries.log)
        last = int(request.query_params.get("last", len(log)))
        sent = self.deliveries
        return JSONResponse(
            {"deliveries": log[len(log) - last :], "pending": sent.pending, "under_way": sent.under_way}
        )

    async def _reset_all(self, request: Request) -> Response:
        self.deliveries.reset()
        self.faults.clear()
        self._forget_requests()
        self._reset()
        return JSONResponse({})

    async def _show_state(self, request: Request) -> Response:
        return JSONResponse(self._state())


# A page in somebody's browser can guess a port of this machine, and must not make a simulator call others.
_NO_BROWSER = Response("These switches are for programs.", status_code=403)


def _is_browser(scope: Scope) -> bool:
    return any(name == b"origin" for name, _ in scope.get("headers", ()))


class Controlled:
    """Plain ASGI, since a simulator must keep up with a load test: logs each request and lets the faults act on it."""

    def __init__(self, app: ASGIApp, *, control: Control) -> None:
        self.app = app
        self.control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(PREFIX):
            await (_NO_BROWSER if _is_browser(scope) else self.app)(scope, receive, send)
            return
        status = 0
        at = time.time()
        caller = self.control.label(scope)
        caused_by.set(caller)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            faults = self.control.faults.match(scope["method"], scope["path"], caller)
            if faults:
                await self._fail(faults, scope, receive, noted)
            else:
                await self.app(scope, receive, noted)
        except ClientDisconnect:
            pass  # the caller was killed in the middle of its request
        finally:
            query = scope["query_string"].decode("latin-1")
            label = self.control.label(scope)
            self.control.note(Logged(scope["method"], scope["path"], query, status, label, at))

    async def _fail(self, faults: Sequence[Fault], scope: Scope, receive: Receive, send: Send) -> None:
        for fault in faults:
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds)
        failure = next((fault for fault in faults if fault.kind != "latency"), None)
        if failure is None:
            await self.app(scope, receive, send)
            return
        if failure.kind in ("drop_after", "created_anyway"):
            await self.app(scope, receive, _unheard)
        if failure.kind in ("drop", "drop_after"):
            await hang_up(scope, receive)
        else:
            await self._answer(failure)(scope, receive, send)

    def _answer(self, fault: Fault) -> Response:
        body = self.control.error_body(fault.status) if fault.body is None else fault.body
        if isinstance(body, str):
            return Response(body, status_code=fault.status, headers=fault.headers)
        headers = {"content-type": "application/json", **fault.headers}
        return Response(json.dumps(body), status_code=fault.status, headers=headers)


async def _unheard(message: Message) -> None:
    """The `send` of a request that is handled, but whose answer nobody is to see."""

"""The dashboard: pages for people that stay up to date, NiceGUI on the service's own application.

Nothing is decided here: a page shows what a function of the API answers, and a button calls one.
It is loaded when somebody looks for the first time: 17 MB and a third of a second that a service which only keeps
records in step goes without.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module

from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

__all__ = ["PATHS", "Dashboard"]

PATHS = {
    *("_nicegui", "_nicegui_ws"),
    *(
        "activity",
        "bridges",
        "connections",
        "copy",
        "decide",
        "deliveries",
        "duplicates",
        "failing",
        "notifications",
        "people",
        "plans",
        "records",
        "runs",
        "sandbox",
        "settings",
        "start",
        "undo",
    ),
}
"""The first parts of its addresses."""


class Dashboard(BaseRoute):
    """A route to all pages. Live pages need `running` around them."""

    def __init__(self) -> None:
        self._router: APIRouter | None = None
        self._one = asyncio.Lock()
        self._ends = AsyncExitStack()

    def install(self, app: FastAPI) -> None:
        app.router.routes.append(self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For as long as the web server runs."""
        async with self._ends:
            yield

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        ours = path == "/" or path.removeprefix("/").partition("/")[0] in PATHS
        return (Match.FULL if ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._router or await self._load())(scope, receive, send)

    async def _load(self) -> APIRouter:
        async with self._one:
            if self._router is None:
                site = await asyncio.to_thread(import_module, "app.dashboard.site")
                router = site.routes()
                await self._ends.enter_async_context(site.nicegui.router.lifespan_context(site.nicegui))
                self._router = router
        return self._router

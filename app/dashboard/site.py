"""All pages of the dashboard, and NiceGUI as they need it."""

from fastapi import APIRouter
from nicegui import app as nicegui
from starlette.routing import Match, Mount
from starlette.types import Scope

from app.dashboard import (
    activity,
    bridge,
    cluster,
    conflicts,
    connections,
    copying,
    deliveries,
    duplicates,
    failures,
    home,
    mapping,
    notifications,
    people,
    plan,
    record,
    records,
    runs,
    sandbox,
    settings,
    undo,
)
from app.dashboard.setup import pages as set_up
from app.dashboard.setup import start

__all__ = ["nicegui", "routes"]

PARTS = (
    home,
    start,
    set_up,
    plan,
    mapping,
    bridge,
    activity,
    record,
    records,
    failures,
    conflicts,
    runs,
    undo,
    connections,
    deliveries,
    copying,
    duplicates,
    cluster,
    people,
    notifications,
    sandbox,
    settings,
)


class _Assets(Mount):
    """NiceGUI's scripts, styles and socket. No other path is its business: ours answer their own 404."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches(scope) if scope["path"].startswith("/_nicegui") else (Match.NONE, {})


def routes() -> APIRouter:
    """The pages, and what they load."""
    if not nicegui.config.has_run_config:
        nicegui.config.add_run_config(
            reload=False,
            title="Crossledger",
            viewport="width=device-width, initial-scale=1",
            favicon=None,
            dark=None,
            language="en-US",
            binding_refresh_interval=None,
            reconnect_timeout=10.0,
            message_history_length=1000,
            tailwind=False,
            unocss=None,
            prod_js=True,
            show_welcome_message=False,
            markdown=False,
        )
        # It has no name for a screen reader, and the pages say themselves what goes on.
        nicegui.config.quasar_config["loadingBar"]["skipHijack"] = True
    router = APIRouter()
    for part in PARTS:
        router.include_router(part.router)
    router.routes.append(_Assets("", nicegui))
    return router

"""Pages for people, rendered here, without scripts. `make_router` has them all; `install` makes refusals pages."""

from fastapi import APIRouter

from app.web.pages import account, bridging, company, connecting, home, login, setup
from app.web.pages.layout import icon, install, style

__all__ = ["install", "make_router"]


def make_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)
    router.add_api_route("/style.css", style)
    router.add_api_route("/icon.svg", icon)
    for part in (home, connecting, company, bridging, login, setup, account):
        router.include_router(part.router)
    return router

"""Pages for people, rendered here, without scripts, and the pages that refusals are for a browser."""

from fastapi import FastAPI

from app.web.pages import account, bridging, company, connecting, login, setup, status
from app.web.pages.layout import answer_with_pages, busy_script, dashboard_style, icon, style

__all__ = ["install"]

PARTS = (connecting, company, bridging, login, setup, account, status)


def install(app: FastAPI) -> None:
    answer_with_pages(app)
    app.add_api_route("/style.css", style, include_in_schema=False)
    app.add_api_route("/busy.js", busy_script, include_in_schema=False)
    app.add_api_route("/dashboard.css", dashboard_style, include_in_schema=False)
    app.add_api_route("/icon.svg", icon, include_in_schema=False)
    for part in PARTS:
        app.include_router(part.router, include_in_schema=False)

"""A bridge's status page: for a frame in the CRM, without a log-in, a script or a cookie."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter, Request, Response

from app import status_pages
from app.status_pages import PATH, Mood
from app.web.access import gate_of
from app.web.pages.layout import framed_page, sandbox_of

router = APIRouter(prefix=PATH)

_WORDS = {
    Mood.WELL: "Everything is in step.",
    Mood.BUSY: "Changes are on their way.",
    Mood.TROUBLED: "Something needs attention. Your agency has been shown what.",
    Mood.PAUSED: "Paused: changes wait, and nothing is lost.",
}
_NOTHING = "This address opens nothing any more. Ask your agency for the new one."


@router.get("/{key}")
async def show(request: Request, key: str, theme: Literal["light", "dark", ""] = "") -> Response:
    """`theme`: light or dark; else as the browser is set."""
    found = await status_pages.opened(gate_of(request).engine, key)
    return framed_page(
        "status.html",
        200 if found else 404,
        sandbox_of(request).settings.highlevel_app_url,
        theme=theme,
        now=datetime.now(UTC),
        found=found,
        words=_WORDS[found.mood] if found else _NOTHING,
    )

"""What all pages share: the frame with its navigation, forms that are ours, and refusals as pages.

To add a page: write its router, include it in `app.web.pages`, and put an `Entry` into `NAVIGATION`.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.people.roles import Principal, Role
from app.people.sessions import form_token
from app.web.access import (
    CSRF_FIELD,
    LoginNeeded,
    PageRefused,
    check_csrf,
    gate_of,
    login_path,
)

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
FORM_COOKIE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the navigation leads to, for those with at least this role."""

    label: str
    path: str
    role: Role = Role.VIEWER


NAVIGATION: list[Entry] = [
    Entry("Overview", "/"),
    Entry("Connect", "/connect", Role.OPERATOR),
    Entry("Account", "/account"),
]


def page(
    request: Request, template: str, *, status: int = 200, form_targets: Sequence[str] = (), **values: Any
) -> HTMLResponse:
    """A page. `form_targets`: other origins that a form on it may end at, after redirects."""
    who: Principal | None = getattr(request.state, "principal", None)
    cookie, is_new = _form_cookie(request, who)
    body = _TEMPLATES.get_template(template).render(
        who=who,
        navigation=[entry for entry in NAVIGATION if who and who.role.covers(entry.role)],
        path=request.url.path,
        csrf_field=CSRF_FIELD,
        csrf_token=form_token(cookie),
        **values,
    )
    answer = HTMLResponse(body, status, _headers(form_targets))
    if is_new:
        gate_of(request).set_cookie(answer, form_cookie(request), cookie, FORM_COOKIE_SECONDS)
    return answer


def form_cookie(request: Request) -> str:
    """The name of the cookie that binds a form to its browser while nobody is logged in."""
    return f"{gate_of(request).cookie}-form"


async def check_form(request: Request) -> None:
    """Of a form that is sent before there is a session. Raises a refusal."""
    await check_csrf(request, request.cookies.get(form_cookie(request), ""))


def style() -> Response:
    return Response(
        (_HERE / "style.css").read_bytes(), media_type="text/css", headers={"Cache-Control": "max-age=3600"}
    )


def see(path: str) -> RedirectResponse:
    """Go there, with GET."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def local(path: str) -> str:
    """Where a visitor may be sent after logging in: a path of ours, never another site."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def install(app: FastAPI) -> None:
    """Refusals of pages are pages."""

    @app.exception_handler(LoginNeeded)
    async def to_login(_: Request, needed: LoginNeeded) -> Response:
        return see(login_path(needed.path))

    @app.exception_handler(PageRefused)
    async def refused(request: Request, refusal: PageRefused) -> Response:
        return page(request, "refused.html", status=refusal.status, sentence=refusal.sentence)


def _form_cookie(request: Request, who: Principal | None) -> tuple[str, bool]:
    """The secret that forms on this page are bound to, and whether the browser must be given it."""
    if who is not None:
        return request.cookies.get(gate_of(request).cookie, ""), False
    known = request.cookies.get(form_cookie(request), "")
    return (known, False) if known else (secrets.token_urlsafe(32), True)


def _headers(form_targets: Sequence[str]) -> dict[str, str]:
    forms = " ".join(["'self'", *form_targets])
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none';"
        f" frame-ancestors 'none'; form-action {forms}",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }

"""What all pages share: the frame with its navigation, forms that are ours, and refusals as pages.

To add a page: write its router, include it in `app.web.pages`, and put an `Entry` into `NAVIGATION`.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from inspect import isawaitable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import WebSocketRequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.api.desk import Desk
from app.installing import Installer
from app.people.roles import Principal, Role
from app.people.sessions import form_token
from app.subscriptions import Subscriptions
from app.trying.host import Host
from app.web.access import (
    CSRF_FIELD,
    LoginNeeded,
    PageRefused,
    check_csrf,
    gate_of,
    login_path,
)

_HERE = Path(__file__).parent
ICON = (_HERE / "icon.svg").read_text()
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_TEMPLATES.filters["moment"] = lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
FORM_COOKIE_SECONDS = 3600

# What a program is told, for somebody who reads it on a page.
_FOR_PEOPLE = {
    "Not Found": "There is no page at this address.",
    "Method Not Allowed": "This address is no page. Go back, and use the button there.",
    "The request is not as documented; see errors.": "This address is not right, or the form is not. Go back, and load"
    " that page again.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A page that the navigation leads to, for those with at least this role. `rare`: below “More”."""

    label: str
    path: str
    role: Role = Role.VIEWER
    rare: bool = False


NAVIGATION: list[Entry] = [
    Entry("Overview", "/"),
    Entry("Records", "/records"),
    Entry("Activity", "/activity"),
    Entry("Decide", "/decide"),
    Entry("Failing", "/failing"),
    Entry("Runs", "/runs", rare=True),
    Entry("Deliveries", "/deliveries", rare=True),
    Entry("Connections", "/connections"),
    Entry("Duplicates", "/duplicates", rare=True),
    Entry("Notifications", "/notifications", rare=True),
    Entry("People", "/people", Role.OWNER, rare=True),
    Entry("Set up", "/start", rare=True),
    Entry("Connect", "/connect", Role.OPERATOR, rare=True),
    Entry("Sandbox", "/sandbox", rare=True),
    Entry("Settings", "/settings", Role.OWNER, rare=True),
    Entry("Account", "/account", rare=True),
]


def page(
    request: Request, template: str, *, status: int = 200, form_targets: Sequence[str] = (), **values: Any
) -> HTMLResponse:
    """A page. `form_targets`: other origins that a form on it may end at, after redirects."""
    who: Principal | None = getattr(request.state, "principal", None)
    cookie, is_new = _form_cookie(request, who)
    body = _TEMPLATES.get_template(template).render(**_framed(request, who, cookie), **values)
    answer = HTMLResponse(body, status, _headers(form_targets))
    if is_new:
        gate_of(request).set_cookie(answer, form_cookie(request), cookie, FORM_COOKIE_SECONDS)
    return answer


def framed_page(template: str, status: int, ancestor: str, **values: Any) -> HTMLResponse:
    """A page that asks nobody who they are, and that pages of `ancestor`, an origin, may hold in a frame."""
    body = _TEMPLATES.get_template(template).render(**values)
    headers = _headers(())
    del headers["X-Frame-Options"]  # it knows no other origins
    policy = headers["Content-Security-Policy"].replace("frame-ancestors 'none'", f"frame-ancestors 'self' {ancestor}")
    return HTMLResponse(body, status, {**headers, "Content-Security-Policy": policy})


def header(request: Request) -> str:
    """The head of a page that is built elsewhere, for somebody who is logged in."""
    who: Principal = request.state.principal
    return _TEMPLATES.get_template("header.html").render(**_framed(request, who, _form_cookie(request, who)[0]))


def _framed(request: Request, who: Principal | None, cookie: str) -> dict[str, Any]:
    return {
        "who": who,
        "navigation": [entry for entry in NAVIGATION if who and who.role.covers(entry.role)],
        "path": request.url.path,
        "sandbox": bool(sandbox_of(request).standing.connections) and not is_of_sandbox(request),
        "csrf_field": CSRF_FIELD,
        "csrf_token": form_token(cookie),
    }


def form_cookie(request: Request) -> str:
    """The name of the cookie that binds a form to its browser while nobody is logged in."""
    return f"{gate_of(request).cookie}-form"


async def check_form(request: Request) -> None:
    """Of a form that is sent before there is a session. Raises a refusal."""
    await check_csrf(request, request.cookies.get(form_cookie(request), ""))


def style() -> Response:
    return _asset("style.css", "text/css")


def dashboard_style() -> Response:
    return _asset("dashboard.css", "text/css")


def busy_script() -> Response:
    return _asset("busy.js", "text/javascript")


def icon() -> Response:
    return _asset("icon.svg", "image/svg+xml")


def _asset(name: str, media_type: str) -> Response:
    return Response((_HERE / name).read_bytes(), media_type=media_type, headers={"Cache-Control": "max-age=3600"})


def installer_of(request: Request) -> Installer:
    installer: Installer = request.app.state.installer
    return installer


def sandbox_of(request: Request) -> Host:
    host: Host = request.app.state.sandbox
    return host


def is_of_sandbox(request: Request) -> bool:
    """Whether the page is about the sandbox's bridge or connections."""
    standing, path = sandbox_of(request).standing, request.url.path
    if not standing.connections:
        return False
    bridges = {str(each) for each in standing.bridges}
    of_bridge = path.startswith("/bridges/") and path.split("/")[2] in bridges
    return path in ("/sandbox", "/connections") or of_bridge or request.query_params.get("bridge") in bridges


def desk_of(request: Request) -> Desk:
    """What the API's functions work with, for pages that do the same."""
    gate, connections = gate_of(request), installer_of(request).connections
    return Desk(
        public_url=gate.public_url,
        engine=gate.engine,
        connections=connections,
        subscriptions=Subscriptions(connections, gate.public_url, sandbox_of(request).settings.local_url),
        runs=request.app.state.runs,
        undoing=request.app.state.undoing,
        sandbox=sandbox_of(request),
        settings=sandbox_of(request).settings,
    )


def see(path: str) -> RedirectResponse:
    """Go there, with GET."""
    return RedirectResponse(path, 303, {"Cache-Control": "no-store"})


def local(path: str) -> str:
    """Where a visitor may be sent after logging in: a path of ours, never another site."""
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if plain and path.startswith("/") and not path.startswith("//") else "/"


def answer_with_pages(app: FastAPI) -> None:
    """Refusals of pages are pages, and so are all others that a browser shows."""

    @app.exception_handler(LoginNeeded)
    async def to_login(_: Request, needed: LoginNeeded) -> Response:
        return see(login_path(needed.path))

    @app.exception_handler(PageRefused)
    async def refused(request: Request, refusal: PageRefused) -> Response:
        return page(
            request,
            "refused.html",
            status=refusal.status,
            title=_titled(refusal.status),
            sentence=refusal.sentence,
            back=refusal.back,
        )

    for kind, answer in list(app.exception_handlers.items()):
        if kind not in (LoginNeeded, PageRefused, WebSocketRequestValidationError):
            app.add_exception_handler(kind, _as_page(answer))


def _as_page(answer: Callable[..., Any]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """The same answer, as a page where a browser asked for one."""

    async def answered(request: Request, error: Exception) -> Response:
        made = answer(request, error)
        response: Response = await made if isawaitable(made) else made
        if not _wants_page(request):
            return response
        detail = json.loads(bytes(response.body)).get("detail", "")
        sentence = _FOR_PEOPLE.get(detail, detail)
        status = response.status_code
        shown = page(request, "refused.html", status=status, title=_titled(status), sentence=sentence, back="/")
        shown.headers.update(
            {name: response.headers[name] for name in ("Allow", "Retry-After") if name in response.headers}
        )
        return shown

    return answered


def _titled(status: int) -> str:
    return "There is nothing here" if status == 404 else "This is not possible"


def _wants_page(request: Request) -> bool:
    ours = not request.url.path.startswith(("/api/", "/webhooks"))
    return ours and "text/html" in request.headers.get("accept", "")


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

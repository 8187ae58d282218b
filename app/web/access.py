"""Who is asking, and whether they may. The same for the API and for pages.

    @router.get("/my-page", dependencies=[Depends(require(Role.OPERATOR))])
    async def my_page(who: Annotated[Principal, Depends(require(Role.OPERATOR))]) -> Response: ...

A browser is known by its session cookie, everything else by `Authorization: Bearer`. What a browser changes must come
with the token of its session: the header X-CSRF-Token, or the field `csrf_token` of a form.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.requests import HTTPConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.people import audit, sessions, tokens
from app.people.roles import Principal, Role
from app.redaction import keep_secret_here
from app.settings import Settings

log = structlog.get_logger()

API = "/api/v1"
CSRF_HEADER, CSRF_FIELD = "X-CSRF-Token", "csrf_token"
SAFE = {"GET", "HEAD", "OPTIONS"}
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_ADMIN = Principal(None, "admin token", Role.OWNER)


class LoginNeeded(Exception):
    """Of a page: its visitor is sent to /login, and back to `path` afterwards."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class PageRefused(Exception):
    """Of a page: shown as a page, in this sentence. `back`: the page to go on from."""

    def __init__(self, status: int, sentence: str, *, back: str = "/") -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.back = status, sentence, back


@dataclass(frozen=True, slots=True)
class Gate:
    """What it takes to know who is asking. There is one for each application, see `install`."""

    engine: AsyncEngine
    public_url: str
    admin_token: bytes = field(repr=False)

    @classmethod
    def make(cls, settings: Settings, engine: AsyncEngine) -> "Gate":
        return cls(engine, settings.public_url, settings.admin_token.get_secret_value().strip().encode())

    @property
    def secure(self) -> bool:
        """Browsers reach the service by https: its cookies travel no other way, and no other host can set them."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def cookie(self) -> str:
        return "__Host-crossledger" if self.secure else "crossledger"

    async def principal(self, request: HTTPConnection, *, seen: bool = True) -> Principal | None:
        """By a bearer token where there is one, else by the cookie. Of a websocket as well.

        `seen` is false for what a browser asks by itself: a page that is only left open is idle.
        Any other scheme is for a web server in front of us: browsers send its password with each request.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._by_token(token.strip())
        secret = request.cookies.get(self.cookie, "")
        return await sessions.find(self.engine, secret, seen=seen) if secret else None

    async def _by_token(self, token: str) -> Principal | None:
        keep_secret_here(token)
        if self.admin_token and hmac.compare_digest(token.encode(), self.admin_token):
            return _ADMIN
        return await tokens.find(self.engine, token)

    def set_cookie(self, answer: Response, name: str, secret: str, seconds: int | None) -> None:
        answer.set_cookie(name, secret, max_age=seconds, path="/", secure=self.secure, httponly=True, samesite="lax")

    def drop_cookie(self, answer: Response, name: str) -> None:
        answer.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


def install(app: FastAPI, gate: Gate) -> None:
    app.state.gate = gate


def gate_of(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


def address_of(request: Request) -> str:
    """Of the client. Behind a proxy it is the one that the proxy names, where uvicorn was told to trust it."""
    return request.client.host if request.client else ""


def require(role: Role) -> Callable[[Request], Awaitable[Principal]]:
    """A dependency: the principal, who has at least this role. Writes are noted in the audit log first."""

    async def admit(request: Request) -> Principal:
        return await admitted(request, role)

    return admit


async def admitted(request: Request, role: Role) -> Principal:
    known: Principal | None = getattr(request.state, "principal", None)
    who = known or await gate_of(request).principal(request)
    if who is None:
        raise _unknown(request)
    if not who.role.covers(role):
        raise refusal(request, f"This needs the role {role}; yours is {who.role}.")
    if known is None and request.method not in SAFE:
        if who.session_id is not None:
            await check_csrf(request, request.cookies.get(gate_of(request).cookie, ""))
        await _note(request, who)
    request.state.principal = who
    return who


async def check_csrf(request: Request, cookie: str) -> None:
    """Raises a refusal where the request does not carry the token that belongs to this cookie."""
    given = request.headers.get(CSRF_HEADER, "")
    if not given and request.headers.get("content-type", "").startswith(_FORMS):
        given = str((await request.form()).get(CSRF_FIELD, ""))
    if not sessions.is_form_token(given, cookie):
        raise refusal(request, f"The form is too old or not ours: load the page again. (Scripts: send {CSRF_HEADER}.)")


def refusal(request: Request, sentence: str) -> Exception:
    return HTTPException(403, sentence) if _is_api(request) else PageRefused(403, sentence)


def _unknown(request: Request) -> Exception:
    if _is_api(request):
        say = "Log in, or send an API token: “Authorization: Bearer …”."
        return HTTPException(401, say, headers={"WWW-Authenticate": "Bearer"})
    query = f"?{request.url.query}" if request.url.query else ""
    return LoginNeeded(request.url.path + query if request.method in SAFE else "/")


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _note(request: Request, who: Principal) -> None:
    named = (f"{name.removesuffix('_id')} {value}" for name, value in request.path_params.items())
    path: str = getattr(request.scope.get("route"), "path", request.url.path)
    action = f"{request.method} {path.removeprefix(API)}"
    request.state.entry = await audit.begin(
        gate_of(request).engine, who, address_of(request), action, thing=", ".join(named)
    )


async def close(request: Request, outcome: str, *, thing: str = "") -> None:
    """Say in the audit log what became of the request; called by the route, see `app.api.body.Bounded`."""
    entry = getattr(request.state, "entry", None)
    if entry is None:
        return
    try:
        detail = getattr(request.state, "remark", "")
        await audit.end(gate_of(request).engine, entry, outcome, thing=thing, detail=detail)
    except (SQLAlchemyError, OSError) as error:  # it is done, and the entry says that it was begun
        log.error("audit.not_closed", entry=entry, outcome=outcome, reason=str(error).partition("\n")[0])


def remark(request: Request, detail: str) -> None:
    """More for the audit log about what this request did. Never a secret."""
    request.state.remark = detail


def login_path(next_path: str) -> str:
    return "/login" if next_path == "/" else f"/login?next={quote(next_path, safe='/')}"

"""Logging in and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response

from app.api.body import Bounded
from app.people import login, sessions
from app.people.login import Closed
from app.people.roles import Principal, Role
from app.people.users import NotAllowed
from app.web.access import address_of, gate_of, require
from app.web.pages.layout import check_form, form_cookie, local, page, see

router = APIRouter(route_class=Bounded)


@router.get("/login")
async def ask(request: Request, next_: Annotated[str, Query(alias="next")] = "/") -> Response:
    return _form(request, next_)


@router.post("/login", dependencies=[Depends(check_form)])
async def log_in(
    request: Request,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next_: Annotated[str, Form(alias="next")] = "/",
) -> Response:
    gate = gate_of(request)
    try:
        secret = await login.log_in(gate.engine, email, password, address_of(request))
    except Closed as closed:
        answer = _form(request, next_, email=email, error=str(closed), status=429)
        answer.headers["Retry-After"] = str(closed.after)
        return answer
    except NotAllowed as wrong:
        return _form(request, next_, email=email, error=str(wrong), status=401)
    if left := request.cookies.get(gate.cookie):
        async with gate.engine.begin() as connection:
            await sessions.end(connection, left)
    return enter(request, secret, local(next_))


@router.post("/logout")
async def log_out(request: Request, who: Annotated[Principal, Depends(require(Role.VIEWER))]) -> Response:
    gate = gate_of(request)
    async with gate.engine.begin() as connection:
        await sessions.end(connection, request.cookies.get(gate.cookie, ""))
    answer = see("/login")
    gate.drop_cookie(answer, gate.cookie)
    return answer


def enter(request: Request, secret: str, path: str) -> Response:
    """Go on as the user of this new session."""
    answer, gate = see(path), gate_of(request)
    gate.set_cookie(answer, gate.cookie, secret, int(sessions.LONGEST.total_seconds()))
    gate.drop_cookie(answer, form_cookie(request))
    return answer


def _form(request: Request, next_: str, *, email: str = "", error: str = "", status: int = 200) -> Response:
    return page(request, "login.html", status=status, next=local(next_), email=email, error=error)

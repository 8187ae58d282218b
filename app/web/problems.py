"""Errors as application/problem+json (RFC 9457), everywhere alike."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app.errors import (
    Choice,
    ConfigurationError,
    CrossledgerError,
    Forbidden,
    Gone,
    OutOfDate,
    Reconnect,
    Rejected,
    Retry,
    Unsupported,
    Wait,
)

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"

# What a vendor's or our own refusal means to someone who calls the admin API.
_STATUS: Mapping[type[CrossledgerError], int] = {
    Reconnect: 422,
    Forbidden: 422,
    OutOfDate: 409,
    Rejected: 422,
    Unsupported: 422,
    Choice: 409,
    Gone: 404,
    Wait: 503,
    ConfigurationError: 422,
    Retry: 503,
}

# One of these makes Invoice Ninja drop a subscription (contracts/invoice_ninja, section 8). Here and not as a route: a
# route's path matches no newline, and its methods are a list.
_GIVE_UP = {404, 405, 410}

# How a field is called, or a member of a list: words of small letters. Tokens have digits, capitals or are longer.
_NAME = re.compile(r"[a-z]{1,12}(?:[_-][a-z]{1,12}){0,3}[1-4]?")


def problem(
    status: int,
    detail: str,
    *,
    title: str = "",
    errors: Sequence[Any] = (),
    choices: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    body: dict[str, Any] = {"title": title or HTTPStatus(status).phrase, "status": status, "detail": detail}
    if errors:
        body["errors"] = list(errors)
    if choices:
        body["choices"] = dict(choices)
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def documented(meanings: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a router or a route."""
    return {status: {"description": said, "content": {MEDIA_TYPE: {}}} for status, said in meanings.items()}


def install(app: FastAPI) -> None:
    """Make every error of this application a problem document."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if request.scope["path"].startswith("/webhooks") and error.status_code in _GIVE_UP:
            return problem(401, "No webhook is received at this address, or not with this method.")
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        errors = [_without_input(each) for each in error.errors()]
        return problem(422, "The request is not as documented; see errors.", errors=jsonable_encoder(errors))

    @app.exception_handler(CrossledgerError)
    async def named(_: Request, error: CrossledgerError) -> Response:
        status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
        choices = error.choices if isinstance(error, Choice) else None
        return problem(status, str(error), title=type(error).__name__, choices=choices)

    @app.exception_handler(SQLAlchemyError)
    @app.exception_handler(OSError)
    async def away(_: Request, error: Exception) -> Response:
        log.error("web.database", reason=str(error).partition("\n")[0])
        return problem(503, "The database does not answer at the moment.", headers={"Retry-After": "10"})

    @app.exception_handler(Exception)
    async def ours(_: Request, error: Exception) -> Response:
        log.exception("web.bug", error=type(error).__name__)
        return problem(500, "This is an error of Crossledger's own; the log says more.")


def _without_input(error: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent is left out: it may be a secret in the wrong field, or in the place of a field's name."""
    said = error["msg"]
    if error["type"] == "union_tag_invalid":  # the only one whose text repeats the input
        said = f"Must be one of {error['ctx']['expected_tags']}"
    place = [part if isinstance(part, int) or _NAME.fullmatch(part) else "?" for part in error["loc"]]
    return {"loc": place, "msg": said, "type": error["type"]}

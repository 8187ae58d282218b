"""Around each endpoint that changes something: how much may be sent, for bodies are read before anyone is asked for a

token; and what became of it, for the audit log.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Message, Receive

from app.errors import CrossledgerError
from app.people.audit import DONE, FAILED, REFUSED
from app.web.access import PageRefused, close

BODY_LIMIT = 1_048_576


class Bounded(APIRoute):
    """Stops reading a body that is larger than the limit, and ends the audit entry before the answer goes."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def bounded(request: Request) -> Response:
            try:
                answer = await handle(Request(request.scope, _counted(request.receive)))
            except Exception as error:
                await close(request, _outcome(error))
                raise
            await close(request, DONE if answer.status_code < 400 else REFUSED, thing=_made(request, answer))
            return answer

        return bounded


def _outcome(error: Exception) -> str:
    """An error that we name or document is a refusal; it has changed nothing that the answer does not tell."""
    if isinstance(error, PageRefused):
        return REFUSED if error.status < 500 else FAILED
    known = isinstance(error, HTTPException | RequestValidationError | CrossledgerError)
    return REFUSED if known and getattr(error, "status_code", 400) < 500 else FAILED


def _made(request: Request, answer: Response) -> str:
    """What a 201 made: connection 7."""
    if answer.status_code != 201:
        return ""
    kind = request.url.path.rstrip("/").rpartition("/")[2].removesuffix("s")
    try:
        return f"{kind} {json.loads(bytes(answer.body))['id']}"
    except (AttributeError, ValueError, TypeError, KeyError):  # no JSON, or nothing with an id
        return kind


def _counted(receive: Receive) -> Receive:
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > BODY_LIMIT:
            raise HTTPException(413, "The body is larger than this server accepts.")
        return message

    return counted

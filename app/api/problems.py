"""How refusals are documented and made; `app.web.problems` turns them into answers."""

from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, Field

from app.web.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]


class Problem(BaseModel):
    """RFC 9457, application/problem+json."""

    title: str
    status: int
    detail: str = Field(description="A sentence for people")
    errors: list[dict[str, Any]] = Field(default=[], description="Of an invalid request: `loc`, `msg`, `type` of each")
    choices: dict[str, str] = Field({}, description="What to choose from: the `company_key` to send, and its name")


_MEANING = {
    400: "The body cannot be read",
    401: "Nobody is logged in, and there is no API token that is good",
    403: "The role does not allow it, or the X-CSRF-Token of a browser is missing",
    404: "There is no such thing",
    409: "It does not fit what is there already",
    413: "The body is larger than this server accepts",
    422: "The request is not as documented, or was refused with the reason in `detail`",
    503: "The vendor does not answer; try again later",
}
_CONTENT = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}


def problems(*statuses: int) -> Responses:
    """For `responses=` of a route."""
    return {status: {"description": _MEANING[status], "content": _CONTENT} for status in statuses}


def unknown(thing: str, id_: int) -> HTTPException:
    return HTTPException(404, f"There is no {thing} {id_}.")


def conflict(sentence: str) -> HTTPException:
    return HTTPException(409, sentence)


def refused(sentence: str) -> HTTPException:
    return HTTPException(422, sentence)

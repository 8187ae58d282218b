"""What the simulator answers: JSON with version headers, and the errors of contracts/invoice_ninja, section 2."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response

from app.sandbox.invoice_ninja.config import VERSION

VERSION_HEADERS = {"X-Api-Version": "5.0.16", "X-APP-VERSION": VERSION, "X-MINIMUM-CLIENT-VERSION": "5.0.16"}
_JSON = {"content-type": "application/json", **VERSION_HEADERS}

NOT_SUPPORTED = "Method not supported for this route"
DELETED = "Record is deleted and cannot be edited. Restore the record to enable editing"


class ApiError(Exception):
    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.headers = headers or {}


class InvalidError(ApiError):
    """A validation error: the one kind that becomes a redirect when the request does not look like an API call."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__(422, {"message": "The given data was invalid.", "errors": errors})


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(body, separators=(",", ":"))
    return Response(text, status_code=status, headers={**_JSON, **headers} if headers else _JSON)


def data(row: Any) -> Response:
    return answer({"data": row})


def refused(error: ApiError, *, wants_json: bool, home: str) -> Response:
    if isinstance(error, InvalidError) and not wants_json:
        return RedirectResponse(home, status_code=302, headers={**VERSION_HEADERS, "content-type": "text/html"})
    return answer(error.body, error.status, error.headers)


def web_app() -> Response:
    """An unknown GET path is the web app's business, so it is HTML with 200 (section 2)."""
    page = "<!DOCTYPE html>\n<html><head><title>Invoice Ninja</title></head><body></body></html>\n"
    return Response(page, media_type="text/html", headers=VERSION_HEADERS)


def not_found(model: str) -> ApiError:
    return ApiError(400, {"message": f"No query results for model [App\\Models\\{model}]."})


def unauthorized() -> ApiError:
    return ApiError(401, {"message": "This action is unauthorized."})


def invalid_token() -> ApiError:
    return ApiError(403, {"message": "Invalid token", "errors": {}})


def invalid_password() -> ApiError:
    return ApiError(412, {"message": "Invalid Password", "errors": {}})


def server_error() -> ApiError:
    return ApiError(500, {"message": "Server Error"})


def duplicate_request() -> ApiError:
    return ApiError(400, {"message": "Duplicate request"})


def error_body(status: int) -> Any:
    """The body that an injected fault answers with."""
    bodies: dict[int, Any] = {
        403: invalid_token().body,
        412: invalid_password().body,
        422: {"message": "The given data was invalid.", "errors": {}},
        429: {"message": "Too many requests"},
        503: {"message": "Service Unavailable"},
    }
    return bodies.get(status, {"message": "Server Error"})

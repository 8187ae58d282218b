"""HighLevel's answers to a request it refuses: contracts/ghl, section 4, "Error shapes"."""

from typing import Any

NAMES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 422: "Unprocessable Entity"}


class ApiError(Exception):
    def __init__(self, status: int, message: str | list[str], **more: Any) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.body: dict[str, Any] = {"statusCode": status, "message": message, **more}


def error_body(status: int) -> dict[str, Any]:
    """A body in the vendor's shape for an injected fault."""
    message: str | list[str] = NAMES.get(status, "Bad Request" if status < 500 else "Internal Server Error")
    if status == 422:
        message = ["Unprocessable Entity"]
    if status == 429:
        message = "Too Many Requests"
    named = {"error": NAMES[status]} if status in NAMES else {}
    return {"statusCode": status, "message": message, **named}


def bad_request(message: str, **more: Any) -> ApiError:
    return ApiError(400, message, **more)


def unauthorized(message: str = "Invalid token: access token is invalid") -> ApiError:
    return ApiError(401, message, error=NAMES[401])


def missing_scope() -> ApiError:
    return unauthorized("The token is not authorized for this scope.")


def other_location() -> ApiError:
    return ApiError(403, "The token does not have access to this location.", error=NAMES[403])


def unprocessable(messages: list[str]) -> ApiError:
    return ApiError(422, messages, error=NAMES[422])


def too_many() -> ApiError:
    return ApiError(429, "Too Many Requests")

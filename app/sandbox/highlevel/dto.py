"""What HighLevel's request bodies and queries may hold. Pure.

A key that a DTO does not have is refused, not ignored (highlevel-api-docs#262).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.sandbox.highlevel.errors import unprocessable

Check = Callable[[Any], list[str]]
"""Complaints about a value, each to be read after the field's name."""


@dataclass(frozen=True, kw_only=True)
class Dto:
    fields: Mapping[str, Check]
    required: tuple[str, ...] = ()

    def parse(self, body: Any) -> dict[str, Any]:
        """The body as it came; raises ApiError (422) with every complaint."""
        if complaints := self.complaints(body):
            raise unprocessable(complaints)
        return dict(body)

    def complaints(self, body: Any) -> list[str]:
        if not isinstance(body, dict):
            return ["body must be an object"]
        said = [f"property {key} should not exist" for key in body if key not in self.fields]
        for key, check in self.fields.items():
            if key in body or key in self.required:
                said += [f"{key}{complaint}" for complaint in check(body.get(key))]
        return said

    def but(self, *left_out: str, required: tuple[str, ...] = (), **more: Check) -> "Dto":
        """The same without some fields, with others, and with nothing but `required` asked for."""
        kept = {key: check for key, check in self.fields.items() if key not in left_out}
        return replace(self, fields={**kept, **more}, required=required)


def text(value: Any) -> list[str]:
    return [] if isinstance(value, str) else [" must be a string"]


def filled(value: Any) -> list[str]:
    return text(value) or ([] if value.strip() else [" should not be empty"])


def number(value: Any) -> list[str]:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return [] if good else [" must be a number conforming to the specified constraints"]


def flag(value: Any) -> list[str]:
    return [] if isinstance(value, bool) else [" must be a boolean value"]


def mapping(value: Any) -> list[str]:
    return [] if isinstance(value, dict) else [" must be an object"]


def array(value: Any) -> list[str]:
    return [] if isinstance(value, list) else [" must be an array"]


def texts(value: Any) -> list[str]:
    return array(value) or ([] if all(isinstance(each, str) for each in value) else [" must hold strings only"])


def instant(value: Any) -> list[str]:
    return [] if moment(value) else [" must be a valid ISO 8601 date string"]


def nullable(check: Check) -> Check:
    return lambda value: [] if value is None else check(value)


def one_of(*values: str) -> Check:
    said = [f" must be one of the following values: {', '.join(values)}"]
    return lambda value: [] if value in values else said


def nested(dto: Dto) -> Check:
    return lambda value: mapping(value) or [f".{complaint}" for complaint in dto.complaints(value)]


def each(dto: Dto) -> Check:
    def check(value: Any) -> list[str]:
        said = array(value)
        for position, entry in enumerate(value if not said else ()):
            said += [f".{position}.{complaint}" for complaint in dto.complaints(entry)]
        return said

    return check


def moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def asked(query: Mapping[str, str], *names: str) -> dict[str, str]:
    """These parameters; raises ApiError (422) for one that is missing or empty."""
    if missing := [name for name in names if not query.get(name)]:
        raise unprocessable([f"{name} should not be empty" for name in missing])
    return {name: query[name] for name in names}


def page(query: Mapping[str, Any], *, limit: str = "limit", skip: str = "skip", default: int) -> slice:
    """A limit of 0 is no limit, as the product list's own default is."""
    try:
        size, start = int(query.get(limit, default)), int(query.get(skip, 0))
    except (TypeError, ValueError) as error:
        raise unprocessable([f"{limit} and {skip} must be numbers"]) from error
    if size < 0 or start < 0:
        raise unprocessable([f"{limit} and {skip} must not be less than 0"])
    return slice(start, start + size if size else None)


def mentions(query: str, values: Iterable[Any]) -> bool:
    return any(query.strip().lower() in str(value or "").lower() for value in values)

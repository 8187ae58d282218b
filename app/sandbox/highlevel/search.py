"""POST /contacts/search: filters, order and paging over the search index. Pure.

The request body has no schema in the spec; the format is the one in contracts/ghl, section 4.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeGuard

from app.sandbox.highlevel.errors import unprocessable
from app.sandbox.highlevel.store import Contact

MOST_PER_PAGE = 500
REACHABLE_BY_PAGE = 10_000
LONGEST_QUERY = 75

_DATES = {"dateAdded", "dateUpdated", "dateOfBirth"}
_TEXTS = {
    "address1",
    "assignedTo",
    "city",
    "companyName",
    "country",
    "email",
    "firstName",
    "lastName",
    "phone",
    "postalCode",
    "source",
    "state",
    "timezone",
    "website",
}
_LOWERED = {"firstNameLowerCase": "firstName", "lastNameLowerCase": "lastName"}
_QUERIED = ("firstName", "lastName", "email", "phone", "companyName")

Test = Callable[[Contact], bool]


@dataclass(frozen=True, kw_only=True)
class Search:
    tests: tuple[Test, ...]
    order: tuple[tuple[str, bool], ...]
    """(field, descending)"""
    limit: int
    page: int
    after: list[Any] | None
    only: tuple[str, str] | None
    """An email or phone that every hit must have, so that the index can be asked first."""


@dataclass(frozen=True, kw_only=True)
class Found:
    contacts: list[tuple[Contact, list[Any]]]
    """With each one's cursor."""
    total: int


def parse(body: Any) -> Search:
    if not isinstance(body, dict):
        raise unprocessable(["body must be an object"])
    limit: Any = body.get("pageLimit")
    page: Any = body.get("page", 1)
    after = body.get("searchAfter") or None
    problems = []
    if not _whole(limit) or not 1 <= limit <= MOST_PER_PAGE:
        problems.append(f"pageLimit must be a number between 1 and {MOST_PER_PAGE}")
    if not _whole(page) or page < 1:
        problems.append("page must be a positive number")
    elif after is not None and "page" in body:
        problems.append("page and searchAfter cannot be used together")
    elif _whole(limit) and page * limit > REACHABLE_BY_PAGE:
        problems.append(f"page * pageLimit cannot be more than {REACHABLE_BY_PAGE}")
    if len(body.get("query") or "") > LONGEST_QUERY:
        problems.append(f"query must be shorter than or equal to {LONGEST_QUERY} characters")
    if problems:
        raise unprocessable(problems)
    filters = body.get("filters") or []
    tests = [_test(each) for each in filters]
    if query := (body.get("query") or "").strip().lower():
        tests.append(lambda contact: _mentions(contact, query))
    order = tuple(_order(each) for each in body.get("sort") or []) or (("dateAdded", True),)
    if after is not None and (not isinstance(after, list) or len(after) != len(order) + 1):
        raise unprocessable(["searchAfter does not fit the sort"])
    return Search(tests=tuple(tests), order=order, limit=limit, page=page, after=after, only=_only(filters))


def run(search: Search, contacts: Iterable[Contact]) -> Found:
    """`contacts` may be narrowed down already by `search.only`."""
    hits = [contact for contact in contacts if all(test(contact) for test in search.tests)]
    total = len(hits)
    hits.sort(key=lambda contact: contact.id)
    for field, descending in reversed(search.order):
        hits.sort(key=lambda contact, field=field: _sortable(_value(contact, field)), reverse=descending)  # type: ignore[misc]
    start = (search.page - 1) * search.limit
    if search.after is not None:
        after = search.after
        hits = [contact for contact in hits if _follows(contact, after, search.order)]
    page = hits[start : start + search.limit]
    return Found(contacts=[(contact, _cursor(contact, search.order)) for contact in page], total=total)


def _whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _only(filters: Collection[Mapping[str, Any]]) -> tuple[str, str] | None:
    for each in filters:
        if each.get("field") in ("email", "phone") and each.get("operator") == "eq" and each.get("value"):
            return each["field"], str(each["value"])
    return None


def _test(given: Any) -> Test:
    if not isinstance(given, Mapping):
        raise unprocessable(["each value in filters must be an object"])
    if "group" in given:
        tests = [_test(each) for each in given.get("filters") or []]
        if given["group"] not in ("AND", "OR"):
            raise unprocessable(["group must be one of: AND, OR"])
        needed = all if given["group"] == "AND" else any
        return lambda contact: needed(test(contact) for test in tests)
    field, operator, value = _known(given.get("field")), given.get("operator"), given.get("value")
    holds = _OPERATORS.get(str(operator))
    if holds is None:
        raise unprocessable([f"operator {operator} is not supported"])
    if field in _DATES:
        value = _bounds(value) if isinstance(value, Mapping) else _milliseconds(value)
    return lambda contact: holds(_value(contact, field), value)


def _known(field: Any) -> str:
    known = _DATES | _TEXTS | _LOWERED.keys() | {"id", "tags", "dnd"}
    if not isinstance(field, str) or not (field in known or field.startswith("customFields.")):
        raise unprocessable([f"Invalid field name: {field}"])
    return field


def _order(given: Any) -> tuple[str, bool]:
    if not isinstance(given, Mapping) or given.get("direction") not in ("asc", "desc"):
        raise unprocessable(["direction must be one of: asc, desc"])
    return _known(given.get("field")), given["direction"] == "desc"


def _value(contact: Contact, field: str) -> Any:
    if field == "dateUpdated":
        return round(contact.updated.timestamp() * 1000)
    if field == "dateAdded":
        return round(contact.added.timestamp() * 1000)
    if field == "id":
        return contact.id
    if field == "tags":
        return contact.tags
    if field.startswith("customFields."):
        return contact.custom.get(field.removeprefix("customFields."))
    if field in _LOWERED:
        return (contact.values.get(_LOWERED[field]) or "").lower() or None
    value = contact.values.get(field)
    return _milliseconds(value) if field in _DATES else value


def _milliseconds(value: Any) -> int | None:
    if value is None or _whole(value):
        return value
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise unprocessable([f"{value} is not a date"]) from error
    return round((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)


def _bounds(value: Mapping[str, Any]) -> dict[str, Any]:
    return {bound: _milliseconds(each) for bound, each in value.items()}


def _equal(have: Any, want: Any) -> bool:
    if isinstance(have, tuple | list):
        wanted = want if isinstance(want, list) else [want]
        return all(each in have for each in wanted)
    return have in want if isinstance(want, list) else have == want


def _contains(have: Any, want: Any) -> bool:
    if isinstance(have, tuple | list):
        return any(str(want).lower() in str(each).lower() for each in have)
    return have is not None and str(want).lower() in str(have).lower()


def _within(have: Any, bounds: Any) -> bool:
    if have is None or not isinstance(bounds, Mapping):
        return False
    compare = {"gt": have.__gt__, "gte": have.__ge__, "lt": have.__lt__, "lte": have.__le__}
    if unknown := bounds.keys() - compare.keys():
        raise unprocessable([f"range has no {', '.join(sorted(unknown))}"])
    return all(compare[name](bound) is True for name, bound in bounds.items())


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "not_eq": lambda have, want: not _equal(have, want),
    "contains": _contains,
    "not_contains": lambda have, want: not _contains(have, want),
    "exists": lambda have, want: have not in (None, "", ()),
    "not_exists": lambda have, want: have in (None, "", ()),
    "range": _within,
}


def _mentions(contact: Contact, query: str) -> bool:
    return query in contact.name.lower() or any(
        query in str(contact.values.get(name) or "").lower() for name in _QUERIED
    )


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


def _cursor(contact: Contact, order: Iterable[tuple[str, bool]]) -> list[Any]:
    return [*(_value(contact, field) for field, _ in order), contact.id]


def _follows(contact: Contact, after: list[Any], order: Iterable[tuple[str, bool]]) -> bool:
    for (field, descending), bound in zip(order, after, strict=False):
        have, limit = _sortable(_value(contact, field)), _sortable(bound)
        if have != limit:
            return (have < limit) if descending else (have > limit)
    return contact.id > str(after[-1])

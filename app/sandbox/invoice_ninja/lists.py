"""Lists: filters, sorting and paging, with the quirks of contracts/invoice_ninja, section 4."""

import re
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any

from app.sandbox.invoice_ninja.answers import ApiError, server_error
from app.sandbox.invoice_ninja.store import Row, Table

Filter = Callable[[Row, str], bool]
DEFAULT_SIZE, LARGEST_SIZE, SIZE_FOR_ZERO = 20, 5000, 15


def equals(column: str) -> Filter:
    return lambda row, value: str(row[column]).lower() == value.lower()


def contains(column: str) -> Filter:
    return lambda row, value: value.lower() in str(row[column]).lower()


def one_of(column: str) -> Filter:
    return lambda row, value: str(row[column]) in value.split(",")


def since(column: str) -> Filter:
    return lambda row, value: not value.lstrip("-").isdigit() or row[column] >= int(value)


def _status(row: Row, value: str) -> bool:
    wanted = {each.strip() for each in value.split(",")} & {"active", "archived", "deleted"}
    alive = "archived" if row["archived_at"] else "active"
    state = "deleted" if row["is_deleted"] else alive
    return not wanted or state in wanted


def _is_deleted(row: Row, value: str) -> bool:
    """Compared as a number by the database, so "true" is 0: the rows that are NOT deleted."""
    number = re.match(r"\d+", value)
    return bool(row["is_deleted"]) == (number is not None and number[0] != "0")


def _with_trashed(row: Row, value: str) -> bool:
    return value != "false" or not row["is_deleted"]


COMMON: Mapping[str, Filter] = {
    "status": _status,
    "is_deleted": _is_deleted,
    "with_trashed": _with_trashed,
    "updated_at": since("updated_at"),
    "created_at": since("created_at"),
}


def select(table: Table, filters: Mapping[str, Filter], query: Mapping[str, str]) -> list[Row]:
    """The rows that pass. Unknown filters, and known ones with an empty value, are ignored: then it is everything."""
    asked = {name: query[name] for name in filters if query.get(name)}
    indexed = next((name for name in asked if table.indexed(name)), None)
    rows: Iterable[Row] = table.find(indexed, asked.pop(indexed)) if indexed else table.rows.values()
    return [row for row in rows if all(filters[name](row, value) for name, value in asked.items())]


def sort(rows: list[Row], asked: str | None, *, strict: bool) -> list[Row]:
    column, _, direction = (asked or "").partition("|")
    if direction not in ("asc", "desc"):
        return rows
    if column == "id":
        return rows if direction == "asc" else rows[::-1]
    if rows and column not in rows[0]:
        if strict:
            raise server_error()
        return rows

    def key(row: Row) -> Any:
        value = row[column]
        return value.lower() if isinstance(value, str) else value

    return sorted(rows, key=key, reverse=direction == "desc")


def _whole(value: str | None, default: int) -> int:
    return int(value) if value is not None and re.fullmatch(r"-?\d+", value) else default


def page(rows: list[Row], query: Mapping[str, str], url: str) -> tuple[list[Row], dict[str, Any]]:
    size = min(abs(_whole(query.get("per_page"), DEFAULT_SIZE)) or SIZE_FOR_ZERO, LARGEST_SIZE)
    number = max(_whole(query.get("page"), 1), 1)
    shown = rows[(number - 1) * size : number * size]
    pages = max(ceil(len(rows) / size), 1)
    # The links drop per_page, sort and every filter.
    links = {"previous": f"{url}?page={number - 1}"} if number > 1 else {}
    if number < pages:
        links["next"] = f"{url}?page={number + 1}"
    meta = {"total": len(rows), "count": len(shown), "per_page": size, "current_page": number, "total_pages": pages}
    return shown, {"pagination": {**meta, "links": links}}


def includes(query: Mapping[str, str], known: frozenset[str]) -> list[str]:
    asked = [each for each in query.get("include", "").split(",") if each]
    for each in asked:
        if each not in known:
            raise ApiError(400, {"message": f"Relation `{each}` is not a valid include."})
    return asked

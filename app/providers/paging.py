"""Lists that are read page by page: each page brings something new, or the reading ends in an error.

A list that is cut short must never look like one that has come to its end: what it does not show would look deleted.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from app.errors import Retry
from app.sync.records import Record

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """`total`: how many rows there are in all, None where the vendor does not say."""

    rows: Sequence[T]
    total: int | None = None


async def each_row(
    ask: Callable[[int], Awaitable[Page[T]]], id_of: Callable[[T], str], *, size: int, what: str
) -> AsyncIterator[T]:
    """Every row once. `ask` is given how many were seen.

    Raises Retry where a page brings nothing new, and where the list ends before its total; rows may come and go
    meanwhile, so that is the smallest total that was told.
    """
    seen: set[str] = set()
    least: int | None = None
    while True:
        page = await ask(len(seen))
        if page.total is not None:
            least = page.total if least is None else min(least, page.total)
        fresh = [row for row in page.rows if id_of(row) not in seen]
        for row in fresh:
            seen.add(id_of(row))
            yield row
        if len(page.rows) < size:
            break
        if not fresh:
            raise Retry(f"{what}: the same page came again")
    if least is not None and len(seen) < least:
        raise Retry(f"{what}: the list ended after {len(seen)} of {least}")


def since_or_later(record: Record, since: datetime) -> bool:
    """Of lists that cannot be asked for what changed. What shows no time may have."""
    changed = record.updated_at or record.created_at
    return changed is None or changed >= since

"""Lists of Invoice Ninja, page by page. Pages are counted here: its links drop the filters (contract, section 4)."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from app.errors import Retry
from app.providers.invoice_ninja.wire import LABEL

T = TypeVar("T")


async def each_of(
    ask: Callable[[int], Awaitable[tuple[Sequence[T], int]]], id_of: Callable[[T], str], what: str
) -> AsyncIterator[T]:
    """Every row once. `ask` is given a page's number, from 1, and gives its rows and how many pages there are.

    Raises Retry where a page brings nothing new, or is empty before the last one: a list that is cut short has not
    come to its end.
    """
    seen: set[str] = set()
    for number in itertools.count(1):
        rows, pages = await ask(number)
        fresh = [row for row in rows if id_of(row) not in seen]
        if rows and not fresh:
            raise Retry(f"{LABEL} gives the same page of {what} again")
        for row in fresh:
            seen.add(id_of(row))
            yield row
        if number >= pages:
            return
        if not rows:
            raise Retry(f"{LABEL} gives an empty page of {what} before the last one")

"""A list that moves while it is read cannot be read: it says how much is new."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.api.reading import Slice, newer
from app.api.schemas import Out, Page
from app.dashboard.frame import Visit
from app.dashboard.parts import link, tag

OutT = TypeVar("OutT", bound=Out)

_LOOKS = 5.0
"""Seconds between two looks for what is new."""
_MOST = 100


def tell_of_news(visit: Visit, newest: int, listed: Callable[[Slice], Awaitable[Page[OutT]]]) -> None:
    """`newest`: the id of the row that is on top. `listed`: a page of the list, filtered as this one is."""
    here = visit.request.url
    with tag("p", "news") as told:
        told.set_visibility(False)
        again = link("", here.path + (f"?{here.query}" if here.query else ""))

    async def look() -> None:
        if count := len((await listed(newer(newest, _MOST))).items):
            again.text = f"{f'{_MOST} or more' if count == _MOST else count} new: show"
            told.set_visibility(True)

    visit.every(_LOOKS, look)

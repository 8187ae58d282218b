"""Lists that are read page by page end at their end, or in an error."""

from collections.abc import Sequence

import pytest

from app.errors import Retry
from app.providers.invoice_ninja.pages import each_of
from app.providers.paging import Page, each_row


def name(row: str) -> str:
    return row


async def rows(pages: Sequence[Page[str]], size: int = 2) -> list[str]:
    """The last page comes for ever."""
    left = list(pages)

    async def ask(_: int) -> Page[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return [row async for row in each_row(ask, name, size=size, what="Rows")]


async def test_every_row_comes_once_whatever_moves_between_the_pages() -> None:
    assert await rows([Page(["a", "b"]), Page(["b", "c"]), Page(["d"])]) == ["a", "b", "c", "d"]


async def test_issue_pipedream_21941_a_list_makes_progress_or_ends_in_an_error() -> None:
    with pytest.raises(Retry, match="Rows: the same page came again"):
        await rows([Page(["a", "b"])])
    with pytest.raises(Retry, match="the same page of clients again"):
        await numbered([["a", "b"]], pages=9)


@pytest.mark.parametrize("cut", [[Page(["a", "b"], 5), Page[str]([], 5)], [Page(["a"], 3)], [Page[str]([], 1)]])
async def test_a_list_that_ends_before_its_total_has_not_come_to_its_end(cut: Sequence[Page[str]]) -> None:
    with pytest.raises(Retry, match="the list ended after"):
        await rows(cut)


async def test_a_row_that_comes_or_goes_meanwhile_is_no_missing_one() -> None:
    assert await rows([Page(["a", "b"], 3), Page(["c"], 4)]) == ["a", "b", "c"]
    assert await rows([Page(["a", "b"], 4), Page(["c"], 3)]) == ["a", "b", "c"]


async def numbered(given: Sequence[Sequence[str]], pages: int) -> list[str]:
    async def ask(number: int) -> tuple[Sequence[str], int]:
        return given[min(number, len(given)) - 1], pages

    return [row async for row in each_of(ask, name, "clients")]


async def test_numbered_pages_end_with_the_last_one_and_not_with_an_empty_one() -> None:
    assert await numbered([["a", "b"], ["b", "c"]], pages=2) == ["a", "b", "c"]
    assert await numbered([[]], pages=1) == []
    with pytest.raises(Retry, match="an empty page of clients before the last one"):
        await numbered([["a"], []], pages=3)

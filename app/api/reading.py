"""One row, or a page of rows, newest first. Pages go by key, not by number: a row is seen once, whatever is added."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime
from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from app.api.fields import MAX_ID
from app.api.problems import refused, unknown
from app.api.schemas import Out, Page
from app.models import ApiToken


class Row(Protocol):
    """Any table whose rows have a number."""

    id: int | None


class Numbered(Protocol):
    """A row of such a table, or what was made of it."""

    @property
    def id(self) -> int | None: ...


RowT = TypeVar("RowT", bound=Row)
OutT = TypeVar("OutT", bound=Out)

_NAMES: dict[type, str] = {ApiToken: "token"}


@dataclass(frozen=True, slots=True)
class Slice:
    """At most `limit` rows with ids below `below`, and above `above`."""

    limit: int
    below: int
    above: int = 0


def _slice(
    limit: Annotated[int, Query(ge=1, le=500, description="Rows per page")] = 50,
    cursor: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")] = None,
) -> Slice:
    return Slice(limit, _below(cursor) if cursor is not None else MAX_ID + 1)


Paging = Annotated[Slice, Depends(_slice)]
Since = Annotated[AwareDatetime | None, Query(alias="from")]
Until = Annotated[AwareDatetime | None, Query(alias="to", description="Before it")]


def slice_of(limit: int, cursor: str | None = None) -> Slice:
    """For callers within the service. Answers 400 for a cursor that is none of ours."""
    return _slice(limit, cursor)


def newer(than: int, limit: int) -> Slice:
    """The newest of what came after a row."""
    return Slice(limit, MAX_ID + 1, than)


def each_once(request: Request) -> None:
    """A name given twice in the query would silently mean its last value."""
    counted = Counter(name for name, _ in request.query_params.multi_items())
    if twice := [name for name, count in counted.items() if count > 1]:
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("query", name), "msg": "is given more than once"} for name in twice]
        )


async def one(engine: AsyncEngine, model: type[RowT], id_: int) -> RowT:
    """The row. Answers 404 where there is none."""
    async with AsyncSession(engine) as session:
        row = await session.get(model, id_)
    if row is None:
        raise unknown(_NAMES.get(model, model.__name__.lower()), id_)
    return row


async def page(
    engine: AsyncEngine, model: type[RowT], out: type[OutT], part: Slice, *only: ColumnElement[bool]
) -> Page[OutT]:
    id_ = col(model.id)
    statement = select(model).where(*only).order_by(id_.desc()).limit(part.limit + 1)
    if part.below <= MAX_ID:
        statement = statement.where(id_ < part.below)
    if part.above:
        statement = statement.where(id_ > part.above)
    async with AsyncSession(engine) as session:
        rows = (await session.scalars(statement)).all()
    return cut(rows, out, part)


def cut(rows: Sequence[Numbered], out: type[OutT], part: Slice) -> Page[OutT]:
    """`rows`: newest first, with one more than the page has where there are more."""
    items = [out.model_validate(row) for row in rows[: part.limit]]
    more = len(rows) > part.limit
    return Page(items=items, next_cursor=_cursor(rows[part.limit - 1].id or 0) if more else None)


def equal(*pairs: tuple[Mapped[Any], object]) -> list[ColumnElement[bool]]:
    """A filter for each pair whose value was given."""
    return [column == value for column, value in pairs if value is not None]


def within(column: Mapped[Any], since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    """From `since` until `until`, before it."""
    return [
        *([column >= since] if since is not None else []),
        *([column < until] if until is not None else []),
    ]


def _cursor(id_: int) -> str:
    return urlsafe_b64encode(str(id_).encode()).rstrip(b"=").decode()


def _below(cursor: str) -> int:
    try:
        id_ = int(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        id_ = 0
    if not 1 <= id_ <= MAX_ID or _cursor(id_) != cursor:
        raise refused("This cursor is none of ours: send `next_cursor` of the page before as it was.")
    return id_

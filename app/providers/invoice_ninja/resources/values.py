"""Invoice Ninja's values as Python's, both ways. Pure. contracts/invoice_ninja, section 1."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from app.errors import Rejected


def _amount(value: Any) -> Any:
    """Through its shortest text where it is a float already, for that is what PHP wrote. A bool is no amount."""
    if isinstance(value, bool):
        raise ValueError("not an amount")
    return Decimal(0) if value in (None, "") else Decimal(str(value)) if isinstance(value, float) else value


def _moment(value: Any) -> Any:
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) and value else None
    except (OverflowError, OSError) as error:
        raise ValueError("not a moment") from error


def _day(value: Any) -> Any:
    """Some dates have a time behind them in some answers: next_send_date, and a task's date just after its creation."""
    return value[:10] or None if isinstance(value, str) else value


Amount = Annotated[Decimal, BeforeValidator(_amount)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
"""0 is never."""
Day = Annotated[date | None, BeforeValidator(_day)]
"""A day of the company's own time zone; "" is none."""
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Words = Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})]
"""PHP writes an empty object as []."""
Hidden = Annotated[str, BeforeValidator(lambda value: value or ""), Field(repr=False)]


class Answered(BaseModel):
    """Part of an answer. Fields that we do not know are kept; its repr shows none that could open a door."""

    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        yield from ((name, getattr(self, name)) for name in ("id", "number") if hasattr(self, name))


class Entity(Answered):
    """What every record has."""

    id: str = Field(pattern=r"^[0-9A-Za-z_-]+$")
    is_deleted: bool = False
    archived_at: Moment = None
    created_at: Moment = None
    updated_at: Moment = None

    @property
    def lifecycle(self) -> str:
        """In the words of the filter `status`. Deleting sets `archived_at` as well."""
        alive = "archived" if self.archived_at else "active"
        return "deleted" if self.is_deleted else alive


class TimeEntry(BaseModel):
    """One stretch of work. `end` is None while it is running."""

    start: datetime
    end: datetime | None = None
    note: str = ""
    is_billable: bool = True


def _entries(value: Any) -> Any:
    """`"[[start,end,\\"note\\",billable], ...]"`: JSON inside a string, and the last two may be missing."""
    rows = json.loads(value or "[]") if isinstance(value, str | None) else value
    return [_entry(row) if isinstance(row, list) else row for row in rows] if isinstance(rows, list | tuple) else rows


def _entry(row: list[Any]) -> dict[str, Any]:
    start, end, note, is_billable = (*row, *(0, 0, "", True)[len(row) :])[:4]
    return {"start": _moment(start), "end": _moment(end), "note": note or "", "is_billable": bool(is_billable)}


TimeLog = Annotated[tuple[TimeEntry, ...], BeforeValidator(_entries)]


def time_log(entries: Any) -> Any:
    """As a request wants it; a real list would be a server error. A text is taken to be in that form already."""
    if isinstance(entries, str):
        return entries
    rows = [
        [int(each.start.timestamp()), int(each.end.timestamp()) if each.end else 0, each.note, each.is_billable]
        for each in entries
    ]
    return json.dumps(rows)


def outgoing(value: Any) -> Any:
    """A body as JSON can carry it."""
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return int(value.timestamp())
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: outgoing(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [outgoing(each) for each in value]
    return value


def _number(value: Decimal) -> int | float:
    """JSON writes a float as the shortest text for it: so either every digit of ours arrives, or nothing leaves."""
    if value == value.to_integral_value():
        return int(value)
    if Decimal(repr(float(value))) != value:
        raise Rejected(f"{value} has more digits than Invoice Ninja keeps")
    return float(value)

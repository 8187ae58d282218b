"""Days and moments as people and vendors write them, read and written in one form. Pure.

A day has no zone and never shifts. A local time needs the zone it is in; a moment brings its own.
"""

from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class DateForm(StrEnum):
    """`value`: as it looks."""

    ISO = "YYYY-MM-DD"
    EUROPEAN = "DD/MM/YYYY"
    AMERICAN = "MM/DD/YYYY"
    DOTTED = "DD.MM.YYYY"
    DASHED = "DD-MM-YYYY"
    LOCAL = "YYYY-MM-DD HH:mm"
    EUROPEAN_TIME = "DD/MM/YYYY HH:mm"
    MOMENT = "ISO 8601"
    SECONDS = "Unix seconds"
    MILLISECONDS = "Unix milliseconds"


class NoDate(ValueError):
    """A text that is no date in that form; the text says why."""


_PATTERNS = {
    DateForm.ISO: "%Y-%m-%d",
    DateForm.EUROPEAN: "%d/%m/%Y",
    DateForm.AMERICAN: "%m/%d/%Y",
    DateForm.DOTTED: "%d.%m.%Y",
    DateForm.DASHED: "%d-%m-%Y",
    DateForm.LOCAL: "%Y-%m-%d %H:%M",
    DateForm.EUROPEAN_TIME: "%d/%m/%Y %H:%M",
}
_LOCAL = {DateForm.LOCAL, DateForm.EUROPEAN_TIME}
_MOMENTS = {DateForm.MOMENT: 0, DateForm.SECONDS: 1, DateForm.MILLISECONDS: 1000}


def holds(form: DateForm) -> str:
    """What a text in this form tells: day, minute or second. Between two that differ something is lost."""
    return "second" if form in _MOMENTS else "minute" if form in _LOCAL else "day"


def zoned(form: DateForm) -> bool:
    """Whether it takes a zone to know the moment."""
    return form not in _MOMENTS


def zone(name: str) -> ZoneInfo:
    """Raises NoDate."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise NoDate(f"“{name}” is no time zone; write it as in “Europe/Rome”") from error


def read(text: str, form: DateForm, place: str) -> datetime:
    """The moment, in UTC; of a day its first minute in the zone `place`. Raises NoDate."""
    try:
        if form in _MOMENTS:
            return _moment(text, form)
        naive = datetime.strptime(text, _PATTERNS[form])  # noqa: DTZ007 -- its zone follows
        there = naive.replace(tzinfo=zone(place))
        moment = there.astimezone(UTC)
        if moment.astimezone(there.tzinfo).replace(tzinfo=None) != naive:
            raise NoDate(f"the clocks of {place} have no “{text}”")
        return moment
    except NoDate:
        raise
    except (ValueError, OverflowError, OSError) as error:
        raise NoDate(f"“{text[:60]}” is no date written as {form.value}") from error


def _moment(text: str, form: DateForm) -> datetime:
    if form is DateForm.MOMENT:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or "T" not in text.upper().replace(" ", "T"):
            raise NoDate(f"“{text[:60]}” does not say its time zone")
        moment = moment.astimezone(UTC)
        if moment.microsecond:
            raise NoDate(f"“{text[:60]}” is finer than a second")
        return moment
    if not text.isascii() or not text.removeprefix("-").isdigit():
        raise NoDate(f"“{text[:60]}” is no date written as {form.value}")
    seconds, rest = divmod(int(text), _MOMENTS[form])
    if rest:
        raise NoDate(f"“{text}” is finer than a second")
    return datetime.fromtimestamp(seconds, UTC)


def written(moment: datetime, form: DateForm, place: str) -> str:
    """`moment` in UTC. Raises NoDate for one that the calendar of `place` does not have."""
    if form is DateForm.MOMENT:
        return f"{_padded(moment, '%Y-%m-%dT%H:%M:%S')}Z"
    if form in _MOMENTS:
        return str(int(moment.timestamp()) * _MOMENTS[form])
    try:
        return _padded(moment.astimezone(zone(place)), _PATTERNS[form])
    except (OverflowError, OSError) as error:
        raise NoDate("the date is outside of the calendar") from error


def _padded(moment: datetime, pattern: str) -> str:
    """With four digits of the year, which not every C library writes."""
    return moment.strftime(pattern.replace("%Y", f"{moment.year:04d}"))

"""What is done to a value on its way to the other side: a chain of steps, as data. Pure.

A chain begins where the values of its pair come from; where they go both ways, in the CRM. Each step says whether it
can be turned back: whether what it made tells all that mattered of what it was given. A value that a step cannot read
is held back, or passed on as it is, as the step is set: it never becomes another one, or nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from app.sync.steps.base import Otherwise, Reading, Step, Taken, Unreadable
from app.sync.steps.dating import DateForm
from app.sync.steps.meaning import Amount, AmountForm, Country, Date, Phone
from app.sync.steps.naming import CountryForm
from app.sync.steps.table import Row, Table
from app.sync.steps.wording import Case, Default, Letters, Template, Trim
from app.sync.values import clean_text

__all__ = [
    "Amount",
    "AmountForm",
    "AnyStep",
    "Case",
    "Country",
    "CountryForm",
    "Date",
    "DateForm",
    "Default",
    "Letters",
    "Otherwise",
    "Phone",
    "Row",
    "Step",
    "Table",
    "Template",
    "Trim",
    "Unreadable",
    "back",
    "lossy",
    "named",
    "there",
]

AnyStep = Annotated[
    Trim | Case | Phone | Country | Date | Amount | Table | Default | Template, Field(discriminator="do")
]
_ON_NOTHING = (Default, Template)


def lossy(steps: Sequence[Step]) -> str:
    """Why a chain cannot be turned back, "" where it can."""
    return next((each.lossy for each in steps if each.lossy), "")


def named(steps: Sequence[Step]) -> tuple[str, ...]:
    """Other fields of the record that go into the value."""
    return tuple(dict.fromkeys(name for each in steps if isinstance(each, Template) for name in each.names))


def there(steps: Sequence[Step], value: str, given: Mapping[str, str]) -> str:
    """The value as it goes to the other side. Raises Unreadable.

    What is empty stays empty, but for a default and a template. A chain that can be turned back makes nothing that
    would not come back as it went.
    """
    made = _there(steps, clean_text(value), given)
    if steps and made and not lossy(steps) and _there(steps, back(steps, made), given) != made:
        raise Unreadable(f"“{made[:60]}” would come back as something else")
    return made


def back(steps: Sequence[Step], value: str) -> str:
    """The other side's value as it comes back. Raises Unreadable."""
    value = clean_text(value)
    for step in reversed(steps):
        if value:
            try:
                value = step.back(value)
            except Unreadable as error:
                if not _passes(step, error):
                    raise
    return value


def _there(steps: Sequence[Step], value: str, given: Mapping[str, str]) -> str:
    for step in steps:
        if value or isinstance(step, _ON_NOTHING):
            try:
                value = step.there(value, given)
            except Unreadable as error:
                if not _passes(step, error):
                    raise
    return value


def _passes(step: Step, error: Unreadable) -> bool:
    return isinstance(step, Reading) and step.otherwise is Otherwise.PASS and not isinstance(error, Taken)

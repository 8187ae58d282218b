"""What every step has, and what becomes of a value that it cannot read. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.sync.values import clean_text


class Unreadable(ValueError):
    """A value that a step can make nothing of; the text says why."""


class Taken(Unreadable):
    """Not even passed on as it is."""


class Otherwise(StrEnum):
    """What becomes of a value that a step cannot read."""

    HOLD = "hold"
    PASS = "pass"  # noqa: S105 -- no password


class Step(BaseModel):
    """`lossy`: why it cannot be turned back, "" where it can."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def lossy(self) -> str:
        return ""

    def there(self, value: str, given: Mapping[str, str]) -> str:
        """`given`: all values of the record. Raises Unreadable."""
        raise NotImplementedError

    def back(self, value: str) -> str:
        """Raises Unreadable. Only of a step that is not lossy."""
        raise NotImplementedError


class Reading(Step):
    otherwise: Otherwise = Field(
        Otherwise.HOLD,
        description="A value that it cannot read: `hold` it back, with the reason in the activity, or `pass` it on as"
        " it is",
    )


def compared(word: str) -> str:
    """The form in which the words of a table are compared."""
    return clean_text(word).casefold()

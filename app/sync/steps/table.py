"""A list of values and what each becomes. Pure."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.steps.base import Otherwise, Reading, Taken, Unreadable, compared


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    value: str = Field(min_length=1, max_length=500, description="What is there where it comes from")
    becomes: str = Field(min_length=1, max_length=500, description="What it is where it goes")


class Table(Reading):
    """Each value of a list becomes another one."""

    do: Literal["table"] = "table"
    rows: tuple[Row, ...] = Field(
        min_length=1, max_length=500, description="Compared without regard to capitals; of two with one value, none"
    )

    @model_validator(mode="after")
    def _decided(self) -> Self:
        twice = _twice([row.value for row in self.rows])
        if twice:
            raise ValueError(f"“{twice}” is in the table twice: it can become one thing only")
        return self

    @property
    def lossy(self) -> str:
        twice = _twice([row.becomes for row in self.rows])
        return f"several values become “{twice}”, and it is not known which one it was" if twice else ""

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self._looked_up(value, [(row.value, row.becomes) for row in self.rows])

    def back(self, value: str) -> str:
        return self._looked_up(value, [(row.becomes, row.value) for row in self.rows])

    def _looked_up(self, value: str, rows: Sequence[tuple[str, str]]) -> str:
        found = next((to for word, to in rows if compared(word) == compared(value)), None)
        if found is not None:
            return found
        if (
            self.otherwise is Otherwise.PASS
            and not self.lossy
            and any(compared(value) == compared(to) for _, to in rows)
        ):
            # Passed on, it would look like what another word becomes, and come back as that word.
            raise Taken(f"“{value[:60]}” is what another value of the table becomes")
        raise Unreadable(f"“{value[:60]}” is not in the table")


def _twice(words: Sequence[str]) -> str:
    seen: set[str] = set()
    for each in words:
        if compared(each) in seen:
            return each
        seen.add(compared(each))
    return ""

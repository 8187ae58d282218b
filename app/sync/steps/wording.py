"""Steps that work on any text. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from app.sync.steps.base import Step
from app.sync.steps.naming import title_case
from app.sync.values import clean_text


class Trim(Step):
    """Blanks at the ends and double ones within are taken out."""

    do: Literal["trim"] = "trim"

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self.back(value)

    def back(self, value: str) -> str:
        return "\n".join(" ".join(line.split()) for line in value.split("\n")).strip()


class Letters(StrEnum):
    LOWER = "lower"
    UPPER = "upper"
    TITLE = "title"


class Case(Step):
    """Small letters, capitals, or a capital at the beginning of each word."""

    do: Literal["case"] = "case"
    to: Letters = Letters.UPPER

    @property
    def lossy(self) -> str:
        return "which letters were capitals is forgotten"

    def there(self, value: str, given: Mapping[str, str]) -> str:
        if self.to is Letters.TITLE:
            return title_case(value)
        return value.upper() if self.to is Letters.UPPER else value.lower()


class Default(Step):
    """What is written where there is nothing."""

    do: Literal["default"] = "default"
    value: str = Field(min_length=1, max_length=1000, description="What is written where the value is empty")

    @property
    def lossy(self) -> str:
        return "whether there was nothing is forgotten"

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return value or self.value


_PLACE = re.compile(r"\{([\w.\-]+)\}")


class Template(Step):
    """A text with other fields of the record in it."""

    do: Literal["template"] = "template"
    text: str = Field(
        min_length=1,
        max_length=2000,
        description="With fields of the record by their names, as in `{first_name} {last_name}`; `{value}` is the value"
        " itself. Where all of them are empty, so is the text",
    )

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if re.search(r"[{}]", _PLACE.sub("", self.text)):
            raise ValueError("a field is written in braces, as in {first_name}; no other braces can be in the text")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name in _PLACE.findall(self.text) if name != "value"))

    @property
    def lossy(self) -> str:
        return "a text cannot be taken apart again"

    def there(self, value: str, given: Mapping[str, str]) -> str:
        filled = {
            name: value if name == "value" else clean_text(given.get(name, "")) for name in _PLACE.findall(self.text)
        }
        if filled and not any(filled.values()):
            return ""
        return clean_text(_PLACE.sub(lambda found: filled[found[1]], self.text))

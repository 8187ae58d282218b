"""Filters: which records of an object take part. Pure.

All conditions must hold. A condition is asked of the first record that has its field, and of no other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.records import FieldSpec, Kind, Side, Values
from app.sync.values import clean_text, same, tags_of


class Op(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    HAS = "has"
    HAS_NOT = "has_not"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    FILLED = "filled"
    EMPTY = "empty"


_SAID = {
    Op.IS: "is “{}”",
    Op.IS_NOT: "is not “{}”",
    Op.HAS: "has “{}”",
    Op.HAS_NOT: "has no “{}”",
    Op.AT_LEAST: "is at least {}",
    Op.AT_MOST: "is at most {}",
    Op.FILLED: "is filled",
    Op.EMPTY: "is empty",
}
_OF_AMOUNTS = (Op.AT_LEAST, Op.AT_MOST)
_ALONE = (Op.FILLED, Op.EMPTY)


class Condition(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str = Field(
        pattern=r"^[\w.\-]+$", max_length=200, description="A field as in the field map, for example `tags`"
    )
    op: Op = Field(
        description="`has`: one of the tags, or a part of the text; `at_least` and `at_most` are for amounts. Case"
        " does not count"
    )
    value: str = Field("", max_length=500)
    side: Side | None = Field(
        None, description="Whose field it is, where both sides have one of that name; left out: the CRM's first"
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.op in _ALONE) == bool(clean_text(self.value)):
            raise ValueError(f"“{self.op}” goes {'without' if self.op in _ALONE else 'with'} a value")
        if self.op in _OF_AMOUNTS and amount(self.value) is None:
            raise ValueError("an amount is digits, with a point before the cents")
        return self

    def __str__(self) -> str:
        return f"“{self.field}” {_SAID[self.op].format(self.value)}"


@dataclass(frozen=True, slots=True)
class Seen:
    """A record's values, and what its fields mean."""

    values: Values
    specs: Mapping[str, FieldSpec]


def refusal(conditions: Sequence[Condition], seen: Mapping[Side, Seen]) -> str:
    """Why the records take no part, as a sentence; "" where they do.

    What none of the records can answer is left open. The first of `seen` that has the field decides.
    """
    for condition in conditions:
        asked = (each for side, each in seen.items() if condition.side in (None, side))
        found = next((each for each in asked if condition.field in each.values), None)
        if found is not None and not holds(condition, found):
            return f"It takes no part: only records whose {condition} do."
    return ""


def unknown(conditions: Sequence[Condition], fields: Mapping[Side, Collection[str]]) -> str:
    """The first condition on a field that no side has, as a sentence; "" where there is none."""
    for condition in conditions:
        if not any(condition.field in names for side, names in fields.items() if condition.side in (None, side)):
            return f"The filter asks for a field that neither account has: {condition}."
    return ""


def holds(condition: Condition, seen: Seen) -> bool:
    spec = seen.specs.get(condition.field)
    return _TESTS[condition.op](seen.values[condition.field], condition.value, spec.kind if spec else Kind.TEXT)


def amount(text: str) -> Decimal | None:
    """Digits and a point; None for anything else."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _is(value: str, wanted: str, kind: Kind) -> bool:
    return same(kind, value.casefold(), wanted.casefold())


def _has(value: str, wanted: str, kind: Kind) -> bool:
    if kind is Kind.TAGS:
        return tags_of(wanted).keys() <= tags_of(value).keys()
    return clean_text(wanted).casefold() in clean_text(value).casefold()


def _at_least(value: str, wanted: str, _: Kind) -> bool:
    there, least = amount(value), amount(wanted)
    return there is not None and least is not None and there >= least


def _at_most(value: str, wanted: str, _: Kind) -> bool:
    there, most = amount(value), amount(wanted)
    return there is not None and most is not None and there <= most


_TESTS: Mapping[Op, Callable[[str, str, Kind], bool]] = {
    Op.IS: _is,
    Op.IS_NOT: lambda value, wanted, kind: not _is(value, wanted, kind),
    Op.HAS: _has,
    Op.HAS_NOT: lambda value, wanted, kind: not _has(value, wanted, kind),
    Op.AT_LEAST: _at_least,
    Op.AT_MOST: _at_most,
    Op.FILLED: lambda value, _, kind: bool(clean_text(value)),
    Op.EMPTY: lambda value, _, kind: not clean_text(value),
}

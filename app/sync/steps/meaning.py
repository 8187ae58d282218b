"""Steps that know what a value means: a phone number, a country, a date, an amount. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from app.sync.money import Money, MoneyError, minor_units
from app.sync.steps import dating
from app.sync.steps.base import Reading, Unreadable
from app.sync.steps.dating import DateForm
from app.sync.steps.naming import CountryForm, country
from app.sync.values import e164


class Phone(Reading):
    """A phone number in the international form, +15550100999."""

    do: Literal["phone"] = "phone"
    region: str = Field(
        "", pattern=r"^([A-Z]{2})?$", description="Country of numbers that are written without one, such as `IT`"
    )

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self.back(value)

    def back(self, value: str) -> str:
        number = e164(value, self.region)
        if number is None:
            hint = "" if self.region or value.startswith("+") else "; say in the step which country's numbers these are"
            raise Unreadable(f"“{value[:60]}” is no phone number{hint}")
        return number


class Country(Reading):
    """A country as its code or its English name."""

    do: Literal["country"] = "country"
    reads: CountryForm = Field(CountryForm.CODE, description="How it is written where it comes from")
    writes: CountryForm = Field(CountryForm.NAME, description="How it is written where it goes")

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self._as(value, self.writes)

    def back(self, value: str) -> str:
        return self._as(value, self.reads)

    def _as(self, value: str, form: CountryForm) -> str:
        found = country(value, form)
        if found is None:
            raise Unreadable(f"“{value[:60]}” is no known country")
        return found


class Date(Reading):
    """A day or a time, from one form into another."""

    do: Literal["date"] = "date"
    reads: DateForm = Field(DateForm.EUROPEAN, description="How it is written where it comes from")
    writes: DateForm = Field(DateForm.ISO, description="How it is written where it goes")
    zone: str = Field("UTC", max_length=60, description="Time zone of what it reads, such as `Europe/Rome`")
    to_zone: str = Field("", max_length=60, description="Time zone of what it writes; empty: the same")

    @model_validator(mode="after")
    def _zones(self) -> Self:
        for each in (self.zone, self.to_zone or self.zone):
            dating.zone(each)
        return self

    @property
    def lossy(self) -> str:
        alike = dating.holds(self.reads) == dating.holds(self.writes)
        return "" if alike else "one of its two forms tells more of the time than the other"

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self._turned(value, (self.reads, self.zone), (self.writes, self.to_zone or self.zone))

    def back(self, value: str) -> str:
        return self._turned(value, (self.writes, self.to_zone or self.zone), (self.reads, self.zone))

    def _turned(self, value: str, form: tuple[DateForm, str], wanted: tuple[DateForm, str]) -> str:
        if dating.holds(form[0]) == dating.holds(wanted[0]) == "day":
            form, wanted = (form[0], "UTC"), (wanted[0], "UTC")  # a day is a day, wherever
        try:
            moment = dating.read(value, *form)
            text = dating.written(moment, *wanted)
            if not self.lossy and dating.read(text, *wanted) != moment:
                raise Unreadable(f"“{text}” comes twice when the clocks go back: it is not known which is meant")
        except dating.NoDate as error:
            raise Unreadable(str(error)) from error
        return text


class AmountForm(StrEnum):
    DECIMAL = "decimal"  # 12.50
    MINOR = "minor"  # 1250
    CODED = "with_currency"  # 12.50 USD


class Amount(Reading):
    """An amount in units, in the smallest coins, or with its currency."""

    do: Literal["money"] = "money"
    reads: AmountForm = Field(AmountForm.DECIMAL, description="How it is written where it comes from")
    writes: AmountForm = Field(AmountForm.MINOR, description="How it is written where it goes")
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217 code of all amounts")

    @model_validator(mode="after")
    def _counts(self) -> Self:
        minor_units(self.currency)
        return self

    def there(self, value: str, given: Mapping[str, str]) -> str:
        return self._written(value, self.reads, self.writes)

    def back(self, value: str) -> str:
        return self._written(value, self.writes, self.reads)

    def _written(self, value: str, form: AmountForm, wanted: AmountForm) -> str:
        try:
            money = self._read(value, form)
        except MoneyError as error:
            raise Unreadable(str(error)) from error
        if wanted is AmountForm.MINOR:
            return str(money.minor)
        return str(money) if wanted is AmountForm.CODED else str(money.amount)

    def _read(self, value: str, form: AmountForm) -> Money:
        if form is AmountForm.MINOR:
            if not re.fullmatch(r"-?\d{1,18}", value, re.ASCII):
                raise Unreadable(f"“{value[:60]}” is no whole number of the smallest coins")
            return Money.from_minor(int(value), self.currency)
        amount, _, code = value.partition(" ")
        if form is AmountForm.CODED and code != self.currency:
            raise Unreadable(f"“{value[:60]}” is no amount in {self.currency}")
        return Money.parse(amount if form is AmountForm.CODED else value, self.currency)

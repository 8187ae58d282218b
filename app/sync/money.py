"""Money: an exact amount in one ISO 4217 currency. Pure.

    MoneyError
    ├── NotMoney           no number, a float, or more than the vendors can count
    ├── UnknownCurrency    no ISO 4217 code in use, or one without minor units (gold, drawing rights)
    ├── TooPrecise         finer than the currency's smallest coin: 1.005 USD, 0.5 JPY
    └── MixedCurrencies    arithmetic between two currencies

A float is refused, for it has lost what was written: a vendor's body is read with
`json.loads(body, parse_float=Decimal)`. Minor units come from ISO's own table (the package iso4217): CLDR's digits,
which babel has, say how to show an amount and differ (IQD: none there, three in ISO).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from iso4217 import Currency

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_PLAIN = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d{1,2})?", re.ASCII)
# Both vendors count in doubles, which hold every integer up to here: beyond it they lose cents.
_MOST_MINOR = 2**53


class MoneyError(ValueError):
    """An amount that must not be used; the text says which and why."""


class NotMoney(MoneyError):
    pass


class UnknownCurrency(MoneyError):
    pass


class TooPrecise(MoneyError):
    pass


class MixedCurrencies(MoneyError):
    pass


def minor_units(currency: str) -> int:
    """Decimal places of `currency` ("USD": 2, "JPY": 0, "KWD": 3). Codes are upper case, as ISO writes them."""
    try:
        places = Currency(currency).exponent
    except ValueError:
        places = None
    if places is None:
        raise UnknownCurrency(f"“{currency}” is no currency of ISO 4217 with minor units")
    return places


def number(value: object) -> Decimal:
    """A quantity, price, rate or amount as a vendor sends it: text such as "12.50", an int, or a Decimal."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    if isinstance(value, str) and _PLAIN.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise NotMoney(f"{value!r} is no exact number")


def plain(value: Decimal) -> str:
    """One text for each number: 12.50 is "12.5", 1E+3 is "1000"."""
    return f"{value.normalize(EXACT) + 0:f}"


def as_json(value: Decimal) -> int | float:
    """As a JSON number, every digit of which arrives. Raises NotMoney where a vendor's double cannot hold it."""
    if value == value.to_integral_value():
        return int(value)
    if Decimal(repr(float(value))) != value:
        raise NotMoney(f"{value} has more digits than can be sent")
    return float(value)


def quantised(value: Decimal, places: int) -> Decimal:
    """`value` with `places` decimals, halves away from zero; never -0."""
    if value.adjusted() + places > EXACT.prec - 10:
        raise NotMoney(f"{value} is more than can be counted")
    return EXACT.add(value.quantize(Decimal(1).scaleb(-places), context=EXACT), Decimal(0))


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` has exactly the currency's decimals: `Money(Decimal("1.5"), "USD")` is 1.50 USD; 1.005 is TooPrecise."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        given: Any = self.amount
        if not isinstance(given, Decimal) or not given.is_finite():
            raise NotMoney(f"{given!r} is no exact number")
        exact = quantised(given, minor_units(self.currency))
        if exact != given:
            raise TooPrecise(f"{given} {self.currency} is finer than the currency's smallest coin")
        object.__setattr__(self, "amount", exact)
        if abs(self.minor) > _MOST_MINOR:
            raise NotMoney(f"{self} is more than the vendors can count")

    @classmethod
    def parse(cls, value: object, currency: str) -> "Money":
        """From a vendor's number or text, exactly; see `number`."""
        return cls(number(value), currency)

    @classmethod
    def read(cls, text: str) -> "Money":
        """As `str` writes it: "12.50 EUR"."""
        amount, _, currency = text.partition(" ")
        return cls(number(amount), currency)

    @classmethod
    def rounded(cls, amount: Decimal, currency: str) -> "Money":
        """The one way that rounds: halves away from zero."""
        return cls(quantised(amount, minor_units(currency)), currency)

    @classmethod
    def from_minor(cls, units: int, currency: str) -> "Money":
        """`units`: cents, yen, fils."""
        return cls(Decimal(units).scaleb(-minor_units(currency), context=EXACT), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(Decimal(0), currency)

    @property
    def minor(self) -> int:
        return int(self.amount.scaleb(minor_units(self.currency), context=EXACT))

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def allocate(self, weights: Sequence[Decimal]) -> tuple["Money", ...]:
        """Parts in proportion to `weights` (none negative, not all 0) that add up to exactly this.

        What is left after rounding down goes, a minor unit each, to the largest remainders; the first wins a tie.
        """
        total = sum(weights, Decimal(0))
        if total <= 0 or min(weights) < 0:
            raise NotMoney("nothing to allocate to")
        shares = [EXACT.divide(EXACT.multiply(abs(self.minor), weight), total) for weight in weights]
        parts = [int(share) for share in shares]
        by_remainder = sorted(range(len(shares)), key=lambda n: parts[n] - shares[n])
        for n in by_remainder[: abs(self.minor) - sum(parts)]:
            parts[n] += 1
        sign = -1 if self.amount < 0 else 1
        return tuple(Money.from_minor(sign * part, self.currency) for part in parts)

    def _same(self, other: "Money") -> Decimal:
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self} and {other} are not in one currency")
        return other.amount

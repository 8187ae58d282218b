"""What an invoice's lines come to. Pure.

How HighLevel rounds, and that a discount comes before the taxes, is not documented.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Totals:
    subtotal: Decimal
    discount: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.subtotal - self.discount + self.tax


def of(items: Iterable[Mapping[str, Any]], discount: Mapping[str, Any]) -> Totals:
    lines = [(_exact(item["amount"]) * _exact(item["qty"]), item) for item in items]
    subtotal = sum((amount for amount, _ in lines), Decimal())
    value = _exact(discount.get("value", 0))
    off = subtotal * value / 100 if discount.get("type") == "percentage" else value
    off = min(off, subtotal)
    left = (subtotal - off) / subtotal if subtotal else Decimal()
    tax = sum((amount * left * _rate(item) / 100 for amount, item in lines), Decimal())
    return Totals(subtotal=_round(subtotal), discount=_round(off), tax=_round(tax))


def _rate(item: Mapping[str, Any]) -> Decimal:
    if item.get("taxInclusive"):
        return Decimal()
    return sum((_exact(tax["rate"]) for tax in item.get("taxes", [])), Decimal())


def _exact(value: Any) -> Decimal:
    return Decimal(str(value))


def _round(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP)


def plain(value: Decimal) -> int | float:
    """As JSON shows it: 1200, not 1200.0."""
    return int(value) if value == value.to_integral_value() else float(value)

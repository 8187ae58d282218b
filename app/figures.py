"""Counts, lengths of time and sums of money as people read them."""

from decimal import Decimal

from app.sync.money import minor_units

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def lasting(seconds: float) -> str:
    """In one unit, rounded down: "3 min"."""
    return next((f"{seconds // size:.0f} {unit}" for size, unit in _UNITS if seconds >= size), "<1 min")


def count_of(count: int, one: str, several: str = "") -> str:
    """ "1 record", "1,234 records"."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def amount(value: Decimal, currency: str) -> str:
    """With the currency's decimals: "1,234.50 EUR"."""
    return f"{value:,.{minor_units(currency)}f} {currency}"

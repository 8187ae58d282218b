"""Money: exact, in one currency, never through a float."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.money import (
    MixedCurrencies,
    Money,
    NotMoney,
    TooPrecise,
    UnknownCurrency,
    minor_units,
    number,
    quantised,
)

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF"])
UNITS = st.integers(-(2**53), 2**53)


def usd(text: str) -> Money:
    return Money.parse(text, "USD")


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("EUR", 2), ("HUF", 2), ("RSD", 2), ("JPY", 0), ("KWD", 3), ("IQD", 3)]
)
def test_minor_units_are_those_of_iso_4217(currency: str, places: int) -> None:
    assert minor_units(currency) == places


@pytest.mark.parametrize("currency", ["", "usd", "US", "ZZZ", "XAU", "XXX", "usd "])
def test_a_currency_that_is_none_is_named(currency: str) -> None:
    with pytest.raises(UnknownCurrency):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("value", ["1234.5", " 1234.50 ", "+1234.500", "12345e-1", Decimal("1234.5")])
def test_vendors_numbers_are_read_exactly(value: object) -> None:
    assert Money.parse(value, "USD") == Money.from_minor(123450, "USD")


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1.0,
        True,
        None,
        "",
        "1,234.50",
        "12.5 USD",
        "NaN",
        "inf",
        "١٢",
        "1_000",
        "0x1",
        "1e999",
        "--1",
        Decimal("NaN"),
    ],
)
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(NotMoney):
        number(value)


def test_a_body_is_read_without_a_float() -> None:
    body = json.loads('{"amount": 271.88, "whole": 5}', parse_float=Decimal)
    assert str(Money.parse(body["amount"], "EUR") + Money.parse(body["whole"], "EUR")) == "276.88 EUR"


@pytest.mark.parametrize("given", [0.5, 1])
def test_money_is_made_of_a_decimal(given: object) -> None:
    with pytest.raises(NotMoney):
        Money(given, "USD")  # type: ignore[arg-type]


@pytest.mark.parametrize(("amount", "currency"), [("1.005", "USD"), ("0.5", "JPY"), ("1.0005", "KWD")])
def test_nothing_is_rounded_silently(amount: str, currency: str) -> None:
    with pytest.raises(TooPrecise):
        Money.parse(amount, currency)


@pytest.mark.parametrize(
    ("amount", "shown"), [("1.005", "1.01"), ("-1.005", "-1.01"), ("1.0049", "1.00"), ("-0.001", "0.00")]
)
def test_halves_go_away_from_zero(amount: str, shown: str) -> None:
    assert str(Money.rounded(Decimal(amount), "USD")) == f"{shown} USD"


def test_what_a_double_cannot_count_is_refused() -> None:
    assert Money.from_minor(2**53, "USD").minor == 2**53
    for value in (Decimal("90071992547409.93"), Decimal("1e60")):
        with pytest.raises(NotMoney):
            Money(value, "USD")
    with pytest.raises(NotMoney):
        quantised(Decimal("1e200"), 2)


def test_two_currencies_do_not_mix() -> None:
    euro = Money.parse("1", "EUR")
    for mix in (usd("1").__add__, usd("1").__sub__, usd("1").__lt__, usd("1").__le__):
        with pytest.raises(MixedCurrencies):
            mix(euro)
    assert usd("1") != euro


@given(currency=CURRENCIES, units=UNITS)
def test_minor_units_and_text_survive_the_round_trip(currency: str, units: int) -> None:
    money = Money.from_minor(units, currency)
    assert money.minor == units
    assert Money.parse(str(money.amount), currency) == money


@given(left=st.integers(-(2**51), 2**51), right=st.integers(-(2**51), 2**51), currency=CURRENCIES)
def test_arithmetic_is_that_of_integers(left: int, right: int, currency: str) -> None:
    a, b = Money.from_minor(left, currency), Money.from_minor(right, currency)
    assert ((a + b).minor, (a - b).minor, (-a).minor) == (left + right, left - right, -left)
    assert (a < b, a <= b) == (left < right, left <= right)


@given(
    units=st.integers(-(10**9), 10**9),
    weights=st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=8).filter(any),
    currency=CURRENCIES,
)
def test_parts_add_up_and_are_within_one_unit_of_their_share(units: int, weights: list[Decimal], currency: str) -> None:
    parts = Money.from_minor(units, currency).allocate(weights)
    assert sum(part.minor for part in parts) == units
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part.minor - units * Fraction(weight) / Fraction(sum(weights))) < 1


def test_the_largest_remainder_gets_the_cent_and_the_first_wins_a_tie() -> None:
    weights = [Decimal(1), Decimal(1), Decimal(1)]
    assert [part.minor for part in usd("1.00").allocate(weights)] == [34, 33, 33]
    assert [part.minor for part in usd("0.05").allocate([Decimal(1), Decimal(9)])] == [1, 4]


@pytest.mark.parametrize("weights", [[], [Decimal(0)], [Decimal(-1), Decimal(2)]])
def test_nothing_is_allocated_to_nothing(weights: list[Decimal]) -> None:
    with pytest.raises(NotMoney):
        usd("1").allocate(weights)

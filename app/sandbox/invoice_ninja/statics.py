"""The lists behind GET /statics. Ids are plain numbers, sent as strings (contracts/invoice_ninja, section 1)."""

from functools import cache
from typing import Any

import pycountry

# The product numbers its currencies and languages itself; these are the common ones, under its numbers where a
# recording shows them (1 USD, 2 GBP, 3 EUR, 3 German, 82 AOA, 90 DZD, 94 ALL).
_CURRENCIES = {
    "1": ("USD", "US Dollar", "$"),
    "2": ("GBP", "British Pound", "£"),
    "3": ("EUR", "Euro", "€"),
    "9": ("CAD", "Canadian Dollar", "C$"),
    "12": ("AUD", "Australian Dollar", "$"),
    "17": ("CHF", "Swiss Franc", ""),
    "82": ("AOA", "Angolan Kwanza", "Kz"),
    "90": ("DZD", "Algerian Dinar", "DA"),
    "94": ("ALL", "Albanian Lek", "L "),
}
_LANGUAGES = {
    "1": ("en", "English - United States"),
    "2": ("it", "Italian"),
    "3": ("de", "German"),
    "4": ("fr", "French"),
    "7": ("es", "Spanish"),
    "18": ("sq", "Albanian"),
}
_INDUSTRIES = ("Accounting & Legal", "Advertising", "Aerospace")
_SIZES = ("1 - 3", "4 - 10", "11 - 50", "51 - 100", "101 - 500", "500+")
_PAYMENT_TYPES = {"1": "Bank Transfer", "2": "Cash", "4": "ACH", "5": "Visa Card", "7": "American Express"}


@cache
def country_ids() -> frozenset[str]:
    return frozenset(str(int(country.numeric)) for country in pycountry.countries)


@cache
def country_by_code(code: str) -> str | None:
    """The id for an alpha-2 or alpha-3 code."""
    found = pycountry.countries.get(alpha_2=code.upper()) or pycountry.countries.get(alpha_3=code.upper())
    return None if found is None else str(int(found.numeric))


def currency_by_code(code: str) -> str | None:
    return next((key for key, (known, *_) in _CURRENCIES.items() if known == code.upper()), None)


def language_by_code(code: str) -> str | None:
    return next((key for key, (known, _) in _LANGUAGES.items() if known == code), None)


@cache
def everything() -> dict[str, Any]:
    return {
        "industries": [{"id": str(n), "name": name} for n, name in enumerate(_INDUSTRIES, 1)],
        "countries": [_country(country) for country in pycountry.countries],
        "payment_types": [{"id": key, "name": name, "gateway_type_id": 1} for key, name in _PAYMENT_TYPES.items()],
        "languages": [{"id": key, "name": name, "locale": code} for key, (code, name) in _LANGUAGES.items()],
        "currencies": [_currency(key) for key in _CURRENCIES],
        "sizes": [{"id": str(n), "name": name} for n, name in enumerate(_SIZES, 1)],
    }


def _currency(key: str) -> dict[str, Any]:
    code, name, symbol = _CURRENCIES[key]
    return {
        "id": key,
        "name": name,
        "symbol": symbol,
        "precision": 2,
        "thousand_separator": ",",
        "decimal_separator": ".",
        "code": code,
        "swap_currency_symbol": False,
        "exchange_rate": 1,
    }


def _country(country: Any) -> dict[str, Any]:
    return {
        "id": str(int(country.numeric)),
        "capital": "",
        "citizenship": "",
        "country_code": country.numeric,
        "currency": "",
        "currency_code": "",
        "currency_sub_unit": "",
        "full_name": getattr(country, "official_name", country.name),
        "iso_3166_2": country.alpha_2,
        "iso_3166_3": country.alpha_3,
        "name": country.name,
        "region_code": "",
        "sub_region_code": "",
        "eea": False,
        "swap_postal_code": False,
        "swap_currency_symbol": False,
        "thousand_separator": "",
        "decimal_separator": "",
    }

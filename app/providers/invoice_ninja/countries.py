"""Countries: alpha-2 codes here, ids of Invoice Ninja's table there (`Profile.data`). Pure."""

import functools
from collections.abc import Mapping
from typing import Any

import pycountry

from app.errors import Rejected


@functools.cache
def codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def country_code(stored: str, data: Mapping[str, Any]) -> str:
    """Alpha-2 of a `country_id`; an id that nobody knows stays as it is, for it is not empty."""
    known: Mapping[str, str] = data.get("countries") or {}
    if not stored or stored in known:
        return known.get(stored, "")
    # The ids are ISO 3166 numeric codes without leading zeros.
    country = pycountry.countries.get(numeric=stored.zfill(3))
    return str(country.alpha_2) if country else stored


def country_id(code: str, data: Mapping[str, Any]) -> str:
    """`country_id` of an alpha-2 code. Never `country_code`: one it does not know becomes the company's, silently."""
    known: Mapping[str, str] = data.get("countries") or {}
    for number, alpha_2 in known.items():
        if alpha_2 == code:
            return number
    country = pycountry.countries.get(alpha_2=code)
    if country is None:
        raise Rejected(f"Invoice Ninja has no country “{code}”", fields={"country_id": "not a known country"})
    return str(int(country.numeric))

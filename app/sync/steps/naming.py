"""Countries and names in the forms in which people write them. Pure."""

import re
from enum import StrEnum
from typing import Any

import pycountry

from app.sync.values import alpha_2

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class CountryForm(StrEnum):
    CODE = "code"  # IT
    CODE_3 = "code_3"  # ITA
    NAME = "name"  # Italy


def country(value: str, form: CountryForm) -> str | None:
    """A code or an English name in `form`, None where there is no such country."""
    code = alpha_2(value)
    if code is None or form is CountryForm.CODE:
        return code
    found: Any = pycountry.countries.get(alpha_2=code)
    return str(found.alpha_3 if form is CountryForm.CODE_3 else getattr(found, "common_name", found.name))


def title_case(text: str) -> str:
    """A capital at the beginning of each word, and small letters after it: “mia d'angelo” is “Mia D'Angelo”."""
    return _WORD.sub(lambda found: _word(found[0]), text)


def _word(word: str) -> str:
    """After one letter and an apostrophe a name begins (O'Neill); after more it goes on (Carol's)."""
    first, apostrophe, rest = word[:1], word[1:2], word[2:]
    if apostrophe in ("'", "’") and rest:
        return first.upper() + apostrophe + rest.capitalize()
    return word.capitalize()

"""What people call a record, and the words that it is found by. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from app.sync.people import email_of, full_name
from app.sync.records import Record, Side

LONGEST = 120
_MOST_WORDS = 40
_TITLES = ("title", "number", "product_key", "summary", "body")
_FOUND_BY = ("first_name", "last_name", "company", "name", "email", "phone", *_TITLES[:3])
_WORD = re.compile(r"[^\W_]+")


def name_of(record: Record) -> str:
    """A person's name or e-mail, an invoice's number, a title, the first words of a note; "" where it has none."""
    values = record.values
    paid = " on ".join(each for each in (values.get("amount", ""), values.get("paid_on", "")) if each)
    titles = (" ".join(values.get(name, "").split()) for name in _TITLES)
    named = full_name(record) or email_of(record) or next((each for each in titles if each), "") or paid
    return named if len(named) <= LONGEST else f"{named[: LONGEST - 1].rstrip()}…"


def called(records: Mapping[Side, Record]) -> tuple[str, str]:
    """The name of a pair, the CRM's before billing's, and the words that either side's record is found by."""
    both = [records[side] for side in Side if side in records]
    name = next((named for named in map(name_of, both) if named), "")
    told = (each.values.get(field, "") for each in both for field in _FOUND_BY)
    return name, " ".join(words_of(" ".join((name, *told)))[:_MOST_WORDS])


def words_of(text: str) -> Sequence[str]:
    """In lower case and without accents, each once: "José@acme.example" is jose, acme, example."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return list(dict.fromkeys(word[:60] for word in _WORD.findall(plain.casefold())))


def query_of(text: str) -> str:
    """For PostgreSQL's `tsquery`: all of the words of `text`, of each at least the beginning. "" where it has none."""
    return " & ".join(f"'{word}':*" for word in words_of(text))

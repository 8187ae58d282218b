"""Values by kind: how two are compared and what a side can take. Pure.

A phone is kept as its owner wrote it wherever it cannot be read as a number; everything else is compared in one
normal form, so that "+1 (555) 010-0999" and "+15550100999" are the same and cause no write.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

import phonenumbers
import pycountry
from email_validator import EmailNotValidError, validate_email

from app.sync.canonical import document_of, text_of
from app.sync.fitting import AS_GIVEN, Blocked
from app.sync.fitting import fit as fit_document
from app.sync.records import FieldSpec, Kind


def storable(value: str) -> str:
    """Without what PostgreSQL (NUL) and UTF-8 (lone surrogates) refuse; JSON can carry both."""
    return value.replace("\x00", "").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def clean_text(value: str) -> str:
    return unicodedata.normalize("NFC", storable(value)).replace("\r\n", "\n").strip()


def e164(value: str, region: str | None = None) -> str | None:
    """`value` as +4420..., or None where it is no possible number. `region`: alpha-2 for numbers without a prefix."""
    try:
        number = phonenumbers.parse(value, region or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def alpha_2(value: str) -> str | None:
    """ISO 3166 alpha-2 of a code or an English country name, None where there is none."""
    text = value.strip()
    if not text:
        return None
    try:
        return str(pycountry.countries.lookup(text).alpha_2)
    except LookupError:
        return None


def is_email(value: str) -> bool:
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


def is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def decimal_number(value: str) -> Decimal | None:
    """The number that a text is, None where it is none."""
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _number_key(value: str) -> str:
    number = decimal_number(value)
    return clean_text(value) if number is None else f"{number.normalize() + 0:f}"


def _phone_key(value: str) -> str:
    return e164(value) or "".join(c for c in value.casefold() if c.isalnum() or c == "+")


def _url_key(value: str) -> str:
    text = clean_text(value).casefold()
    return text.removeprefix("https://").removeprefix("http://").removeprefix("www.").rstrip("/")


def tags_of(value: str) -> Mapping[str, str]:
    """The words of "b, A" by the form in which they are compared, each as it is written."""
    words = (clean_text(each) for each in value.split(","))
    return {each.casefold(): each for each in words if each}


def tag_text(words: Iterable[str]) -> str:
    return ", ".join(sorted(words, key=str.casefold))


_KEYS: dict[Kind, Callable[[str], str]] = {
    Kind.TEXT: clean_text,
    Kind.EMAIL: lambda value: clean_text(value).casefold(),
    Kind.PHONE: _phone_key,
    Kind.COUNTRY: lambda value: alpha_2(value) or clean_text(value).casefold(),
    Kind.URL: _url_key,
    Kind.DATE: clean_text,
    Kind.NUMBER: _number_key,
    Kind.TAGS: lambda value: tag_text(tags_of(value)),
    Kind.DOCUMENT: clean_text,
}

_VALID: dict[Kind, tuple[Callable[[str], bool], str]] = {
    Kind.EMAIL: (is_email, "not an e-mail address"),
    Kind.PHONE: (lambda value: e164(value) is not None, "not a phone number"),
    Kind.COUNTRY: (lambda value: alpha_2(value) is not None, "not a known country"),
    Kind.DATE: (lambda value: is_date(value), "not a date (YYYY-MM-DD)"),
    Kind.NUMBER: (lambda value: decimal_number(value) is not None, "not a number"),
}


def same(kind: Kind, left: str, right: str) -> bool:
    return left == right or _KEYS[kind](left) == _KEYS[kind](right)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a side can take of a value: the value as it may be written, or the reason why not."""

    value: str
    refused: str = ""
    note: str = ""


def fit(spec: FieldSpec, value: str, source: FieldSpec | None = None) -> Fitted:
    """Shape `value` for the field `spec` of the receiving side. Empty always fits: it clears the field.

    `source`: the field that it comes from; it matters to a document, which each side computes in its own way.
    """
    text = clean_text(value)
    if not text:
        return Fitted("")
    if spec.kind is Kind.DOCUMENT:
        return _fit_document(spec, text, source)
    if spec.kind in _VALID:
        valid, complaint = _VALID[spec.kind]
        if spec.strict and not valid(text):
            return Fitted(text, refused=f"“{text[:60]}” is {complaint}")
    if spec.kind is Kind.PHONE:
        text = e164(text) or text
    elif spec.kind is Kind.COUNTRY:
        text = alpha_2(text) or text
    if text in spec.refuses or (spec.options is not None and _KEYS[spec.kind](text) not in spec.options):
        return Fitted(text, refused=f"“{text}” is not known there")
    if spec.max_length is not None and len(text) > spec.max_length:
        if spec.strict:
            return Fitted(text, refused=f"longer than the {spec.max_length} characters that are kept there")
        return Fitted(text[: spec.max_length].rstrip(), note=f"shortened to {spec.max_length} characters")
    return Fitted(text)


def _fit_document(spec: FieldSpec, text: str, source: FieldSpec | None) -> Fitted:
    """The same sums to the cent in the receiver's arithmetic, or refused with both sums."""
    if spec.rules is None or source is None or source.rules is None:
        return Fitted(text, refused="it is not known how the sums are made there")
    try:
        found = fit_document(document_of(text), source.rules, spec.rules)
    except ValueError as error:
        return Fitted(text, refused=str(error))
    if isinstance(found, Blocked):
        sums = f"{source.rules.name}: {found.source}, {spec.rules.name}: {found.target}"
        return Fitted(text, refused=f"{found.reason} ({sums})")
    return Fitted(text_of(found.document), note="" if found.how == AS_GIVEN else found.how)

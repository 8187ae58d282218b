"""Values by kind: when two are the same, and what a side can take."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.records import FieldSpec, Kind
from app.sync.values import alpha_2, clean_text, e164, fit, is_email, same

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def spec(kind: Kind = Kind.TEXT, *, keeps: int | None = None, strict: bool = False) -> FieldSpec:
    return FieldSpec(name="field", label="Field", kind=kind, max_length=keeps, strict=strict)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (Kind.TEXT, " Ada ", "Ada"),
        (Kind.TEXT, "a\r\nb", "a\nb"),
        (Kind.TEXT, unicodedata.normalize("NFD", "Zoë"), "Zoë"),
        (Kind.EMAIL, "Ada@Example.COM", "ada@example.com"),
        (Kind.PHONE, "+1 (555) 010-0999", "+15550100999"),
        (Kind.PHONE, "extension 12", "Extension-12"),
        (Kind.COUNTRY, "Germany", "DE"),
        (Kind.COUNTRY, "de", "DE"),
        (Kind.COUNTRY, "Narnia", "narnia "),
        (Kind.URL, "https://www.Example.com/", "example.com"),
    ],
)
def test_these_are_the_same(kind: Kind, left: str, right: str) -> None:
    assert same(kind, left, right)
    assert same(kind, right, left)


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        (Kind.TEXT, "Ada", "ada"),
        (Kind.TEXT, "", "Ada"),
        (Kind.EMAIL, "a@x.org", "b@x.org"),
        (Kind.PHONE, "+15550100999", "+15550100998"),
        (Kind.PHONE, "", "+15550100999"),
        (Kind.COUNTRY, "DE", "AT"),
        (Kind.COUNTRY, "", "DE"),
        (Kind.URL, "example.com/a", "example.com/b"),
    ],
)
def test_these_are_not_the_same(kind: Kind, left: str, right: str) -> None:
    assert not same(kind, left, right)


@given(kind=st.sampled_from(Kind), value=TEXT)
def test_everything_is_the_same_as_itself(kind: Kind, value: str) -> None:
    assert same(kind, value, value)


@given(kind=st.sampled_from(Kind), value=TEXT, keeps=st.none() | st.integers(1, 40), strict=st.booleans())
def test_what_was_fitted_once_fits_as_it_is(kind: Kind, value: str, keeps: int | None, strict: bool) -> None:
    field = spec(kind, keeps=keeps, strict=strict)
    first = fit(field, value)
    if not first.refused:
        again = fit(field, first.value)
        assert (again.value, again.refused) == (first.value, "")


@given(value=TEXT, keeps=st.integers(1, 40))
def test_a_fitted_value_is_never_longer_than_what_is_kept(value: str, keeps: int) -> None:
    assert len(fit(spec(keeps=keeps), value).value) <= keeps


@given(value=TEXT)
def test_a_cleaned_text_is_clean(value: str) -> None:
    assert clean_text(clean_text(value)) == clean_text(value)


@pytest.mark.parametrize("value", ["", "  ", "\n"])
@pytest.mark.parametrize("kind", Kind)
def test_empty_always_fits(kind: Kind, value: str) -> None:
    fitted = fit(spec(kind, keeps=1, strict=True), value)
    assert (fitted.value, fitted.refused, fitted.note) == ("", "", "")


def test_long_text_is_shortened_and_says_so() -> None:
    fitted = fit(spec(keeps=191), "x" * 300)
    assert (fitted.value, fitted.refused) == ("x" * 191, "")
    assert fitted.note == "shortened to 191 characters"


def test_long_text_is_not_left_with_a_blank_at_its_end() -> None:
    assert fit(spec(keeps=5), "four five").value == "four"


def test_a_long_value_that_would_lose_its_meaning_is_refused() -> None:
    long = "a" * 60 + "@" + "b" * 50 + ".org"
    fitted = fit(spec(Kind.EMAIL, keeps=100, strict=True), long)
    assert (fitted.value, fitted.refused) == (long, "longer than the 100 characters that are kept there")


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (Kind.EMAIL, "not an address", "not an e-mail address"),
        (Kind.PHONE, "call me", "not a phone number"),
        (Kind.COUNTRY, "Narnia", "not a known country"),
    ],
)
def test_a_strict_field_refuses_what_is_none_and_names_it(kind: Kind, value: str, complaint: str) -> None:
    fitted = fit(spec(kind, strict=True), value)
    assert fitted.refused == f"“{value}” is {complaint}"


@pytest.mark.parametrize("kind", [Kind.EMAIL, Kind.PHONE, Kind.COUNTRY])
def test_a_lenient_field_takes_what_is_none_as_it_is(kind: Kind) -> None:
    fitted = fit(spec(kind), "whatever")
    assert (fitted.value, fitted.refused) == ("whatever", "")


def test_a_complaint_quotes_no_more_than_60_characters() -> None:
    assert "x" * 61 not in fit(spec(Kind.PHONE, strict=True), "x" * 500).refused


def test_numbers_and_countries_are_written_in_their_normal_form() -> None:
    assert fit(spec(Kind.PHONE, strict=True), "+49 (030) 901820").value == "+4930901820"
    assert fit(spec(Kind.COUNTRY, strict=True), "Italy").value == "IT"


@pytest.mark.parametrize(
    ("value", "region", "number"),
    [
        ("+44 20 7946 0018", None, "+442079460018"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("020 7946 0018", None, None),
        ("call me", None, None),
        ("", None, None),
        ("+1", None, None),
        ("+" + "9" * 40, None, None),
        ("\x00", None, None),
    ],
)
def test_a_phone_is_read_as_a_number_where_it_can_be(value: str, region: str | None, number: str | None) -> None:
    assert e164(value, region) == number


@pytest.mark.parametrize(
    ("value", "code"),
    [("DE", "DE"), ("deu", "DE"), ("Germany", "DE"), (" it ", "IT"), ("Narnia", None), ("", None), ("  ", None)],
)
def test_a_country_is_known_by_code_or_english_name(value: str, code: str | None) -> None:
    assert alpha_2(value) == code


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ("ada@example.com", True),
        ("ada+tag@sub.example.co.uk", True),
        ("jürgen@müller.de", True),
        ("ada@x.test", True),
        ("ada", False),
        ("ada@", False),
        ("a b@x.org", False),
        ("ada@x.org\x00", False),
        ("", False),
        ("x" * 300 + "@x.org", False),
    ],
)
def test_an_address_is_told_from_what_is_none(value: str, valid: bool) -> None:
    assert is_email(value) is valid


@pytest.mark.parametrize("value", ["a\x00b", "\ud800", "a\udfffb"])
def test_what_no_database_can_store_is_cleaned_away(value: str) -> None:
    """PostgreSQL refuses NUL, UTF-8 refuses lone surrogates; both arrive in JSON."""
    cleaned = clean_text(value)
    assert "\x00" not in cleaned
    cleaned.encode()


def test_a_country_that_one_side_does_not_know_is_held_back() -> None:
    spec = FieldSpec(name="country", label="Country", kind=Kind.COUNTRY, strict=True, refuses=frozenset({"CW"}))
    assert fit(spec, "Curaçao").refused
    assert fit(spec, "NL").value == "NL"

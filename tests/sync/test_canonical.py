"""A document as one text, and back."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync.canonical import document_of, text_of, total_of
from app.sync.documents import Discount, Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import Money, NotMoney

CENTS = st.integers(0, 10**9)
amounts = st.builds(lambda cents: Money.from_minor(cents, "EUR"), CENTS)
numbers = st.decimals(0, 10**6, places=3, allow_nan=False)
taxes = st.builds(Tax, st.text(max_size=20), st.decimals(0, 99, places=2), st.booleans())
discounts: st.SearchStrategy[Discount | None] = st.one_of(st.none(), amounts, st.builds(Percent, numbers))
lines = st.builds(
    Line,
    label=st.text(max_size=40),
    quantity=numbers,
    price=numbers,
    currency=st.just("EUR"),
    discount=discounts,
    taxes=st.lists(taxes, max_size=3).map(tuple),
    note=st.text(max_size=40),
)
documents = st.builds(
    Document,
    kind=st.just(DocumentKind.INVOICE),
    number=st.just(""),
    currency=st.just("EUR"),
    issued=st.just(date.min),
    due=st.none(),
    lines=st.lists(lines, max_size=4).map(tuple),
    paid=st.just(Money.zero("EUR")),
    status=st.just(Status.SENT),
    discount=discounts,
    taxes=st.lists(taxes, max_size=2).map(tuple),
    stated=st.one_of(st.none(), amounts),
)


@given(documents)
def test_a_document_comes_back_as_it_was_written(document: Document) -> None:
    text = text_of(document)
    back = document_of(text)
    assert text_of(back) == text
    assert (back.currency, back.stated, len(back.lines)) == ("EUR", document.stated, len(document.lines))
    for one, other in zip(back.lines, document.lines, strict=True):
        assert (one.label, one.note, one.quantity, one.price) == (other.label, other.note, other.quantity, other.price)
        assert one.taxes == other.taxes


@given(documents, numbers)
def test_another_price_is_another_text(document: Document, more: Decimal) -> None:
    line = Line(label="", quantity=Decimal(1), price=more, currency="EUR")
    longer = replace(document, lines=(*document.lines, line))
    assert text_of(longer) != text_of(document)


def test_the_same_number_in_two_spellings_is_one_text() -> None:
    first, second = (
        Document(
            kind=DocumentKind.INVOICE,
            number=number,
            currency="EUR",
            issued=issued,
            due=None,
            lines=(Line(label="Work", quantity=Decimal(quantity), price=Decimal(price), currency="EUR"),),
            paid=Money.zero("EUR"),
            status=Status.DRAFT,
            discount=discount,
        )
        for number, issued, quantity, price, discount in (
            ("1", date(2026, 1, 1), "1", "10", None),
            ("2", date(2026, 2, 2), "1.0", "10.00", Percent(Decimal(0))),
        )
    )
    assert text_of(first) == text_of(second)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"currency":"EUR"}', '{"currency":"???","lines":[]}'])
def test_what_is_no_document_is_refused_and_still_shown(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- any of its kinds
        document_of(text)
    assert total_of(text) == text[:60]


def test_money_is_read_as_it_is_written() -> None:
    assert Money.read(str(Money(Decimal("12.5"), "EUR"))) == Money(Decimal("12.50"), "EUR")
    with pytest.raises(NotMoney):
        Money.read("EUR 12.50")

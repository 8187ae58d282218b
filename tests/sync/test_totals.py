"""What a document comes to, by each vendor's arithmetic.

fixtures/invoice_ninja_sums.json: each different invoice, quote and recurring invoice in the recordings of Invoice Ninja
5.10.42 (answers, lists, payments and webhooks), with the fields that its sums are made of.
"""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.sync.documents import Discount, Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import MixedCurrencies, Money
from app.sync.totals import HIGHLEVEL, INVOICE_NINJA, Extraction, Rounding, TaxBase, totals

FIXTURE = Path(__file__).parent / "fixtures/invoice_ninja_sums.json"
RECORDED: list[dict[str, Any]] = json.loads(FIXTURE.read_text(), parse_float=Decimal)
STATUS = {"1": Status.DRAFT, "2": Status.SENT, "3": Status.PARTLY_PAID, "4": Status.PAID, "5": Status.VOID}
QUOTE_STATUS = {"1": Status.DRAFT, "2": Status.SENT, "3": Status.APPROVED, "4": Status.CONVERTED}


def usd(value: object) -> Money:
    return Money.parse(value, "USD")


def recorded(case: dict[str, Any]) -> Document:
    """A recorded document as the mapping will read it; the account is in US dollars."""
    raw = case["document"]
    is_quote = case["entity"] == "quote"
    status = (QUOTE_STATUS if is_quote else STATUS)[raw["status_id"]]
    # invoices/update_invitations: a cancelled invoice becomes "paid" when it is edited, with nothing paid.
    if status is Status.PAID and not raw["paid_to_date"] and raw["amount"]:
        status = Status.VOID

    def off(of: dict[str, Any]) -> Discount | None:
        given = Decimal(of.get("discount", 0))
        if not given:
            return None
        return usd(given) if raw["is_amount_discount"] else Percent(given)

    def taxes(of: dict[str, Any]) -> tuple[Tax, ...]:
        named = [(of.get(f"tax_name{n}"), of.get(f"tax_rate{n}", 0)) for n in (1, 2, 3)]
        return tuple(Tax(name, Decimal(rate), raw["uses_inclusive_taxes"]) for name, rate in named if name)

    return Document(
        kind=DocumentKind.QUOTE if is_quote else DocumentKind.INVOICE,
        number=raw["number"],
        currency="USD",
        issued=date.fromisoformat(raw["date"]) if raw["date"] else date(2026, 11, 20),
        due=date.fromisoformat(raw["due_date"]) if raw["due_date"] else None,
        lines=tuple(
            Line(
                label=item.get("product_key", ""),
                quantity=Decimal(item.get("quantity", 0)),
                price=Decimal(item.get("cost", 0)),
                currency="USD",
                discount=off(item),
                taxes=taxes(item),
            )
            for item in raw["line_items"]
        ),
        discount=off(raw),
        taxes=taxes(raw),
        paid=usd(raw.get("paid_to_date", 0)),
        status=status,
    )


def document(*lines: Line, discount: Discount | None = None, taxes: tuple[Tax, ...] = ()) -> Document:
    return Document(
        kind=DocumentKind.INVOICE,
        number="1",
        currency=lines[0].currency,
        issued=date(2026, 11, 20),
        due=None,
        lines=lines,
        discount=discount,
        taxes=taxes,
        paid=Money.zero(lines[0].currency),
        status=Status.SENT,
    )


def line(price: str, *taxes: Tax, quantity: str = "1", discount: Discount | None = None, currency: str = "USD") -> Line:
    return Line(
        label="Work",
        quantity=Decimal(quantity),
        price=Decimal(price),
        currency=currency,
        discount=discount,
        taxes=taxes,
    )


VAT = Tax("VAT", Decimal(20))


def test_all_recordings_are_here() -> None:
    assert len(RECORDED) == 52


@pytest.mark.parametrize("case", RECORDED, ids=[case["recording"] for case in RECORDED])
def test_every_recorded_document_comes_to_what_invoice_ninja_says(case: dict[str, Any]) -> None:
    sums = totals(recorded(case), INVOICE_NINJA)
    raw = case["document"]
    assert (sums.total, sums.tax) == (usd(raw["amount"]), usd(raw["total_taxes"]))
    if case["entity"] != "recurring":  # a template has its amount for a balance, and nothing is owed on it
        assert sums.balance == usd(raw["balance"])


def test_a_line_is_rounded_after_its_discount() -> None:
    sums = totals(document(line("49.99", discount=Percent(Decimal(10))), line("0.333")), INVOICE_NINJA)
    assert (sums.net, sums.discount, sums.total) == (usd("50.32"), usd("5.00"), usd("45.32"))


def test_taxes_are_rounded_per_line_by_one_and_per_document_by_the_other() -> None:
    given = document(line("0.33", VAT), line("0.33", VAT), line("0.33", VAT))
    assert totals(given, INVOICE_NINJA).taxes == {"VAT 20 %": usd("0.21")}
    assert totals(given, HIGHLEVEL).taxes == {"VAT 20 %": usd("0.20")}


def test_lines_can_be_left_unrounded() -> None:
    given = document(line("0.333"), line("0.333"), line("0.333"))
    assert totals(given, HIGHLEVEL).total == usd("0.99")
    assert totals(given, replace(HIGHLEVEL, lines=Rounding.DOCUMENT)).total == usd("1.00")


def test_a_discount_lowers_the_taxes_or_not() -> None:
    given = document(line("100", VAT), discount=Percent(Decimal(10)))
    assert totals(given, HIGHLEVEL).total == usd("108")
    assert totals(given, replace(HIGHLEVEL, tax_base=TaxBase.FULL)).total == usd("110")


def test_a_document_tax_is_on_the_discounted_sum() -> None:
    given = document(line("60"), line("40"), discount=usd("10"), taxes=(VAT,))
    assert totals(given, INVOICE_NINJA).total == usd("108")
    assert totals(given, replace(INVOICE_NINJA, tax_base=TaxBase.FULL)).total == usd("110")


def test_two_inclusive_taxes_come_out_of_the_price_each_or_together() -> None:
    given = document(line("120", Tax("A", Decimal(10), inclusive=True), Tax("B", Decimal(10), inclusive=True)))
    together, each = totals(given, HIGHLEVEL), totals(given, replace(HIGHLEVEL, extraction=Extraction.EACH))
    assert (together.total, together.taxes) == (usd("120"), {"A 10 %": usd("10"), "B 10 %": usd("10")})
    assert (each.total, each.tax) == (usd("120"), usd("21.82"))


def test_rates_of_one_name_are_told_apart() -> None:
    sums = totals(document(line("100", VAT), line("100", Tax("VAT", Decimal("5.50")))), HIGHLEVEL)
    assert sums.taxes == {"VAT 20 %": usd("20"), "VAT 5.5 %": usd("5.5")}


def test_decimals_are_those_the_vendor_counts() -> None:
    won = totals(document(line("1005", VAT, quantity="0.1", currency="KRW")), INVOICE_NINJA)
    assert (won.exact_total, won.total) == (Decimal("120.60"), Money.parse(121, "KRW"))
    dinar = document(line("1.234", VAT, currency="KWD"))
    assert totals(dinar, INVOICE_NINJA).total == Money.parse("1.484", "KWD")
    assert totals(dinar, HIGHLEVEL).total == Money.parse("1.481", "KWD")


@pytest.mark.parametrize(
    ("kind", "status", "ninja", "highlevel"),
    [
        (DocumentKind.INVOICE, Status.DRAFT, "0", "70"),
        (DocumentKind.INVOICE, Status.PARTLY_PAID, "70", "70"),
        (DocumentKind.INVOICE, Status.VOID, "0", "0"),
        (DocumentKind.QUOTE, Status.SENT, "0", "0"),
        (DocumentKind.CREDIT, Status.SENT, "70", "70"),
    ],
)
def test_the_balance_is_what_is_owed(kind: DocumentKind, status: Status, ninja: str, highlevel: str) -> None:
    given = replace(document(line("100")), kind=kind, status=status, paid=usd("30"))
    assert totals(given, INVOICE_NINJA).balance == usd(ninja)
    assert totals(given, HIGHLEVEL).balance == usd(highlevel)


def test_issue_invoiceninja_9573_the_word_paid_pays_nothing() -> None:
    """invoiceninja#9573: a small credit marks the whole invoice paid."""
    given = replace(document(line("100")), status=Status.PAID, paid=usd("1"))
    assert totals(given, INVOICE_NINJA).balance == usd("99")


def test_lines_in_two_currencies_have_no_total() -> None:
    with pytest.raises(MixedCurrencies):
        totals(document(line("1"), line("1", currency="EUR")), HIGHLEVEL)


def test_amounts_of_a_document_are_in_its_currency() -> None:
    given = document(line("100"))
    euro = Money.parse(1, "EUR")
    with pytest.raises(MixedCurrencies):
        replace(given, paid=euro)
    with pytest.raises(MixedCurrencies):
        replace(given, discount=euro)
    with pytest.raises(MixedCurrencies):
        replace(given, stated=euro)
    with pytest.raises(MixedCurrencies):
        document(line("1", discount=euro))

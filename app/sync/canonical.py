"""A document as one canonical text, and back: how it travels as the value of a field. Pure.

Two documents charge the same, line by line, exactly where their texts are equal. What a document is called, its dates,
its payments and its state are fields of their own, and not in the text.
"""

import json
from datetime import date
from typing import Any

from app.sync.documents import Discount, Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import Money, number, plain


def text_of(document: Document) -> str:
    """JSON with sorted names and normal numbers; a discount or a tax of nothing is none."""
    body = {
        "currency": document.currency,
        "discount": _discount(document.discount),
        "lines": [_line(line, document.currency) for line in document.lines],
        "taxes": [_tax(tax) for tax in document.taxes],
        "total": str(document.stated.amount) if document.stated else "",
    }
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def document_of(text: str) -> Document:
    """An invoice of that text, without a number, dates or payments. Raises ValueError where it is no such text."""
    try:
        body = json.loads(text)
        currency = str(body["currency"])
        return Document(
            kind=DocumentKind.INVOICE,
            number="",
            currency=currency,
            issued=date.min,
            due=None,
            lines=tuple(_line_of(line, currency) for line in body["lines"]),
            paid=Money.zero(currency),
            status=Status.SENT,
            discount=_discount_of(body["discount"], currency),
            taxes=tuple(_tax_of(tax) for tax in body["taxes"]),
            stated=Money.parse(body["total"], currency) if body["total"] else None,
        )
    except (KeyError, TypeError) as error:
        raise ValueError("not a document in our form") from error


def total_of(text: str) -> str:
    """The sum that the vendor states, such as "120.00 USD"; the text itself where it is no document."""
    try:
        stated = document_of(text).stated
    except ValueError:
        return text[:60]
    return str(stated) if stated else "no sum"


def currencies_of(text: str) -> set[str]:
    """Of a document and its lines; none where it is no document."""
    try:
        document = document_of(text)
    except ValueError:
        return set()
    return {document.currency, *(line.currency for line in document.lines)}


def sums(a: str, b: str) -> str:
    """Of two documents' texts, the CRM's first."""
    return f"{total_of(a)} in the CRM, {total_of(b)} in billing"


def _line(line: Line, currency: str) -> dict[str, Any]:
    return {
        "discount": _discount(line.discount),
        "label": line.label,
        "note": line.note,
        "price": plain(line.price),
        "quantity": plain(line.quantity),
        "taxes": [_tax(tax) for tax in line.taxes],
        **({} if line.currency == currency else {"currency": line.currency}),
    }


def _line_of(body: dict[str, Any], currency: str) -> Line:
    currency = body.get("currency", currency)
    return Line(
        label=body["label"],
        note=body["note"],
        quantity=number(body["quantity"]),
        price=number(body["price"]),
        currency=currency,
        discount=_discount_of(body["discount"], currency),
        taxes=tuple(_tax_of(tax) for tax in body["taxes"]),
    )


def _discount(discount: Discount | None) -> str:
    if isinstance(discount, Percent):
        return f"{plain(discount.value)} %" if discount.value else ""
    return str(discount.amount) if discount and discount.amount else ""


def _discount_of(text: str, currency: str) -> Discount | None:
    if text.endswith(" %"):
        return Percent(number(text.removesuffix(" %")))
    return Money.parse(text, currency) if text else None


def _tax(tax: Tax) -> list[Any]:
    return [tax.name, plain(tax.rate), tax.inclusive]


def _tax_of(body: list[Any]) -> Tax:
    name, rate, inclusive = body
    return Tax(name, number(rate), bool(inclusive))

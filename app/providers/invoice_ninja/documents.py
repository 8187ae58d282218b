"""Invoice Ninja's lines, discounts and taxes as a document of ours, and back. Pure. contracts/invoice_ninja, section 5.

`raw` is an answer, or a part of one, read with `parse_float=Decimal`.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from app.sync.documents import Discount, Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import Money, number

STATUSES: Mapping[DocumentKind, Mapping[str, Status]] = {
    DocumentKind.INVOICE: {
        "1": Status.DRAFT,
        "2": Status.SENT,
        "3": Status.PARTLY_PAID,
        "4": Status.PAID,
        "5": Status.VOID,
        "6": Status.VOID,  # reversed by a credit
    },
    DocumentKind.QUOTE: {"1": Status.DRAFT, "2": Status.SENT, "3": Status.APPROVED, "4": Status.CONVERTED},
}
TAXES = (1, 2, 3)
LONGEST_LABEL = 191
"""Longer ones are cut there in silence: section 2."""


def read(raw: Mapping[str, Any], currency: str, kind: DocumentKind, *, today: date) -> Document:
    """`today`: what a document without a date, a template, is dated. MoneyError where an amount is none."""
    return Document(
        kind=kind,
        number=str(raw["number"] or ""),
        currency=currency,
        issued=_day(raw["date"]) or today,
        due=_day(raw["due_date"]),
        lines=tuple(_line(each, raw, currency) for each in raw["line_items"]),
        discount=_discount(raw, raw, currency),
        taxes=_taxes(raw, raw),
        paid=Money.parse(raw.get("paid_to_date") or 0, currency),
        status=status(raw, kind),
        stated=Money.parse(raw["amount"], currency) if "amount" in raw else None,
    )


def status(raw: Mapping[str, Any], kind: DocumentKind = DocumentKind.INVOICE) -> Status:
    found = STATUSES[kind].get(str(raw["status_id"]), Status.SENT)
    # A cancelled invoice becomes "paid" when it is edited, with nothing paid: invoices/update_invitations.
    if found is Status.PAID and raw["amount"] and not raw["paid_to_date"]:
        return Status.VOID
    return found


def body(document: Document) -> dict[str, Any]:
    """All that a document's sums are made of; it replaces what was there. `fitting.fit` has made it one it can hold."""
    discounts = [document.discount, *(line.discount for line in document.lines)]
    return {
        "is_amount_discount": any(isinstance(discount, Money) for discount in discounts),
        "uses_inclusive_taxes": any(tax.inclusive for tax in document.all_taxes),
        "discount": _size(document.discount),
        **_tax_fields(document.taxes),
        "line_items": [
            {
                "product_key": line.label[:LONGEST_LABEL],
                "notes": line.note,
                "quantity": line.quantity,
                "cost": line.price,
                "discount": _size(line.discount),
                "is_amount_discount": any(isinstance(discount, Money) for discount in discounts),
                **_tax_fields(line.taxes),
            }
            for line in document.lines
        ],
    }


def _line(item: Mapping[str, Any], raw: Mapping[str, Any], currency: str) -> Line:
    return Line(
        label=str(item.get("product_key") or ""),
        note=str(item.get("notes") or ""),
        quantity=number(item.get("quantity") or 0),
        price=number(item.get("cost") or 0),
        currency=currency,
        discount=_discount(item, raw, currency),
        taxes=_taxes(item, raw),
    )


def _discount(of: Mapping[str, Any], raw: Mapping[str, Any], currency: str) -> Discount | None:
    """A line's own `is_amount_discount` is ignored by the product: the document's counts."""
    given = number(of.get("discount") or 0)
    if not given:
        return None
    return Money(given, currency) if raw["is_amount_discount"] else Percent(given)


def _taxes(of: Mapping[str, Any], raw: Mapping[str, Any]) -> tuple[Tax, ...]:
    named = ((of.get(f"tax_name{n}"), of.get(f"tax_rate{n}") or 0) for n in TAXES)
    return tuple(Tax(str(name), number(rate), bool(raw["uses_inclusive_taxes"])) for name, rate in named if name)


def _size(discount: Discount | None) -> Decimal:
    if isinstance(discount, Percent):
        return discount.value
    return discount.amount if discount else Decimal(0)


def _tax_fields(taxes: tuple[Tax, ...]) -> dict[str, Any]:
    """Those that are not there are said to be none, so that an update takes them away."""
    given = dict(zip(TAXES, taxes, strict=False))
    return {
        field: value
        for n in TAXES
        for field, value in (
            (f"tax_name{n}", given[n].name if n in given else ""),
            (f"tax_rate{n}", given[n].rate if n in given else Decimal(0)),
        )
    }


def _day(text: Any) -> date | None:
    return date.fromisoformat(str(text)[:10]) if text else None

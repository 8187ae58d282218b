"""HighLevel's items, discount and taxes as a document of ours, and back. Pure. apps/invoices.json.

`raw` is an answer read with `parse_float=Decimal`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.sync.documents import Discount, Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import Money, as_json, number

STATUSES: Mapping[str, Status] = {
    "draft": Status.DRAFT,
    "sent": Status.SENT,
    "payment_processing": Status.SENT,
    "partially_paid": Status.PARTLY_PAID,
    "paid": Status.PAID,
    "void": Status.VOID,
}
_ITEM = frozenset({"name", "description", "productId", "priceId", "currency", "amount", "qty", "taxes", "type"})
_ITEM |= {"automaticTaxCategoryId", "isSetupFeeItem", "taxInclusive"}
UNNAMED = "Item"
"""HighLevel wants a name for every item."""


def read(raw: Mapping[str, Any], zone: ZoneInfo) -> Document:
    """MoneyError where an amount is none; ValueError where a date is none."""
    currency = str(raw["currency"])
    return Document(
        kind=DocumentKind.INVOICE,
        number=str(raw.get("invoiceNumber") or ""),
        currency=currency,
        issued=day(raw["issueDate"], zone),
        due=day(raw["dueDate"], zone) if raw.get("dueDate") else None,
        lines=tuple(_line(each, currency) for each in raw["invoiceItems"]),
        discount=_discount(raw.get("discount") or {}, currency),
        paid=Money.parse(raw["amountPaid"], currency),
        status=STATUSES.get(str(raw["status"]), Status.SENT),
        stated=Money.parse(raw["total"], currency),
    )


def items(document: Document) -> list[dict[str, Any]]:
    """`fitting.fit` has made it one without discounts on lines and without taxes on the whole."""
    return [
        {
            "name": line.label or line.note.partition("\n")[0] or UNNAMED,
            "description": line.note,
            "currency": line.currency,
            "amount": as_json(line.price),
            "qty": as_json(line.quantity),
            "taxes": [_tax(tax) for tax in line.taxes],
            "taxInclusive": any(tax.inclusive for tax in line.taxes),
        }
        for line in document.lines
    ]


def as_sent(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Items of an answer, with what may stand in a request: InvoiceItemDto."""
    return [{name: value for name, value in item.items() if name in _ITEM} for item in items]


def discount(document: Document) -> dict[str, Any]:
    if isinstance(document.discount, Percent):
        return {"type": "percentage", "value": as_json(document.discount.value)}
    return {"type": "fixed", "value": as_json(document.discount.amount if document.discount else Decimal(0))}


def day(text: Any, zone: ZoneInfo) -> date:
    """A date as it is; of a moment, the day that it is in the location, midnight in UTC being a date without a time."""
    if len(str(text)) == len("2026-11-21"):
        return date.fromisoformat(str(text))
    moment = datetime.fromisoformat(str(text))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    in_utc = moment.astimezone(UTC)
    return in_utc.date() if in_utc.time() == time() else moment.astimezone(zone).date()


def _line(item: Mapping[str, Any], currency: str) -> Line:
    inclusive = bool(item.get("taxInclusive"))
    return Line(
        label=str(item["name"]),
        note=str(item.get("description") or ""),
        quantity=number(item["qty"]),
        price=number(item["amount"]),
        currency=str(item.get("currency") or currency),
        taxes=tuple(
            Tax(str(tax.get("name") or ""), number(tax.get("rate") or 0), inclusive) for tax in item.get("taxes") or ()
        ),
    )


def _discount(raw: Mapping[str, Any], currency: str) -> Discount | None:
    value = number(raw.get("value") or 0)
    if not value:
        return None
    return Percent(value) if raw.get("type") == "percentage" else Money(value, currency)


def _tax(tax: Tax) -> dict[str, Any]:
    """A tax needs an id; one name and rate is always the same tax."""
    made = hashlib.sha256(tax.label.encode()).hexdigest()[:24]
    return {"_id": made, "name": tax.name, "rate": as_json(tax.rate), "calculation": "exclusive"}

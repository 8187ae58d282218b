"""Line items and sums of invoices, quotes and recurring invoices (contracts/invoice_ninja, section 5). Pure."""

from collections.abc import Mapping
from typing import Any

from app.sandbox.invoice_ninja.bodies import number, text, tidy
from app.sandbox.invoice_ninja.columns import CUSTOM
from app.sandbox.invoice_ninja.store import Row

_TEXTS = ("product_key", "notes", "tax_name1", "tax_name2", "tax_name3", "date", *CUSTOM, "task_id", "expense_id")
_NUMBERS = ("quantity", "cost", "product_cost", "discount", "tax_rate1", "tax_rate2", "tax_rate3")


def line(given: Mapping[str, Any]) -> Row:
    """The product is not looked up by its key: no cost and no quantity is 0."""
    item: Row = {name: text(given.get(name)) for name in _TEXTS}
    item |= {name: number(given.get(name)) for name in _NUMBERS}
    defaults = {"type_id": "1", "tax_id": "1", "sort_id": "0", "unit_code": "C62"}
    item |= {name: text(given.get(name)) or value for name, value in defaults.items()}
    return item


def add_up(row: Row) -> None:
    """Set `amount`, `total_taxes` and each line's total and tax.

    A line's own `is_amount_discount` is ignored: the document's counts (recorded: invoices/create_custom_number).
    """
    for item in row["line_items"]:
        item["is_amount_discount"] = row["is_amount_discount"]
        gross = item["quantity"] * item["cost"]
        item["line_total"] = cents(gross - _discount(item, gross))
    subtotal = sum(item["line_total"] for item in row["line_items"])
    off = _discount(row, subtotal)
    share = 1 - off / subtotal if subtotal else 1
    taxes = 0.0
    for item in row["line_items"]:
        tax = _tax(item, item["line_total"] * share, inclusive=row["uses_inclusive_taxes"])
        item["tax_amount"] = cents(tax)
        gross = item["line_total"] if row["uses_inclusive_taxes"] else item["line_total"] + tax
        item["gross_line_total"] = cents(gross)
        taxes += tax
    taxes += _tax(row, subtotal - off, inclusive=row["uses_inclusive_taxes"])
    row["total_taxes"] = cents(taxes)
    row["amount"] = cents(subtotal - off + (0 if row["uses_inclusive_taxes"] else taxes))


def _discount(row: Row, of: float) -> float:
    return float(row["discount"] if row["is_amount_discount"] else of * row["discount"] / 100)


def _tax(row: Row, on: float, *, inclusive: bool) -> float:
    rates = [row[f"tax_rate{n}"] for n in range(1, 4) if row[f"tax_name{n}"]]
    return float(sum(on - on / (1 + rate / 100) if inclusive else on * rate / 100 for rate in rates))


def cents(value: float) -> float | int:
    return tidy(round(value + 1e-9, 2))

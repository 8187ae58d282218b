"""Invoices, quotes and credits in our own words: what both vendors' documents are turned into. Pure.

Dates are dates: a due date has no time and no zone, so nothing shifts at midnight (killbill#1074).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from app.sync.money import MixedCurrencies, Money, minor_units


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    QUOTE = "quote"
    CREDIT = "credit"


class Status(StrEnum):
    """What a person did with the document. How much of it is paid is read from the amounts, never from here
    (invoiceninja#9573: a small credit marks an invoice paid)."""

    DRAFT = "draft"
    SENT = "sent"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    VOID = "void"
    APPROVED = "approved"  # a quote
    CONVERTED = "converted"  # a quote that an invoice was made of


@dataclass(frozen=True, slots=True)
class Percent:
    """`value`: 12.5 is 12.5 %."""

    value: Decimal

    def __str__(self) -> str:
        return f"{self.value.normalize():f} %"


Discount = Percent | Money


@dataclass(frozen=True, slots=True)
class Tax:
    """`rate` in percent. `inclusive`: the price has this tax in it already."""

    name: str
    rate: Decimal
    inclusive: bool = False

    @property
    def label(self) -> str:
        """The name that sums go by: "VAT 20 %", as one name may have several rates."""
        return f"{self.name} {Percent(self.rate)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`price` is for one, in `currency`, and may be finer than a cent. `discount` is off the line, not off one."""

    label: str
    quantity: Decimal
    price: Decimal
    currency: str
    discount: Discount | None = None
    taxes: tuple[Tax, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`taxes` and `discount` are the document's own, beside those of its lines.

    `stated`: the sum that the vendor itself gives; it is the truth, and our arithmetic is checked against it.
    MixedCurrencies if `discount`, `paid` or `stated` are not in `currency`; UnknownCurrency for a code we do not know.
    A line in another currency is a fact to be reported, see `fitting.fit`.
    """

    kind: DocumentKind
    number: str
    currency: str
    issued: date
    due: date | None
    lines: tuple[Line, ...]
    paid: Money
    status: Status
    discount: Discount | None = None
    taxes: tuple[Tax, ...] = ()
    stated: Money | None = None

    def __post_init__(self) -> None:
        amounts = [self.paid, *(a for a in (self.discount, self.stated) if isinstance(a, Money))]
        for amount in amounts:
            if amount.currency != self.currency:
                raise MixedCurrencies(f"{amount} on a document in {self.currency}")
        for line in self.lines:
            minor_units(line.currency)
            if isinstance(line.discount, Money) and line.discount.currency != line.currency:
                raise MixedCurrencies(f"{line.discount} off a line in {line.currency}")

    @property
    def all_taxes(self) -> tuple[Tax, ...]:
        return (*self.taxes, *(tax for line in self.lines for tax in line.taxes))

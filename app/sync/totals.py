"""What a document comes to by one vendor's arithmetic. Pure.

Neither vendor compounds taxes: each tax of a line is on the same base, and a document's own taxes are on the sum of the
lines without their taxes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from enum import StrEnum

from app.sync.documents import Document, DocumentKind, Line, Percent, Status, Tax
from app.sync.money import EXACT, MixedCurrencies, Money, minor_units, quantised

_HUNDRED = Decimal(100)


class Rounding(StrEnum):
    LINE = "per line"
    DOCUMENT = "per document"


class TaxBase(StrEnum):
    DISCOUNTED = "after the document's discount"
    FULL = "before the document's discount"


class Extraction(StrEnum):
    """How several inclusive taxes are taken out of one price."""

    EACH = "each by itself"  # price - price / (1 + rate)
    TOGETHER = "together"  # price * rate / (1 + all rates)


class Scope(StrEnum):
    LINE = "line"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How one vendor computes, and what it can hold. Halves are rounded away from zero.

    `minor_units`: where the vendor's decimals of a currency are not ISO's. `discount_places`, `tax_places`: decimals
    that a discount and a tax are rounded to, None for the currency's. `unowed`: with these no balance is shown.

    `taxes_at_most`: taxes on one line, None without limit; `inclusive_at_most`: of which inclusive.
    `inclusive_by`: what chooses between inclusive and exclusive. `tax_name_from`: shorter names are not computed.
    `one_discount_kind`: percent or amounts throughout. `whole_lines_with_amounts`: with amounts, a line of a fraction
    of a cent is not known to be rounded.
    """

    name: str
    lines: Rounding
    taxes: Rounding
    tax_base: TaxBase
    extraction: Extraction
    discount_places: int | None = None
    tax_places: int | None = None
    minor_units: Mapping[str, int] = field(default_factory=dict)
    unowed: frozenset[Status] = frozenset()
    taxes_at_most: int | None = None
    inclusive_at_most: int | None = None
    inclusive_by: Scope
    tax_name_from: int = 1
    line_discounts: bool = True
    document_taxes: bool = True
    one_discount_kind: bool = False
    whole_lines_with_amounts: bool = False

    def places(self, currency: str) -> int:
        return self.minor_units.get(currency, minor_units(currency))


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """`net`: the lines before any discount, with the inclusive taxes in them. `discount`: all that is taken off.

    `net - discount` and the exclusive taxes make `total`. `taxes` by `Tax.label`, inclusive ones too. `exact_total`: as
    the vendor rounds it; finer than `total` where the vendor counts decimals that the currency has not.
    `balance`: what the vendor shows as owed, 0 for a quote and in the states where it shows none.
    """

    net: Money
    discount: Money
    taxes: Mapping[str, Money]
    total: Money
    paid: Money
    balance: Money
    exact_total: Decimal

    @property
    def tax(self) -> Money:
        return sum(self.taxes.values(), Money.zero(self.total.currency))


def totals(document: Document, rules: Rules) -> Totals:
    """MixedCurrencies if a line is not in the document's currency."""
    for line in document.lines:
        if line.currency != document.currency:
            raise MixedCurrencies(f"a line in {line.currency} on a document in {document.currency}")
    with localcontext(EXACT):
        return _totals(document, rules)


def line_sums(document: Document, rules: Rules) -> list[tuple[Decimal, Decimal]]:
    """Of each line: before and after its own discount. Call it within `EXACT`."""
    places = rules.places(document.currency) if rules.lines is Rounding.LINE else None
    sums = []
    for line in document.lines:
        gross = line.quantity * line.price
        sums.append((_round(gross, places), _round(gross - _line_discount(line, gross), places)))
    return sums


def document_discount(document: Document, of: Decimal, rules: Rules) -> Decimal:
    if isinstance(document.discount, Percent):
        places = rules.places(document.currency) if rules.discount_places is None else rules.discount_places
        return quantised(of * document.discount.value / _HUNDRED, places)
    return document.discount.amount if document.discount else Decimal(0)


def _totals(document: Document, rules: Rules) -> Totals:
    sums = line_sums(document, rules)
    net = sum((gross for gross, _ in sums), Decimal(0))
    subtotal = sum((after for _, after in sums), Decimal(0))
    off = document_discount(document, subtotal, rules)
    taxes = _taxes(document, [after for _, after in sums], off, rules)
    added = sum((amount for tax, amount in taxes.items() if not tax.inclusive), Decimal(0))
    exact = quantised(subtotal - off + added, rules.places(document.currency))
    total = Money.rounded(exact, document.currency)
    by_label: dict[str, Money] = {}
    for tax, amount in taxes.items():
        before = by_label.get(tax.label, Money.zero(document.currency))
        by_label[tax.label] = before + Money.rounded(amount, document.currency)
    owed = document.kind is not DocumentKind.QUOTE and document.status not in rules.unowed
    return Totals(
        net=Money.rounded(net, document.currency),
        discount=Money.rounded(net, document.currency) - Money.rounded(subtotal - off, document.currency),
        taxes=by_label,
        total=total,
        paid=document.paid,
        balance=total - document.paid if owed else Money.zero(document.currency),
        exact_total=exact,
    )


def _taxes(document: Document, nets: list[Decimal], off: Decimal, rules: Rules) -> dict[Tax, Decimal]:
    places = rules.places(document.currency) if rules.tax_places is None else rules.tax_places
    subtotal = sum(nets, Decimal(0))
    left = _share_left(document, subtotal, off) if rules.tax_base is TaxBase.DISCOUNTED else Decimal(1)
    found: dict[Tax, Decimal] = {}
    for line, net in zip(document.lines, nets, strict=True):
        for tax in line.taxes:
            amount = _tax(tax, line.taxes, net * left, rules)
            found[tax] = found.get(tax, Decimal(0)) + _round(amount, places if rules.taxes is Rounding.LINE else None)
    base = subtotal - off if rules.tax_base is TaxBase.DISCOUNTED else subtotal
    for tax in document.taxes:
        found[tax] = found.get(tax, Decimal(0)) + quantised(_tax(tax, document.taxes, base, rules), places)
    return {tax: quantised(amount, places) for tax, amount in found.items()}


def _share_left(document: Document, subtotal: Decimal, off: Decimal) -> Decimal:
    """What the document's discount leaves of each line: by the percentage itself, not by the rounded sum."""
    if isinstance(document.discount, Percent):
        return 1 - document.discount.value / _HUNDRED
    return 1 - off / subtotal if subtotal else Decimal(1)


def _tax(tax: Tax, beside: tuple[Tax, ...], base: Decimal, rules: Rules) -> Decimal:
    if not tax.inclusive:
        return base * tax.rate / _HUNDRED
    rates = tax.rate
    if rules.extraction is Extraction.TOGETHER:
        rates = sum((other.rate for other in beside if other.inclusive), Decimal(0))
    return base * tax.rate / (_HUNDRED + rates)


def _line_discount(line: Line, gross: Decimal) -> Decimal:
    if isinstance(line.discount, Percent):
        return gross * line.discount.value / _HUNDRED
    return line.discount.amount if line.discount else Decimal(0)


def _round(value: Decimal, places: int | None) -> Decimal:
    return value if places is None else quantised(value, places)


# Marks as in contracts/invoice_ninja: [O] recorded; [C] read in its code (app/Helpers/Invoice: InvoiceSum,
# InvoiceItemSum, Taxer, Discounter; versions of 2023 to 2026), as no recording tells it apart; [N] newer.
# Two settings change it and are not in here: enable_rappen_rounding (sums to 0.05) and PEPPOL (taxes are not rounded).
INVOICE_NINJA = Rules(
    name="Invoice Ninja",
    lines=Rounding.LINE,  # [O] invoices/create: 49.99 less 10 % is 44.99
    taxes=Rounding.LINE,  # [C] each tax of each line by itself
    tax_base=TaxBase.DISCOUNTED,  # [O] invoices/create: 20 % of 201 less 5 %
    extraction=Extraction.EACH,  # [C]; TOGETHER in 2026 [N], hence inclusive_at_most
    discount_places=2,  # [C] whatever the currency
    tax_places=2,  # [C] whatever the currency
    # [C] CurrenciesSeeder. `GET /statics` has those of the installation: replace(INVOICE_NINJA, minor_units=...)
    minor_units={
        **dict.fromkeys(("HUF", "PKR", "MGA"), 0),
        **dict.fromkeys(("BHD", "JOD", "KRW", "OMR", "RWF", "TND", "UGX", "XOF", "XPF"), 2),
    },
    unowed=frozenset({Status.DRAFT, Status.VOID}),  # [O] invoices/create, bulk_cancel
    taxes_at_most=3,
    inclusive_at_most=1,
    inclusive_by=Scope.DOCUMENT,  # uses_inclusive_taxes
    tax_name_from=2,  # [C] a tax with a name of one letter is shown on the line and left out of the sum
    one_discount_kind=True,  # [O] invoices/create_custom_number: a line's own is_amount_discount is ignored
    whole_lines_with_amounts=True,  # [C] such lines are not rounded, with percentages they are
)

# HighLevel publishes the fields (openapi/apps/invoices.json: InvoiceItemDto, ItemTaxDto, DiscountDto, TotalSummaryDto)
# and not the arithmetic. What follows is inferred from them; `Document.stated` is what keeps it honest.
HIGHLEVEL_LINES = Rounding.LINE  # an amount on its page has the currency's decimals
HIGHLEVEL_TAXES = Rounding.DOCUMENT  # TotalSummaryDto has one sum of taxes, and items have none
HIGHLEVEL_TAX_BASE = TaxBase.DISCOUNTED  # usual, and what a tax office asks for
HIGHLEVEL_EXTRACTION = Extraction.TOGETHER  # taxInclusive is a property of the item, not of one of its taxes
HIGHLEVEL = Rules(
    name="HighLevel",
    lines=HIGHLEVEL_LINES,
    taxes=HIGHLEVEL_TAXES,
    tax_base=HIGHLEVEL_TAX_BASE,
    extraction=HIGHLEVEL_EXTRACTION,
    unowed=frozenset(
        {Status.VOID}
    ),  # a draft's amountDue is its total: example of GetInvoiceResponseDto; void is inferred
    inclusive_by=Scope.LINE,
    line_discounts=False,
    document_taxes=False,
)

"""One vendor's document as another vendor must be given it, or the reason why not. Pure.

The same sums to the cent, or nothing: a document is expressed in another way (discounts as amounts, on the lines, taxes
on the document), and no line, quantity, price, tax or cent is ever made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from app.sync.documents import Discount, Document, Line, Percent, Tax
from app.sync.money import EXACT, Money, quantised
from app.sync.totals import Rules, Scope, Totals, document_discount, line_sums, totals

AS_GIVEN = "as given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """`document`: what the target is given. `how`: in what it differs from the source's, `AS_GIVEN` where in nothing.

    `source` and `target` agree in net less discount, in each tax, in total and paid. Balances can differ by the
    vendors' customs: Invoice Ninja shows none on a draft.
    """

    document: Document
    how: str
    source: Totals
    target: Totals


@dataclass(frozen=True, slots=True)
class Blocked:
    """`source`: what the document comes to where it is. `target`: what the other side would make of it, as near as it
    can hold it. They can be equal, where only its taxes differ or it cannot be held at all. `reason`: one sentence.
    """

    source: Money
    target: Money
    reason: str


def fit(
    document: Document, source_rules: Rules, target_rules: Rules, *, target_currency: str | None = None
) -> Mirror | Blocked:
    """`target_currency`: what the target's client is billed in, where that is fixed. Invoice Ninja has it on the
    client, and changing it rewrites old invoices (invoiceninja#8283). MoneyError if a sum is more than can be counted.
    """
    foreign = _foreign(document, target_rules, target_currency)
    if foreign:
        return foreign
    wanted = totals(document, source_rules)
    wrong = _wrong_at_the_source(document, wanted, source_rules)
    if wrong:
        return wrong
    near: tuple[Totals, str] | None = None
    for how, candidate in _candidates(document, source_rules):
        if _obstacle(candidate, target_rules):
            continue
        made = totals(candidate, target_rules)
        difference = _difference(wanted, made)
        if not difference:
            return Mirror(document=candidate, how=how, source=wanted, target=made)
        near = near or (made, f"{target_rules.name} comes to {difference} in {source_rules.name}")
    if near is None:
        made = totals(_forced(document, target_rules), target_rules)
        near = made, _obstacle(document, target_rules)
    return Blocked(wanted.total, near[0].total, near[1])


def _foreign(document: Document, target: Rules, target_currency: str | None) -> Blocked | None:
    odd = next((line for line in document.lines if line.currency != document.currency), None)
    if odd:
        reason = f"its line “{odd.label}” is in {odd.currency} and the document in {document.currency}"
        return Blocked(_plain_sum(document, document.currency), _plain_sum(document, odd.currency), reason)
    if target_currency not in (None, document.currency):
        total = _plain_sum(document, document.currency)
        reason = f"it is in {document.currency} and the client in {target.name} is billed in {target_currency}"
        return Blocked(total, Money.rounded(total.amount, str(target_currency)), reason)
    return None


def _plain_sum(document: Document, currency: str) -> Money:
    """What a document states, or its lines in one currency without discounts and taxes."""
    if document.stated and document.currency == currency:
        return document.stated
    with localcontext(EXACT):
        amounts = (line.quantity * line.price for line in document.lines if line.currency == currency)
        return Money.rounded(sum(amounts, Decimal(0)), currency)


def _wrong_at_the_source(document: Document, sums: Totals, source: Rules) -> Blocked | None:
    total = sums.total
    if sums.exact_total != total.amount:
        return Blocked(
            total, total, f"{source.name} comes to {sums.exact_total}, finer than {document.currency} has coins"
        )
    if document.stated and document.stated != total:
        reason = f"{source.name} states {document.stated} and its lines, discounts and taxes come to {total}"
        return Blocked(document.stated, total, reason)
    if sums.discount.amount and not 0 <= sums.discount.amount <= sums.net.amount:
        return Blocked(total, total, f"{sums.discount} is taken off lines that come to {sums.net}")
    if document.paid > total and document.paid.amount > 0:
        return Blocked(total, document.paid, f"{document.paid} is paid of a document that comes to {total}")
    return None


def _difference(wanted: Totals, made: Totals) -> str:
    """The first figure that differs as "X instead of Y", "" where all agree."""
    if made.exact_total != wanted.total.amount:
        return f"{made.exact_total} {made.total.currency} instead of {wanted.total}"
    left, right = (sums.net - sums.discount for sums in (wanted, made))
    if left != right:
        return f"{right} of lines less discounts instead of {left}"
    for label in {**wanted.taxes, **made.taxes}:
        left, right = (t.taxes.get(label, Money.zero(t.total.currency)) for t in (wanted, made))
        if left != right:
            return f"{right} of {label} instead of {left}"
    return ""


def _obstacle(document: Document, rules: Rules) -> str:
    """Why this vendor cannot hold the document as it is, "" where it can."""
    kinds = {type(discount) for discount in _discounts(document)}
    checks = (
        (not rules.line_discounts and any(_off(line) for line in document.lines), "has no discount on a single line"),
        (not rules.document_taxes and bool(document.taxes), "has no taxes on the document as a whole"),
        (rules.one_discount_kind and len(kinds) > 1, "has discounts in percent or in amounts, not both"),
        (_too_many(document, rules.taxes_at_most), f"has {rules.taxes_at_most} taxes at most"),
        (
            _too_many(document, rules.inclusive_at_most, inclusive=True),
            f"is trusted with {rules.inclusive_at_most} inclusive tax at most on a line",
        ),
        (_mixed(document, rules.inclusive_by), f"has inclusive or exclusive taxes, one for each {rules.inclusive_by}"),
        (
            any(len(tax.name) < rules.tax_name_from for tax in document.all_taxes),
            f"leaves out taxes whose name is shorter than {rules.tax_name_from} letters",
        ),
        (
            rules.whole_lines_with_amounts and Money in kinds and _broken_lines(document, rules),
            "is not known to round a line of a fraction of a cent beside a discount in an amount",
        ),
        (_too_fine(document, rules), f"counts {rules.places(document.currency)} decimals of {document.currency}"),
    )
    return next((f"{rules.name} {text}" for applies, text in checks if applies), "")


def _discounts(document: Document) -> list[Discount]:
    found = [document.discount, *(line.discount for line in document.lines)]
    return [discount for discount in found if discount and _size(discount)]


def _size(discount: Discount) -> Decimal:
    return discount.value if isinstance(discount, Percent) else discount.amount


def _off(line: Line) -> bool:
    return line.discount is not None and _size(line.discount) != 0


def _too_many(document: Document, most: int | None, *, inclusive: bool | None = None) -> bool:
    if most is None:
        return False
    groups = [document.taxes, *(line.taxes for line in document.lines)]
    return any(sum(inclusive in (None, tax.inclusive) for tax in taxes) > most for taxes in groups)


def _mixed(document: Document, by: Scope) -> bool:
    groups = [document.all_taxes] if by is Scope.DOCUMENT else [line.taxes for line in document.lines]
    return any(len({tax.inclusive for tax in taxes}) > 1 for taxes in groups)


def _too_fine(document: Document, rules: Rules) -> bool:
    places = rules.places(document.currency)
    amounts = [document.paid, *(discount for discount in _discounts(document) if isinstance(discount, Money))]
    return any(quantised(money.amount, places) != money.amount for money in amounts)


def _broken_lines(document: Document, rules: Rules) -> bool:
    with localcontext(EXACT):
        products = [line.quantity * line.price for line in document.lines]
        return any(product != round(product, rules.places(document.currency)) for product in products)


def _candidates(document: Document, source: Rules) -> Iterator[tuple[str, Document]]:
    """The same document in other words, the nearest first."""
    amounts = _in_amounts(document, source)
    ways = [
        (AS_GIVEN, document),
        ("discounts in amounts", amounts),
        ("discounts on the lines", _spread(amounts, source)),
    ]
    yield from ways
    for how, way in ways:
        moved = _taxes_to_document(way) if not way.taxes else _taxes_to_lines(way)
        where = "document" if moved.taxes else "lines"
        yield f"{how}, taxes on the {where}" if how != AS_GIVEN else f"taxes on the {where}", moved


def _in_amounts(document: Document, source: Rules) -> Document:
    """Percentages as the amounts they are at the source."""
    if not any(isinstance(discount, Percent) for discount in _discounts(document)):
        return document
    with localcontext(EXACT):
        sums = line_sums(document, source)
        off = document_discount(document, sum((after for _, after in sums), Decimal(0)), source)
    lines = tuple(
        replace(line, discount=Money.rounded(gross - after, line.currency) if _off(line) else None)
        for line, (gross, after) in zip(document.lines, sums, strict=True)
    )
    return replace(document, lines=lines, discount=Money.rounded(off, document.currency) if off else None)


def _spread(document: Document, source: Rules) -> Document:
    """The document's discount, an amount, shared out to the lines by what they come to."""
    with localcontext(EXACT):
        nets = [after for _, after in line_sums(document, source)]
    if not isinstance(document.discount, Money) or min(nets, default=Decimal(-1)) < 0 or not any(nets):
        return document
    lines = tuple(
        replace(line, discount=share + line.discount if isinstance(line.discount, Money) else share)
        for line, share in zip(document.lines, document.discount.allocate(nets), strict=True)
    )
    return replace(document, lines=lines, discount=None)


def _taxes_to_document(document: Document) -> Document:
    """Where all lines bear the same taxes."""
    shared = {line.taxes for line in document.lines}
    if len(shared) != 1:
        return document
    return replace(document, taxes=shared.pop(), lines=tuple(replace(line, taxes=()) for line in document.lines))


def _taxes_to_lines(document: Document) -> Document:
    if not document.lines:
        return document
    lines = tuple(replace(line, taxes=(*line.taxes, *document.taxes)) for line in document.lines)
    return replace(document, taxes=(), lines=lines)


def _forced(document: Document, rules: Rules) -> Document:
    """What is left of the document where the vendor drops what it cannot hold. It is summed and shown, never sent."""
    inclusive = next((tax.inclusive for tax in document.all_taxes), False)

    def kept(taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
        named = (tax for tax in taxes if len(tax.name) >= rules.tax_name_from)
        if rules.inclusive_by is Scope.DOCUMENT:
            named = (replace(tax, inclusive=inclusive) for tax in named)
        return tuple(named)[: rules.taxes_at_most]

    lines = tuple(
        replace(line, taxes=kept(line.taxes), discount=line.discount if rules.line_discounts else None)
        for line in document.lines
    )
    return replace(document, lines=lines, taxes=kept(document.taxes) if rules.document_taxes else ())

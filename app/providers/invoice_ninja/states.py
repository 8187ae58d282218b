"""What documents and payments have gone through, and when: each is told once. Pure. contracts/invoice_ninja, section 5.

A status is believed only where no amount says it: an invoice is paid when nothing of it is open (invoiceninja#9573).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from app.providers.invoice_ninja.resources.billing import Bill, Credit, Invoice, Payment, Quote
from app.providers.invoice_ninja.resources.values import Entity

DRAFT, SENT, PARTIAL, PAID, CANCELLED = "1", "2", "3", "4", "5"
OWED = (SENT, PARTIAL, PAID)
APPROVED, CONVERTED = "3", "4"
RECEIVED = ("4", "5", "6")
"""Payments that brought money: completed, partly refunded, refunded. Not: pending, cancelled, failed."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`mark` tells apart what can be reached several times: the sum that is paid, or refunded. `at`: as far as known.

    `day`: of the company's, where the state belongs to one.
    """

    name: str
    at: datetime | None
    mark: str = ""
    day: date | None = None

    @property
    def key(self) -> str:
        return f"{self.name}/{self.mark}" if self.mark else self.name


def of_invoice(invoice: Invoice, today: date | None = None, payments: Sequence[Payment] = ()) -> Iterator[State]:
    """`today`: by the company's clock; without it nothing is said of what the calendar brings."""
    if invoice.is_deleted or invoice.status_id == DRAFT:
        return
    yield from _reached_by_people(invoice)
    if invoice.status_id == CANCELLED:
        yield State(name="cancelled", at=invoice.updated_at)
    if invoice.status_id not in OWED:
        return
    if invoice.balance > 0 and today and invoice.due_date and invoice.due_date < today:
        yield State(name="overdue", at=_passed(invoice, invoice.due_date), day=invoice.due_date)
    paid = max((each for each in payments if not each.is_deleted), key=_when, default=None)
    at, day = (paid.created_at, paid.date) if paid else (invoice.updated_at, None)
    if invoice.balance <= 0 < invoice.amount:
        yield State(name="paid", at=at, day=day)
    elif 0 < invoice.balance < invoice.amount:
        yield State(name="partial", mark=_plain(invoice.amount - invoice.balance), at=at, day=day)


def of_quote(quote: Quote, today: date | None = None) -> Iterator[State]:
    if quote.is_deleted or quote.status_id == DRAFT:
        return
    yield from (state for state in _reached_by_people(quote) if state.name == "sent")
    if quote.status_id in (APPROVED, CONVERTED):
        yield State(name="approved", at=quote.updated_at)
    if quote.status_id not in (APPROVED, CONVERTED) and today and quote.due_date and quote.due_date < today:
        yield State(name="expired", at=_passed(quote, quote.due_date), day=quote.due_date)


def of_credit(credit: Credit, today: date | None = None) -> Iterator[State]:
    if not credit.is_deleted and credit.status_id != DRAFT:
        yield State(name="made", at=_sent(credit), day=credit.date)


def of_payment(payment: Payment, today: date | None = None) -> Iterator[State]:
    if payment.is_deleted:
        yield State(name="deleted", at=payment.archived_at or payment.updated_at)
        return
    if payment.status_id in RECEIVED:
        yield State(name="received", at=payment.created_at, day=payment.date)
    if payment.refunded > 0:
        yield State(name="refunded", mark=_plain(payment.refunded), at=payment.updated_at)


_OF: Mapping[str, tuple[type[Entity], Callable[[Any], Iterable[State]]]] = {
    "invoice": (Invoice, of_invoice),
    "quote": (Quote, of_quote),
    "credit": (Credit, of_credit),
    "payment": (Payment, of_payment),
}


_LISTS = {"line_items", "documents", "paymentables"}


def told(entity: str, body: Mapping[str, Any]) -> Sequence[str]:
    """The ids of what a delivery's body says to have happened; none where it cannot be read.

    A hint: what the body leaves out is 0 here, and whoever tells it looks first.
    """
    model, reached = _OF[entity]
    blank = {name: 0 for name, each in model.model_fields.items() if each.is_required()}
    try:
        record = model.model_validate({**blank, **{name: body[name] for name in body.keys() - _LISTS}})
    except ValidationError:
        return ()
    return [notice_id(entity, record.id, state) for state in reached(record)]


def notice_id(entity: str, id_: str, state: State) -> str:
    """`invoice/Wpmbk5ezJn/partial/50`"""
    return f"{entity}/{id_}/{state.key}"


def moment(text: str) -> datetime | None:
    """Invoice Ninja writes such moments in UTC, without saying so."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None


def _reached_by_people(bill: Bill) -> Iterator[State]:
    viewed = [at for each in bill.invitations if (at := moment(each.viewed_date))]
    yield State(name="sent", at=_sent(bill))
    if viewed:
        yield State(name="viewed", at=min(viewed))


def _sent(bill: Bill) -> datetime | None:
    """Marked as sent without an e-mail it has no date of its own: then it is as old as the document."""
    return min((at for each in bill.invitations if (at := moment(each.sent_date))), default=bill.created_at)


def _when(payment: Payment) -> datetime:
    return payment.created_at or _LONG_AGO


def _passed(bill: Bill, day: date) -> datetime:
    """When a day was over for it: one that was sent later is late from then on."""
    return max(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1), _sent(bill) or _LONG_AGO)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"

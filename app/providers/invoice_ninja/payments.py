"""The payments of one Invoice Ninja company, by invoice. contracts/invoice_ninja, section 5.

One payment may be applied to several invoices: what went to one of them is a record, `payment id/invoice id`.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.errors import Conflict, Gone, Rejected, Several
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.invoices import CANCELLED, DRAFT, REVERSED
from app.providers.invoice_ninja.resources.billing import Invoice, Payment, Paymentable
from app.providers.invoice_ninja.resources.payments import NewPayment, pay
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import INVOICES, PAYMENTS
from app.sync.decisions import ConflictKind
from app.sync.money import Money
from app.sync.objects import PaymentSettings
from app.sync.objects.payment import needed
from app.sync.records import FieldSpec, Kind, Presence, Record, Sum, Values, Writable

COMPLETED = ("4", "5", "6")
"""Completed, partially refunded, refunded."""
_OTHERS_ID = re.compile(r"[0-9A-Za-z]{15,}/[0-9A-Za-z]{15,}")
"""A reference that is the id of a payment in the CRM. What a bank or a person writes there is none."""


@dataclass(frozen=True, slots=True)
class Payments(Plain):
    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: PaymentSettings = field(default_factory=PaymentSettings)
    _seen: dict[str, Invoice] = field(default_factory=dict, repr=False)
    """Invoices that were just read with their payments; one of these objects lives as long as one job."""

    @property
    def slot(self) -> str:
        return "transaction_reference"

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="amount", label="Amount", writable=Writable.ON_CREATE, required=True),
            FieldSpec(name="paid_on", label="Date", kind=Kind.DATE, strict=True, writable=Writable.ON_CREATE),
            FieldSpec(name="refunded", label="Refunded", writable=Writable.NEVER),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        """The id of a whole payment stands for its parts."""
        payment_id, _, invoice_id = external_id.partition("/")
        payment = await self._all.get(payment_id)
        if not invoice_id:
            raise Several(tuple(f"{payment_id}/{each.invoice_id}" for each in payment.paymentables if each.invoice_id))
        found = self._parts(payment, invoice_id)
        if not found:
            raise Gone("this payment is applied to that invoice no more")
        return found[0]

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Its webhooks are sent once, and may be lost: section 8."""
        async for each in self._all.each(updated_since=since):
            for part in self._parts(each, ""):
                yield part

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The payment that carries this reference, or those of the invoice of this amount."""
        if key.kind is KeyKind.SLOT:
            found = await self._all.find("transaction_reference", key.value)
            return [part for each in found for part in self._parts(each, key.parent)]
        invoice = await self._invoice(key.parent)
        payments = [Payment.model_validate(each) for each in (invoice.model_extra or {}).get("payments") or ()]
        live = [part for each in payments if not each.is_deleted for part in self._parts(each, key.parent)]
        return [each for each in live if each.values["amount"] == key.value]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """Applied to the invoice and to nothing else. What is more than it owes is refused, not kept as a credit."""
        invoice = await self._invoice(parent)
        client = (invoice.model_extra or {}).get("client") or {}
        currency = Company(self.data).known_currency(str((client.get("settings") or {}).get("currency_id") or ""))
        amount, paid_on = needed(values)
        if amount.currency != currency:
            raise Conflict(
                f"{amount} were paid, and the client in Invoice Ninja is billed in {currency}: nothing is converted",
                kind=ConflictKind.CURRENCY,
            )
        if invoice.status_id in (CANCELLED, REVERSED):
            raise Conflict(f"{amount} were paid, and invoice {invoice.number} is cancelled in Invoice Ninja")
        owed = invoice.amount - invoice.paid_to_date if invoice.status_id == DRAFT else invoice.balance
        if amount.amount > owed:
            left = Money.parse(owed, currency)
            raise Conflict(f"{amount} were paid, and invoice {invoice.number} owes {left} in Invoice Ninja")
        payment = NewPayment(
            client_id=invoice.client_id,
            amount=amount.amount,
            date=paid_on,
            reference=slot,
            key=hashlib.sha256(slot.encode()).hexdigest(),
            invoices={invoice.id: amount.amount},
        )
        made = self._parts(await pay(self._all, payment), invoice.id)
        if not made:
            raise Rejected(f"Invoice Ninja took the payment, and did not apply it to invoice {invoice.number}")
        return made[0]

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """A payment is never changed: none of its fields is writable once it is made."""
        return current

    async def _invoice(self, invoice_id: str) -> Invoice:
        if invoice_id not in self._seen:
            self._seen[invoice_id] = await Resource(self.wire, INVOICES).get(invoice_id, include=("client", "payments"))
        return self._seen[invoice_id]

    def _parts(self, payment: Payment, invoice_id: str) -> Sequence[Record]:
        """What went to this invoice; to any where `invoice_id` is ""."""
        applied = [each for each in payment.paymentables if each.invoice_id and invoice_id in ("", each.invoice_id)]
        currency = Company(self.data).known_currency(payment.currency_id)
        reference = payment.transaction_reference.strip()
        return [
            Record(
                id=f"{payment.id}/{each.invoice_id}",
                parent=each.invoice_id,
                values={
                    "amount": str(Money.parse(each.amount, currency)),
                    "paid_on": payment.date.isoformat() if payment.date else "",
                    "refunded": _refunded(payment, each.refunded, currency),
                },
                presence=Presence.DELETED if payment.is_deleted else Presence.ACTIVE,
                slot=reference if _OTHERS_ID.fullmatch(reference) else "",
                created_at=payment.created_at,
                updated_at=payment.updated_at,
                aside="" if payment.status_id in COMPLETED else "The payment is not completed.",
                sum=_received(payment, each, currency),
            )
            for each in applied
        ]

    @property
    def _all(self) -> Resource[Payment]:
        return Resource(self.wire, PAYMENTS)


def _received(payment: Payment, part: Paymentable, currency: str) -> Sum:
    """Nothing, where it did not arrive."""
    nothing = Money.zero(currency)
    if payment.status_id not in COMPLETED or payment.is_deleted:
        return Sum(nothing, nothing, payment.date)
    refunded = payment.refunded if len(payment.paymentables) == 1 else part.refunded
    return Sum(Money.rounded(part.amount - refunded, currency), nothing, payment.date)


def _refunded(payment: Payment, of_part: Any, currency: str) -> str:
    """A part's own sum stays 0 in some answers: a payment with one part says it as a whole."""
    refunded = payment.refunded if len(payment.paymentables) == 1 else of_part
    return str(Money.parse(refunded, currency)) if refunded else ""

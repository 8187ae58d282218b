"""Paying, finding a payment again, refunding. contracts/invoice_ninja, section 5. Writes to no customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from app.errors import AnswerLost, Rejected
from app.providers.invoice_ninja.resources.billing import Payment
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.values import outgoing
from app.providers.invoice_ninja.wire import LABEL

LONGEST_KEY = 64


@dataclass(frozen=True, kw_only=True)
class NewPayment:
    """`reference` finds it again, for the key is in no answer: both must stay the same when it is tried again.

    `invoices`: id -> the part of `amount` that goes there; the rest waits unapplied.
    """

    client_id: str
    amount: Decimal
    date: date
    reference: str
    key: str
    invoices: Mapping[str, Decimal] = field(default_factory=dict)
    type_id: str = ""

    def __post_init__(self) -> None:
        if not self.reference or not 0 < len(self.key) <= LONGEST_KEY:
            raise ValueError(f"a payment needs a reference, and a key of at most {LONGEST_KEY} characters")

    def body(self) -> dict[str, Any]:
        return {
            "client_id": self.client_id,
            "amount": self.amount,
            "date": self.date,
            "transaction_reference": self.reference,
            "idempotency_key": self.key,
            "invoices": _parts(self.invoices),
            **({"type_id": self.type_id} if self.type_id else {}),
        }


async def pay(payments: Resource[Payment], payment: NewPayment) -> Payment:
    """Once, however often it is tried: a payment that is there already is the answer."""
    try:
        return await payments.create(payment.body())
    except AnswerLost:
        if found := await _again(payments, payment):
            return found
        raise
    except Rejected as refusal:
        if "idempotency_key" in refusal.fields and (found := await _again(payments, payment)):
            return found
        raise


async def _again(payments: Resource[Payment], payment: NewPayment) -> Payment | None:
    found = await payments.find("transaction_reference", payment.reference)
    ours = [each for each in found if (each.client_id, each.amount) == (payment.client_id, payment.amount)]
    if len(ours) > 1:
        raise Rejected(f"{LABEL} has several payments with the reference {payment.reference}: a person must look")
    return ours[0] if ours else None


async def refund(payments: Resource[Payment], payment_id: str, on: date, parts: Mapping[str, Decimal]) -> Payment:
    """Note in the books that so much was given back, by invoice. No gateway is asked for the money.

    It has no key: where the answer is lost, the payment is read again and compared.
    """
    before = await payments.get(payment_id)
    body = {"id": payment_id, "date": on, "invoices": _parts(parts), "send_email": False, "gateway_refund": False}
    after = before.refunded + sum(parts.values())
    try:
        await payments.wire.write("POST", "/payments/refund", outgoing(body))
    except AnswerLost:
        if (await payments.get(payment_id)).refunded != after:
            raise
    refunded = await payments.get(payment_id)
    if refunded.refunded != after:
        raise Rejected(f"{LABEL} answered, but counts {refunded.refunded} as refunded, not {after}")
    return refunded


def _parts(invoices: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    return [{"invoice_id": id_, "amount": amount} for id_, amount in invoices.items()]

"""The payments of one HighLevel location's invoices. contracts/ghl, section 5; apps/payments.json.

A payment is known to us as `invoice id/transaction id`. No event tells of one: the invoice's does, and `invoice id/`
stands for all of its payments. HighLevel has no idempotency key: what is there is looked at before and after.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from app.errors import AnswerLost, Conflict, Gone, Rejected, Retry, Several
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.highlevel.documents import day
from app.providers.highlevel.invoices import Invoice
from app.providers.highlevel.replies import reply
from app.providers.highlevel.wire import ID
from app.providers.http import Wire
from app.providers.paging import Page, each_row, since_or_later
from app.sync.decisions import ConflictKind
from app.sync.money import Money, as_json
from app.sync.objects import PaymentSettings
from app.sync.objects.payment import needed
from app.sync.records import FieldSpec, Kind, Record, Values, Writable

PER_PAGE = 100
OF_INVOICES = "invoice"
PAID_AT = time(12)
"""The hour of a day that has none, in the location's time zone."""


class Transaction(BaseModel):
    id: str = Field(validation_alias="_id")
    amount: Decimal = Decimal(0)
    currency: str = ""
    status: Any = ""
    live_mode: bool = Field(True, validation_alias="liveMode")
    refunded: Decimal = Field(Decimal(0), validation_alias="amountRefunded")
    fulfilled_at: str | None = Field(None, validation_alias="fulfilledAt")
    created_at: datetime = Field(validation_alias="createdAt")
    entity_id: str = Field("", validation_alias="entityId")
    invoice_id: str = Field("", validation_alias="invoiceId")
    source: str = Field("", validation_alias="entitySourceType")
    updated_at: datetime | None = Field(None, validation_alias="updatedAt")


class TransactionsReply(BaseModel):
    data: list[Transaction]


@dataclass(frozen=True, slots=True)
class Payments(Plain):
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: PaymentSettings = field(default_factory=PaymentSettings)
    _seen: dict[str, Sequence[Transaction]] = field(default_factory=dict, repr=False)
    """Of invoices that were looked at before a payment is recorded; one of these objects lives as long as one job."""

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            FieldSpec(name="amount", label="Amount", writable=Writable.ON_CREATE, required=True),
            FieldSpec(name="paid_on", label="Paid on", kind=Kind.DATE, strict=True, writable=Writable.ON_CREATE),
            FieldSpec(name="refunded", label="Refunded", writable=Writable.NEVER),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        """From the invoice's list: what tells of one payment alone does not tell its day (TxnResponseSchema does)."""
        invoice_id, _, own = external_id.partition("/")
        if not ID.fullmatch(invoice_id) or (own and not ID.fullmatch(own)):
            raise Gone(f"“{external_id[:80]}” is not the id of a HighLevel payment")
        found = await self._of_invoice(invoice_id)
        if not own:
            raise Several(tuple(f"{invoice_id}/{each.id}" for each in found))
        mine = next((each for each in found if each.id == own), None)
        return self._read(mine or await self._single(invoice_id, own), invoice_id)

    async def _single(self, invoice_id: str, own: str) -> Transaction:
        """Whether it is gone, or only not in the list yet."""
        found = reply(Transaction, await self._wire.get(f"/payments/transactions/{own}", self._where))
        if invoice_id not in (found.invoice_id, found.entity_id):
            raise Gone("this payment is not of that invoice")
        return found

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Of invoices. All are listed: the list cannot be asked for what changed."""

        async def ask(skip: int) -> Page[Transaction]:
            params = {**self._where, "limit": str(PER_PAGE), "offset": str(skip)}
            return Page(reply(TransactionsReply, await self._wire.get("/payments/transactions", params)).data)

        async for found in each_row(ask, lambda each: each.id, size=PER_PAGE, what="HighLevel's payments"):
            if found.source != OF_INVOICES or not found.entity_id:
                continue
            record = self._read(found, found.entity_id)
            if since_or_later(record, since):
                yield record

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The payment of this id, or those of the invoice of this amount."""
        if key.kind is KeyKind.SLOT:
            try:
                return [await self.fetch(key.value)]
            except (Gone, Several):
                return []
        self._seen[key.parent] = await self._of_invoice(key.parent)
        found = [self._read(each, key.parent) for each in self._seen[key.parent]]
        return [each for each in found if each.values["amount"] == key.value]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """The answer has no id of the payment: it is the one that was not there before."""
        amount, paid_on = needed(values)
        before = self._seen[parent] if parent in self._seen else await self._of_invoice(parent)
        known = {each.id for each in before}
        invoice = reply(Invoice, await self._wire.get(f"/invoices/{parent}", self._where))
        if invoice.amount_paid > sum(each.amount for each in before):
            raise Retry("HighLevel counts a payment of this invoice that it does not show yet")
        due = invoice.total - invoice.amount_paid
        if invoice.currency != amount.currency:
            detail = f"{amount} were paid, and the invoice in HighLevel is in {invoice.currency}"
            raise Conflict(detail, kind=ConflictKind.CURRENCY)
        if invoice.status == "void":
            raise Conflict(f"{amount} were paid, and the invoice is void in HighLevel")
        if amount.amount > due:
            raise Conflict(f"{amount} were paid, and the invoice owes {Money.parse(due, amount.currency)} in HighLevel")
        paid_at = datetime.combine(paid_on, PAID_AT, self._zone).astimezone(UTC)
        body = {
            **self._where,
            "mode": "other",
            "card": {"brand": "", "last4": ""},
            "cheque": {"number": ""},
            "notes": "Recorded by Crossledger",
            "amount": as_json(amount.amount),
            "fulfilledAt": paid_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        await self._wire.write("POST", f"/invoices/{parent}/record-payment", body)
        after = [self._read(each, parent) for each in await self._of_invoice(parent) if each.id not in known]
        ours = [each for each in after if each.values["amount"] == values["amount"]]
        if len(ours) != 1:
            raise AnswerLost("HighLevel took the payment, and does not show it yet")
        return ours[0]

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """A payment is never changed: none of its fields is writable once it is made."""
        return current

    async def _of_invoice(self, invoice_id: str) -> Sequence[Transaction]:
        params = {**self._where, "entityId": invoice_id, "limit": str(PER_PAGE), "offset": "0"}
        found = reply(TransactionsReply, await self._wire.get("/payments/transactions", params)).data
        if len(found) >= PER_PAGE:
            raise Rejected(f"the invoice has more than {PER_PAGE} payments")
        return [each for each in found if each.entity_id == invoice_id]

    @property
    def _wire(self) -> Wire:
        return replace(self.wire, parse_float=Decimal)

    @property
    def _where(self) -> Mapping[str, str]:
        return {"altId": self.location_id, "altType": "location"}

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.data.get("timezone") or "UTC")

    def _read(self, found: Transaction, invoice_id: str) -> Record:
        failed = "" if str(found.status) == "succeeded" else f"The payment is {found.status}."
        return Record(
            id=f"{invoice_id}/{found.id}",
            parent=invoice_id,
            values={
                "amount": str(Money.parse(found.amount, found.currency)),
                "paid_on": day(found.fulfilled_at or found.created_at.isoformat(), self._zone).isoformat(),
                "refunded": str(Money.parse(found.refunded, found.currency)) if found.refunded else "",
            },
            created_at=found.created_at,
            updated_at=found.updated_at,
            aside=failed if found.live_mode else "It is one of HighLevel's test mode.",
        )

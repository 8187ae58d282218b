"""The invoices of one Invoice Ninja company. contracts/invoice_ninja, section 5.

Nothing here writes to a customer: invoices are marked as sent, never sent.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.errors import Conflict, Duplicate, Rejected
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja import documents
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.resources.billing import Invoice
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import CLIENTS, INVOICES
from app.sync.canonical import document_of, text_of
from app.sync.decisions import ConflictKind
from app.sync.documents import Document, DocumentKind, Status
from app.sync.money import Money
from app.sync.objects import InvoiceSettings
from app.sync.records import FieldSpec, Kind, Presence, Record, Sum, Values, Writable
from app.sync.totals import INVOICE_NINJA, totals

DRAFT, CANCELLED, REVERSED = "1", "5", "6"
LIFE = {"active": Presence.ACTIVE, "archived": Presence.ARCHIVED, "deleted": Presence.DELETED}
_CLIENT = ("client",)
_DAYS = {"issued": "date", "due": "due_date"}
_CHARGED = ("document", *_DAYS)


@dataclass(frozen=True, slots=True)
class Invoices(Plain):
    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: InvoiceSettings = field(default_factory=InvoiceSettings)

    @property
    def slot(self) -> str:
        return self.settings.slot

    def fields(self) -> Mapping[str, FieldSpec]:
        allowed = {True: Writable.ALWAYS, False: Writable.NEVER}
        specs = (
            FieldSpec(name="number", label="Number", writable=Writable.ON_CREATE),
            FieldSpec(name="issued", label="Date", kind=Kind.DATE, strict=True),
            FieldSpec(name="due", label="Due date", kind=Kind.DATE, strict=True),
            FieldSpec(name="document", label="Lines", kind=Kind.DOCUMENT, required=True, rules=INVOICE_NINJA),
            FieldSpec(name="status", label="Draft or sent", writable=allowed[self.settings.mark_sent]),
            FieldSpec(name="void", label="Cancelled", writable=allowed[self.settings.cancel_void]),
            FieldSpec(name="total", label="Total", writable=Writable.NEVER),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return self._read(await self._all.get(external_id, include=_CLIENT))

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Its webhooks are sent once, and may be lost: section 8."""
        async for each in self._all.each(updated_since=since, include=_CLIENT):
            yield self._read(each)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """The invoice that carries this external id, or those of the client with this number."""
        field_name = self.slot if key.kind is KeyKind.SLOT else "number"
        found = await self._all.find(field_name, key.value, include=_CLIENT)
        return [self._read(each) for each in found if key.parent in ("", each.client_id)]

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """A draft first: only where its sum is the one that was asked for, to the cent, it is marked as sent."""
        if not values.get("document"):
            raise Rejected("an invoice cannot be made without its lines: they are missing in the field map")
        wanted = document_of(values["document"])
        client = await Resource(self.wire, CLIENTS).get(parent)
        currency = self._currency(client.settings)
        _demand_one_currency(wanted, currency)
        days = {word: values.get(name, "") for name, word in _DAYS.items()}
        body = {"client_id": parent, self.slot: slot, **days, **documents.body(wanted)}
        made = await self._numbered(body, values.get("number", ""), wanted, slot)
        if (sum_ := Money.parse(made.amount, currency)) != (asked := _sum(wanted)):
            raise Conflict(f"Invoice Ninja makes {sum_} of what comes to {asked}{await self._undone(made)}")
        return self._read(await self._move(made, values), currency)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        """Where the new lines do not come to what was asked for, the old ones are put back."""
        after = before = Invoice.model_validate(current.raw)
        body: dict[str, Any] = {word: values[name] for name, word in _DAYS.items() if name in values}
        currency = document_of(current.values["document"]).currency
        wanted = document_of(values["document"]) if values.get("document") else None
        if wanted:
            _demand_one_currency(wanted, currency)
            body |= documents.body(wanted)
        if slot and current.slot != slot:
            body[self.slot] = slot
        if body:
            after = await self._all.update(current.id, body, current=current.raw)
        if wanted and (sum_ := Money.parse(after.amount, currency)) != (asked := _sum(wanted)):
            await self._all.update(current.id, documents.body(_document(before, currency)), current=current.raw)
            raise Conflict(f"Invoice Ninja makes {sum_} of what comes to {asked}; the lines before were put back")
        return self._read(await self._move(after, values), currency)

    async def archive(self, current: Record) -> None:
        (await self._all.bulk("archive", [current.id])).demand_all()

    async def stays(self, current: Record) -> str:
        draft = Invoice.model_validate(current.raw).status_id == DRAFT
        return "" if draft else "the invoice is no draft any more"

    async def restore(self, current: Record) -> None:
        (await self._all.bulk("restore", [current.id])).demand_all()

    async def _numbered(self, body: Mapping[str, Any], number: str, wanted: Document, slot: str) -> Invoice:
        """Under its number in the CRM, or where that is taken under one made of its id there. Made once:

        the index of numbers lets a second one of ours not be, and what is there under it says whose it is. An invoice
        of the same client with the same number and sum, which is nobody's mirror, is the partner: raises Duplicate.
        """
        names = [name for name in (number, f"{self.settings.number_prefix}{slot}") if name]
        for name in dict.fromkeys(names):
            try:
                made = await self._all.create({**body, "number": name})
            except Duplicate as taken:
                made = await self._all.get(taken.existing)
                alike = made.client_id == body["client_id"] and made.amount == _sum(wanted).amount
                if alike and not getattr(made, self.slot):
                    raise
            if getattr(made, self.slot) == slot:
                return made
        raise Rejected(f"Invoice Ninja has other invoices with the numbers {' and '.join(names)} already")

    async def _undone(self, made: Invoice) -> str:
        """Only a draft that nobody has touched is taken away again."""
        if made.status_id != DRAFT:
            return f"; look at invoice {made.number} there"
        await self._all.delete(made.id)
        return "; the draft was deleted again"

    async def _move(self, invoice: Invoice, values: Values) -> Invoice:
        """To a state further on; there is no way back to a draft."""
        void = bool(values.get("void"))
        if (void or values.get("status") == "sent") and invoice.status_id == DRAFT:
            (invoice,) = (await self._all.bulk("mark_sent", [invoice.id])).demand_all()
        if void and invoice.status_id not in (CANCELLED, REVERSED):
            (invoice,) = (await self._all.bulk("cancel", [invoice.id])).demand_all()
        return invoice

    @property
    def _all(self) -> Resource[Invoice]:
        return Resource(self.wire, INVOICES)

    def _currency(self, settings: Mapping[str, Any]) -> str:
        """What a client is billed in: its own currency, or the company's."""
        return Company(self.data).known_currency(str(settings.get("currency_id") or ""))

    def _read(self, invoice: Invoice, currency: str = "") -> Record:
        raw = invoice.model_dump()
        currency = currency or self._currency((raw.get("client") or {}).get("settings") or {})
        document = _document(invoice, currency)
        return Record(
            id=invoice.id,
            parent=invoice.client_id,
            values={
                "number": invoice.number,
                "issued": invoice.date.isoformat() if invoice.date else "",
                "due": document.due.isoformat() if document.due else "",
                "document": text_of(document),
                "status": "draft" if document.status is Status.DRAFT else "sent",
                "void": "yes" if document.status is Status.VOID else "",
                "total": str(document.stated),
            },
            presence=LIFE[invoice.lifecycle],
            slot=str(raw.get(self.slot) or "").strip(),
            created_at=invoice.created_at,
            updated_at=invoice.updated_at,
            aside="It is a draft." if document.status is Status.DRAFT and not self.settings.drafts else "",
            locked=_locked(invoice, document),
            sum=_billed(invoice, document),
            raw=raw,
        )


def _document(invoice: Invoice, currency: str) -> Document:
    return documents.read(invoice.model_dump(), currency, DocumentKind.INVOICE, today=invoice.date or date.min)


def _billed(invoice: Invoice, document: Document) -> Sum:
    """Nothing, where nobody is asked for it: of a draft, a cancelled one, one in the bin."""
    nothing = Money.zero(document.currency)
    if document.status in (Status.DRAFT, Status.VOID) or invoice.lifecycle == "deleted":
        return Sum(nothing, nothing, invoice.date)
    owed = Money.rounded(max(invoice.balance, Decimal(0)), document.currency)
    return Sum(document.stated or nothing, owed, invoice.date)


def _sum(wanted: Document) -> Money:
    return totals(wanted, INVOICE_NINJA).total


def _demand_one_currency(wanted: Document, currency: str) -> None:
    if wanted.currency != currency:
        there = f"the client in Invoice Ninja is billed in {currency}"
        raise Conflict(f"it comes to {_sum(wanted)}, and {there}: nothing is converted", kind=ConflictKind.CURRENCY)


def _locked(invoice: Invoice, document: Document) -> Mapping[str, str]:
    """What people have done with it that must not be undone behind their backs."""
    if document.paid.amount:
        return dict.fromkeys((*_CHARGED, "void"), f"{document.paid} of it is paid in Invoice Ninja: change it there")
    if document.status is Status.VOID:
        return dict.fromkeys((*_CHARGED, "void", "status"), "it is cancelled in Invoice Ninja")
    if any(each.sent_date for each in invoice.invitations):
        return dict.fromkeys(_CHARGED, "it was sent to the customer from Invoice Ninja: change it there by hand")
    return {}

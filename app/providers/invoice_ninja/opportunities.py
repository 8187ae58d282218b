"""What an opportunity becomes in one Invoice Ninja company: a quote or a draft invoice. contracts/invoice_ninja, 5.

It is known to us as `quote/id` or `invoice/id`. Its number is made of the opportunity's id, so the index of numbers
keeps a second one away. A quote that was converted is its invoice from then on. Nothing here writes to a customer.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.errors import Conflict, Duplicate, Gone, Rejected, Unsupported
from app.providers.base import KeyKind, MatchKey, Plain
from app.providers.http import Wire
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.resources.billing import Bill, Invoice, LineItem, Quote
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import CLIENTS, INVOICES, QUOTES
from app.sync.decisions import ConflictKind
from app.sync.money import Money, MoneyError, plain
from app.sync.objects import OpportunitySettings
from app.sync.objects.opportunity import Paper, Standing
from app.sync.records import FieldSpec, Presence, Record, Values, Writable

DRAFT = "1"
_QUOTES = {"2": Standing.QUOTE_SENT, "3": Standing.QUOTE_APPROVED, "4": Standing.QUOTE_CONVERTED}
_QUOTE_WORDS = {"2": "sent", "3": "approved", "4": "converted", "-1": "expired"}
_VOID = ("5", "6")  # cancelled, reversed
_LIFE = {"active": Presence.ACTIVE, "archived": Presence.ARCHIVED, "deleted": Presence.DELETED}


@dataclass(frozen=True, slots=True)
class Opportunities(Plain):
    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: OpportunitySettings = field(default_factory=OpportunitySettings)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def fields(self) -> Mapping[str, FieldSpec]:
        papers = frozenset(Paper)
        specs = (
            FieldSpec(name="number", label="Number", writable=Writable.ON_CREATE),
            FieldSpec(name="paper", label="Quote or invoice", options=papers),
            FieldSpec(name="item", label="Text of the line", guarded=True),
            FieldSpec(name="amount", label="Amount of the line", guarded=True),
            FieldSpec(name="live", label="Not archived", options=frozenset({"yes", "no"})),
            FieldSpec(name="status", label="Outcome: status", writable=Writable.NEVER, sparse=True),
            FieldSpec(name="stage", label="Outcome: stage", writable=Writable.NEVER, sparse=True),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        kind, _, own = external_id.partition("/")
        if kind == Paper.INVOICE:
            return self._read(await self._invoices.get(own, include=("client",)))
        if kind != Paper.QUOTE:
            raise Gone(f"“{external_id[:80]}” is neither a quote nor an invoice")
        quote = await self._quotes.get(own, include=("client",))
        return await self._followed(quote)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """What was made of opportunities, known by its number. A quote that was converted is its invoice.

        A list shows no outcome of a draft invoice: whether it was a quote is asked for when it is looked at.
        """
        async for quote in self._quotes.each(updated_since=since, include=("client",)):
            if self._is_ours(quote) and not quote.invoice_id:
                yield self._read(quote)
        async for invoice in self._invoices.each(updated_since=since, include=("client",)):
            if self._is_ours(invoice):
                record = self._read(invoice)
                hidden = ("status", "stage") if invoice.status_id == DRAFT else ()
                yield replace(record, values={k: v for k, v in record.values.items() if k not in hidden})

    def _is_ours(self, bill: Bill) -> bool:
        return bill.number.startswith(self.settings.number_prefix)

    async def find(self, key: MatchKey) -> Sequence[Record]:
        """By the number. A quote and the invoice that it became are one."""
        if key.kind is not KeyKind.IDENTITY:
            return []
        found = [await self._followed(each) for each in await self._quotes.find("number", key.value)]
        found += [self._read(each) for each in await self._invoices.find("number", key.value)]
        return list({each.id: each for each in found}.values())

    async def create(self, values: Values, *, slot: str = "", parent: str = "") -> Record:
        """A draft of the client `parent`, in its currency. Raises Conflict where that is not the opportunity's."""
        if missing := [name for name in ("number", "paper", "amount") if not values.get(name)]:
            raise Rejected(f"a quote or an invoice needs {', '.join(missing)}: see the field map of opportunities")
        paper = values["paper"]
        client = await Resource(self.wire, CLIENTS).get(parent)
        amount = self._money(values["amount"], client.settings)
        on = Company(self.data, self.now).today
        line = {"product_key": self.settings.product_key, "notes": values.get("item", ""), "quantity": 1}
        body = {
            "client_id": parent,
            "number": values["number"],
            "date": on,
            "due_date": on + timedelta(days=self.settings.due_days),
            "is_amount_discount": False,
            "line_items": [{**line, "cost": amount, "is_amount_discount": False, "type_id": "1"}],
        }
        try:
            made = await self._of(paper).create(body)
        except Duplicate as refusal:
            taken = f"{paper}/{refusal.existing}"
            raise Duplicate(refusal.reason, refusal.status, refusal.fields, existing=taken) from refusal
        return self._read(made)

    async def update(self, current: Record, values: Values, *, slot: str = "") -> Record:
        kind, _, own = current.id.partition("/")
        papers = self._of(kind)
        after = current
        if values.get("live") == "yes":
            after = self._read(*(await papers.bulk("restore", [own])).demand_all())
        if lines := self._lines(current, values):
            after = self._read(await papers.update(own, {"line_items": lines}, current=current.raw))
        if values.get("paper") == Paper.INVOICE and kind == Paper.QUOTE:
            (quote,) = (await self._quotes.bulk("convert_to_invoice", [own])).demand_all()
            after = await self._followed(quote)
        if values.get("live") == "no":
            kind, _, own = after.id.partition("/")
            after = self._read(*(await self._of(kind).bulk("archive", [own])).demand_all())
        return after

    async def archive(self, current: Record) -> None:
        """Raises Unsupported for an invoice that has left the house, or is to be kept."""
        if why := current.locked.get("live"):
            raise Unsupported("archive", why)
        kind, _, own = current.id.partition("/")
        (await self._of(kind).bulk("archive", [own])).demand_all()

    async def stays(self, current: Record) -> str:
        return current.locked.get("live", "")

    async def restore(self, current: Record) -> None:
        kind, _, own = current.id.partition("/")
        (await self._of(kind).bulk("restore", [own])).demand_all()

    @property
    def _quotes(self) -> Resource[Quote]:
        return Resource(self.wire, QUOTES)

    @property
    def _invoices(self) -> Resource[Invoice]:
        return Resource(self.wire, INVOICES)

    def _of(self, kind: str) -> Resource[Quote] | Resource[Invoice]:
        return self._invoices if kind == Paper.INVOICE else self._quotes

    async def _followed(self, quote: Quote) -> Record:
        """The invoice of a quote that was converted; it says so while it is a draft."""
        if not quote.invoice_id:
            return self._read(quote)
        invoice = await self._invoices.get(quote.invoice_id, include=("client",))
        record = self._read(invoice)
        if invoice.status_id != DRAFT:
            return record
        return replace(record, values={**record.values, **self._outcome(Standing.QUOTE_CONVERTED)})

    def _read(self, bill: Quote | Invoice) -> Record:
        kind = Paper.INVOICE if isinstance(bill, Invoice) else Paper.QUOTE
        line = _only_line(bill)
        return Record(
            id=f"{kind.value}/{bill.id}",
            parent=bill.client_id,
            values={
                "number": bill.number,
                "paper": kind.value,
                "item": (line or bill.line_items[0]).notes if bill.line_items else "",
                "amount": plain(line.cost if line else bill.amount),
                "live": "yes" if bill.lifecycle == "active" else "no",
                **self._outcome(_invoiced(bill) if isinstance(bill, Invoice) else _QUOTES.get(bill.status_id, "")),
            },
            presence=_LIFE[bill.lifecycle],
            created_at=bill.created_at,
            updated_at=bill.updated_at,
            locked=self._locks(bill),
            raw=bill.model_dump(),
        )

    def _outcome(self, standing: str) -> dict[str, str]:
        status, stage = self.settings.outcome(standing)
        return {"status": status, "stage": stage}

    def _locks(self, bill: Quote | Invoice) -> dict[str, str]:
        locks: dict[str, str] = {}
        draft = bill.status_id == DRAFT
        if not draft or _only_line(bill) is None:
            word = "sent" if isinstance(bill, Invoice) else _QUOTE_WORDS.get(bill.status_id, "sent")
            why = "its lines were edited there by hand, and are not overwritten" if draft else f"it is {word} already"
            locks |= {"item": why, "amount": why}
        if isinstance(bill, Invoice):
            locks["paper"] = "an invoice stays an invoice"
            if not draft:
                locks["live"] = "an invoice that was sent is not put away"
            elif not self.settings.archive_drafts:
                locks["live"] = "draft invoices are kept, by the settings"
        return locks

    def _lines(self, current: Record, values: Values) -> list[dict[str, Any]]:
        """The one line with its new text or amount, all else of it as it is."""
        changed: dict[str, Any] = {"notes": values["item"]} if "item" in values else {}
        if "amount" in values:
            settings = (current.raw.get("client") or {}).get("settings") or {}
            changed["cost"] = self._money(values["amount"], settings)
        return [{**line, **changed} for line in current.raw["line_items"]] if changed else []

    def _money(self, amount: str, client: Mapping[str, Any]) -> Decimal:
        """In the client's currency, to its smallest coin."""
        theirs = Company(self.data).known_currency(str(client.get("currency_id") or ""))
        ours = self.settings.currency or Company(self.data).known_currency()
        if ours != theirs:
            raise Conflict(
                f"the opportunity is worth {amount} {ours}, and its client is charged in {theirs}",
                kind=ConflictKind.CURRENCY,
            )
        try:
            return Money.parse(amount, ours).amount
        except MoneyError as error:
            raise Rejected(str(error)) from error


def _only_line(bill: Bill) -> LineItem | None:
    """The line as we made it, whatever its text and cost are by now; None where people made something else of it."""
    lines = bill.line_items
    untouched = len(lines) == 1 and lines[0].quantity == 1 and not lines[0].discount and not bill.discount
    return lines[0] if untouched else None


def _invoiced(invoice: Invoice) -> str:
    """By its amounts: the status may say paid for a small credit (invoiceninja#9573)."""
    if invoice.status_id in _VOID:
        return ""
    if invoice.paid_to_date >= invoice.amount > 0:
        return Standing.INVOICE_PAID
    if invoice.paid_to_date > 0:
        return Standing.INVOICE_PARTLY_PAID
    return "" if invoice.status_id == DRAFT else Standing.INVOICE_SENT

"""What a client of Invoice Ninja owes and has paid. contracts/invoice_ninja, sections 3 to 5.

One call reads it: the client's invoices, each with its client and payments. A status is not trusted where an amount
says it (invoiceninja#9573): what is open is the sum of the balances.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.providers.http import Wire
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.resources.billing import Invoice, Payment
from app.providers.invoice_ninja.resources.parties import Client
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import CLIENTS, INVOICES
from app.providers.invoice_ninja.states import DRAFT, RECEIVED
from app.providers.readonly import ReadOnly
from app.sync.money import Money, MoneyError
from app.sync.objects import BalanceSettings
from app.sync.records import FieldSpec, Kind, Presence, Record, Sum, Values

LATELY = timedelta(minutes=30)
"""How far back a round of polling looks for clients that changed; rounds are five minutes apart."""

_AMOUNTS = {"balance_due": "Balance due", "lifetime_value": "Lifetime value"}
_TAG = "tag."


class WithClient(Invoice):
    """As it comes with `include=client,payments`."""

    client: Client
    payments: tuple[Payment, ...] = ()


OWN = INVOICES.answering(WithClient)


@dataclass(frozen=True, slots=True)
class Balances(ReadOnly):
    """`data`: what the probe learned."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: BalanceSettings = field(default_factory=BalanceSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        specs = (
            *(FieldSpec(name=name, label=label, kind=Kind.NUMBER) for name, label in _AMOUNTS.items()),
            FieldSpec(name="days_overdue", label="Days overdue", kind=Kind.NUMBER),
            FieldSpec(name="last_paid", label="Last paid", kind=Kind.DATE),
            FieldSpec(name="portal_link", label="Portal link"),
            *(FieldSpec(name=f"{_TAG}{name}", label=f"Tag: {name}") for name in type(self.settings.tags).model_fields),
        )
        return {each.name: each for each in specs}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        """`part`: the person whose link to the portal it is; the first of the client where that one is gone."""
        found = await Resource(self.wire, OWN).find("client_id", external_id, include=("client", "payments"))
        client = found[0].client if found else await Resource(self.wire, CLIENTS).get(external_id)
        payments = {each.id: each for invoice in found for each in invoice.payments if not each.is_deleted}
        values = {
            **self._open(_open(found), _currency(client)),
            **self._paid(client, is_open=bool(_open(found))),
            "last_paid": max((_day(each.date) for each in payments.values() if _received(each)), default=""),
            "portal_link": _link(client, part),
            f"{_TAG}refunded": self._tag("refunded", any(each.refunded > 0 for each in payments.values())),
        }
        presence = Presence.DELETED if client.is_deleted else Presence.ACTIVE
        owed = self._owed(values, client)
        return Record(id=external_id, parent=external_id, part=part, values=values, presence=presence, sum=owed)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Clients with open invoices, and those that changed lately: of each what the two lists show.

        Days overdue change with the calendar, and webhooks get lost (section 8).
        """
        now = self._company.clock()
        owing: dict[str, list[Invoice]] = {}
        async for invoice in Resource(self.wire, INVOICES).each(narrowed={"client_status": "unpaid"}):
            if _open([invoice]):
                owing.setdefault(invoice.client_id, []).append(invoice)
        changed = {each.id: each async for each in Resource(self.wire, CLIENTS).each(updated_since=now - LATELY)}
        for client_id, client in changed.items():
            invoices = owing.pop(client_id, [])
            values = {**self._open(invoices, _currency(client)), **self._paid(client, is_open=bool(invoices))}
            yield Record(id=client_id, parent=client_id, values=values, sum=self._owed(values, client))
        for client_id, invoices in owing.items():
            yield Record(id=client_id, parent=client_id, values=self._open(invoices, ""))

    def _open(self, invoices: Sequence[Invoice], currency: str) -> Values:
        """What open invoices alone say."""
        late = [self._company.today - due for due in map(_due, invoices) if due and due < self._company.today]
        return {
            "balance_due": self._company.amount(sum((each.balance for each in invoices), Decimal(0)), currency),
            "days_overdue": str(max(late, default=timedelta()).days),
            f"{_TAG}sent": self._tag("sent", bool(invoices)),
            f"{_TAG}viewed": self._tag("viewed", any(map(_viewed, invoices))),
            f"{_TAG}overdue": self._tag("overdue", bool(late)),
            f"{_TAG}partial": self._tag("partial", any(each.balance < each.amount for each in invoices)),
        }

    def _owed(self, values: Values, client: Client) -> Sum | None:
        """None where the currency is not known."""
        currency = self._company.currency(_currency(client))
        try:
            owed = Money.parse("0" if client.is_deleted else values["balance_due"], currency)
        except MoneyError:
            return None
        return Sum(Money.zero(currency), owed)

    def _paid(self, client: Client, *, is_open: bool) -> Values:
        return {
            "lifetime_value": self._company.amount(client.paid_to_date, _currency(client)),
            f"{_TAG}paid": self._tag("paid", client.paid_to_date > 0 and not is_open),
        }

    def _tag(self, name: str, applies: bool) -> str:
        tag: str = getattr(self.settings.tags, name)
        return tag if applies else ""

    @property
    def _company(self) -> Company:
        return Company(self.data)


def _open(invoices: Iterable[Invoice]) -> list[Invoice]:
    return [each for each in invoices if each.balance > 0 and each.status_id != DRAFT and not each.is_deleted]


def _due(invoice: Invoice) -> date | None:
    """A deposit that is asked for is due first."""
    return invoice.partial_due_date if invoice.partial > 0 and invoice.partial_due_date else invoice.due_date


def _viewed(invoice: Invoice) -> bool:
    return any(each.viewed_date for each in invoice.invitations)


def _received(payment: Payment) -> bool:
    return payment.status_id in RECEIVED and payment.date is not None


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _currency(client: Client) -> str:
    return str(client.settings.get("currency_id") or "")


def _link(client: Client, part: str) -> str:
    """Signs in one person: that of the pair."""
    links = {each.id: each.link for each in client.contacts}
    return links.get(part) or next(iter(links.values()), "")

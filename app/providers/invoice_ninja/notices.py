"""What happened to a client's documents and payments, each event a record: `invoice/<id>/paid`."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from app.errors import Gone
from app.providers.http import Wire
from app.providers.invoice_ninja import states
from app.providers.invoice_ninja.balances import OWN, WithClient
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.resources.billing import Bill, Payment, Quote
from app.providers.invoice_ninja.resources.parties import Client
from app.providers.invoice_ninja.resources.resource import ALIVE, Lifecycle, Resource
from app.providers.invoice_ninja.resources.spec import Spec
from app.providers.invoice_ninja.resources.table import CLIENTS, CREDITS, INVOICES, PAYMENTS, QUOTES
from app.providers.invoice_ninja.states import State, notice_id
from app.providers.readonly import ReadOnly
from app.sync.objects import NoticeSettings
from app.sync.records import FieldSpec, Record

LATELY = timedelta(hours=1)
"""How far back a round of polling looks: what no event told of, or whose event was lost."""


class ClientsQuote(Quote):
    client: Client


class ClientsPayment(Payment):
    client: Client


Reached = Callable[[Any, date], Iterable[State]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """`include`: what comes with one; a credit comes without its client in many versions. `calendar`: the filter that
    finds what only the calendar brings, "" where there is no such thing."""

    one: Spec[Any]
    many: Spec[Any]
    include: tuple[str, ...]
    reached: Reached
    calendar: str = ""
    lifecycle: tuple[Lifecycle, ...] = ALIVE


def _of_invoice(invoice: Any, today: date) -> Iterable[State]:
    payments = invoice.payments if isinstance(invoice, WithClient) else ()
    return states.of_invoice(invoice, today, payments)


SOURCES: Mapping[str, Source] = {
    "invoice": Source(one=OWN, many=INVOICES, include=("client", "payments"), reached=_of_invoice, calendar="overdue"),
    "quote": Source(
        one=QUOTES.answering(ClientsQuote),
        many=QUOTES,
        include=("client",),
        reached=states.of_quote,
        calendar="expired",
    ),
    "credit": Source(one=CREDITS, many=CREDITS, include=(), reached=states.of_credit),
    "payment": Source(
        one=PAYMENTS.answering(ClientsPayment),
        many=PAYMENTS,
        include=("client",),
        reached=states.of_payment,
        lifecycle=(*ALIVE, "deleted"),
    ),
}


@dataclass(frozen=True, slots=True)
class Notices(ReadOnly):
    """`data`: what the probe learned."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: NoticeSettings = field(default_factory=NoticeSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {"body": FieldSpec(name="body", label="What happened")}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        """Raises Gone where it is not told, or did not happen, or is undone: the document counts, not the event."""
        entity, _, rest = external_id.partition("/")
        id_, _, key = rest.partition("/")
        source, wording = SOURCES.get(entity), self._wording(entity, key.partition("/")[0])
        if source is None or not wording:
            raise Gone("such events are not told")
        found = await Resource(self.wire, source.one).get(id_, include=source.include)
        state = next((each for each in source.reached(found, self._company.today) if each.key == key), None)
        if state is None:
            raise Gone(f"{entity} {id_} is not {key.partition('/')[0]}")
        client = found.client if source.include else await Resource(self.wire, CLIENTS).get(found.client_id)
        text = wording.format_map(self._words(found, client, state))
        return Record(id=external_id, parent=found.client_id, values={"body": text}, created_at=state.at)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Only which there are: their words are made when they are told."""
        since = self._company.clock() - LATELY
        for entity, source in SOURCES.items():
            if not any(text for name, text in self.settings.wording if name.startswith(f"{entity}_")):
                continue
            many = Resource(self.wire, source.many)
            async for found in many.each(updated_since=since, lifecycle=source.lifecycle):
                for record in self._records(entity, source, found):
                    yield record
            if source.calendar:
                async for found in many.each(narrowed={"client_status": source.calendar}):
                    for record in self._records(entity, source, found):
                        yield record

    def _records(self, entity: str, source: Source, found: Any) -> Iterable[Record]:
        for state in source.reached(found, self._company.today):
            begun = self.settings.since is None or state.at is None or state.at >= self.settings.since
            if begun and self._wording(entity, state.name):
                yield Record(id=notice_id(entity, found.id, state), parent=found.client_id, values={})

    def _wording(self, entity: str, name: str) -> str:
        """ "" for what is not told."""
        wording: str = getattr(self.settings.wording, f"{entity}_{name}", "")
        return wording

    def _words(self, found: Any, client: Client, state: State) -> Mapping[str, str]:
        currency = str(client.settings.get("currency_id") or "")
        amount, left = found.amount, Decimal(0)
        if isinstance(found, Payment):
            currency = found.currency_id or currency
            amount, left = (found.refunded if state.name == "refunded" else found.amount), found.amount - found.refunded
        elif isinstance(found, Bill):
            left = found.balance
        day = state.day or self._day(state.at)
        return {
            "number": found.number,
            "amount": self._company.amount(amount, currency),
            "balance": self._company.amount(left, currency),
            "currency": self._company.currency(currency),
            "date": day.isoformat() if day else "",
            "client": client.display_name or client.name,
            "link": next((each.link for each in getattr(found, "invitations", ()) if each.link), ""),
        }

    def _day(self, at: datetime | None) -> date | None:
        return at.astimezone(self._company.zone).date() if at else None

    @property
    def _company(self) -> Company:
        return Company(self.data)

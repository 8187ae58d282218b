"""When the next recurring invoice of a client goes out. No event tells of it. contracts/invoice_ninja, section 5."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.providers.http import Wire
from app.providers.invoice_ninja.resources.billing import RecurringInvoice
from app.providers.invoice_ninja.resources.resource import Resource
from app.providers.invoice_ninja.resources.table import RECURRING_INVOICES
from app.providers.readonly import ReadOnly
from app.sync.objects import RecurringSettings
from app.sync.records import FieldSpec, Kind, Record

_ACTIVE = "2"


@dataclass(frozen=True, slots=True)
class Recurring(ReadOnly):
    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    settings: RecurringSettings = field(default_factory=RecurringSettings)

    def fields(self) -> Mapping[str, FieldSpec]:
        return {"next_recurring": FieldSpec(name="next_recurring", label="Next recurring invoice", kind=Kind.DATE)}

    async def fetch(self, external_id: str, *, part: str = "") -> Record:
        return _read(external_id, await Resource(self.wire, RECURRING_INVOICES).find("client_id", external_id), part)

    async def each(self, since: datetime) -> AsyncIterator[Record]:
        """Each client that has any, also one whose are all stopped or deleted: then its date is taken away."""
        found: dict[str, list[RecurringInvoice]] = {}
        everything = Resource(self.wire, RECURRING_INVOICES).each(lifecycle=("active", "archived", "deleted"))
        async for each in everything:
            found.setdefault(each.client_id, []).append(each)
        for client_id, invoices in found.items():
            yield _read(client_id, invoices)


def _read(client_id: str, invoices: Iterable[RecurringInvoice], part: str = "") -> Record:
    days = [each.next_send_date for each in invoices if each.status_id == _ACTIVE and each.lifecycle == "active"]
    soonest = min((day for day in days if day), default=None)
    value = soonest.isoformat() if soonest else ""
    return Record(id=client_id, parent=client_id, part=part, values={"next_recurring": value})

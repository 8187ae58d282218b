"""One connected Invoice Ninja company: the records of each object that is synced."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import Unsupported
from app.providers.base import Records
from app.providers.http import Wire
from app.providers.invoice_ninja.appointments import appointments
from app.providers.invoice_ninja.balances import Balances
from app.providers.invoice_ninja.clients import Clients
from app.providers.invoice_ninja.companies import Companies
from app.providers.invoice_ninja.invoices import Invoices
from app.providers.invoice_ninja.merging import ClientMerger
from app.providers.invoice_ninja.notes import Notes
from app.providers.invoice_ninja.notices import Notices
from app.providers.invoice_ninja.opportunities import Opportunities
from app.providers.invoice_ninja.payments import Payments
from app.providers.invoice_ninja.products import Products
from app.providers.invoice_ninja.recurring import Recurring
from app.providers.invoice_ninja.tasks import Tasks
from app.sync.objects import ObjectSettings

Opener = Callable[[Wire, Mapping[str, Any], Any], Records]

OBJECTS: Mapping[str, Opener] = {
    "contact": Clients,
    "business": Companies,
    "task": Tasks,
    "balance": Balances,
    "recurring": Recurring,
    "notice": Notices,
    "note": Notes,
    "appointment": appointments,
    "opportunity": Opportunities,
    "product": Products,
    "invoice": Invoices,
    "payment": Payments,
}


@dataclass(frozen=True, slots=True)
class InvoiceNinjaAccount:
    """`data` is what the probe stored, with the connection's `slot_field`."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def records(self, object_: str, settings: ObjectSettings) -> Records:
        if object_ not in OBJECTS:
            raise Unsupported(object_, f"of Invoice Ninja only these are synced: {', '.join(OBJECTS)}")
        return OBJECTS[object_](self.wire, self.data, settings)

    def merger(self) -> ClientMerger:
        return ClientMerger(self.wire, self.data)

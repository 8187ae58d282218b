"""One connected HighLevel location: the records of each object that is synced."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import Unsupported
from app.providers.base import Records
from app.providers.highlevel.appointments import Appointments
from app.providers.highlevel.businesses import Businesses
from app.providers.highlevel.contacts import Contacts
from app.providers.highlevel.invoices import Invoices
from app.providers.highlevel.merging import ContactMerger
from app.providers.highlevel.notes import Notes
from app.providers.highlevel.opportunities import Opportunities
from app.providers.highlevel.payments import Payments
from app.providers.highlevel.products import Products
from app.providers.highlevel.standing import Standing
from app.providers.highlevel.tasks import Tasks
from app.providers.http import Wire
from app.sync.objects import ObjectSettings

Opener = Callable[[Wire, str, Mapping[str, Any], Any], Records]

OBJECTS: Mapping[str, Opener] = {
    "contact": Contacts,
    "business": Businesses,
    "task": Tasks,
    "balance": Standing,
    "recurring": Standing,
    "notice": Notes,
    "note": Notes,
    "appointment": Appointments,
    "opportunity": Opportunities,
    "product": Products,
    "invoice": Invoices,
    "payment": Payments,
}


@dataclass(frozen=True, slots=True)
class HighLevelAccount:
    wire: Wire
    location_id: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def records(self, object_: str, settings: ObjectSettings) -> Records:
        if object_ not in OBJECTS:
            raise Unsupported(object_, f"of HighLevel only these are synced: {', '.join(OBJECTS)}")
        return OBJECTS[object_](self.wire, self.location_id, self.data, settings)

    def merger(self) -> ContactMerger:
        return ContactMerger()

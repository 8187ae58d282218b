"""Invoice Ninja has no appointments: they are tasks of its clients, or notes in their activity, as the owner chose."""

from collections.abc import Mapping
from typing import Any

from app.providers.base import Records
from app.providers.http import Wire
from app.providers.invoice_ninja.notes import Notes
from app.providers.invoice_ninja.tasks import Tasks
from app.sync.objects import AppointmentSettings
from app.sync.objects.appointment import AppointmentInto


def appointments(wire: Wire, data: Mapping[str, Any], settings: AppointmentSettings) -> Records:
    if settings.into is AppointmentInto.NOTE:
        return Notes(wire, data, appointments=True)
    return Tasks(wire, data, settings.as_tasks(), made_of="appointment")

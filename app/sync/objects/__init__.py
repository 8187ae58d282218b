"""The objects that are kept in step, and what is particular to each: a table. Pure.

The engine knows none of them by name. A new object is a module here (its type, settings and default map), a field of
`policy.BridgeSettings`, and a `Records` class at each provider.
"""

from collections.abc import Mapping

from app.sync.objects.appointment import APPOINTMENT, AppointmentSettings
from app.sync.objects.balance import BALANCE, BalanceSettings
from app.sync.objects.base import BillingArchived, BillingDeleted, CrmDeleted, FieldPair, ObjectSettings, ObjectType
from app.sync.objects.business import BUSINESS, BusinessSettings
from app.sync.objects.contact import CONTACT, ContactSettings
from app.sync.objects.invoice import INVOICE, InvoiceSettings
from app.sync.objects.note import NOTE, NoteSettings
from app.sync.objects.notice import NOTICE, NoticeSettings
from app.sync.objects.opportunity import OPPORTUNITY, OpportunitySettings
from app.sync.objects.payment import PAYMENT, PaymentSettings
from app.sync.objects.product import PRODUCT, ProductSettings
from app.sync.objects.recurring import RECURRING, RecurringSettings
from app.sync.objects.task import TASK, TaskSettings

OBJECTS: Mapping[str, ObjectType] = {
    each.name: each
    for each in (
        CONTACT,
        BUSINESS,
        TASK,
        NOTE,
        APPOINTMENT,
        OPPORTUNITY,
        PRODUCT,
        INVOICE,
        PAYMENT,
        BALANCE,
        RECURRING,
        NOTICE,
    )
}

__all__ = [
    "APPOINTMENT",
    "BALANCE",
    "BUSINESS",
    "CONTACT",
    "INVOICE",
    "NOTE",
    "NOTICE",
    "OBJECTS",
    "OPPORTUNITY",
    "PAYMENT",
    "PRODUCT",
    "RECURRING",
    "TASK",
    "AppointmentSettings",
    "BalanceSettings",
    "BillingArchived",
    "BillingDeleted",
    "BusinessSettings",
    "ContactSettings",
    "CrmDeleted",
    "FieldPair",
    "InvoiceSettings",
    "NoteSettings",
    "NoticeSettings",
    "ObjectSettings",
    "ObjectType",
    "OpportunitySettings",
    "PaymentSettings",
    "ProductSettings",
    "RecurringSettings",
    "TaskSettings",
]

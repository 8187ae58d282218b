"""The objects that are kept in step, and what is particular to each: a table. Pure.

The engine knows none of them by name. A new object is a module here (its type, settings and default map), a field of
`policy.BridgeSettings`, and a `Records` class at each provider.
"""

from collections.abc import Mapping

from app.sync.objects.base import CrmDeleted, FieldPair, ObjectSettings, ObjectType
from app.sync.objects.business import BUSINESS, BusinessSettings
from app.sync.objects.contact import CONTACT, ContactSettings
from app.sync.objects.task import TASK, TaskSettings

OBJECTS: Mapping[str, ObjectType] = {each.name: each for each in (CONTACT, TASK, BUSINESS)}

__all__ = [
    "BUSINESS",
    "CONTACT",
    "OBJECTS",
    "TASK",
    "BusinessSettings",
    "ContactSettings",
    "CrmDeleted",
    "FieldPair",
    "ObjectSettings",
    "ObjectType",
    "TaskSettings",
]

"""The field map of an object between the two accounts that it is to work with."""

from collections.abc import Mapping

from app.providers.base import Records
from app.sync.fieldmap import Rule, Skipped, resolve
from app.sync.objects import ObjectSettings
from app.sync.records import Side


def resolved(settings: ObjectSettings, records: Mapping[Side, Records]) -> tuple[tuple[Rule, ...], tuple[Skipped, ...]]:
    """The rules that work with these accounts, and the pairs that do not, each with its reason."""
    crm, billing = records[Side.CRM], records[Side.BILLING]
    return resolve(
        settings.pairs(), crm.fields(), billing.fields(), reserved=billing.slot, direction=settings.direction
    )

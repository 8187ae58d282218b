"""Merging contacts of a HighLevel location: its API has no such thing, its own pages have."""

from dataclasses import dataclass

from app.errors import Unsupported
from app.providers.base import Capability, Support
from app.providers.merging import Money
from app.sync.records import Record

_CAPABILITY = Capability(
    Support.NONE,
    "HighLevel's API cannot merge contacts. In HighLevel, open Contacts, mark these contacts, choose Merge, and keep"
    " the survivor as the master record. The client of a contact that is gone then goes to the one that has its e-mail",
)


@dataclass(frozen=True, slots=True)
class ContactMerger:
    @property
    def capability(self) -> Capability:
        return _CAPABILITY

    def money(self, record: Record) -> Money | None:
        return None

    async def invoices(self, external_id: str) -> int:
        raise Unsupported("invoices", "invoices are counted in billing")

    async def merge(self, survivor: str, other: str, password: str) -> Record:
        raise Unsupported("merge", _CAPABILITY.reason)

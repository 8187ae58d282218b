"""Merging two clients of one Invoice Ninja company. contracts/invoice_ninja, section 3, "Merge".

The other client's persons, invoices and payments move to the survivor; its own fields, its currency and terms are gone
for good. The survivor may have two primary contacts afterwards. Only an update of the survivor is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from app.errors import AnswerLost, CrossledgerError, Rejected
from app.providers.base import Capability, Support
from app.providers.http import Dialect, Wire
from app.providers.invoice_ninja import mapping
from app.providers.invoice_ninja.company import Company
from app.providers.invoice_ninja.persons import client_path
from app.providers.invoice_ninja.wire import LABEL, ClientAnswer, Meta, parse
from app.providers.merging import Money
from app.sync.records import Record

_CAPABILITY = Capability(
    Support.NATIVE,
    "Invoice Ninja merges clients itself, with the password of the token's user. What is merged is gone for good",
)


class Owned(BaseModel):
    client_id: str = ""


class Invoices(BaseModel):
    data: list[Owned]
    meta: Meta


@dataclass(slots=True)
class WithPassword:
    """The dialect of one call that wants the user's password as well."""

    own: Dialect
    password: str = field(repr=False)
    label: str = LABEL

    def headers(self) -> Mapping[str, str]:
        return {**self.own.headers(), "X-API-PASSWORD": self.password}

    def pause(self, status: int, headers: Mapping[str, str]) -> float | None:
        return self.own.pause(status, headers)

    def left_today(self, headers: Mapping[str, str]) -> int | None:
        return self.own.left_today(headers)

    def refusal(self, status: int, body: Any) -> CrossledgerError:
        return self.own.refusal(status, body)


@dataclass(frozen=True, slots=True)
class ClientMerger:
    """`data` is what the probe stored."""

    wire: Wire
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def capability(self) -> Capability:
        return _CAPABILITY

    def money(self, record: Record) -> Money | None:
        amounts = {name: Decimal(str(record.raw.get(name) or 0)) for name in ("balance", "paid_to_date")}
        settings = record.raw.get("settings") or {}
        return Money(**amounts, currency=Company(self.data).currency(str(settings.get("currency_id") or "")))

    async def invoices(self, external_id: str) -> int:
        """A filter that the server does not know is ignored (section 4): then they are not counted."""
        params = {"client_id": external_id, "status": "active,archived", "per_page": "1"}
        found = parse(Invoices, await self.wire.get("/invoices", params))
        if any(each.client_id != external_id for each in found.data):
            raise Rejected(f"{LABEL} does not list the invoices of one client")
        return found.meta.pagination.total

    async def merge(self, survivor: str, other: str, password: str) -> Record:
        if not password:
            raise Rejected(f"{LABEL} wants the password of the API token's user for a merge")
        path = f"{client_path(survivor)}/{client_path(other).rpartition('/')[2]}/merge"
        wire = replace(self.wire, dialect=WithPassword(self.wire.dialect, password))
        body = await wire.write("POST", path)
        try:
            client = parse(ClientAnswer, body).data
        except Rejected as unreadable:
            raise AnswerLost(str(unreadable)) from unreadable
        if client.id != survivor:
            raise AnswerLost(f"{LABEL} was asked to merge into {survivor} and answers another client ({client.id})")
        return mapping.read(client.model_dump(), part="", data=self.data)

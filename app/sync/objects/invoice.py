"""An invoice of a contact is an invoice of its client; or only its payments are carried over."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import CrmDeleted, ObjectSettings, ObjectType
from app.sync.records import Side


class InvoiceMode(StrEnum):
    MIRROR = "mirror"
    PAYMENTS_ONLY = "payments_only"


class InvoiceSettings(ObjectSettings):
    default_map = tuple(Pair(name, name) for name in ("number", "issued", "due", "document", "status", "void"))

    direction: Direction = Field(Direction.TO_BILLING, description="Which way invoices are created and updated")
    mode: InvoiceMode = Field(
        InvoiceMode.MIRROR,
        description="`mirror`: make invoices on the other side; `payments_only`: none is made or changed, one with the"
        " same number and sum is looked for, so that its payments can be carried over",
    )
    drafts: bool = Field(True, description="Whether drafts take part, or an invoice only from when it was sent")
    test_mode: bool = Field(False, description="Whether invoices of HighLevel's test mode take part")
    mark_sent: bool = Field(
        True,
        description="An invoice that was sent from HighLevel: mark its mirror as sent, without writing to anybody, or"
        " leave it a draft. Reminders that Invoice Ninja itself is set to send go to what is marked as sent",
    )
    cancel_void: bool = Field(True, description="An invoice that was voided: cancel its mirror, or leave it as it is")
    number_prefix: str = Field(
        "HL-",
        pattern=r"^[A-Za-z0-9_./-]{1,20}$",
        description="Where the invoice's number is taken in billing, the mirror's begins with this, and HighLevel's id"
        " of the invoice follows",
    )
    slot: str = Field(
        "custom_value4",
        pattern=r"^custom_value[1-4]$",
        description="Field of the billing invoice that holds HighLevel's id of its partner",
    )

    @property
    def creates(self) -> bool:
        return self.mode is InvoiceMode.MIRROR

    @model_validator(mode="after")
    def _destroys_no_invoice(self) -> Self:
        if self.crm_deleted is CrmDeleted.DELETE:
            raise ValueError("invoices are never deleted in billing: `crm_deleted` can be `archive` or `keep`")
        return self

    def pairs(self) -> tuple[Pair, ...]:
        return super().pairs() if self.creates else _NUMBER


_NUMBER: tuple[Pair, ...] = (Pair("number", "number"),)

INVOICE = ObjectType(
    name="invoice",
    plural="invoices",
    called={Side.CRM: "invoice", Side.BILLING: "invoice"},
    becomes={
        Side.BILLING: "invoice of the client, equal to the cent, never e-mailed: lines, taxes, discount, dates, void",
        Side.CRM: "draft invoice of the contact, where the direction is set so; never sent from there by us",
    },
    settings=InvoiceSettings,
    recognised_by="number",
    parent="contact",
    alike=("total",),
)

"""A payment of an invoice is a payment of its partner. What of a payment went to which invoice is a record."""

from typing import Self

from pydantic import Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import CrmDeleted, ObjectSettings, ObjectType
from app.sync.records import Side


class PaymentSettings(ObjectSettings):
    default_map = tuple(Pair(name, name) for name in ("amount", "paid_on", "refunded"))

    direction: Direction = Field(Direction.TO_BILLING, description="Which way payments are recorded")
    crm_deleted: CrmDeleted = Field(
        CrmDeleted.KEEP, description="A payment that is gone in the CRM: its partner is kept, always"
    )

    @model_validator(mode="after")
    def _destroys_no_payment(self) -> Self:
        if self.crm_deleted is not CrmDeleted.KEEP:
            raise ValueError("payments are never put away or deleted: `crm_deleted` can only be `keep`")
        return self


PAYMENT = ObjectType(
    name="payment",
    plural="payments",
    called={Side.CRM: "payment", Side.BILLING: "payment"},
    becomes={
        Side.BILLING: "payment applied to the partner of its invoice, recorded once, without a receipt",
        Side.CRM: "payment recorded on the partner of its invoice, once, where the direction is set so",
    },
    settings=PaymentSettings,
    recognised_by="amount",
    parent="invoice",
    unique=True,
    alike=("paid_on",),
    counted=True,
)

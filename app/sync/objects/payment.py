"""A payment of an invoice is a payment of its partner. What of a payment went to which invoice is a record."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from app.errors import Rejected
from app.sync.fieldmap import Direction, Pair
from app.sync.money import Money
from app.sync.objects.base import CrmDeleted, ObjectSettings, ObjectType
from app.sync.records import Side, Values


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


def needed(values: Values) -> tuple[Money, date]:
    """Amount and day of a payment that is to be recorded. Raises Rejected where the field map leaves one out."""
    if not (values.get("amount") and values.get("paid_on")):
        raise Rejected("a payment cannot be recorded without its amount and its day: see the field map of payments")
    return Money.read(values["amount"]), date.fromisoformat(values["paid_on"])


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

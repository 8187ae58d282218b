"""What a client owes and has paid, as custom fields and tags of its contact."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side

_KNOWN = "Custom field in the CRM, by its name or key; made where it is missing; empty: not written. "


class BalanceFields(BaseModel):
    """The names of the custom fields."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    balance_due: str = Field("Balance due", max_length=100, description=_KNOWN + "What is open on all invoices")
    lifetime_value: str = Field("Lifetime value", max_length=100, description=_KNOWN + "What was paid, less refunds")
    days_overdue: str = Field("Days overdue", max_length=100, description=_KNOWN + "Of the oldest open invoice")
    last_paid: str = Field("Last paid", max_length=100, description=_KNOWN + "Date of the last payment")
    portal_link: str = Field("Portal link", max_length=100, description=_KNOWN + "Opens the client portal, no login")


class BalanceTags(BaseModel):
    """The names of the tags. Several of them may apply at once."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, str_to_lower=True)

    sent: str = Field("invoice-sent", max_length=100, description="An invoice is open; empty: no such tag")
    viewed: str = Field("invoice-viewed", max_length=100, description="An open invoice was looked at; empty: none")
    overdue: str = Field("invoice-overdue", max_length=100, description="An open invoice is overdue; empty: none")
    partial: str = Field("partially-paid", max_length=100, description="An open invoice is partly paid; empty: none")
    paid: str = Field("paid", max_length=100, description="Something was paid and nothing is open; empty: none")
    refunded: str = Field("refunded", max_length=100, description="Money was given back; empty: none")


FIELDS = tuple(BalanceFields.model_fields)
TAGS = tuple(f"tag.{name}" for name in BalanceTags.model_fields)


class BalanceSettings(ObjectSettings):
    """Amounts are plain numbers in the client's currency."""

    default_map = tuple(Pair(name, name, Direction.TO_CRM) for name in (*FIELDS, *TAGS))

    custom_fields: BalanceFields = Field(
        default_factory=lambda: BalanceFields(), description="Which custom fields are written, and what they are called"
    )
    tags: BalanceTags = Field(
        default_factory=lambda: BalanceTags(), description="Which tags are set and taken away, and what they are called"
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for names in (self.custom_fields, self.tags):
            given = [name.casefold() for name in names.model_dump().values() if name]
            if len(set(given)) < len(given):
                raise ValueError("two custom fields, or two tags, of the balance have the same name")
        return self


BALANCE = ObjectType(
    name="balance",
    plural="balances",
    called={Side.CRM: "contact", Side.BILLING: "client"},
    becomes={
        Side.CRM: "custom fields and tags of the contact: balance due, lifetime value, days overdue, last paid, portal"
        " link; tags for sent, viewed, overdue, partly paid, paid, refunded",
    },
    settings=BalanceSettings,
    parent="contact",
    facet=True,
    of_every_parent=True,
)

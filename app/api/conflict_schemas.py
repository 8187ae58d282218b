"""What is answered of conflicts; parts of `schemas`."""

from pydantic import BaseModel, ConfigDict, Field

from app.api.fields import Moment
from app.sync.decisions import ConflictKind
from app.sync.records import Side


class OpenConflict(BaseModel):
    """What a person decides between. Values are as they were read last; null: the record of that side is gone."""

    kind: ConflictKind
    since: Moment
    cause: str = Field(description="The kind of event that told of the newer value")
    crm: str | None
    billing: str | None
    base_crm: str | None = Field(description="What the CRM had when both sides last agreed; null: they never have")
    base_billing: str | None
    crm_at: Moment | None = Field(description="When the CRM's record was edited, as it says itself")
    billing_at: Moment | None


class HeldOut(BaseModel):
    side: Side
    value: str
    reason: str
    conflict: OpenConflict | None = Field(None, description="Where a person has to decide")


class OptionOut(BaseModel):
    """One thing that can be decided."""

    model_config = ConfigDict(from_attributes=True)

    decide: str
    partner: str = Field(description="Of the choice of a partner: the vendor's id")
    effect: str = Field(description="What it would do, in a sentence")
    refused: str = Field(description="Why it cannot be; empty: it can")


class FieldConflict(BaseModel):
    field: str
    crm_label: str
    billing_label: str
    conflict: OpenConflict
    options: list[OptionOut]

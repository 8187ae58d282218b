"""An opportunity that is won, or reaches a stage, becomes a quote or a draft invoice of its contact's client."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side

LOST = frozenset({"lost", "abandoned"})


class Paper(StrEnum):
    QUOTE = "quote"
    INVOICE = "invoice"


class Standing(StrEnum):
    """How far a quote or an invoice has come, as far as a CRM may want to know."""

    QUOTE_SENT = "quote_sent"
    QUOTE_APPROVED = "quote_approved"
    QUOTE_CONVERTED = "quote_converted"
    INVOICE_SENT = "invoice_sent"
    INVOICE_PARTLY_PAID = "invoice_partly_paid"
    INVOICE_PAID = "invoice_paid"


class MakeRule(BaseModel):
    """Names are compared without regard to case; what is left empty fits everything."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["", "open", "won"] = Field("", description="The opportunity's status")
    pipeline: str = Field("", max_length=200, description="The name of its pipeline")
    stage: str = Field("", max_length=200, description="The name of its stage in the pipeline")
    make: Paper = Field(description="What is made then: a `quote`, or a draft `invoice`")

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if not (self.status or self.stage):
            raise ValueError("a rule needs a status or a stage")
        return self

    def fits(self, status: str, pipeline: str, stage: str) -> bool:
        asked = ((self.status, status), (self.pipeline, pipeline), (self.stage, stage))
        return all(not wanted or wanted.casefold() == there.casefold() for wanted, there in asked)


class Outcome(BaseModel):
    """What the opportunity becomes when its quote or invoice has come so far."""

    model_config = ConfigDict(extra="forbid")

    when: Standing
    status: Literal["", "open", "won", "lost", "abandoned"] = Field("", description="Its new status; empty: as it is")
    stage: str = Field("", max_length=200, description="Its new stage, by name, in its own pipeline; empty: as it is")


class OpportunitySettings(ObjectSettings):
    default_map = (
        *(Pair(name, name, Direction.TO_BILLING) for name in ("number", "paper", "item", "amount", "live")),
        *(Pair(name, name, Direction.TO_CRM) for name in ("status", "stage")),
    )

    rules: list[MakeRule] = Field(
        [MakeRule(status="won", make=Paper.INVOICE)],
        max_length=50,
        description="When something is made, and what. The first rule that fits decides; without one, nothing is made",
    )
    outcomes: list[Outcome] = Field(
        [Outcome(when=Standing.QUOTE_APPROVED, status="won"), Outcome(when=Standing.INVOICE_PAID, status="won")],
        max_length=20,
        description="What a quote or an invoice makes of its opportunity, once for each `when`",
    )
    currency: str = Field(
        "",
        pattern=r"^([A-Z]{3})?$",
        description="The currency of opportunity values, such as `EUR` (HighLevel does not tell it); empty: the billing"
        " company's. A client with another one is a conflict",
    )
    due_days: int = Field(14, ge=0, le=3650, description="Days until the invoice is due, or the quote ends")
    item: str = Field("{name}", min_length=1, max_length=500, description="The line's text, with the `{name}` in it")
    product_key: str = Field("", max_length=191, description="The line's product key, where it shall have one")
    number_prefix: str = Field(
        "HL-",
        pattern=r"^[A-Za-z0-9_./-]{1,20}$",
        description="What the number begins with; the opportunity's id follows, so that there can be only one",
    )
    archive_drafts: bool = Field(
        True, description="Whether a draft invoice is archived as well when its opportunity is lost. A quote always is"
    )

    @model_validator(mode="after")
    def _one_outcome_each(self) -> Self:
        if len({each.when for each in self.outcomes}) < len(self.outcomes):
            raise ValueError("each `when` may have one outcome")
        return self

    def paper(self, status: str, pipeline: str, stage: str) -> str:
        """What the rules make of an opportunity as it is; "" for nothing."""
        if status in LOST:
            return ""
        return next((rule.make.value for rule in self.rules if rule.fits(status, pipeline, stage)), "")

    def outcome(self, standing: str) -> tuple[str, str]:
        """Status and stage; "" where they stay as they are."""
        return next(((each.status, each.stage) for each in self.outcomes if each.when == standing), ("", ""))


OPPORTUNITY = ObjectType(
    name="opportunity",
    plural="opportunities",
    called={Side.CRM: "opportunity", Side.BILLING: "quote or invoice"},
    becomes={
        Side.BILLING: "quote or draft invoice of the client, by rules for status and stage; archived when it is lost",
        Side.CRM: "status and stage of the opportunity, by a table: quote approved, invoice sent, paid ...",
    },
    settings=OpportunitySettings,
    recognised_by="number",
    parent="contact",
    made_on=frozenset({Side.BILLING}),
)

"""Events of money, each told once, as a note of the contact."""

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side

PLACEHOLDERS = ("number", "amount", "currency", "balance", "date", "client", "link")


def _template(text: str) -> str:
    """Raises ValueError where it names something else, or cannot be read."""
    for _, name, form, conversion in Formatter().parse(text):
        if name is not None and (name not in PLACEHOLDERS or form or conversion):
            known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
            raise ValueError(f"“{{{name}}}” is no placeholder; there are {known}")
    return text


Wording = Annotated[str, Field(max_length=1000), AfterValidator(_template)]


class Wordings(BaseModel):
    """What each note says; empty: it is not told. Placeholders: {number}, {amount}, {currency}, {balance} (what is
    open), {date}, {client}, {link} (opens the document without a login)."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    invoice_sent: Wording = "Invoice {number} over {amount} {currency} was sent."
    invoice_viewed: Wording = "Invoice {number} was viewed on {date}."
    invoice_overdue: Wording = "Invoice {number} is overdue since {date}: {balance} {currency} are open."
    invoice_partial: Wording = "Invoice {number} is partly paid: {balance} of {amount} {currency} are still open."
    invoice_paid: Wording = "Invoice {number} over {amount} {currency} is paid."
    invoice_cancelled: Wording = "Invoice {number} was cancelled."
    quote_sent: Wording = "Quote {number} over {amount} {currency} was sent."
    quote_approved: Wording = "Quote {number} over {amount} {currency} was approved."
    quote_expired: Wording = "Quote {number} expired on {date}."
    credit_made: Wording = "Credit {number} over {amount} {currency} was made."
    payment_received: Wording = ""
    payment_refunded: Wording = "Of payment {number}, {amount} {currency} were refunded."
    payment_deleted: Wording = "Payment {number} over {amount} {currency} was deleted."


class NoticeSettings(ObjectSettings):
    default_map = (Pair("body", "body", Direction.TO_CRM),)

    wording: Wordings = Field(default_factory=lambda: Wordings(), description="What each note says")


NOTICE = ObjectType(
    name="notice",
    plural="notices",
    called={Side.CRM: "note", Side.BILLING: "event"},
    becomes={
        Side.CRM: "one note of the contact for each: invoice sent, viewed, overdue, partly paid, paid, cancelled; quote"
        " sent, approved, expired; credit made; payment received, refunded, deleted",
    },
    settings=NoticeSettings,
    recognised_by="body",
    parent="contact",
    once=True,
    appended=True,
)

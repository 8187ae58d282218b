"""When a client's next recurring invoice goes out, as a custom field of its contact. Found by polling."""

from pydantic import BaseModel, ConfigDict, Field

from app.sync.fieldmap import Direction, Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.records import Side


class RecurringFields(BaseModel):
    """The names of the custom fields."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    next_recurring: str = Field(
        "Next recurring invoice",
        min_length=1,
        max_length=100,
        description="Custom field in the CRM, by its name or key; made where it is missing",
    )


class RecurringSettings(ObjectSettings):
    default_map = (Pair("next_recurring", "next_recurring", Direction.TO_CRM),)

    custom_fields: RecurringFields = Field(
        default_factory=lambda: RecurringFields(), description="What the custom field is called"
    )


RECURRING = ObjectType(
    name="recurring",
    plural="recurring invoices",
    called={Side.CRM: "contact", Side.BILLING: "client"},
    becomes={Side.CRM: "custom field of the contact: the date of the next recurring invoice; found by polling"},
    settings=RecurringSettings,
    parent="contact",
    facet=True,
)

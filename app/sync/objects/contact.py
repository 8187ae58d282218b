"""A contact of the CRM is a client in billing, with its person."""

from pydantic import Field

from app.sync.fieldmap import Pair
from app.sync.objects.base import ObjectSettings, ObjectType
from app.sync.objects.tags import TagSettings
from app.sync.records import Side

DEFAULT_MAP: tuple[Pair, ...] = (
    Pair("company", "name"),
    Pair("first_name", "first_name"),
    Pair("last_name", "last_name"),
    Pair("email", "email"),
    Pair("phone", "phone"),
    Pair("address1", "address1"),
    Pair("city", "city"),
    Pair("state", "state"),
    Pair("postal_code", "postal_code"),
    Pair("country", "country"),
    Pair("website", "website"),
    # HighLevel contacts have no such fields of their own: the pairs work where the location has custom fields
    # with these keys, and are listed as skipped where it has not.
    Pair("custom.vat_number", "vat_number"),
    Pair("custom.id_number", "id_number"),
    Pair("custom.client_notes", "private_notes"),
    Pair("custom.custom_value1", "custom_value1"),
    Pair("custom.custom_value2", "custom_value2"),
    Pair("custom.custom_value3", "custom_value3"),
)


class ContactSettings(ObjectSettings):
    default_map = DEFAULT_MAP

    enabled: bool = Field(True, description="Whether contacts are synced")
    tags: TagSettings = Field(default_factory=TagSettings, description="Where the tags of contacts go in billing")

    def pairs(self) -> tuple[Pair, ...]:
        """That of the tags first: a field that was given to them is not mapped to anything else."""
        return (*self.tags.pairs(), *super().pairs())

    def chosen(self) -> tuple[Pair, ...]:
        return self.tags.pairs()

    def needed_options(self) -> tuple[tuple[str, str], ...]:
        return tuple(("group", row.group) for row in self.tags.groups)


CONTACT = ObjectType(
    name="contact",
    plural="contacts",
    called={Side.CRM: "contact", Side.BILLING: "client"},
    becomes={
        Side.BILLING: "client with its person: names, e-mail, phone, address, country, website, numbers, custom fields",
        Side.CRM: "contact, with the same fields",
    },
    settings=ContactSettings,
    person=True,
    parent="business",
    part=True,
)

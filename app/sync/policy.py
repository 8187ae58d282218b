"""What a bridge is set to do. Stored as JSON with the bridge, checked here."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from app.sync.fieldmap import DEFAULT_CONTACT_MAP, Direction, Pair
from app.sync.merge import Prefer


class CrmDeleted(StrEnum):
    """What happens to the client when its contact is deleted in the CRM."""

    ARCHIVE = "archive"
    KEEP = "keep"


_FIELD = r"^[\w.\-]+$"


class FieldPair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    crm: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the CRM contact, for example `custom.vat_number`"
    )
    billing: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the billing client, for example `vat_number`"
    )
    direction: Direction = Direction.BOTH


class ContactSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    direction: Direction = Field(Direction.BOTH, description="Which way contacts are created and updated")
    crm_deleted: CrmDeleted = Field(
        CrmDeleted.ARCHIVE,
        description="A contact deleted in the CRM: archive its client, or keep it. The pair is unlinked either way."
        " A client deleted in billing only unlinks: the contact is never deleted.",
    )
    fields: list[FieldPair] | None = Field(None, description="The field map; left out: the default map")

    def pairs(self) -> tuple[Pair, ...]:
        if self.fields is None:
            return DEFAULT_CONTACT_MAP
        return tuple(Pair(item.crm, item.billing, item.direction) for item in self.fields)


class BridgeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prefer: Prefer = Field(Prefer.CRM, description="Whose value wins when both sides changed the same field")
    slot: str = Field(
        "", max_length=50, description="Billing field that holds the CRM id; empty: the provider's first choice"
    )
    contact: ContactSettings = Field(default_factory=lambda: ContactSettings())

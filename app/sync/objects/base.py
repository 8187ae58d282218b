"""What the engine has to know of an object, and what every object can be set to. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from app.sync.fieldmap import Direction, Pair
from app.sync.people import twin_key
from app.sync.records import Record, Side
from app.sync.values import clean_text


class CrmDeleted(StrEnum):
    """What happens to the billing record when its partner is deleted in the CRM."""

    ARCHIVE = "archive"
    KEEP = "keep"


_FIELD = r"^[\w.\-]+$"


class FieldPair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    crm: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the CRM record, for example `custom.vat_number`"
    )
    billing: str = Field(
        pattern=_FIELD, max_length=200, description="Field of the billing record, for example `vat_number`"
    )
    direction: Direction = Direction.BOTH


class ObjectSettings(BaseModel):
    """What every object can be set to."""

    model_config = ConfigDict(extra="forbid")
    default_map: ClassVar[tuple[Pair, ...]] = ()

    enabled: bool = Field(False, description="Whether this object is synced at all")
    direction: Direction = Field(Direction.BOTH, description="Which way records are created and updated")
    crm_deleted: CrmDeleted = Field(
        CrmDeleted.ARCHIVE,
        description="A record deleted in the CRM: archive its partner in billing, or keep it. The pair is unlinked"
        " either way. A record deleted in billing only unlinks: nothing is deleted in the CRM.",
    )
    fields: list[FieldPair] | None = Field(None, description="The field map; left out: the default map")

    def pairs(self) -> tuple[Pair, ...]:
        if self.fields is None:
            return self.default_map
        return tuple(Pair(item.crm, item.billing, item.direction) for item in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectType:
    """`called`: what people call the record on each side. `plural`: what they call the object.

    `becomes`: what is made of the other side's record on a side; a side that is missing is never written to. The
    README's table "What syncs" is made of it.

    `parent`: the object that a record belongs to; a record waits until its parent's pair is made.
    `person`: it has an e-mail address to be recognised by, may be merged into another, and is one part of the vendor's
    record. Anything else is recognised by its external id, and by the field `recognised_by`, which both sides have,
    below its parent. `unique`: no two records may have the same there, so it is looked for before every create.
    `part`: a record with a parent is a part of the parent's record in billing (one contact of a client), and one
    without a parent stands alone. Where the parents are switched off, all stand alone.
    """

    name: str
    plural: str
    called: Mapping[Side, str]
    becomes: Mapping[Side, str]
    settings: type[ObjectSettings]
    recognised_by: str = ""
    parent: str = ""
    person: bool = False
    unique: bool = False
    part: bool = False

    def identity(self, record: Record) -> str:
        """What two twins, entered on both sides at once, have in common; "" where nothing identifies the record."""
        if self.person:
            return twin_key(record)
        value = clean_text(record.values.get(self.recognised_by, "")).casefold()
        return f"{self.recognised_by}:{value}" if value else ""

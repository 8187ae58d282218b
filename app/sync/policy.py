"""What a bridge is set to do. Stored as JSON with the bridge, checked here."""

from enum import StrEnum
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.sync.fieldmap import DEFAULT_CONTACT_MAP, DEFAULT_TASK_MAP, Direction, Pair
from app.sync.merge import Prefer


class CrmDeleted(StrEnum):
    """What happens to the billing record when its partner is deleted in the CRM."""

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


class ObjectSettings(BaseModel):
    """What every object can be set to."""

    model_config = ConfigDict(extra="forbid")
    default_map: ClassVar[tuple[Pair, ...]] = ()

    enabled: bool = Field(True, description="Whether this object is synced at all")
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


class ContactSettings(ObjectSettings):
    default_map = DEFAULT_CONTACT_MAP


class TaskSettings(ObjectSettings):
    default_map = DEFAULT_TASK_MAP

    enabled: bool = Field(False, description="Whether tasks are synced")
    done: list[str] = Field(
        ["Done"],
        min_length=1,
        max_length=20,
        description="Task statuses in billing that mean “completed”; one completed in the CRM gets the first of them",
    )
    open: str = Field(
        "", max_length=200, description="The status of a task that is opened again; empty: the first that is not done"
    )
    slot: str = Field(
        "custom_value4", pattern=r"^custom_value[1-4]$", description="Billing field of the task that holds the CRM id"
    )
    due_field: str = Field(
        "custom_value3", pattern=r"^custom_value[1-4]$", description="Billing field of the task that keeps its due date"
    )

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.slot == self.due_field:
            raise ValueError("the CRM id and the due date of a task need two different fields")
        return self


class BridgeSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prefer: Prefer = Field(Prefer.CRM, description="Whose value wins when both sides changed the same field")
    slot: str = Field(
        "", max_length=50, description="Billing field that holds the CRM id; empty: the provider's first choice"
    )
    contact: ContactSettings = Field(default_factory=lambda: ContactSettings())
    task: TaskSettings = Field(default_factory=lambda: TaskSettings())

    def objects(self) -> tuple[str, ...]:
        """Those that are switched on."""
        each = ((name, getattr(self, name)) for name in type(self).model_fields)
        return tuple(name for name, settings in each if isinstance(settings, ObjectSettings) and settings.enabled)

    def of(self, object_: str) -> ObjectSettings:
        """Raises ValueError for an object that is not synced."""
        settings = getattr(self, object_, None)
        if not isinstance(settings, ObjectSettings):
            raise ValueError(f"{object_} is not synced")
        return settings

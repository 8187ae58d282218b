"""What a bridge is set to do. Stored as JSON with the bridge, checked here."""

from pydantic import BaseModel, ConfigDict, Field

from app.sync.merge import Prefer
from app.sync.objects import OBJECTS, BusinessSettings, ContactSettings, ObjectSettings, TaskSettings


class BridgeSettings(BaseModel):
    """One field for each of `OBJECTS`, by its name."""

    model_config = ConfigDict(extra="forbid")

    prefer: Prefer = Field(Prefer.CRM, description="Whose value wins when both sides changed the same field")
    slot: str = Field(
        "", max_length=50, description="Billing field that holds the CRM id; empty: the provider's first choice"
    )
    contact: ContactSettings = Field(default_factory=lambda: ContactSettings())
    task: TaskSettings = Field(default_factory=lambda: TaskSettings())
    business: BusinessSettings = Field(default_factory=lambda: BusinessSettings())

    def objects(self) -> tuple[str, ...]:
        """Those that are switched on."""
        return tuple(name for name in OBJECTS if self.of(name).enabled)

    def of(self, object_: str) -> ObjectSettings:
        """Raises ValueError for an object that is not synced."""
        settings = getattr(self, object_, None)
        if not isinstance(settings, ObjectSettings):
            raise ValueError(f"{object_} is not synced")
        return settings

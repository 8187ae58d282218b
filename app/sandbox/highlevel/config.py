"""What can be set when the HighLevel simulator starts, and most of it while it runs (`POST /_control/settings`)."""

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, Self

CompanyNameOnPut = Literal["refuse", "ignore", "accept"]
Signatures = Literal["ed25519", "both", "rsa", "none"]

DOUBLING_UP_TO_A_MINUTE = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Durations are seconds; a limit of 0 is no limit."""

    locations: int = 2
    allow_duplicate_contact: bool = False
    put_company_name: CompanyNameOnPut = "refuse"
    """The update DTO has no companyName (contracts/ghl, section 4); what the service does with one is not published."""
    missing_contact_status: int = 400
    missing_object_status: int = 404
    """Of everything but contacts. Neither is documented for Version 2021-07-28; v3 has 404."""
    task_create_is_short: bool = False
    """TaskCreate without contactId and body: highlevel-api-docs#332."""
    appointment_type_is_wrong: bool = False
    """AppointmentUpdate and AppointmentDelete call themselves AppointmentCreate, as their documentation does."""
    business_move_is_told: bool = False
    """A contact that changes its business fires ContactUpdate. That body has no businessId, and the event is only for
    "specific fields", so the quiet case is the one to be ready for."""
    index_lag: float = 0
    burst_limit: int = 100
    burst_seconds: float = 10
    daily_limit: int = 200_000
    access_token_seconds: int = 86_399
    client_id: str = "5a9db0c0ffee00000000a001-sandbox1"
    client_secret: str = "sandbox-highlevel-client-secret"  # noqa: S105 (opens the simulator only)
    webhook_url: str = ""
    """Takes every event until `POST /_control/webhooks` says otherwise; empty sends none."""
    signing_seed: str = "crossledger sandbox"
    signatures: Signatures = "ed25519"
    delivery_delay: float = 0.05
    retry_waits: tuple[float, ...] = DOUBLING_UP_TO_A_MINUTE
    """The real intervals are not published; 12 of them are (contracts/ghl, section 2.3)."""

    @property
    def app_id(self) -> str:
        return self.client_id.split("-")[0]

    def changed(self, settings: dict[str, Any]) -> Self:
        """Raises ValueError for a field that does not exist."""
        known = {each.name for each in fields(self)}
        if unknown := set(settings) - known:
            raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
        if "retry_waits" in settings:
            settings = {**settings, "retry_waits": tuple(float(wait) for wait in settings["retry_waits"])}
        return replace(self, **settings)

"""What callers send."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.api.fields import BaseUrl, Email, Id, LocationId, Name, Password, Token, Word
from app.api.schemas import JobState
from app.people.roles import Role
from app.sync.policy import BridgeSettings


class In(BaseModel):
    """Unknown fields are refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


class HighLevelIn(In):
    """A HighLevel location, by a private integration token."""

    provider: Literal["highlevel"]
    name: Name
    location_id: LocationId
    private_token: Token
    base_url: BaseUrl | None = Field(None, description="Left out: HighLevel's own address")

    @property
    def account_id(self) -> str:
        return self.location_id

    def secrets(self) -> dict[str, str]:
        return {"private_token": self.private_token.get_secret_value()}


class InvoiceNinjaIn(In):
    """An Invoice Ninja company, by an API token. The token decides which company it is."""

    provider: Literal["invoice_ninja"]
    name: Name
    base_url: BaseUrl | None = Field(None, description="Left out: the hosted service, https://invoicing.co")
    api_token: Token
    api_secret: Token | None = Field(None, description="Where the server asks for one (API_SECRET)")

    @property
    def account_id(self) -> str:
        return ""

    def secrets(self) -> dict[str, str]:
        secret = {"api_secret": self.api_secret.get_secret_value()} if self.api_secret else {}
        return {"api_token": self.api_token.get_secret_value(), **secret}


class SecretsIn(In):
    """New credentials; those left out stay as they are."""

    private_token: Token | None = Field(None, description="HighLevel")
    api_token: Token | None = Field(None, description="Invoice Ninja")
    api_secret: Token | None = Field(None, description="Invoice Ninja")

    def given(self) -> dict[str, str]:
        named = {"private_token": self.private_token, "api_token": self.api_token, "api_secret": self.api_secret}
        return {name: token.get_secret_value() for name, token in named.items() if token}


def _storable(settings: BridgeSettings | None) -> BridgeSettings | None:
    if settings is not None and "\\u0000" in settings.model_dump_json():
        raise ValueError("no text may have a NUL character")
    return settings


class BridgeIn(In):
    name: Name
    crm_connection_id: Id
    billing_connection_id: Id
    settings: BridgeSettings = Field(default_factory=BridgeSettings)

    _checked = field_validator("settings")(_storable)


class BridgeChange(In):
    """What is left out stays as it is. `settings` are replaced as a whole."""

    name: Name | None = None
    enabled: bool | None = None
    settings: BridgeSettings | None = None

    _checked = field_validator("settings")(_storable)


class RetryIn(In):
    """Which jobs to try again; nothing given: all."""

    bridge_id: Id | None = None
    state: JobState | None = None
    problem: Word | None = Field(None, description="For example `rejected`, `forbidden`, `ambiguous`")


class UserIn(In):
    email: Email
    role: Role
    password: Password


class UserChange(In):
    """What is left out stays as it is. A new password ends the user's sessions."""

    role: Role | None = None
    password: Password | None = None


class TokenIn(In):
    name: Name
    role: Role = Field(description="Not above your own")
    expires_in_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(None, description="Left out: until revoked")

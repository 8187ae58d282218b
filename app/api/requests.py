"""What callers send."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from app.api.fields import (
    BaseUrl,
    Code,
    Coming,
    Email,
    Id,
    LocationId,
    LoginName,
    LoginPassword,
    Name,
    Password,
    Text,
    Token,
    Word,
)
from app.api.schemas import JobState
from app.failures import KEY
from app.people.roles import Role
from app.providers.base import Login
from app.sync.decisions import ConflictKind, Deed, Take
from app.sync.policy import BridgeSettings


class In(BaseModel):
    """Unknown fields are refused: a misspelt one would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


class NewConnection(In):
    """What connecting an account needs to know of any vendor."""

    name: Name | None = Field(None, description="Left out: the account's own")

    @property
    def login(self) -> Login | None:
        """To be exchanged for a token, where none was given."""
        return None

    @property
    def company(self) -> str | None:
        return None

    @property
    def wants_webhooks(self) -> bool:
        return False


class HighLevelIn(NewConnection):
    """A HighLevel location, by a private integration token."""

    provider: Literal["highlevel"]
    location_id: LocationId
    private_token: Token
    base_url: BaseUrl | None = Field(None, description="Left out: HighLevel's own address")

    @property
    def account_id(self) -> str:
        return self.location_id

    def secrets(self) -> dict[str, str]:
        return {"private_token": self.private_token.get_secret_value()}


class InvoiceNinjaIn(NewConnection):
    """An Invoice Ninja company: by an API token, which decides which company it is, or by a login.

    E-mail and password are exchanged for a token at once, and kept nowhere.
    """

    provider: Literal["invoice_ninja"]
    base_url: BaseUrl | None = Field(None, description="Left out: the hosted service, https://invoicing.co")
    api_token: Token | None = None
    email: LoginName | None = None
    password: LoginPassword | None = None
    one_time_password: Code | None = Field(None, description="With two-factor authentication: a fresh code of the app")
    company_key: Word | None = Field(None, description="Where the login opens several companies: one of `choices`")
    api_secret: Token | None = Field(None, description="Where the server asks for one (API_SECRET)")
    install_webhooks: bool = Field(True, description="Make the webhooks in Invoice Ninja, and keep them in order")

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        login = [self.email, self.password, self.one_time_password, self.company_key]
        if self.api_token is None and (self.email is None or self.password is None):
            raise ValueError("needs `api_token`, or `email` and `password`")
        if self.api_token is not None and any(each is not None for each in login):
            raise ValueError("`api_token` goes without `email`, `password`, `one_time_password` and `company_key`")
        return self

    @property
    def account_id(self) -> str:
        return ""

    @property
    def login(self) -> Login | None:
        if self.email is None or self.password is None:
            return None
        return Login(
            email=self.email,
            password=self.password.get_secret_value(),
            one_time_password=_opened(self.one_time_password),
            api_secret=_opened(self.api_secret),
        )

    @property
    def company(self) -> str | None:
        return self.company_key

    @property
    def wants_webhooks(self) -> bool:
        return self.install_webhooks

    def secrets(self) -> dict[str, str]:
        named = {"api_token": _opened(self.api_token), "api_secret": _opened(self.api_secret)}
        return {name: secret for name, secret in named.items() if secret}


def _opened(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


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
    live: bool = Field(
        False,
        description="Keep both sides in step at once, from the next event on. Left out, the bridge is in dry run until"
        " it goes live: make a plan, look at it, apply it",
    )

    _checked = field_validator("settings")(_storable)


class BridgeChange(In):
    """What is left out stays as it is. `settings` are replaced as a whole."""

    name: Name | None = None
    enabled: bool | None = None
    paused_until: Coming | None = Field(None, description="With `enabled` false: it goes on by itself at this moment")
    settings: BridgeSettings | None = None

    _checked = field_validator("settings")(_storable)

    @model_validator(mode="after")
    def _paused(self) -> Self:
        if self.paused_until and self.enabled is not False:
            raise ValueError("`paused_until` goes with `enabled` false, and only there")
        return self


class PauseIn(In):
    until: Coming | None = Field(None, description="It goes on by itself at this moment; left out: somebody ends it")


class RetryIn(In):
    """Which jobs to try again; nothing given: all."""

    bridge_id: Id | None = None
    state: JobState | None = None
    problem: Word | None = Field(None, description="For example `rejected`, `forbidden`, `ambiguous`")


class FieldDecisionIn(In):
    take: Take
    value: Text | None = Field(None, description="With `take` `value`: what both sides get")
    always: bool = Field(False, description="From now on as well, for this field of every record of the bridge")
    crm: Text | None = Field(None, description="The CRM's value as you saw it; another one by now is refused")
    billing: Text | None = Field(None, description="The billing value as you saw it; sent with `crm`")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.take is Take.VALUE) != (self.value is not None):
            raise ValueError("`value` goes with `take` “value”, and only there")
        if (self.crm is None) != (self.billing is None):
            raise ValueError("`crm` and `billing` are sent together")
        if self.always and self.take is Take.VALUE:
            raise ValueError("a typed value is for one record: `always` goes with `crm` or `billing`")
        return self


class DecideIn(In):
    """One of these: decisions by field, or one about the record as a whole."""

    fields: dict[Word, FieldDecisionIn] = Field(default_factory=dict, max_length=100)
    partner: Word | None = Field(None, description="Of several candidates: the vendor's id of the one")
    create: bool = Field(False, description="It is none of the candidates: make a partner of its own")
    keep_apart: bool = Field(False, description="It is none of the candidates, and gets no partner; a pair is cut")
    deletion: Deed | None = Field(None, description="Where a deletion met an edit")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.fields, self.partner, self.create, self.keep_apart, self.deletion))) != 1:
            raise ValueError("needs exactly one of `fields`, `partner`, `create`, `keep_apart` and `deletion`")
        return self

    @property
    def option(self) -> str:
        """Of a decision about the record as a whole."""
        if self.partner:
            return "partner"
        return self.deletion.value if self.deletion else "create" if self.create else "keep_apart"


class DecideManyIn(In):
    """Which conflicts of fields to decide alike; nothing given: all."""

    bridge_id: Id | None = None
    object: Word | None = None
    kind: ConflictKind | None = None
    field: Word | None = Field(None, description="Its name in billing")
    take: Literal[Take.CRM, Take.BILLING]


class GroupIn(In):
    """A group of GET /failures."""

    key: Annotated[str, Field(pattern=f"^{KEY.pattern}$", description="Its `key`")]
    bridge_id: Id | None = Field(None, description="May be left out: the key names it")


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
    expires_in_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = Field(
        None, description="Left out: until revoked"
    )

"""Invoice Ninja's own words on the wire: what it answers, what it wants in a request, how it refuses.

contracts/invoice_ninja, sections 1 and 2. Beware: 403 is a bad token and 401 a missing permission, the wrong way
round, and an unknown record is 400.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from app.errors import CrossledgerError, Forbidden, Gone, Reconnect, Rejected, Retry
from app.providers.http import retry_after

API = "/api/v1"
LABEL = "Invoice Ninja"

# Its limits count per minute and per IP, and its 429 says nothing about when: section 7.
MINUTE = 60.0


class Contact(BaseModel):
    """One person of a client. Kept whole: an update sends all contacts back."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(min_length=1)


class Client(BaseModel):
    """A client, kept whole. Without its settings and contacts it cannot be updated safely, so both must be there."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(min_length=1)
    is_deleted: bool = False
    archived_at: int = 0
    created_at: int = 0
    updated_at: int = 0
    # PHP writes an empty object as [].
    settings: Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value == [] else value)]
    contacts: list[Contact]


class Pagination(BaseModel):
    total: int
    total_pages: int


class Meta(BaseModel):
    pagination: Pagination


class ClientAnswer(BaseModel):
    data: Client


class ClientPage(BaseModel):
    data: list[Client]
    meta: Meta


class Webhook(BaseModel):
    """One subscription. `headers` is an object; where nobody entered any, or entered them wrongly, something else."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    id: str = Field(pattern=r"^[0-9A-Za-z_-]+$")
    event_id: str = ""
    target_url: str = Field("", repr=False)
    headers: Any = Field(None, repr=False)
    archived_at: int = 0
    created_at: int = 0
    is_deleted: bool = False


class WebhookPage(BaseModel):
    data: list[Webhook]
    meta: Meta


class _Ids(BaseModel):
    """Ids of Invoice Ninja's fixed tables are numbers sent as strings, in some places as numbers."""

    model_config = ConfigDict(coerce_numbers_to_str=True)


class CompanySettings(_Ids):
    name: str = ""
    currency_id: str = ""
    country_id: str = ""
    timezone_id: str = ""


class Company(_Ids):
    company_key: str = Field(min_length=1)
    settings: CompanySettings
    custom_fields: Any = None  # {"client1": "Label|kind"}; PHP writes an empty one as a list

    @property
    def labels(self) -> dict[str, str]:
        """What the company calls its custom values, by the vendor's keys, "client1" to "client4" for clients."""
        told = self.custom_fields if isinstance(self.custom_fields, dict) else {}
        labels = {str(key): text.partition("|")[0].strip() for key, text in told.items() if isinstance(text, str)}
        return {key: label for key, label in labels.items() if label}


class CompanyAnswer(BaseModel):
    data: Company


class Token(BaseModel):
    token: str = Field("", repr=False)


class Plan(BaseModel):
    """Of the whole installation, or of one customer of the hosted service. `plan` is empty without a paid one."""

    plan: Annotated[str, BeforeValidator(lambda value: value or "")] = ""
    is_hosted: bool = False


class CompanyUser(BaseModel):
    """One user in one company. `permissions` are words with commas between them."""

    permissions: Annotated[str, BeforeValidator(lambda value: value or "")] = ""
    is_owner: bool = False
    is_admin: bool = False
    company: Company
    token: Token = Token()
    account: Plan = Plan()

    @property
    def is_super(self) -> bool:
        return self.is_owner or self.is_admin


class CompanyUsers(BaseModel):
    data: list[CompanyUser]


class Country(_Ids):
    id: str
    iso_3166_2: str


class Currency(_Ids):
    id: str
    code: str


class Timezone(_Ids):
    id: str
    name: str


class Statics(BaseModel):
    """The fixed tables. Currencies and time zones are only shown to people, so they may be missing."""

    countries: list[Country]
    currencies: list[Currency] = []
    timezones: list[Timezone] = []


Model = TypeVar("Model", bound=BaseModel)


def parse(model: type[Model], body: Any) -> Model:
    """The reply as a model. Raises Rejected, naming the place but never the value."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise Rejected(f"{LABEL} answers in a form we do not know ({place}: {first['msg']})") from None


_HOST = re.compile(r"[\w.:-]+")


def api_root(base_url: str) -> str:
    """Where the API lives, whether a person gave the site, the site with a slash, or the API's own address."""
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL as error:
        raise Rejected(f"the base URL is not a URL: {error}") from error
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.host):
        raise Rejected("the base URL must begin with https:// and the name of the server")
    folder = f"{url.path}/".partition(f"{API}/")[0].rstrip("/")
    return str(url.copy_with(path=folder + API, query=None, fragment=None, username="", password=""))


class DoubleClick(Retry):
    """The same was asked for less than a second ago. Nothing was done."""


@dataclass(slots=True, kw_only=True)
class InvoiceNinjaDialect:
    """`secret` is needed only where a self-hosted server sets API_SECRET.

    `version` is what the server calls itself, known after its first answer. `password` is the user's own, which few
    routes want (section 1); beware: sent once, it unlocks all of them for half an hour.
    """

    token: str = field(repr=False)
    secret: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    version: str = field(default="", init=False)
    label: str = LABEL

    def headers(self) -> Mapping[str, str]:
        # Without Accept or X-Requested-With a validation error is a redirect to an HTML page: section 1.
        headers = {
            "X-API-TOKEN": self.token,
            "Accept": "application/json",
            "X-Requested-With": "XMLHttpRequest",
        }
        only_where_given = {"X-API-SECRET": self.secret, "X-API-PASSWORD": self.password}
        return headers | {name: value for name, value in only_where_given.items() if value}

    def pause(self, status: int, headers: Mapping[str, str]) -> float | None:
        self.version = headers.get("x-app-version", self.version)
        match status:
            case httpx.codes.TOO_MANY_REQUESTS:
                return retry_after(headers) or MINUTE
            case httpx.codes.SERVICE_UNAVAILABLE:
                # Maintenance says how long only where the server was told to.
                return retry_after(headers)
        return None

    def left_today(self, headers: Mapping[str, str]) -> int | None:
        return None

    def refusal(self, status: int, body: Any) -> CrossledgerError:
        if body is None:
            return Rejected(
                f"{LABEL} answers {status} with something that is not its API: check the base URL, and whatever "
                "stands in front of the server",
                status=status,
            )
        words = words_of(body)
        if status == httpx.codes.BAD_REQUEST:
            return _bad_request(words)
        if status in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return Rejected(f"not supported by this version of {LABEL} ({self.version or 'unknown'}): {words}", status)
        return _by_status(status, words, body)


def _by_status(status: int, words: str, body: Any) -> CrossledgerError:
    match status:
        case httpx.codes.FORBIDDEN:
            return Reconnect(f"{LABEL} refuses the API token: {words}")
        case httpx.codes.UNAUTHORIZED:
            return Forbidden(f"the API token's user may not do this in {LABEL}: {words}", status=status)
        case httpx.codes.PRECONDITION_FAILED:
            return Rejected(f"{LABEL} wants the user's password for this: {words}", status=status)
        case httpx.codes.UNPROCESSABLE_ENTITY:
            fields = _complaints(body)
            reason = "; ".join(fields.values()) or words
            return Rejected(f"{LABEL} refuses the values: {reason}", status=status, fields=fields)
    return Rejected(f"{LABEL} answers {status}: {words}", status=status)


def _bad_request(words: str) -> CrossledgerError:
    if words.startswith(("No query results", "Record with value")):
        return Gone(f"{LABEL} has no such record any more")
    if words.startswith("Record is deleted"):
        return Gone(f"the record is deleted in {LABEL} and cannot be edited until it is restored there")
    if words == "Duplicate request":
        # Its guard against double clicks forgets after a second: sections 2 and 5.
        return DoubleClick(f"{LABEL} takes this for a double click", after=1)
    return Rejected(f"{LABEL} refuses: {words}", status=httpx.codes.BAD_REQUEST)


def words_of(body: Any) -> str:
    """Its explanation; some refusals are a bare JSON string, some an empty message."""
    message = body.get("message") if isinstance(body, dict) else body
    return message[:300] if isinstance(message, str) and message else "no explanation"


def _complaints(body: Any) -> dict[str, str]:
    """`errors` by field. A value is a list of sentences, or one sentence (section 2, the locked invoice)."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, dict):
        return {}
    return {
        str(name): " ".join(str(line) for line in said) if isinstance(said, list) else str(said)
        for name, said in errors.items()
    }

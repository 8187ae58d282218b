"""HighLevel's OAuth 2.0: the page where an owner agrees, and the tokens that come of it.

contracts/ghl, sections 1.1 to 1.5. Access tokens live a day, refresh tokens a year *or until used once*, without any
grace: whoever refreshes must keep the new pair before using it. There is no PKCE.
"""

import warnings
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, Field, ValidationError

from app.errors import AnswerLost, ConfigurationError, Inactive, Reconnect, Rejected, Retry
from app.providers.addresses import Reach
from app.providers.base import Grant, OpenGate
from app.providers.client import LONGEST_ANSWER, make_transport
from app.providers.highlevel.wire import LABEL, HighLevelDialect
from app.providers.http import Wire, retry_after
from app.redaction import keep_secret, keep_secret_here, redacted
from app.sync.values import storable

with warnings.catch_warnings():  # it says, whatever the filters are before, that it prefers a successor of httpx
    import authlib.deprecate  # noqa: F401

    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client

INSTALLED_PER_PAGE = 100
AUTHORIZE_URLS: Mapping[str, str] = {
    "standard": "https://marketplace.gohighlevel.com/v2/oauth/chooselocation",
    "white-label": "https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation",
}
"""Where an owner agrees, by the domain that the agency works on."""

# What is asked for, per object that is synced, and why (shown to the owner).
SCOPES: Mapping[str, Mapping[str, str]] = {
    "contact": {
        "contacts.readonly": "read contacts, and be told when they change",
        "contacts.write": "create and update contacts",
        "locations/customFields.readonly": "map custom fields",
        "locations.readonly": "show the location's name and time zone",
    },
    "task": {
        "locations/tasks.readonly": "find tasks that were edited",
        "users.readonly": "know assignees by their e-mail",
    },
    "balance": {"locations/customFields.write": "make the custom fields of the balance where they are missing"},
    "recurring": {"locations/customFields.write": "make the custom field of recurring invoices where it is missing"},
    "notice": {"contacts.write": "write notes"},
    "note": {
        "contacts.readonly": "read notes, and be told when they change",
        "contacts.write": "write notes of clients to their contacts",
    },
    "appointment": {
        "calendars/events.readonly": "read appointments, and be told when they change",
        "users.readonly": "know whom an appointment is with by their e-mail",
    },
    "opportunity": {
        "opportunities.readonly": "read opportunities and pipelines, and be told when they change",
        "opportunities.write": "move opportunities on when their quote or invoice does",
    },
    "product": {
        "products.readonly": "read products, and be told when they change",
        "products.write": "create and update products",
        "products/prices.readonly": "read their prices",
        "products/prices.write": "create and update their prices",
    },
    "invoice": {
        "invoices.readonly": "read invoices, and be told when they change",
        "invoices.write": "make and void invoices, where a bridge goes that way",
        "contacts.readonly": "know the e-mail and the phone that an invoice names",
    },
    "payment": {
        "invoices.readonly": "be told of payments, and know what is owed",
        "invoices.write": "record payments, where a bridge goes that way",
        "payments/transactions.readonly": "read the payments of invoices",
    },
    "business": {
        "businesses.readonly": "read businesses, and which contacts belong to them",
        "businesses.write": "create and update businesses",
    },
    "agency": {
        "oauth.readonly": "list the locations that have installed the app",
        "oauth.write": "get a token for each of them",
    },
}


class _Tokens(BaseModel):
    """The answer of the token endpoint. Only what is used; more is sent."""

    access_token: str = Field(min_length=1)
    refresh_token: str = ""
    expires_in: int = 86_399
    scope: str = ""
    user_type: str = Field("", alias="userType")
    location_id: str = Field("", alias="locationId")
    company_id: str = Field("", alias="companyId")


class _Installed(BaseModel):
    id: str = Field(alias="_id")
    name: str = ""
    installed: bool = Field(True, alias="isInstalled")


class _InstalledPage(BaseModel):
    locations: list[_Installed]
    count: int = 0


@dataclass(frozen=True, slots=True)
class InstalledLocation:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HighLevelOAuth:
    """One Marketplace app. `client_id` is `<appId>-<suffix>`."""

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str
    authorize_url: str
    reach: Reach = Reach.INTERNET

    @property
    def app_id(self) -> str:
        return self.client_id.partition("-")[0]

    def authorization_url(self, *, state: str, redirect_uri: str, scopes: Sequence[str]) -> str:
        """Where to send the owner's browser."""
        self._require_app()
        client = AsyncOAuth2Client(client_id=self.client_id, redirect_uri=redirect_uri, scope=" ".join(scopes))
        url, _ = client.create_authorization_url(self.authorize_url, state=state, loginWindowOpenMode="self")
        return str(url)

    async def exchange(self, code: str, redirect_uri: str) -> Grant:
        """The code of a callback for tokens. Which kind they are, only the answer says."""
        keep_secret_here(code)
        async with self._client() as client:
            asked = client.fetch_token(
                self._token_url, code=code, grant_type="authorization_code", redirect_uri=redirect_uri
            )
            return _grant(await _heard(asked))

    async def refresh(self, refresh_token: str, *, agency: bool) -> Grant:
        """Spends `refresh_token`. Raises Reconnect where it is spent already, Inactive where it may be kept,

        AnswerLost where nobody knows.
        """
        keep_secret_here(refresh_token)
        async with self._client() as client:
            user_type = "Company" if agency else "Location"
            asked = client.refresh_token(self._token_url, refresh_token=refresh_token, user_type=user_type)
            return _grant(await _heard(asked))

    async def location_token(
        self, client: httpx.AsyncClient, agency_token: str, *, company_id: str, location_id: str
    ) -> Grant:
        """A token of one location for an agency's."""
        asked = client.post(
            f"{self.base_url}/oauth/locationToken",
            headers=dict(HighLevelDialect(agency_token).headers()),
            data={"companyId": company_id, "locationId": location_id},
        )
        return _grant(_good(await _heard(asked)).json())

    async def installed_locations(
        self, client: httpx.AsyncClient, agency_token: str, company_id: str
    ) -> list[InstalledLocation]:
        wire = Wire(client, self.base_url, HighLevelDialect(agency_token), OpenGate())
        found: list[InstalledLocation] = []
        while True:
            params = {
                "companyId": company_id, "appId": self.app_id, "isInstalled": "true",
                "skip": str(len(found)), "limit": str(INSTALLED_PER_PAGE),
            }  # fmt: skip
            page = _InstalledPage.model_validate(await wire.get("/oauth/installedLocations", params))
            found += [InstalledLocation(each.id, each.name) for each in page.locations if each.installed]
            if len(page.locations) < INSTALLED_PER_PAGE:
                return found

    async def reconnect(self, client: httpx.AsyncClient, *, agency: bool, account_id: str) -> Grant:
        """A new pair for an account whose refresh token was lost, while the app is still installed there.

        In the vendor's help pages, in none of its OpenAPI files (contracts/ghl, section 1.2).
        """
        self._require_app()
        whose = {"companyId" if agency else "locationId": account_id}
        body = {"clientKey": self.client_id, "clientSecret": self.client_secret, **whose}
        answer = _good(await _heard(client.post(f"{self.base_url}/oauth/reconnect", json=body))).json()
        code = answer.get("authorizationCode") if isinstance(answer, dict) else None
        if not isinstance(code, str):
            raise Rejected(f"{LABEL} gives no code to reconnect with")
        return await self.exchange(code, redirect_uri="")

    @property
    def _token_url(self) -> str:
        return f"{self.base_url}/oauth/token"

    def _client(self) -> AsyncOAuth2Client:
        self._require_app()
        client = AsyncOAuth2Client(
            client_id=self.client_id,
            client_secret=self.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 -- the name of a method
            transport=make_transport(self.reach),
            timeout=LONGEST_ANSWER,
            trust_env=False,
            follow_redirects=False,
        )
        for answer in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(answer, _good)
        return client

    def _require_app(self) -> None:
        if not (self.client_id and self.client_secret):
            raise ConfigurationError(
                "To connect HighLevel in the browser, set CROSSLEDGER_HIGHLEVEL_CLIENT_ID and"
                " CROSSLEDGER_HIGHLEVEL_CLIENT_SECRET to those of your Marketplace app, and start again."
            )


T = TypeVar("T")


async def _heard(asked: Awaitable[T]) -> T:
    """Raises Retry where nothing was sent, AnswerLost where nobody knows what came of it."""
    try:
        return await asked
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Retry(f"{LABEL} cannot be reached: {error or type(error).__name__}") from error
    except httpx.TransportError as error:
        raise AnswerLost(f"{LABEL} did not answer: {error or type(error).__name__}") from error


def _good(answer: httpx.Response) -> httpx.Response:
    """Raises what the answer means; its refusals are no OAuth errors (no `error`), but HighLevel's own."""
    status = answer.status_code
    if status < httpx.codes.BAD_REQUEST:
        try:
            answer.json()
        except ValueError:
            raise AnswerLost(f"{LABEL} answers {status} with something that is no token") from None
        return answer
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise Retry(f"{LABEL} answers 429: too many requests", after=retry_after(answer.headers))
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise AnswerLost(f"{LABEL} answers {status}", after=retry_after(answer.headers))
    said = _said(answer)
    reason = f"{LABEL} answers {status}: {said or 'no explanation'}"
    if "location is not active" in said.casefold():
        raise Inactive(reason)
    if "invalid grant" in said.casefold() or status == httpx.codes.UNAUTHORIZED:
        raise Reconnect(reason)
    raise Rejected(reason, status)


def _said(answer: httpx.Response) -> str:
    """`message` (text or a list of texts), or OAuth's own `error_description` and `error`."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    said = next((body[key] for key in ("message", "error_description", "error") if body.get(key)), "")
    # It is stored and shown, and may repeat what was sent: a code, a refresh token, the app's secret.
    words = "; ".join(str(each) for each in said) if isinstance(said, list) else str(said)
    return storable(redacted(words))[:500]


def _grant(answer: Any) -> Grant:
    try:
        tokens = _Tokens.model_validate(answer)
    except ValidationError as error:
        places = ", ".join(str(each["loc"][0]) for each in error.errors(include_input=False))
        raise AnswerLost(f"{LABEL} answers a token in a form we do not know ({places})") from None
    keep_secret(tokens.access_token, tokens.refresh_token)
    agency = tokens.user_type == "Company"
    return Grant(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_at=datetime.now(UTC) + timedelta(seconds=tokens.expires_in),
        scopes=frozenset(tokens.scope.split()),
        agency=agency,
        account_id=tokens.company_id if agency else tokens.location_id,
        company_id=tokens.company_id,
    )

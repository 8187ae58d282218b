"""Bearer tokens, and the grants of the OAuth flow: contracts/ghl, section 1."""

import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.errors import bad_request
from app.sandbox.highlevel.store import COMPANY_ID, location_id

UserType = Literal["Location", "Company"]

SERVICE_TOKEN = "sandbox-highlevel-service-token"  # noqa: S105 (opens the simulator only)
HUMAN_TOKEN = "sandbox-highlevel-human-token"  # noqa: S105
COMPANY_TOKEN = "sandbox-highlevel-company-token"  # noqa: S105
SCOPES = (
    "contacts.readonly",
    "contacts.write",
    "locations.readonly",
    "locations/customFields.readonly",
    "locations/customFields.write",
    "locations/tags.readonly",
    "locations/tags.write",
    "locations/tasks.readonly",
    "businesses.readonly",
    "businesses.write",
    "calendars.readonly",
    "calendars/events.readonly",
    "calendars/events.write",
    "invoices.readonly",
    "invoices.write",
    "opportunities.readonly",
    "opportunities.write",
    "payments/transactions.readonly",
    "products.readonly",
    "products.write",
    "products/prices.readonly",
    "products/prices.write",
    "users.readonly",
    "oauth.readonly",
    "oauth.write",
)


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whom a token or a grant acts for; `location_id` is empty for an agency's."""

    user_type: UserType
    location_id: str = ""
    label: str = "service"
    scopes: frozenset[str] = frozenset(SCOPES)


@dataclass(frozen=True, kw_only=True)
class Token:
    owner: Owner
    expires: float | None = None


@dataclass(frozen=True, kw_only=True)
class Issued:
    access: str
    refresh: str
    owner: Owner
    seconds: int


class Tokens:
    def __init__(self, config: Config) -> None:
        self._tokens: dict[str, Token] = {}
        self._codes: dict[str, Owner] = {}
        self._refresh: dict[str, Owner] = {}
        self.installed: list[Owner] = []
        for number in range(1, config.locations + 1):
            suffix = "" if number == 1 else f"-{number}"
            for value, label in ((SERVICE_TOKEN, "service"), (HUMAN_TOKEN, "human")):
                owner = Owner(user_type="Location", location_id=location_id(number), label=label)
                self._tokens[value + suffix] = Token(owner=owner)
        self._tokens[COMPANY_TOKEN] = Token(owner=Owner(user_type="Company"))

    def add(self, value: str, owner: Owner, *, seconds: float | None = None) -> None:
        self._tokens[value] = Token(owner=owner, expires=None if seconds is None else time.monotonic() + seconds)

    def find(self, value: str) -> Owner | None:
        token = self._tokens.get(value)
        if token is None or (token.expires is not None and token.expires <= time.monotonic()):
            return None
        return token.owner

    def label(self, value: str) -> str:
        token = self._tokens.get(value)
        return token.owner.label if token else ""

    def issue(self, owner: Owner, seconds: int) -> Issued:
        issued = Issued(
            access=f"sandbox-access-{secrets.token_urlsafe(24)}",
            refresh=f"sandbox-refresh-{secrets.token_urlsafe(24)}",
            owner=owner,
            seconds=seconds,
        )
        self.add(issued.access, owner, seconds=seconds)
        self._refresh[issued.refresh] = owner
        return issued

    def new_code(self, owner: Owner) -> str:
        code = secrets.token_hex(20)
        self._codes[code] = owner
        return code

    def use_code(self, code: str) -> Owner:
        owner = self._codes.pop(code, None)
        if owner is None:
            raise bad_request("Invalid grant: authorization code is invalid")
        if owner not in self.installed:
            self.installed.append(owner)
        return owner

    def use_refresh(self, value: str, inactive: Iterable[str]) -> Owner:
        """Single use, with no grace (contracts/ghl, section 1.2).

        Only "Location is not active" leaves the token usable.
        """
        owner = self._refresh.get(value)
        if owner is None:
            raise bad_request("Invalid grant: refresh token is invalid")
        if owner.location_id in inactive:
            raise bad_request("Location is not active")
        del self._refresh[value]
        return owner

    def revoke(self, value: str) -> None:
        self._tokens.pop(value, None)

    def revoke_location(self, location: str) -> None:
        self._forget(lambda owner: owner.location_id == location)

    def revoke_company(self) -> None:
        """The agency's own, and those of all its locations."""
        self._forget(lambda _: True)

    def _forget(self, theirs: Callable[[Owner], bool]) -> None:
        """What OAuth has issued to them. The fixed tokens stay."""
        self._tokens = {
            value: token for value, token in self._tokens.items() if token.expires is None or not theirs(token.owner)
        }
        self._refresh = {value: owner for value, owner in self._refresh.items() if not theirs(owner)}
        self.installed = [owner for owner in self.installed if not theirs(owner)]


def is_company(owner: Owner, company_id: str) -> bool:
    return owner.user_type == "Company" and company_id == COMPANY_ID

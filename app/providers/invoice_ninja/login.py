"""Exchanging a login for tokens: POST /login. The password is sent once and kept nowhere.

contracts/invoice_ninja, section 1. The name of the one-time code and the words of its refusal are the product's own,
and not recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.errors import CrossledgerError, Rejected
from app.providers.base import Login, Membership, OpenGate
from app.providers.http import Wire
from app.providers.invoice_ninja.wire import LABEL, CompanyUsers, InvoiceNinjaDialect, parse, words_of


@dataclass(slots=True, kw_only=True)
class LoginDialect:
    """Before there is a token: 401 is then a wrong password, and 403 a wrong X-API-SECRET or no right to sign in."""

    secret: str = field(repr=False)
    label: str = LABEL

    def headers(self) -> Mapping[str, str]:
        headers = {"Accept": "application/json", "X-Requested-With": "XMLHttpRequest"}
        return {**headers, "X-API-SECRET": self.secret} if self.secret else headers

    def pause(self, status: int, headers: Mapping[str, str]) -> float | None:
        return None

    def left_today(self, headers: Mapping[str, str]) -> int | None:
        return None

    def refusal(self, status: int, body: Any) -> CrossledgerError:
        words = words_of(body)
        if status == httpx.codes.UNAUTHORIZED and "one time" in words.lower().replace("-", " "):
            cure = "send a fresh code of the authenticator app as `one_time_password`"
            return Rejected(f"{LABEL} wants a one-time code: {words}. Please {cure}.", status=status)
        if status == httpx.codes.UNAUTHORIZED:
            return Rejected(f"{LABEL} refuses this e-mail and password: {words}", status=status)
        if status == httpx.codes.FORBIDDEN and body is not None:
            return Rejected(f"{LABEL} refuses the login: {words} (is `api_secret` right?)", status=status)
        return InvoiceNinjaDialect(token="").refusal(status, body)


async def memberships(root: str, login: Login, client: httpx.AsyncClient) -> Sequence[Membership]:
    """The companies that a login opens. Raises Rejected and Retry, with neither password nor code in their text."""
    wire = Wire(client, root, LoginDialect(secret=login.api_secret), OpenGate())
    code = {"one_time_password": login.one_time_password} if login.one_time_password else {}
    try:
        body = await wire.read("/login", {"email": login.email, "password": login.password, **code})
    except CrossledgerError as failure:
        # Short ones are not kept as secrets, and a code is always short.
        if any(secret and secret in str(failure) for secret in (login.password, login.one_time_password)):
            raise Rejected(f"{LABEL} refuses the login, and repeats the password or the code in its answer") from None
        raise
    opened = [
        Membership(
            account_id=user.company.company_key,
            label=user.company.settings.name or LABEL,
            token=user.token.token,
        )
        for user in parse(CompanyUsers, body).data
        if user.token.token
    ]
    if not opened:
        raise Rejected(f"{LABEL} lets this login in, but gives it no company")
    return opened

"""`crossledger` with bugs on demand, whose exceptions have secrets in them, and with every library's log at debug."""

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi.requests import HTTPConnection

import app.logs
from app.cli import main
from app.connections import Connections
from app.people import passwords
from app.people.roles import Principal
from app.providers.base import Grant, Login, Membership, Profile
from app.providers.highlevel.contacts import Contacts
from app.providers.highlevel.oauth import HighLevelOAuth
from app.web.access import Gate

EXPLODES = "explodes"
"""A location id, a path below a server, and the header of a request."""
SWITCH = Path("jobs-explode")
"""While there is such a file in the working directory, jobs do."""
PASSWORDS, TOKENS = Path("passwords-explode"), Path("tokens-explode")
CONSOLE = "test_console"
"""As if it were a setting: the log as in a terminal."""

_configure, _check, _fetch = app.logs.configure, Connections.check, Contacts.fetch
_principal, _sign_in, _refresh = Gate.principal, Connections.sign_in, HighLevelOAuth.refresh
_matches, _hashed = passwords.matches, passwords.hashed


def _loud(level: str) -> None:
    if os.environ.get(f"CROSSLEDGER_{CONSOLE.upper()}"):
        sys.stderr.isatty = lambda: True  # type: ignore[method-assign]
    _configure(level)
    logging.getLogger().setLevel(logging.DEBUG)


async def _checked(self: Connections, provider: str, **given: Any) -> Profile:
    try:
        return await _check(self, provider, **given)
    finally:
        if given["account_id"] == EXPLODES:
            raise RuntimeError(f"a bug, with {given['secrets']}")


async def _fetched(self: Contacts, *given: Any, **named: Any) -> Any:
    if SWITCH.exists():  # noqa: ASYNC240 -- a moment, in a test
        raise ValueError(f"a bug, with {self.wire.dialect.headers()}")
    return await _fetch(self, *given, **named)


async def _known(self: Gate, request: HTTPConnection, *, seen: bool = True) -> Principal | None:
    who = await _principal(self, request, seen=seen)
    if EXPLODES in request.headers:
        raise RuntimeError(f"a bug, with {request.headers} and {request.cookies}")
    return who


async def _matched(password: str, stored: str | None) -> bool:
    right = await _matches(password, stored)
    if PASSWORDS.exists():  # noqa: ASYNC240
        raise RuntimeError("a bug, with", {"password": password})
    return right


async def _made(password: str) -> str:
    made = await _hashed(password)
    if PASSWORDS.exists():  # noqa: ASYNC240
        raise RuntimeError(f"a bug, with {password}")
    return made


async def _signed_in(self: Connections, provider: str, *, base_url: str, login: Login) -> Sequence[Membership]:
    try:
        return await _sign_in(self, provider, base_url=base_url, login=login)
    finally:
        if base_url.endswith(EXPLODES):
            raise RuntimeError(f"a bug, with {login.password} and {login.one_time_password}")


async def _refreshed(self: HighLevelOAuth, refresh_token: str, *, agency: bool) -> Grant:
    if TOKENS.exists():  # noqa: ASYNC240
        raise RuntimeError(f"a bug, with {refresh_token} and {self.client_secret}")
    return await _refresh(self, refresh_token, agency=agency)


if __name__ == "__main__":
    app.logs.configure = _loud
    Connections.check = _checked  # type: ignore[method-assign]
    Connections.sign_in = _signed_in  # type: ignore[method-assign]
    Contacts.fetch = _fetched  # type: ignore[method-assign]
    HighLevelOAuth.refresh = _refreshed  # type: ignore[method-assign]
    Gate.principal = _known  # type: ignore[method-assign]
    passwords.matches = _matched
    passwords.hashed = _made
    main()

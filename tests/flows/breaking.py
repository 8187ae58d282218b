"""`crossledger` with bugs on demand, whose exceptions have secrets in them, and with every library's log at debug."""

import logging
from pathlib import Path
from typing import Any

import app.logs
from app.cli import main
from app.connections import Connections
from app.providers.base import Profile
from app.providers.highlevel.api import HighLevelAccount

EXPLODES = "explodes"
"""A location id."""
SWITCH = Path("jobs-explode")
"""While there is such a file in the working directory, jobs do."""

_configure, _check, _fetch = app.logs.configure, Connections.check, HighLevelAccount.fetch


def _loud(level: str) -> None:
    _configure(level)
    logging.getLogger().setLevel(logging.DEBUG)


async def _checked(self: Connections, provider: str, **given: Any) -> Profile:
    try:
        return await _check(self, provider, **given)
    finally:
        if given["account_id"] == EXPLODES:
            raise RuntimeError(f"a bug, with {given['secrets']}")


async def _fetched(self: HighLevelAccount, *given: Any, **named: Any) -> Any:
    if SWITCH.exists():  # noqa: ASYNC240 -- a moment, in a test
        raise ValueError(f"a bug, with {self.wire.dialect.headers()}")
    return await _fetch(self, *given, **named)


if __name__ == "__main__":
    app.logs.configure = _loud
    Connections.check = _checked  # type: ignore[method-assign]
    HighLevelAccount.fetch = _fetched  # type: ignore[method-assign]
    main()

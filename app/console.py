"""What the commands share: how they read the settings, open the database, and end with a sentence."""

import socket
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.errors import ConfigurationError, Gone, Rejected
from app.redaction import redacted
from app.settings import Settings

T = TypeVar("T")


def stop_with(reason: str) -> NoReturn:
    typer.secho(redacted(reason), fg="red", err=True)
    raise typer.Exit(1)


def read_settings(**given: Any) -> Settings:
    """`given` goes before what the environment says."""
    try:
        return Settings(**given)
    except ValidationError as error:
        wrong = "; ".join(
            f"CROSSLEDGER_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()
        )
        stop_with(f"These settings cannot be read: {wrong}")


def prepared(log_level: str = "", **given: Any) -> tuple[Settings, str, Any]:
    """Settings with real secrets, a log, and a database that runs and is up to date."""
    from app.db import open_database
    from app.logs import configure
    from app.migrations import upgrade
    from app.redaction import keep_secret

    settings = read_settings(**given)
    settings.require_secrets()
    keep_secret(*settings.secrets)
    configure(log_level or settings.log_level)
    url, bundled = open_database(settings)
    upgrade(url)
    return settings, url, bundled


def guarded(work: Callable[[], T]) -> T:
    """Run a command; what an operator can mend is said in one sentence, without a traceback."""
    try:
        return work()
    except (ConfigurationError, Gone, Rejected) as error:
        stop_with(str(error))
    except (SQLAlchemyError, OSError) as error:
        stop_with(f"The database cannot be used: {str(error).splitlines()[0]}")


def listen(host: str, port: int) -> socket.socket:
    """Taken before anything else is started, so that a port in use is said at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        stop_with(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another port with --port or"
            " CROSSLEDGER_PORT, or end what uses this one."
        )


def tell_addresses(settings: Settings) -> None:
    where = f"[{settings.host}]" if ":" in settings.host else settings.host
    typer.echo(f"Crossledger listens on http://{where}:{settings.port}; vendors call {settings.public_url}.", err=True)
    if urlsplit(settings.public_url).hostname in {"127.0.0.1", "localhost", "::1"}:
        typer.secho(
            "No vendor can reach that: set CROSSLEDGER_PUBLIC_URL to the address that leads here from outside.",
            fg="yellow",
            err=True,
        )

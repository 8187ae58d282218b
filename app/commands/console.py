"""What the commands share: how they read the settings, open the database, and end with a sentence."""

import socket
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.errors import CrossledgerError
from app.redaction import redacted
from app.settings import Settings

T = TypeVar("T")
EnumT = TypeVar("EnumT", bound=StrEnum)


def stop_with(reason: str) -> NoReturn:
    typer.secho(redacted(reason), fg="red", err=True)
    raise typer.Exit(1)


def read_settings(**given: Any) -> Settings:
    """`given` goes before what the environment says."""
    try:
        return Settings(**given)
    except ValidationError as error:
        said = "; ".join(
            f"CROSSLEDGER_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()
        )
        stop_with(f"These settings cannot be read: {said}")


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
    except CrossledgerError as error:
        stop_with(str(error))
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        raise
    except (SQLAlchemyError, OSError) as error:
        stop_with(f"The database cannot be used: {str(error).splitlines()[0]}")


def wrong(error: ValidationError) -> str:
    """Each place with what is wrong there; what was given is not repeated."""
    said = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return "; ".join(f"{place}: {words}" if place else words for place, words in said)


def chosen(among: type[EnumT], word: str) -> EnumT | None:
    """None where nothing was typed. For a choice whose module is not loaded until the command runs."""
    if not word:
        return None
    if word not in set(among):
        stop_with(f"“{word}” is none of these: {', '.join(among)}")
    return among(word)


def counted(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def candidate(each: Mapping[str, Any]) -> str:
    """A record that could be the partner: its id, and what it has."""
    values = ", ".join(f"{name} “{value}”" for name, value in sorted(each.get("values", {}).items()) if value)
    return f"candidate {each['id']}: {values}"


def asked(what: str, *, twice: bool = False) -> str:
    """Without echo where a person types; else the first line of the standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice))
    return sys.stdin.readline().rstrip("\r\n")


def moment(text: str) -> datetime:
    """A time as people type it: 14:05 (today), 2026-11-21, 2026-11-21 14:05; without a zone it is this machine's."""
    try:
        today = f"{datetime.now().astimezone():%Y-%m-%d} {text}" if ":" in text and "-" not in text[:5] else text
        return datetime.fromisoformat(today).astimezone()
    except ValueError as error:
        raise typer.BadParameter(f"“{text}” is no time: 14:05, or 2026-11-21 14:05") from error


def listen(host: str, port: int) -> socket.socket:
    """Taken before anything else is started, so that a port in use is said at once."""
    from app.web.server import listening

    try:
        return listening(host, port)
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

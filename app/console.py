"""What the commands share: how they read the settings, open the database, and end with a sentence."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from app.errors import ConfigurationError
from app.settings import Settings

T = TypeVar("T")


def stop_with(reason: str) -> NoReturn:
    typer.secho(reason, fg="red", err=True)
    raise typer.Exit(1)


def read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"CROSSLEDGER_{'_'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" for e in error.errors()
        )
        stop_with(f"These settings cannot be read: {wrong}")


def prepared(log_level: str = "") -> tuple[Settings, str, Any]:
    """Settings with real secrets, a log, and a database that runs and is up to date."""
    from app.db import open_database
    from app.logs import configure
    from app.migrations import upgrade

    settings = read_settings()
    settings.require_secrets()
    configure(log_level or settings.log_level)
    url, bundled = open_database(settings)
    upgrade(url)
    return settings, url, bundled


def guarded(work: Callable[[], T]) -> T:
    """Run a command; what an operator can mend is said in one sentence, without a traceback."""
    try:
        return work()
    except ConfigurationError as error:
        stop_with(str(error))
    except (SQLAlchemyError, OSError) as error:
        stop_with(f"The database cannot be used: {str(error).splitlines()[0]}")

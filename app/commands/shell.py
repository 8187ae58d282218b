"""What a piece of work that the shell asks for is done with. No worker runs here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from app.commands.console import guarded, prepared
from app.people.roles import SHELL
from app.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from app.main import Service

T = TypeVar("T")
_ADDRESS = "shell"


def with_service(work: "Callable[[Service], Awaitable[T]]") -> T:
    """What `work` returns; what an operator can mend is said in one sentence, and ends the command."""

    async def run() -> T:
        from app.main import build

        service = build(*prepared(log_level="warning"))
        try:
            return await work(service)
        finally:
            await service.close()

    return guarded(lambda: asyncio.run(run()))


def with_database(work: "Callable[[AsyncConnection, Settings], Awaitable[T]]") -> T:
    """The same for what needs the database alone: one transaction, all of it or nothing."""

    async def run() -> T:
        settings, url, _ = prepared(log_level="warning")
        return await transacted(url, settings, work)

    return guarded(lambda: asyncio.run(run()))


async def transacted(url: str, settings: Settings, work: "Callable[[AsyncConnection, Settings], Awaitable[T]]") -> T:
    from app.db import Database

    database = Database.at(url)
    try:
        async with database.engine.begin() as connection:
            return await work(connection, settings)
    finally:
        await database.dispose()


async def note(connection: "AsyncConnection", action: str, thing: str = "", detail: str = "") -> None:
    """An entry in the audit log, in the transaction of what was done."""
    from app.people import audit

    await audit.record(connection, SHELL, _ADDRESS, action, thing=thing, detail=detail)


@asynccontextmanager
async def noted(engine: "AsyncEngine", action: str, thing: str = "", detail: str = "") -> AsyncIterator[None]:
    """The same around what is more than a transaction: made before anything is done, and told what became of it."""
    from app.errors import CrossledgerError
    from app.people import audit

    entry = await audit.begin(engine, SHELL, _ADDRESS, action, thing=thing)
    try:
        yield
    except Exception as error:
        outcome = audit.REFUSED if isinstance(error, CrossledgerError) else audit.FAILED
        await audit.end(engine, entry, outcome, detail=detail)
        raise
    await audit.end(engine, entry, audit.DONE, detail=detail)

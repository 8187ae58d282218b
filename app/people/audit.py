"""The audit log: who did what, from where, to which thing. Never a secret."""

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.models import AuditEntry
from app.people.roles import Principal

DONE, REFUSED, FAILED = "done", "refused", "failed"
_LONGEST = 500


async def record(
    connection: AsyncConnection,
    who: Principal,
    address: str,
    action: str,
    *,
    thing: str = "",
    detail: str = "",
    outcome: str = DONE,
) -> int:
    """Write one entry, in the caller's transaction. Returns its id."""
    statement = insert(AuditEntry).returning(col(AuditEntry.id))
    words = {"actor": who.name, "address": address, "action": action, "thing": thing, "detail": detail}
    row = {name: _storable(value) for name, value in words.items()}
    return int(await connection.scalar(statement.values(**row, user_id=who.user_id, outcome=outcome)) or 0)


async def begin(engine: AsyncEngine, who: Principal, address: str, action: str, *, thing: str) -> int:
    """An entry for what is about to be done: nothing is done that could not be written down."""
    async with engine.begin() as connection:
        return await record(connection, who, address, action, thing=thing, outcome="")


async def end(engine: AsyncEngine, entry: int, outcome: str, *, thing: str = "", detail: str = "") -> None:
    """What became of it."""
    more = {name: _storable(value) for name, value in {"thing": thing, "detail": detail}.items() if value}
    async with engine.begin() as connection:
        await connection.execute(update(AuditEntry).where(col(AuditEntry.id) == entry).values(outcome=outcome, **more))


def _storable(said: str) -> str:
    """Parts of it come from the request's path: PostgreSQL stores no NUL."""
    return said.replace("\x00", "")[:_LONGEST]

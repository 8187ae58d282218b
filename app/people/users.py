"""Users: who they are, and that one owner is always left."""

import re
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.errors import CrossledgerError
from app.models import LoginSession, User
from app.people import passwords
from app.people.roles import Principal, Role

# Whoever changes the number of owners, or makes the first one, goes one after the other.
_TURN = text("SELECT pg_advisory_xact_lock(7202611211)")
_BELOW = ".lan"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class NotAllowed(CrossledgerError):
    """The text says what is wrong, for people."""


class Taken(NotAllowed):
    """There is such a user already."""


class LastOwner(NotAllowed):
    """Nobody could administer any more."""


def address_of(typed: str) -> str:
    """One spelling for each e-mail address. Raises NotAllowed where it is none."""
    try:
        if _CONTROL.search(typed):
            raise EmailNotValidError
        # Of a network of one's own as well, which the library always refuses: owner@server.local.
        checked = validate_email(typed.strip() + _BELOW, check_deliverability=False, globally_deliverable=False)
        return checked.normalized.removesuffix(_BELOW).lower()
    except EmailNotValidError:
        raise NotAllowed("This is not an e-mail address.") from None


async def hash_of(password: str, email: str) -> str:
    """For a new password. Raises NotAllowed where it will not do."""
    if complaint := passwords.complaint(password, email):
        raise NotAllowed(complaint)
    return await passwords.hashed(password)


async def any_user(connection: AsyncConnection) -> bool:
    return bool(await connection.scalar(select(select(col(User.id)).exists())))


async def add(connection: AsyncConnection, email: str, password_hash: str, role: Role) -> int:
    """The id of the new user. Raises Taken."""
    statement = insert(User).values(email=email, password_hash=password_hash, role=role.value)
    try:
        async with connection.begin_nested():
            return int(await connection.scalar(statement.returning(col(User.id))) or 0)
    except IntegrityError:
        raise Taken(f"There is a user {email} already.") from None


async def add_first(connection: AsyncConnection, email: str, password_hash: str) -> int:
    """The first owner. Raises NotAllowed where there is a user."""
    await connection.execute(_TURN)
    if await any_user(connection):
        raise NotAllowed("There is an owner already. Log in instead.")
    return await add(connection, email, password_hash, Role.OWNER)


async def find(connection: AsyncConnection, which: ColumnElement[bool]) -> Any | None:
    """id, email, role and password_hash of one user."""
    columns = (col(User.id), col(User.email), col(User.role), col(User.password_hash))
    return (await connection.execute(select(*columns).where(which))).one_or_none()


async def still_has(connection: AsyncConnection, user_id: int, password_hash: str) -> bool:
    """Until the transaction ends, the user has this password."""
    only = (col(User.id) == user_id, col(User.password_hash) == password_hash)
    return await connection.scalar(select(col(User.id)).where(*only).with_for_update(read=True)) is not None


async def set_role(connection: AsyncConnection, user_id: int, role: Role) -> str | None:
    """The role before, None where there is no such user. Raises LastOwner."""
    await connection.execute(_TURN)
    before = await connection.scalar(select(col(User.role)).where(col(User.id) == user_id))
    if before == Role.OWNER and role is not Role.OWNER:
        await _another_owner(connection, user_id)
    await connection.execute(update(User).where(col(User.id) == user_id).values(role=role.value))
    return before


async def set_password(
    connection: AsyncConnection, user_id: int, password_hash: str, *, keep_session: int | None = None
) -> bool:
    """Ends the user's sessions, but the one that is kept. False: there is no such user."""
    statement = update(User).where(col(User.id) == user_id).values(password_hash=password_hash)
    found = await connection.scalar(statement.returning(col(User.id)))
    others = delete(LoginSession).where(col(LoginSession.user_id) == user_id)
    await connection.execute(others.where(col(LoginSession.id) != keep_session) if keep_session else others)
    return found is not None


async def remove(connection: AsyncConnection, user_id: int) -> str | None:
    """With sessions and tokens. The user's address, None where there is no such user. Raises LastOwner."""
    await connection.execute(_TURN)
    role = await connection.scalar(select(col(User.role)).where(col(User.id) == user_id))
    if role == Role.OWNER:
        await _another_owner(connection, user_id)
    return await connection.scalar(delete(User).where(col(User.id) == user_id).returning(col(User.email)))


async def _another_owner(connection: AsyncConnection, user_id: int) -> None:
    others = select(col(User.id)).where(col(User.role) == Role.OWNER.value, col(User.id) != user_id)
    if await connection.scalar(others.limit(1)) is None:
        raise LastOwner("This is the last owner: make somebody else an owner first.")


def principal(user_id: int | None, email: str, role: str, session_id: int | None = None) -> Principal:
    return Principal(user_id, email, Role(role), session_id)

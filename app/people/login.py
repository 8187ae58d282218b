"""Logging in: five wrong passwords in a quarter of an hour, for one account or from one address, and it is closed."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.errors import CrossledgerError
from app.models import LoginFailure, User
from app.people import audit, passwords, sessions, users
from app.people.roles import NOBODY, Principal
from app.people.users import NotAllowed
from app.vault import digest

TRIES = 5
WITHIN = timedelta(minutes=15)
WRONG = "The e-mail address or the password is wrong."


@dataclass(eq=False)
class Closed(CrossledgerError):
    """Too many have failed; `after` seconds it can be tried again."""

    after: int

    def __str__(self) -> str:
        return f"Too many log-ins have failed. Try again in {-(-self.after // 60)} minutes."


async def log_in(engine: AsyncEngine, email: str, password: str, address: str) -> str:
    """The secret of a new session. Raises NotAllowed, in the same words and time whatever is wrong, or Closed."""
    account = _spelt(email)
    attempt = await reserve(engine, account, address)
    async with engine.connect() as connection:
        user = await users.find(connection, col(User.email) == account)
    right = await passwords.matches(password, user.password_hash if user else None)
    who = users.principal(user.id, user.email, user.role) if user else NOBODY
    async with engine.begin() as connection:
        # Not if the password was changed in this moment: the new session would outlive that.
        if not (right and user and await users.still_has(connection, user.id, user.password_hash)):
            said = "" if user else "no such account"  # not what was typed: it may be a password
            await audit.record(connection, who, address, "session.refused", detail=said, outcome=audit.REFUSED)
        else:
            await forgive(connection, account, attempt)
            await audit.record(connection, who, address, "session.started")
            return await sessions.start(connection, user.id)
    raise NotAllowed(WRONG)


async def confirm(engine: AsyncEngine, who: Principal, password: str, address: str) -> None:
    """That the user who is logged in knows the password. Raises as `log_in`, and counts as it does."""
    async with engine.connect() as connection:
        user = await users.find(connection, col(User.id) == who.user_id)
    account = user.email if user else ""
    attempt = await reserve(engine, account, address)
    if not await passwords.matches(password, user.password_hash if user else None):
        async with engine.begin() as connection:
            await audit.record(connection, who, address, "password.refused", outcome=audit.REFUSED)
        raise NotAllowed("The present password is wrong.")
    async with engine.begin() as connection:
        await forgive(connection, account, attempt)


async def reserve(engine: AsyncEngine, account: str, address: str) -> int:
    """Counts as a failure until it is forgiven, so that many at once do not slip through. Raises Closed."""
    now, named, place = datetime.now(UTC), digest(account), network(address)
    row = {"account": named, "address": place, "at": now}
    async with engine.begin() as connection:
        await connection.execute(delete(LoginFailure).where(col(LoginFailure.at) <= now - WITHIN))
        attempt = await connection.scalar(insert(LoginFailure).values(row).returning(col(LoginFailure.id)))
    mine = col(LoginFailure.id) == attempt
    async with engine.begin() as connection:
        for key in (col(LoginFailure.account) == named, col(LoginFailure.address) == place):
            if opens := await _opens(connection, key, ~mine):
                await connection.execute(delete(LoginFailure).where(mine))
                break
    if opens:
        raise Closed(max(1, round((opens - now).total_seconds())))
    return int(attempt or 0)


async def forgive(connection: AsyncConnection, account: str, attempt: int) -> None:
    """It was right: this attempt is no failure, and those of the account before it do not count any more."""
    mine = (col(LoginFailure.id) == attempt) | (col(LoginFailure.account) == digest(account))
    await connection.execute(delete(LoginFailure).where(mine))


async def reopen(connection: AsyncConnection, account: str) -> None:
    """An account that others have closed by guessing: its failures are forgotten, those of addresses are not."""
    await connection.execute(
        update(LoginFailure).where(col(LoginFailure.account) == digest(account)).values(account="")
    )


async def _opens(connection: AsyncConnection, *only: ColumnElement[bool]) -> datetime | None:
    """When it can be tried again; None where it can be now."""
    at = col(LoginFailure.at)
    latest = select(at).where(*only, at > datetime.now(UTC) - WITHIN).order_by(at.desc()).limit(TRIES)
    found = (await connection.scalars(latest)).all()
    return found[-1] + WITHIN if len(found) == TRIES and found[-1] else None


def network(address: str) -> str:
    """An IPv6 user has a /64 to draw addresses from: it counts as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _spelt(email: str) -> str:
    try:
        return users.address_of(email)
    except NotAllowed:
        return email.strip().casefold()[:320].replace("\x00", "")

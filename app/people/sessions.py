"""Sessions of browsers: a random id in a cookie, its digest in the database."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.models import LoginSession, User
from app.people.roles import Principal
from app.people.users import principal
from app.redaction import keep_secret_here
from app.vault import digest, new_secret

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
NOTED = timedelta(minutes=1)
"""That a session or token was used is written at most this often."""


async def start(connection: AsyncConnection, user_id: int) -> str:
    """The secret for the cookie of a new session. What has expired is forgotten."""
    now, secret = datetime.now(UTC), new_secret()
    old = or_(col(LoginSession.expires_at) <= now, col(LoginSession.seen_at) <= now - IDLE)
    await connection.execute(delete(LoginSession).where(old))
    row = {"user_id": user_id, "digest": digest(secret), "expires_at": now + LONGEST}
    await connection.execute(insert(LoginSession).values(row))
    return secret


async def find(engine: AsyncEngine, secret: str, *, seen: bool = True) -> Principal | None:
    """Who is logged in with this cookie, now. `seen`: they did something, so the session is not idle."""
    now = datetime.now(UTC)
    statement = (
        select(col(LoginSession.id), col(LoginSession.seen_at), col(User.id), col(User.email), col(User.role))
        .join(User, col(User.id) == col(LoginSession.user_id))
        .where(
            col(LoginSession.digest) == digest(secret),
            col(LoginSession.expires_at) > now,
            col(LoginSession.seen_at) > now - IDLE,
        )
    )
    async with engine.begin() as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        session_id, seen_at, user_id, email, role = row
        if seen and (seen_at is None or seen_at < now - NOTED):
            await connection.execute(update(LoginSession).where(col(LoginSession.id) == session_id).values(seen_at=now))
    return principal(user_id, email, role, session_id)


async def end(connection: AsyncConnection, secret: str) -> None:
    await connection.execute(delete(LoginSession).where(col(LoginSession.digest) == digest(secret)))


def form_token(cookie: str) -> str:
    """What a form must send back: known to whoever has the cookie and reads our page, and to nobody else."""
    token = hmac.new(cookie.encode(), b"crossledger form 1", hashlib.sha256).hexdigest()
    keep_secret_here(token)
    return token


def is_form_token(given: str, cookie: str) -> bool:
    return bool(cookie) and hmac.compare_digest(given.encode(), form_token(cookie).encode())

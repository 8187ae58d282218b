"""The way in while there is no user: a link that works once."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.models import SetupLink
from app.people import users
from app.people.users import NotAllowed
from app.vault import digest, new_secret

GOOD_FOR = timedelta(hours=24)
USED = "This link has been used, has been replaced by a newer one, or is older than a day."


async def renew(connection: AsyncConnection, public_url: str) -> str | None:
    """A new link; the one before stops working. None where there is a user."""
    if await users.any_user(connection):
        return None
    token = new_secret()
    await connection.execute(delete(SetupLink))
    row = {"digest": digest(token), "expires_at": datetime.now(UTC) + GOOD_FOR}
    await connection.execute(insert(SetupLink).values(row))
    return f"{public_url}/setup?token={token}"


async def is_good(connection: AsyncConnection, token: str) -> bool:
    only = (col(SetupLink.digest) == digest(token), col(SetupLink.expires_at) > datetime.now(UTC))
    return await connection.scalar(select(col(SetupLink.id)).where(*only)) is not None


async def use(connection: AsyncConnection, token: str, email: str, password_hash: str) -> int:
    """The id of the first owner. Raises NotAllowed where the link is not good; then nothing has changed."""
    only = (col(SetupLink.digest) == digest(token), col(SetupLink.expires_at) > datetime.now(UTC))
    if await connection.scalar(delete(SetupLink).where(*only).returning(col(SetupLink.id))) is None:
        raise NotAllowed(USED)
    return await users.add_first(connection, email, password_hash)

"""API tokens: shown once, kept as a digest, worth no more than the user they belong to."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel import col

from app.models import ApiToken, User
from app.people.roles import Principal, Role, lower
from app.people.sessions import NOTED
from app.people.users import NotAllowed
from app.vault import digest, new_secret

PREFIX = "cl_"


async def make(
    connection: AsyncConnection, maker: Principal, *, name: str, role: Role, expires_at: datetime | None
) -> tuple[int, str]:
    """Its id, and the token itself, which is not kept. Raises NotAllowed where it would outrank its maker."""
    if not maker.role.covers(role):
        raise NotAllowed(f"Your role is {maker.role}: a token of yours cannot be {role}.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise NotAllowed("The token would have expired already.")
    token = PREFIX + new_secret()
    row = {"user_id": maker.user_id, "name": name, "digest": digest(token), "role": role.value}
    statement = insert(ApiToken).values({**row, "expires_at": expires_at}).returning(col(ApiToken.id))
    return int(await connection.scalar(statement) or 0), token


async def find(engine: AsyncEngine, token: str) -> Principal | None:
    """Whose token it is, where it is good now. Its role is that of its user at most."""
    if not token.startswith(PREFIX):
        return None
    now = datetime.now(UTC)
    columns: tuple[Any, ...] = (
        *(col(ApiToken.id), col(ApiToken.name), col(ApiToken.role), col(ApiToken.last_used_at), col(ApiToken.user_id)),
        *(col(User.email), col(User.role)),
    )
    statement = (
        select(*columns)
        .outerjoin(User, col(User.id) == col(ApiToken.user_id))
        .where(
            col(ApiToken.digest) == digest(token),
            col(ApiToken.revoked_at).is_(None),
            or_(col(ApiToken.expires_at).is_(None), col(ApiToken.expires_at) > now),
        )
    )
    async with engine.begin() as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        id_, name, role, last_used_at, user_id, email, of_user = row
        if last_used_at is None or last_used_at < now - NOTED:
            used = update(ApiToken).where(col(ApiToken.id) == id_).values(last_used_at=now)
            await connection.execute(used)
    whose = f" of {email}" if email else ""
    return Principal(user_id, f"token {id_} “{name}”{whose}", lower(Role(role), Role(of_user or role)))


async def revoke(connection: AsyncConnection, token_id: int, *, user_id: int | None = None) -> str | None:
    """The token's name, None where there is no such token that is good. `user_id`: only where it is this user's."""
    only = [col(ApiToken.id) == token_id, col(ApiToken.revoked_at).is_(None)]
    if user_id is not None:
        only.append(col(ApiToken.user_id) == user_id)
    statement = update(ApiToken).where(*only).values(revoked_at=datetime.now(UTC))
    return await connection.scalar(statement.returning(col(ApiToken.name)))

"""People who administer, what they log in with, and what they did. Of every secret only a digest is kept."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import SQLModel

from app.models.columns import big_id, born, instant, moment, reference, reference_unchecked, words


class User(SQLModel, table=True):
    """`email` is in lower case. `role` is an `app.people.roles.Role`."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email", name="users_email"),)

    id: int | None = big_id()
    email: str = words()
    password_hash: str = words()
    role: str = words("viewer")
    created_at: datetime | None = born()


class LoginSession(SQLModel, table=True):
    """A browser that is logged in."""

    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("digest", name="sessions_digest"),)

    id: int | None = big_id()
    user_id: int = reference("users.id", index=True)
    digest: str = words()
    created_at: datetime | None = born()
    seen_at: datetime | None = born()
    expires_at: datetime = instant()


class ApiToken(SQLModel, table=True):
    """A key to the API. It goes with its user; one that was made in the shell belongs to nobody."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("digest", name="api_tokens_digest"),)

    id: int | None = big_id()
    user_id: int | None = reference("users.id", optional=True, on_delete="CASCADE", index=True)
    name: str = words()
    digest: str = words()
    role: str = words("viewer")
    created_at: datetime | None = born()
    expires_at: datetime | None = moment()
    revoked_at: datetime | None = moment()
    last_used_at: datetime | None = moment()


class SetupLink(SQLModel, table=True):
    """The way in while there is no user. There is one row at most."""

    __tablename__ = "setup_links"
    __table_args__ = (UniqueConstraint("digest", name="setup_links_digest"),)

    id: int | None = big_id()
    digest: str = words()
    expires_at: datetime = instant()


class LoginFailure(SQLModel, table=True):
    """One log-in that has not succeeded. `account` is a digest: people type passwords into the wrong field."""

    __tablename__ = "login_failures"
    __table_args__ = (
        Index("login_failures_account", "account", "at"),
        Index("login_failures_address", "address", "at"),
        Index("login_failures_at", "at"),
    )

    id: int | None = big_id()
    account: str = words()
    address: str = words()
    at: datetime | None = born()


class AuditEntry(SQLModel, table=True):
    """Who did what, from where, to which thing. `outcome` is empty while it is being done."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("audit_actor", "actor", "id"),
        Index("audit_action", "action", "id"),
    )

    id: int | None = big_id()
    at: datetime | None = born()
    actor: str = words()
    user_id: int | None = reference_unchecked()
    address: str = words()
    action: str = words()
    thing: str = words()
    detail: str = words()
    outcome: str = words()

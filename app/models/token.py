"""OAuth tokens, one pair for each connection that was made in the browser."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import SQLModel

from app.models.columns import big_id, flag, moment, number, reference, shared_key, words


class Token(SQLModel, table=True):
    """`sealed`: `{"access_token", "refresh_token"}`. `version` counts the pairs.

    `claim` names who exchanges this pair for the next one, until `claimed_until`: a refresh token may be spent once.
    `agency`: it is a company's token, which opens several locations.
    """

    __tablename__ = "tokens"
    __table_args__ = (Index("tokens_expiry", "expires_at"),)

    connection_id: int = shared_key("connections.id")
    sealed: str = words()
    scopes: str = words()
    company_id: str = words()
    agency: bool = flag(default=False)
    version: int = number(1)
    expires_at: datetime | None = moment()
    claim: str = words()
    claimed_until: datetime | None = moment()


class OAuthState(SQLModel, table=True):
    """One visit to a vendor's page of consent that we have begun. Good once, for whoever began it, for a while.

    `principal` is the session or token that began it, `digest` that of the random part of `state`.
    """

    __tablename__ = "oauth_states"
    __table_args__ = (Index("oauth_states_digest", "digest", unique=True),)

    id: int | None = big_id()
    digest: str = words()
    provider: str = words()
    principal: str = words()
    connection_id: int | None = reference("connections.id", optional=True)
    expires_at: datetime | None = moment()
    used_at: datetime | None = moment()

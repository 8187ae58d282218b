"""Tables, one file per aggregate: columns and constraints, no behaviour."""

from app.models.activity import Activity
from app.models.budget import Budget
from app.models.connection import Bridge, Connection, FormerKey
from app.models.event import Event
from app.models.link import Link
from app.models.person import ApiToken, AuditEntry, LoginFailure, LoginSession, SetupLink, User
from app.models.token import OAuthState, Token

__all__ = [
    "Activity",
    "ApiToken",
    "AuditEntry",
    "Bridge",
    "Budget",
    "Connection",
    "Event",
    "FormerKey",
    "Link",
    "LoginFailure",
    "LoginSession",
    "OAuthState",
    "SetupLink",
    "Token",
    "User",
]

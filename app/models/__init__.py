"""Tables, one file per aggregate: columns and constraints, no behaviour."""

from app.models.activity import Activity
from app.models.alert import Alert, Channel
from app.models.amount import Amount
from app.models.budget import Budget
from app.models.connection import Bridge, Connection, FormerKey
from app.models.duplicate import CommonKey, DuplicateCluster, DuplicateDismissal, DuplicateKey, DuplicateRecord
from app.models.event import Event
from app.models.exchange import FailedExchange
from app.models.link import Link
from app.models.pause import Pause
from app.models.person import ApiToken, AuditEntry, LoginFailure, LoginSession, SetupLink, User
from app.models.plan import PlanItem, Snapshot
from app.models.run import Run
from app.models.set_up import SetUpStep
from app.models.status_page import StatusPage
from app.models.sweep import Cursor, MissedEvents, Sweep
from app.models.token import OAuthState, Token
from app.models.undo import UndoItem
from app.models.version import BridgeVersion

__all__ = [
    "Activity",
    "Alert",
    "Amount",
    "ApiToken",
    "AuditEntry",
    "Bridge",
    "BridgeVersion",
    "Budget",
    "Channel",
    "CommonKey",
    "Connection",
    "Cursor",
    "DuplicateCluster",
    "DuplicateDismissal",
    "DuplicateKey",
    "DuplicateRecord",
    "Event",
    "FailedExchange",
    "FormerKey",
    "Link",
    "LoginFailure",
    "LoginSession",
    "MissedEvents",
    "OAuthState",
    "Pause",
    "PlanItem",
    "Run",
    "SetUpStep",
    "SetupLink",
    "Snapshot",
    "StatusPage",
    "Sweep",
    "Token",
    "UndoItem",
    "User",
]

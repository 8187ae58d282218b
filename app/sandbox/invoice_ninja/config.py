"""How one simulated Invoice Ninja installation is set up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

VERSION = "5.10.42"


def _tokens() -> dict[str, str]:
    return {
        "sandbox-ninja-service-token": "service",
        "sandbox-ninja-human-token": "human",
        "sandbox-ninja-restricted-token": "restricted",
        "sandbox-ninja-clerk-token": "clerk",
    }


def _permissions() -> dict[str, frozenset[str]]:
    return {
        "restricted": frozenset({"view_client", "view_invoice"}),
        "clerk": frozenset({"create_all", "edit_client"}),
    }


@dataclass(frozen=True, kw_only=True)
class Config:
    tokens: Mapping[str, str] = field(default_factory=_tokens)
    """Token -> label. What a label may do is in `permissions`; a label that is not in there may do everything."""
    permissions: Mapping[str, frozenset[str]] = field(default_factory=_permissions)
    email: str = "admin@example.com"
    password: str = "sandbox-password"  # noqa: S105 (a simulator's)
    one_time_password: str = ""
    """The code that a login has to send; empty: without two-factor authentication."""
    api_secret: str = ""
    """API_SECRET: what a login has to send as X-API-SECRET."""
    company_name: str = "Untitled Company"
    other_companies: Mapping[str, str] = field(default_factory=dict)
    """Company key -> name: more companies of the user. They have tokens of their own, and share all records."""
    is_hosted: bool = False
    plan: str = ""
    country_id: str = "840"
    currency_id: str = "1"
    queue: Literal["database", "sync"] = "database"
    """"sync" is the product's own default: webhooks are then sent inside the API call (section 8)."""
    delivery_delay: float = 0.1
    late_deliveries: bool = False
    """Keep the product's waits of 5, 20 and 25 s before quote approvals, new payments and changed payments."""
    create_pause: float = 0
    """Seconds between a new client's check and its insert: makes the race for an id_number (section 3) easy to hit."""
    duplicate_guard: bool = True
    """Refuse equal payments and equal invoice bulk actions within a second (section 2)."""
    task_tags: bool = False
    """Tasks have tags, as in the versions of 2026 (section 9)."""
    seed: int = 0
    clock: Callable[[], float] = time.time

"""One simulated installation: its tables, its subscriptions, and the request it is asked to answer."""

import asyncio
import json
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from app.sandbox.deliveries import Deliveries
from app.sandbox.invoice_ninja.answers import invalid_password, unauthorized
from app.sandbox.invoice_ninja.config import Config
from app.sandbox.invoice_ninja.ids import encode
from app.sandbox.invoice_ninja.store import Counter, Keys, Row, Table

ME = encode(1)
"""The one user and the one company."""
UNLOCKED_FOR = 30 * 60
_DROPPED_ON = (404, 405, 410)


def _numbers(row: Row) -> list[str]:
    return [row["number"]]


_NUMBERED = ("invoices", "quotes", "payments", "recurring_invoices", "tasks", "projects", "credits", "purchase_orders")
_KEYS: Mapping[str, Keys] = {
    "clients": {
        "email": lambda row: [contact["email"] for contact in row["contacts"]],
        "number": _numbers,
        "id_number": lambda row: [row["id_number"]],
    },
    "products": {"product_key": lambda row: [row["product_key"]]},
    "vendors": {"number": _numbers},
    "tags": {"name": lambda row: [row["name"]]},
    "webhooks": {"event_id": lambda row: [row["event_id"]]},
    **{name: {"number": _numbers} for name in _NUMBERED},
}
_NAMES = (*_KEYS, "contacts", "invitations", "paymentables", "task_statuses", "activities", "tokens", "system_logs")
_NAMES += ("group_settings", "vendor_contacts", "documents", "emails")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, read."""

    token: str
    label: str
    query: Mapping[str, str]
    body: dict[str, Any]
    headers: Mapping[str, str]
    path: Mapping[str, str]
    base_url: str

    def input(self, name: str) -> Any:
        return self.body.get(name, self.query.get(name))

    def asks(self, name: str) -> bool:
        """An action flag in the query string, such as `mark_sent=true` (section 5)."""
        return str(self.query.get(name)).lower() in ("true", "1")


class Ninja:
    def __init__(self, config: Config, deliveries: Deliveries) -> None:
        self.config = config
        self.deliveries = deliveries
        self.reset()

    def reset(self) -> None:
        self.tables = {name: Table(_KEYS.get(name)) for name in _NAMES}
        self.counters = {name: Counter() for name in _KEYS}
        self.contact_owner: dict[str, str] = {}
        self.unlocked: dict[str, float] = {}
        self.recent: dict[tuple[str, ...], float] = {}
        self.throttled: dict[str, list[float]] = {}
        self.settings: dict[str, Any] = {"currency_id": self.config.currency_id, "country_id": self.config.country_id}
        self.random = random.Random(self.config.seed)  # noqa: S311 (repeatable on purpose)
        self.tokens = {**self.config.tokens, **{other_token(key): "service" for key in self.config.other_companies}}
        for position, name in enumerate(("Backlog", "Ready to do", "In progress", "Done"), 1):
            self.insert("task_statuses", {"name": name, "color": "#fff", "status_order": position})

    def now(self) -> int:
        return int(self.config.clock())

    def key(self, length: int = 32) -> str:
        return "".join(self.random.choices(string.ascii_letters + string.digits, k=length))

    def insert(self, table: str, fields: Mapping[str, Any]) -> Row:
        """A row with the columns that every table has."""
        now = self.now()
        row = {"id": self.tables[table].next_id(), "created_at": now, "updated_at": now, "archived_at": 0}
        row |= {"is_deleted": False, **fields}
        self.tables[table].put(row)
        return row

    def save(self, table: str, row: Row) -> None:
        row["updated_at"] = self.now()
        self.tables[table].put(row)

    def note_email(self, what: str, about: str) -> None:
        """Nothing is sent; the control state shows what a customer would have got."""
        self.insert("emails", {"what": what, "about": about})

    def label(self, scope: Scope) -> str:
        sent = dict(scope["headers"]).get(b"x-api-token", b"")
        return self.tokens.get(sent.decode("latin-1"), "")

    def may(self, call: Call, permission: str) -> bool:
        allowed = self.config.permissions.get(call.label)
        return allowed is None or permission in allowed

    def require(self, call: Call, permission: str) -> None:
        if not self.may(call, permission):
            raise unauthorized()

    def require_password(self, call: Call) -> None:
        """One good password unlocks the token for half an hour; within it, even a missing one is good (section 1)."""
        if call.headers.get("x-api-password") == self.config.password:
            self.unlocked[call.token] = self.config.clock() + UNLOCKED_FOR
        if self.unlocked.get(call.token, 0) < self.config.clock():
            raise invalid_password()

    def seen_lately(self, *what: str) -> bool:
        """True when the same thing was asked for less than a second ago."""
        now = self.config.clock()
        last, self.recent[what] = self.recent.get(what, 0), now
        return self.config.duplicate_guard and now - last < 1

    async def emit(self, event: int, body: Callable[[], Any], *, late: float = 0) -> None:
        """Tell the subscriptions. The body is made when it is sent, and shows the row as it then is (section 8)."""
        sent = [self.deliver(hook, body, late) for hook in self.tables["webhooks"].find("event_id", str(event))]
        if self.config.queue == "sync":
            await asyncio.gather(*(each for each in sent if each is not None))

    def deliver(self, hook: Row, body: Callable[[], Any], late: float = 0) -> asyncio.Task[None] | None:
        headers = hook["headers"]
        # A list of headers breaks every delivery of that subscription; a string is kept but never sent (section 8).
        if hook["archived_at"] or (isinstance(headers, list) and headers):
            return None
        waits = self.config.delivery_delay + (late if self.config.late_deliveries else 0)
        custom = headers if isinstance(headers, dict) else {}
        return self.deliveries.send(
            hook["target_url"],
            {
                "Accept": "application/json",
                **{name: str(value) for name, value in custom.items()},
                "User-Agent": "GuzzleHttp/7",
                "Content-Type": "application/json",
            },
            lambda: as_php_writes(body()),
            hook["event_id"],
            method=hook["rest_method"].upper(),
            delay=0 if self.config.queue == "sync" else waits,
            on_final=lambda status: self._after_delivery(hook, status),
        )

    def _after_delivery(self, hook: Row, status: int | None) -> None:
        if status in _DROPPED_ON:
            hook["archived_at"] = self.now()
            self.save("webhooks", hook)


def other_token(company_key: str) -> str:
    return f"sandbox-ninja-token-of-{company_key}"


def as_php_writes(body: Any) -> bytes:
    """PHP's JSON: slashes escaped. A receiver that checks bytes must not rely on how Python writes it."""
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode()


def shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name[0] != "_"}

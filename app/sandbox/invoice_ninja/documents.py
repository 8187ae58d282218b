"""Invoices, quotes and recurring invoices: what a create or an update does to a row (section 5)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from app.sandbox.invoice_ninja import clients, columns
from app.sandbox.invoice_ninja.answers import ApiError, InvalidError
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.ids import encode
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.store import Row
from app.sandbox.invoice_ninja.totals import add_up, cents, line

DRAFT, SENT, PARTIAL, PAID, CANCELLED = "1", "2", "3", "4", "5"
_IDS = ("project_id", "assigned_user_id", "vendor_id")
_TEXTS = ("po_number", "date", "due_date", "partial_due_date", "terms", "public_notes", "private_notes", "footer")
_SENT = ("last_sent_date", "next_send_date")
_REMINDERS = ("reminder1_sent", "reminder2_sent", "reminder3_sent", "reminder_last_sent")
_SURCHARGES = tuple(f"custom_surcharge{n}" for n in range(1, 5))
_SURCHARGE_TAXES = tuple(f"custom_surcharge_tax{n}" for n in range(1, 5))
_WRITABLE = (*_IDS, *_TEXTS, *columns.TAXES, *columns.CUSTOM, *_SURCHARGES, *_SURCHARGE_TAXES)
_WRITABLE += ("discount", "is_amount_discount", "partial", "uses_inclusive_taxes", "exchange_rate")
_RECURRING = ("frequency_id", "remaining_cycles", "auto_bill", "due_date_days")


def _common() -> Row:
    return {
        "user_id": ME,
        **dict.fromkeys(("client_id", *_IDS, *_TEXTS, *_SENT, "number", "subscription_id"), ""),
        "amount": 0,
        "balance": 0,
        "paid_to_date": 0,
        "status_id": DRAFT,
        "design_id": encode(2),
        "discount": 0,
        "is_amount_discount": True,
        "uses_inclusive_taxes": False,
        **columns.taxes(),
        "total_taxes": 0,
        "partial": 0,
        **columns.customs(),
        **dict.fromkeys(("has_tasks", "has_expenses", *_SURCHARGE_TAXES), False),
        **dict.fromkeys(_SURCHARGES, 0),
        "exchange_rate": 1,
        "line_items": [],
        "invitations": [],
        "documents": [],
    }


_OWN: Mapping[str, Row] = {
    "invoices": {
        "recurring_id": "",
        "entity_type": "invoice",
        **dict.fromkeys(_REMINDERS, ""),
        "auto_bill_enabled": False,
        "tax_info": {},
        "e_invoice": {},
    },
    "quotes": {
        "invoice_id": "",
        "entity_type": "quote",
        **dict.fromkeys(_REMINDERS, ""),
        "tax_info": {},
        "e_invoice": {},
    },
    "credits": {"invoice_id": "", "entity_type": "credit"},
    "purchase_orders": {"expense_id": "", "currency_id": "", "entity_type": "purchaseOrder"},
    "recurring_invoices": {
        "entity_type": "recurringInvoice",
        "next_send_datetime": "",
        "frequency_id": "",
        "remaining_cycles": -1,
        "recurring_dates": [],
        "auto_bill": "off",
        "auto_bill_enabled": False,
        "due_date_days": "terms",
    },
}


def today(ninja: Ninja) -> str:
    return datetime.fromtimestamp(ninja.config.clock(), UTC).date().isoformat()


def make(ninja: Ninja, path: str, call: Call) -> Row:
    """A checked, numbered and summed-up new row; what follows from it (sending, paying, telling) is the caller's."""
    body = call.body
    if path != "purchase_orders":
        check(ninja, path, body, None)
    client_id = text(body.get("client_id"))
    row = ninja.insert(path, _common() | _OWN[path] | {"client_id": client_id})
    row["date"] = "" if path == "recurring_invoices" else today(ninja)
    put(ninja, path, call, row)
    late = path == "invoices" and ninja.settings.get("counter_number_applied") == "when_sent"
    row["number"] = text(body.get("number")) if late else columns.take_number(ninja, path, body)
    ninja.tables[path].put(row)
    return row


def put(ninja: Ninja, path: str, call: Call, row: Row) -> None:
    """Set what is given. Line items are replaced as a whole when given, and kept when not."""
    body = call.body
    columns.assign(row, body, [name for name in _WRITABLE if body.get(name) is not None or name != "date"])
    if path == "recurring_invoices":
        columns.assign(row, body, _RECURRING)
        if body.get("next_send_date"):
            day = text(body["next_send_date"])[:10]
            row |= {"next_send_date": f"{day} 00:00:00", "next_send_datetime": f"{day} 17:00:00"}
    if "line_items" in body:
        row["line_items"] = [line(each) for each in body["line_items"] or () if isinstance(each, dict)]
    before = row["amount"]
    add_up(row)
    if path == "recurring_invoices":
        row["balance"] = row["amount"]
    elif row["status_id"] in (SENT, PARTIAL, PAID):
        owe(ninja, row, row["amount"] - before)
    if "invitations" in body or not row["invitations"]:
        _invite(ninja, path, call, row)


def owe(ninja: Ninja, row: Row, more: float) -> None:
    """The balance changes by that much, here and at the client; an invoice's status follows its balance."""
    row["balance"] = cents(row["balance"] + more)
    client = ninja.tables["clients"].rows.get(row["client_id"])
    if client is not None:
        client["balance"] = cents(client["balance"] + more)
    if row["paid_to_date"] and row["status_id"] in (SENT, PARTIAL, PAID):
        row["status_id"] = PAID if row["balance"] <= 0 else PARTIAL


def _invite(ninja: Ninja, path: str, call: Call, row: Row) -> None:
    """The given contacts, or else every contact of the client with send_email."""
    client = ninja.tables["clients"].rows.get(row["client_id"]) or {"contacts": []}
    given = [each for each in call.body.get("invitations") or () if isinstance(each, dict)]
    wanted = [text(each.get("client_contact_id")) for each in given]
    if not wanted:
        wanted = [contact["id"] for contact in client["contacts"] if contact["send_email"]]
    known = {each["client_contact_id"]: each for each in row["invitations"]}
    entity = path[:-1]
    row["invitations"] = [known.get(each) or _invitation(ninja, entity, each, call.base_url) for each in wanted]


def _invitation(ninja: Ninja, entity: str, contact_id: str, base_url: str) -> Row:
    key, now = ninja.key(), ninja.now()
    return {
        "id": ninja.tables["invitations"].next_id(),
        "client_contact_id": contact_id,
        "key": key,
        "link": f"{base_url}/client/{entity}/{key}",
        **dict.fromkeys(("sent_date", "viewed_date", "opened_date"), ""),
        "updated_at": now,
        "archived_at": 0,
        "created_at": now,
        **dict.fromkeys(("email_status", "email_error", "message_id"), ""),
    }


def check(ninja: Ninja, path: str, body: Mapping[str, Any], row: Row | None) -> None:
    errors = columns.check_number(ninja, path, body, row) | columns.check_dates(body, ("date", "due_date"))
    if row is None:
        errors |= columns.check_client(ninja, body, required=True)
    elif "client_id" in body and text(body["client_id"]) != row["client_id"]:
        errors["client_id"] = ["The selected client id is invalid."]
    if body.get("line_items") is not None and not isinstance(body["line_items"], list):
        errors["line_items"] = ["The line items must be an array."]
    if path == "recurring_invoices":
        errors |= _check_recurring(ninja, body, row)
    if errors:
        raise InvalidError(errors)
    if row is not None and path == "invoices" and _locked(ninja, row):
        # The one error whose value is a string, not a list (section 2).
        locked = {"number": "This invoice is locked and unable to be modified"}
        raise ApiError(422, {"message": "", "errors": locked})


def _locked(ninja: Ninja, row: Row) -> bool:
    locks: dict[str, tuple[str, ...]] = {"when_sent": (SENT, PARTIAL, PAID), "when_paid": (PARTIAL, PAID)}
    return row["status_id"] in locks.get(str(ninja.settings.get("lock_invoices")), ())


def _check_recurring(ninja: Ninja, body: Mapping[str, Any], row: Row | None) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    if row is None and not body.get("frequency_id"):
        errors["frequency_id"] = ["The frequency id field is required."]
    if (day := body.get("next_send_date")) and date.fromisoformat(text(day)[:10]) < date.fromisoformat(today(ninja)):
        errors["next_send_date"] = ["The next send date must be a date after yesterday."]
    return errors


def present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    body = shown(row)
    client = ninja.tables["clients"].rows.get(row["client_id"])
    if "client" in includes:
        body["client"] = clients.present(ninja, client, []) if client else {}
    if "payments" in includes:
        paid = ninja.tables["payments"].rows.values()
        body["payments"] = [
            shown(payment)
            for payment in paid
            if any(each["invoice_id"] == row["id"] for each in payment["paymentables"])
        ]
    return body


def told(ninja: Ninja, row: Row) -> Row:
    """As a webhook shows it: with its client."""
    return present(ninja, row, ["client"])

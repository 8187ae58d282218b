"""Payments: how they are applied to invoices, refunded and deleted (contracts/invoice_ninja, section 5)."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from app.sandbox.invoice_ninja import clients, columns
from app.sandbox.invoice_ninja.answers import InvalidError, data, duplicate_request
from app.sandbox.invoice_ninja.bodies import number, text
from app.sandbox.invoice_ninja.documents import CANCELLED, DRAFT, PAID, SENT, owe, today
from app.sandbox.invoice_ninja.lists import equals
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Kind, row_of
from app.sandbox.invoice_ninja.store import Row
from app.sandbox.invoice_ninja.totals import cents

CREATED, UPDATED, DELETED = 4, 31, 12
NEW_WAIT, CHANGE_WAIT = 20, 25
_WRITABLE = ("assigned_user_id", "transaction_reference", "date", "type_id", "private_notes", *columns.CUSTOM)
_WRITABLE += ("exchange_rate",)


def _blank(ninja: Ninja) -> Row:
    ids = ("assigned_user_id", "transaction_reference", "transaction_id", "type_id", "invitation_id", "private_notes")
    more = ("client_contact_id", "company_gateway_id", "gateway_type_id", "project_id", "vendor_id")
    return {
        "user_id": ME,
        **dict.fromkeys((*ids, *more, "client_id", "number", "exchange_currency_id", "_key"), ""),
        "amount": 0,
        "refunded": 0,
        "applied": 0,
        "date": today(ninja),
        "is_manual": True,
        **columns.customs(),
        "status_id": "4",
        "currency_id": ninja.config.currency_id,
        "exchange_rate": 1,
        "paymentables": [],
        "documents": [],
    }


async def create(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    body = call.body
    parts = _parts(body)
    total = number(body.get("amount")) or cents(sum(amount for _, amount in parts))
    _check(ninja, body, parts, total)
    if ninja.seen_lately("payment", text(body["client_id"]), str(total)):
        raise duplicate_request()
    row = await record(ninja, text(body["client_id"]), total, parts)
    columns.assign(row, {name: value for name, value in body.items() if value is not None}, _WRITABLE)
    row |= {"_key": text(body.get("idempotency_key"))}
    row["number"] = text(body.get("number")) or row["number"]
    ninja.tables["payments"].put(row)
    wanted = call.input("email_receipt")
    if str(wanted).lower() == "true":
        ninja.note_email("payment", row["client_id"])
    elif wanted is None:
        tell(ninja, row["client_id"])
    return row, shown(row)


def tell(ninja: Ninja, client_id: str) -> None:
    """A receipt, where the company is set so. The product's own rule, not recorded."""
    if ninja.settings.get("client_manual_payment_notification"):
        ninja.note_email("payment", client_id)


async def record(ninja: Ninja, client_id: str, total: float, parts: list[tuple[str, float]]) -> Row:
    taken = ninja.counters["payments"].take(ninja.tables["payments"])
    row = ninja.insert("payments", _blank(ninja) | {"client_id": client_id, "amount": cents(total), "number": taken})
    client = ninja.tables["clients"].rows.get(client_id)
    if client is not None:
        client["paid_to_date"] = cents(client["paid_to_date"] + total)
    _apply(ninja, row, parts)
    await ninja.emit(CREATED, lambda: told(ninja, row), late=NEW_WAIT)
    return row


def _apply(ninja: Ninja, row: Row, parts: list[tuple[str, float]]) -> None:
    for invoice_id, amount in parts:
        invoice = ninja.tables["invoices"].rows[invoice_id]
        if invoice["status_id"] == DRAFT:
            # Paying a draft marks it sent first.
            invoice["status_id"] = SENT
            owe(ninja, invoice, invoice["amount"])
        invoice["paid_to_date"] = cents(invoice["paid_to_date"] + amount)
        owe(ninja, invoice, -amount)
        ninja.save("invoices", invoice)
        now = ninja.now()
        part = {"id": ninja.tables["paymentables"].next_id(), "invoice_id": invoice_id, "amount": cents(amount)}
        part |= {"refunded": 0, "created_at": now, "updated_at": now, "archived_at": 0}
        row["paymentables"] = [*row["paymentables"], part]
        row["applied"] = cents(row["applied"] + amount)


async def update(ninja: Ninja, call: Call, row: Row) -> None:
    """A part that was left unapplied is applied with a later `invoices` list."""
    parts = _parts(call.body)
    _check(ninja, {**call.body, "client_id": row["client_id"]}, parts, row["amount"] - row["applied"], row)
    columns.assign(row, call.body, _WRITABLE)
    _apply(ninja, row, parts)
    ninja.save("payments", row)
    await ninja.emit(UPDATED, lambda: told(ninja, row), late=CHANGE_WAIT)


def _parts(body: Mapping[str, Any]) -> list[tuple[str, float]]:
    given = body.get("invoices")
    entries = [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []
    return [(text(each.get("invoice_id")), number(each.get("amount"))) for each in entries]


def _check(
    ninja: Ninja, body: Mapping[str, Any], parts: list[tuple[str, float]], total: float, row: Row | None = None
) -> None:
    errors = columns.check_client(ninja, body, required=True) | columns.check_number(ninja, "payments", body, row)
    key = text(body.get("idempotency_key"))
    if key and any(each["_key"] == key and each is not row for each in ninja.tables["payments"].rows.values()):
        errors["idempotency_key"] = ["The idempotency key has already been taken."]
    for place, (invoice_id, amount) in enumerate(parts):
        if wrong := _wrong_part(ninja, text(body.get("client_id")), invoice_id, amount):
            errors[f"invoices.{place}.invoice_id"] = [wrong]
        invoice = ninja.tables["invoices"].rows.get(invoice_id)
        if invoice is not None and invoice["status_id"] in (PAID, CANCELLED):
            errors = {"invoices": ["One or more of these invoices have been paid"], **errors}
    if not errors and sum(amount for _, amount in parts) > total + 0.001:
        errors["amount"] = ["Amounts do not balance correctly."]
    if errors:
        raise InvalidError(errors)


def _wrong_part(ninja: Ninja, client_id: str, invoice_id: str, amount: float) -> str | None:
    invoice = ninja.tables["invoices"].rows.get(invoice_id)
    if invoice is None or invoice["is_deleted"]:
        return "The selected invoice id is invalid."
    if invoice["client_id"] != client_id:
        return "Selected invoices are not from a single client"
    open_amount = invoice["amount"] if invoice["status_id"] == DRAFT else invoice["balance"]
    if amount > open_amount:
        return "The amount is greater than the invoice balance. You cannot overpay an invoice."
    return None


async def refund(ninja: Ninja, call: Call) -> Response:
    """`paymentables[].refunded` stays 0 in the answer (section 5)."""
    row = row_of(ninja, KIND, text(call.input("id")))
    KIND.require(ninja, call, "edit")
    parts = _parts(call.body)
    total = sum(amount for _, amount in parts) or number(call.input("amount"))
    row["refunded"] = cents(row["refunded"] + total)
    row["status_id"] = "6" if row["refunded"] >= row["amount"] else "5"
    for invoice_id, amount in parts:
        _give_back(ninja, invoice_id, amount)
    if not parts:
        _pay_back(ninja, row["client_id"], total)
    ninja.save("payments", row)
    await ninja.emit(UPDATED, lambda: told(ninja, row), late=CHANGE_WAIT)
    return data(shown(row))


def _give_back(ninja: Ninja, invoice_id: str, amount: float) -> None:
    invoice = ninja.tables["invoices"].rows.get(invoice_id)
    if invoice is None:
        return
    invoice["paid_to_date"] = cents(invoice["paid_to_date"] - amount)
    owe(ninja, invoice, amount)
    if not invoice["paid_to_date"]:
        invoice["status_id"] = SENT
    _pay_back(ninja, invoice["client_id"], amount)
    ninja.save("invoices", invoice)


def _pay_back(ninja: Ninja, client_id: str, amount: float) -> None:
    """What no invoice had is taken off the client alone. Read in the product's code, not recorded."""
    client = ninja.tables["clients"].rows.get(client_id)
    if client is not None:
        client["paid_to_date"] = cents(client["paid_to_date"] - amount)


async def undo(ninja: Ninja, call: Call, row: Row) -> None:
    """A deleted payment leaves its invoices sent, with what it had paid (less what was refunded) owed again."""
    left = row["refunded"]
    for part in row["paymentables"]:
        refunded = min(left, part["amount"])
        left -= refunded
        _give_back(ninja, part["invoice_id"], part["amount"] - refunded)
    _pay_back(ninja, row["client_id"], row["amount"] - row["applied"] - left)


def present(ninja: Ninja, row: Row, includes: list[str]) -> Row:
    body = shown(row)
    if "client" in includes:
        client = ninja.tables["clients"].rows.get(row["client_id"])
        body["client"] = clients.present(ninja, client, []) if client else {}
    if "invoices" in includes:
        known = ninja.tables["invoices"].rows
        body["invoices"] = [
            shown(known[each["invoice_id"]]) for each in row["paymentables"] if each["invoice_id"] in known
        ]
    if "credits" in includes:
        body["credits"] = []
    return body


def told(ninja: Ninja, row: Row) -> Row:
    body = present(ninja, row, ["client", "invoices"])
    return body | {"invoices": [], "paymentables": []} if row["is_deleted"] else body


KIND = Kind(
    path="payments",
    entity="payment",
    model="Payment",
    create=create,
    update=update,
    present=present,
    told=told,
    filters={
        "number": equals("number"),
        "client_id": equals("client_id"),
        "filter": columns.searched("number", "transaction_reference", "amount", *columns.CUSTOM),
    },
    includes=frozenset({"client", "invoices", "credits", "type"}),
    events={"delete": DELETED, "archive": 32, "restore": 40},
    on_delete=undo,
)

"""Invoices, quotes, recurring invoices as `Kind`s, and the actions on them (contracts/invoice_ninja, sections 5, 8)."""

from datetime import UTC, datetime

from starlette.responses import Response

from app.sandbox.invoice_ninja import columns, documents, payments
from app.sandbox.invoice_ninja.answers import (
    ApiError,
    InvalidError,
    answer,
    data,
    duplicate_request,
    not_found,
    server_error,
)
from app.sandbox.invoice_ninja.bodies import number, text
from app.sandbox.invoice_ninja.documents import CANCELLED, DRAFT, PAID, PARTIAL, SENT, present, told
from app.sandbox.invoice_ninja.lists import Filter, contains, equals, one_of, since
from app.sandbox.invoice_ninja.ninja import Call, Ninja
from app.sandbox.invoice_ninja.resources import Handler, Kind, row_of
from app.sandbox.invoice_ninja.store import Row

INVOICE_CREATED, INVOICE_UPDATED, INVOICE_SENT = 2, 8, 60
QUOTE_CREATED, QUOTE_UPDATED, QUOTE_APPROVED = 3, 6, 21
APPROVED, CONVERTED = "3", "4"
_APPROVAL_WAIT = 5


async def create_invoice(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = documents.make(ninja, "invoices", call)
    await ninja.emit(INVOICE_CREATED, lambda: told(ninja, row))
    await _asked(ninja, call, row, new=True)
    return row, present(ninja, row, [])


async def update_invoice(ninja: Ninja, call: Call, row: Row) -> None:
    documents.check(ninja, "invoices", call.body, row)
    documents.put(ninja, "invoices", call, row)
    if call.body.get("number"):
        row["number"] = text(call.body["number"])
    ninja.save("invoices", row)
    await ninja.emit(INVOICE_UPDATED, lambda: told(ninja, row))
    await _asked(ninja, call, row, new=False)


async def _asked(ninja: Ninja, call: Call, row: Row, *, new: bool) -> None:
    """The flags of the query string."""
    if call.asks("mark_sent") or call.asks("send_email"):
        _send(ninja, row)
        if call.asks("send_email"):
            ninja.note_email("invoice", row["id"])
        await ninja.emit(INVOICE_SENT, lambda: told(ninja, row))
    if call.asks("paid"):
        await _pay(ninja, row, row["amount"] - row["paid_to_date"])
        await ninja.emit(INVOICE_UPDATED, lambda: told(ninja, row))
    elif number(call.query.get("amount_paid")):
        await _pay(ninja, row, number(call.query.get("amount_paid")))
    if call.asks("cancel") and not new:
        await cancel(ninja, call, row)


def _send(ninja: Ninja, row: Row) -> None:
    if row["status_id"] == DRAFT:
        row["status_id"] = SENT
        row["number"] = row["number"] or ninja.counters["invoices"].take(ninja.tables["invoices"])
        documents.owe(ninja, row, row["amount"])
        ninja.save("invoices", row)


async def _pay(ninja: Ninja, row: Row, amount: float) -> None:
    if amount > 0:
        await payments.record(ninja, row["client_id"], amount, [(row["id"], amount)])
        payments.tell(ninja, row["client_id"])


async def mark_sent(ninja: Ninja, call: Call, row: Row) -> None:
    _send(ninja, row)
    await ninja.emit(INVOICE_UPDATED, lambda: told(ninja, row))
    await ninja.emit(INVOICE_SENT, lambda: told(ninja, row))


async def email(ninja: Ninja, call: Call, row: Row) -> None:
    await mark_sent(ninja, call, row)
    ninja.note_email("invoice", row["id"])


async def mark_paid(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] not in (PAID, CANCELLED):
        _send(ninja, row)
        await _pay(ninja, row, row["balance"])
        await ninja.emit(INVOICE_UPDATED, lambda: told(ninja, row))


async def cancel(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] in (SENT, PARTIAL):
        documents.owe(ninja, row, -row["balance"])
        row["status_id"] = CANCELLED
        ninja.save("invoices", row)
        await ninja.emit(INVOICE_UPDATED, lambda: told(ninja, row))


async def free_number(ninja: Ninja, call: Call, row: Row) -> None:
    """A deleted invoice gives its number back."""
    if row["number"]:
        row["number"] += "_Deleted"


async def new_number(ninja: Ninja, call: Call, row: Row) -> None:
    row["number"] = ninja.counters["invoices"].take(ninja.tables["invoices"])


def _check_invoice_bulk(ninja: Ninja, call: Call) -> None:
    if ninja.seen_lately("invoices/bulk", text(call.input("action"))):
        raise duplicate_request()


_SEARCH = columns.searched("number", "po_number", *columns.CUSTOM, "line_items")
_CLIENT_STATUS = {"draft": (DRAFT,), "paid": (PAID,), "unpaid": (SENT, PARTIAL), "cancelled": (CANCELLED,)}


def _client_status(row: Row, value: str) -> bool:
    """Overdue and expired go by the date, whatever the time zone of the company."""
    late = row["due_date"] and row["due_date"] < datetime.now(UTC).date().isoformat()
    if late and row["status_id"] in (SENT, PARTIAL) and {"overdue", "expired"} & set(value.split(",")):
        return True
    wanted = [status for name in value.split(",") for status in _CLIENT_STATUS.get(name, ())]
    return row["status_id"] in wanted


_FILTERS: dict[str, Filter] = {
    "number": equals("number"),
    "client_id": equals("client_id"),
    "status_id": one_of("status_id"),
    "client_status": _client_status,
    "private_notes": contains("private_notes"),
    "date": lambda row, value: bool(row["date"] >= value),
    "due_date": lambda row, value: bool(row["due_date"] >= value),
    "filter": _SEARCH,
}

INVOICES = Kind(
    path="invoices",
    entity="invoice",
    model="Invoice",
    create=create_invoice,
    update=update_invoice,
    present=present,
    told=told,
    filters=_FILTERS,
    includes=frozenset({"client", "payments", "activities"}),
    events={"delete": 9, "archive": 33, "restore": 41},
    actions={"mark_sent": mark_sent, "email": email, "mark_paid": mark_paid, "cancel": cancel},
    check_bulk=_check_invoice_bulk,
    on_delete=free_number,
    on_restore=new_number,
)


async def create_quote(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = documents.make(ninja, "quotes", call)
    await ninja.emit(QUOTE_CREATED, lambda: told(ninja, row))
    if call.asks("mark_sent") or call.asks("send_email"):
        await mark_quote_sent(ninja, call, row)
    if call.asks("approve"):
        await approve(ninja, call, row)
    return row, present(ninja, row, [])


async def update_quote(ninja: Ninja, call: Call, row: Row) -> None:
    documents.check(ninja, "quotes", call.body, row)
    documents.put(ninja, "quotes", call, row)
    ninja.save("quotes", row)
    await ninja.emit(QUOTE_UPDATED, lambda: told(ninja, row))


async def mark_quote_sent(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] == DRAFT:
        row["status_id"] = SENT
        ninja.save("quotes", row)


async def email_quote(ninja: Ninja, call: Call, row: Row) -> None:
    await mark_quote_sent(ninja, call, row)
    ninja.note_email("quote", row["id"])


async def approve(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] in (DRAFT, SENT):
        row["status_id"] = APPROVED
        ninja.save("quotes", row)
        await ninja.emit(QUOTE_APPROVED, lambda: present(ninja, row, []), late=_APPROVAL_WAIT)


async def convert(ninja: Ninja, call: Call, row: Row) -> None:
    """The new invoice is a draft."""
    copied = {name: row[name] for name in ("client_id", "line_items", "discount", "is_amount_discount", "po_number")}
    call = Call(**{**vars(call), "body": copied})
    invoice = documents.make(ninja, "invoices", call)
    row |= {"status_id": CONVERTED, "invoice_id": invoice["id"]}
    ninja.save("quotes", row)
    await ninja.emit(INVOICE_CREATED, lambda: told(ninja, invoice))
    await ninja.emit(QUOTE_UPDATED, lambda: told(ninja, row))


_QUOTE_ACTIONS = {"approve": approve, "convert_to_invoice": convert, "convert": convert}
_QUOTE_ACTIONS |= {"mark_sent": mark_quote_sent, "email": email_quote}


def _check_quote_bulk(ninja: Ninja, call: Call) -> None:
    action = text(call.input("action"))
    if not action:
        raise server_error()
    if action not in (*_QUOTE_ACTIONS, "archive", "restore", "delete"):
        raise InvalidError({"action": ["The selected action is invalid."]})
    known = ninja.tables["quotes"].rows
    rows = [known[text(each)] for each in call.input("ids") or () if text(each) in known]
    if action.startswith("convert") and any(row["status_id"] == CONVERTED for row in rows):
        raise InvalidError({"action": ["The quote has expired, please contact the merchant."]})


QUOTES = Kind(
    path="quotes",
    entity="quote",
    model="Quote",
    create=create_quote,
    update=update_quote,
    present=present,
    told=told,
    filters=_FILTERS,
    includes=frozenset({"client", "activities"}),
    events={"delete": 7, "archive": 34, "restore": 42},
    actions=_QUOTE_ACTIONS,
    check_bulk=_check_quote_bulk,
)


async def create_recurring(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = documents.make(ninja, "recurring_invoices", call)
    return row, present(ninja, row, [])


async def update_recurring(ninja: Ninja, call: Call, row: Row) -> None:
    documents.check(ninja, "recurring_invoices", call.body, row)
    documents.put(ninja, "recurring_invoices", call, row)
    ninja.save("recurring_invoices", row)


async def start(ninja: Ninja, call: Call, row: Row) -> None:
    row["status_id"] = "2"


async def stop(ninja: Ninja, call: Call, row: Row) -> None:
    row["status_id"] = "3"


# There are no webhook events for recurring invoices (section 5).
RECURRING = Kind(
    path="recurring_invoices",
    entity="recurring_invoice",
    model="RecurringInvoice",
    create=create_recurring,
    update=update_recurring,
    present=present,
    filters={"client_id": equals("client_id"), "number": equals("number"), "next_send_date": since("created_at")},
    includes=frozenset({"client", "activities"}),
    actions={"start": start, "stop": stop},
)


def single_action(kind: Kind) -> Handler:
    """`GET /invoices/{id}/mark_paid`: a GET that changes state."""

    async def handle(ninja: Ninja, call: Call) -> Response:
        row = row_of(ninja, kind, call.path["id"])
        kind.require(ninja, call, "edit")
        action = kind.actions.get(call.path["action"])
        if action is None:
            raise ApiError(400, {"message": f"The requested action `{call.path['action']}` is not available."})
        await action(ninja, call, row)
        if call.path["action"] == "email":
            return answer({"message": "email sent"})
        if call.path["action"] in ("convert_to_invoice", "convert"):
            return data(present(ninja, ninja.tables["invoices"].rows[row["invoice_id"]], []))
        return data(present(ninja, row, []))

    return handle


async def send_email(ninja: Ninja, call: Call) -> Response:
    missing = [name for name in ("template", "entity", "entity_id") if not call.input(name)]
    if missing:
        raise InvalidError({name: [f"The {name.replace('_', ' ')} field is required."] for name in missing})
    kind = {"invoice": INVOICES, "quote": QUOTES}.get(text(call.input("entity")))
    if kind is None:
        raise not_found("Invoice")
    row = row_of(ninja, kind, text(call.input("entity_id")))
    await kind.actions["email"](ninja, call, row)
    return data(present(ninja, row, []))

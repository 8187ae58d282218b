"""Notes and activities (contracts/invoice_ninja, section 6): written with a plural entity, read with a singular one."""

from typing import Any

from starlette.responses import Response

from app.sandbox.invoice_ninja.answers import InvalidError, answer, data, server_error
from app.sandbox.invoice_ninja.bodies import text
from app.sandbox.invoice_ninja.lists import page
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.store import Row

NOTE = "141"
_COLUMNS = {"clients": "client_id", "invoices": "invoice_id", "quotes": "quote_id", "payments": "payment_id"}
_COLUMNS |= {"tasks": "task_id", "projects": "", "recurring_invoices": "recurring_invoice_id"}
_SINGULAR = {path[:-1]: path for path in _COLUMNS}
_LABELLED = ("client", "invoice", "quote", "payment", "task")
_DEFAULT_ROWS = 75


def _blank() -> Row:
    ids = ("recurring_invoice_id", "recurring_expense_id", "purchase_order_id", "vendor_id", "vendor_contact_id")
    more = ("invoice_id", "quote_id", "payment_id", "credit_id", "expense_id", "contact_id", "task_id", "token_id")
    start = {"activity_type_id": NOTE, "client_id": "", "company_id": ME, "user_id": ME}
    return {**start, **dict.fromkeys((*ids, *more), ""), "is_system": False, "notes": "", "ip": "127.0.0.1"}


async def add_note(ninja: Ninja, call: Call) -> Response:
    given = {name: text(call.input(name)) for name in ("entity", "entity_id", "notes")}
    missing = {name: [f"The {name.replace('_', ' ')} field is required."] for name, value in given.items() if not value}
    if missing:
        raise InvalidError(missing)
    if given["entity"] not in _COLUMNS:
        raise server_error()
    about = ninja.tables[given["entity"]].rows.get(given["entity_id"])
    if about is None:
        raise InvalidError({"entity_id": ["The selected entity id is invalid."]})
    row = ninja.insert("activities", _blank() | {"notes": str(call.input("notes"))})
    del row["archived_at"], row["is_deleted"]
    if given["entity"] == "tasks":
        # The product's missing `break`: the note lands on the payment and the expense of that number too.
        row |= {"payment_id": about["id"], "expense_id": about["id"]}
    if column := _COLUMNS[given["entity"]]:
        row[column] = about["id"]
        row["client_id"] = about["id"] if given["entity"] == "clients" else about["client_id"]
    return data(shown(row))


async def of_entity(ninja: Ninja, call: Call) -> Response:
    path = _SINGULAR.get(text(call.input("entity")))
    if path is None:
        raise server_error()
    column = _COLUMNS[path]
    about = text(call.input("entity_id"))
    found = [row for row in _newest_first(ninja) if column and row[column] == about]
    rows = call.input("rows")
    return answer({"data": [_labelled(ninja, row) for row in found[: int(rows) if rows else _DEFAULT_ROWS]]})


async def list_all(ninja: Ninja, call: Call) -> Response:
    found = _newest_first(ninja)
    if call.asks("reactv2"):
        return answer({"data": [_labelled(ninja, row) for row in found[: int(call.query.get("rows", _DEFAULT_ROWS))]]})
    rows, meta = page(found, call.query, f"{call.base_url}/api/v1/activities")
    return answer({"data": [shown(row) for row in rows], "meta": meta})


def _newest_first(ninja: Ninja) -> list[Row]:
    return list(reversed(ninja.tables["activities"].rows.values()))


def _labelled(ninja: Ninja, row: Row) -> dict[str, Any]:
    body: dict[str, Any] = {
        "user": {"label": "New User", "hashed_id": ME},
        "activity_type_id": int(row["activity_type_id"]),
        "id": str(list(ninja.tables["activities"].rows).index(row["id"]) + 1),
        "hashed_id": row["id"],
        "notes": row["notes"],
        "created_at": row["created_at"],
        "ip": row["ip"],
    }
    for name in _LABELLED:
        related = ninja.tables[f"{name}s"].rows.get(row[f"{name}_id"])
        if related is not None:
            label = related["name"] if name == "client" else related["number"]
            body[name] = {"label": label, "hashed_id": related["id"]}
    return body

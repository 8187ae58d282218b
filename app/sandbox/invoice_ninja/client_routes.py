"""Clients as a `Kind`, and the endpoints only clients have: purge, merge and the throttled tax update."""

from starlette.responses import Response

from app.sandbox.invoice_ninja import clients
from app.sandbox.invoice_ninja.answers import ApiError, answer, data
from app.sandbox.invoice_ninja.lists import contains, equals
from app.sandbox.invoice_ninja.ninja import Call, Ninja
from app.sandbox.invoice_ninja.resources import Kind, refuse_unknown, row_of
from app.sandbox.invoice_ninja.store import Row

_ACTIONS = frozenset({"archive", "restore", "delete", "assign_group", "bulk_update", "template"})
_SEARCHED = ("name", "id_number", "number", *(f"custom_value{n}" for n in range(1, 5)))
_TAX_UPDATES_PER_MINUTE = 3


def _matches(row: Row, wanted: str) -> bool:
    wanted = wanted.lower()
    texts = [row[name] for name in _SEARCHED]
    texts += [each[name] for each in row["contacts"] for name in ("first_name", "last_name", "email", "phone")]
    return any(wanted in each.lower() for each in texts)


def _has_email(row: Row, wanted: str) -> bool:
    return any(contact["email"].lower() == wanted.lower() for contact in row["contacts"])


KIND = Kind(
    path="clients",
    entity="client",
    model="Client",
    create=clients.create,
    update=clients.update,
    present=clients.present,
    blank=clients.blank,
    filters={
        "email": _has_email,
        "id_number": equals("id_number"),
        "number": equals("number"),
        "name": contains("name"),
        "client_id": equals("id"),
        "filter": _matches,
    },
    includes=frozenset({"activities", "ledger", "system_logs", "group_settings", "documents", "contacts"}),
    events={"delete": 11, "archive": 37, "restore": 45},
    check_bulk=refuse_unknown("clients", _ACTIONS),
    strict_sort=True,
)


async def purge(ninja: Ninja, call: Call) -> Response:
    row = row_of(ninja, KIND, call.path["id"])
    KIND.require(ninja, call, "edit")
    ninja.require_password(call)
    _drop(ninja, row)
    for path in ("invoices", "quotes", "payments", "recurring_invoices", "tasks", "projects"):
        owned = [each["id"] for each in ninja.tables[path].rows.values() if each["client_id"] == row["id"]]
        for row_id in owned:
            ninja.tables[path].drop(row_id)
    return answer({"message": "Success"})


async def merge(ninja: Ninja, call: Call) -> Response:
    """The other client's contacts and documents move here, and it is gone for good. Only this one's update is told."""
    row, other = (row_of(ninja, KIND, call.path[name]) for name in ("id", "other"))
    KIND.require(ninja, call, "edit")
    ninja.require_password(call)
    moved = other["contacts"]
    row["contacts"] = sorted([*moved, *row["contacts"]], key=lambda contact: not contact["is_primary"])
    other["contacts"] = []
    _drop(ninja, other)
    for contact in moved:
        ninja.contact_owner[contact["id"]] = row["id"]
        contact["updated_at"] = ninja.now()
    for path in ("invoices", "quotes", "credits", "payments", "recurring_invoices", "tasks", "projects"):
        for each in ninja.tables[path].rows.values():
            if each["client_id"] == other["id"]:
                each["client_id"] = row["id"]
    for amount in ("balance", "paid_to_date"):
        row[amount] += other[amount]
    ninja.save("clients", row)
    await ninja.emit(clients.UPDATED, lambda: clients.present(ninja, row, []))
    return data(clients.present(ninja, row, []))


def _drop(ninja: Ninja, row: Row) -> None:
    ninja.tables["clients"].drop(row["id"])
    for contact in row["contacts"]:
        ninja.contact_owner.pop(contact["id"], None)


async def update_tax_data(ninja: Ninja, call: Call) -> Response:
    """One of the few self-hosted routes with a throttle; its 429 carries no hint when to come back (section 7)."""
    row = row_of(ninja, KIND, call.path["id"])
    now = ninja.config.clock()
    lately = [at for at in ninja.throttled.get(call.token, []) if at > now - 60]
    if len(lately) >= _TAX_UPDATES_PER_MINUTE:
        raise ApiError(429, {"message": "Too many requests"})
    ninja.throttled[call.token] = [*lately, now]
    left = _TAX_UPDATES_PER_MINUTE - len(lately) - 1
    headers = {"X-RateLimit-Limit": str(_TAX_UPDATES_PER_MINUTE), "X-RateLimit-Remaining": str(left)}
    return answer({"data": clients.present(ninja, row, [])}, headers=headers)

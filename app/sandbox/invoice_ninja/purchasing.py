"""Vendors, purchase orders and credits.

They were never run against the product (contracts/invoice_ninja, section 10): their columns and actions are read in its
code, and what they do with a body is taken to be what clients and invoices do.
"""

from app.sandbox.invoice_ninja import columns, documents
from app.sandbox.invoice_ninja.answers import InvalidError
from app.sandbox.invoice_ninja.bodies import flag, text
from app.sandbox.invoice_ninja.documents import CANCELLED, DRAFT, SENT, present, told
from app.sandbox.invoice_ninja.lists import equals
from app.sandbox.invoice_ninja.ninja import ME, Call, Ninja, shown
from app.sandbox.invoice_ninja.resources import Kind
from app.sandbox.invoice_ninja.store import Row

_ADDRESS = ("address1", "address2", "phone", "city", "state", "postal_code", "country_id")
_VENDOR = ("assigned_user_id", "name", "website", "private_notes", "public_notes", *_ADDRESS, *columns.CUSTOM)
_VENDOR += ("currency_id", "language_id", "vat_number", "id_number", "classification")
_PERSON = ("first_name", "last_name", "email", "phone", *columns.CUSTOM)


async def create_vendor(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = ninja.insert("vendors", {"user_id": ME, **dict.fromkeys(_VENDOR, ""), "number": "", "contacts": []})
    row |= {"last_login": 0, "documents": []}
    _put_vendor(ninja, call, row)
    row["number"] = columns.take_number(ninja, "vendors", call.body)
    ninja.save("vendors", row)
    return row, shown(row)


async def update_vendor(ninja: Ninja, call: Call, row: Row) -> None:
    _put_vendor(ninja, call, row)
    ninja.save("vendors", row)


def _put_vendor(ninja: Ninja, call: Call, row: Row) -> None:
    columns.assign(row, call.body, _VENDOR)
    if "contacts" in call.body or not row["contacts"]:
        known = {contact["id"]: contact for contact in row["contacts"]}
        given = [each for each in call.body.get("contacts") or [{}] if isinstance(each, dict)]
        row["contacts"] = [_person(ninja, each, known, is_first=not place) for place, each in enumerate(given)]


def _person(ninja: Ninja, given: Row, known: dict[str, Row], *, is_first: bool) -> Row:
    person = known.get(text(given.get("id"))) or ninja.insert("vendor_contacts", dict.fromkeys(_PERSON, ""))
    columns.assign(person, given, _PERSON)
    return person | {"is_primary": is_first, "send_email": flag(given.get("send_email"))}


VENDORS = Kind(
    path="vendors",
    entity="vendor",
    model="Vendor",
    create=create_vendor,
    update=update_vendor,
    present=lambda ninja, row, includes: shown(row),
    filters={
        "number": equals("number"),
        "id_number": equals("id_number"),
        "filter": columns.searched("name", "number", "id_number", *columns.CUSTOM),
    },
)


async def create_credit(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    row = documents.make(ninja, "credits", call)
    return row, present(ninja, row, [])


async def update_credit(ninja: Ninja, call: Call, row: Row) -> None:
    documents.check(ninja, "credits", call.body, row)
    documents.put(ninja, "credits", call, row)
    ninja.save("credits", row)


async def mark_sent(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] == DRAFT:
        row["status_id"] = SENT
        row["balance"] = row["amount"]


async def email(ninja: Ninja, call: Call, row: Row) -> None:
    await mark_sent(ninja, call, row)
    ninja.note_email(row["entity_type"], row["id"])


_ACTIONS = {"mark_sent": mark_sent, "email": email, "send_email": email}

CREDITS = Kind(
    path="credits",
    entity="credit",
    model="Credit",
    create=create_credit,
    update=update_credit,
    present=present,
    told=told,
    filters={"number": equals("number"), "client_id": equals("client_id")},
    actions=_ACTIONS,
)


async def create_order(ninja: Ninja, call: Call) -> tuple[Row, Row]:
    vendor = ninja.tables["vendors"].rows.get(text(call.body.get("vendor_id")))
    if vendor is None or vendor["is_deleted"]:
        raise InvalidError({"vendor_id": ["The selected vendor id is invalid."]})
    row = documents.make(ninja, "purchase_orders", call)
    return row, present(ninja, row, [])


async def update_order(ninja: Ninja, call: Call, row: Row) -> None:
    documents.put(ninja, "purchase_orders", call, row)
    ninja.save("purchase_orders", row)


async def cancel(ninja: Ninja, call: Call, row: Row) -> None:
    if row["status_id"] in (DRAFT, SENT):
        row["status_id"] = CANCELLED


PURCHASE_ORDERS = Kind(
    path="purchase_orders",
    entity="purchase_order",
    model="PurchaseOrder",
    create=create_order,
    update=update_order,
    present=present,
    filters={"number": equals("number")},
    actions={**_ACTIONS, "cancel": cancel},
)

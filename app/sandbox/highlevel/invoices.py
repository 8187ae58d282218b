"""Invoices: apps/invoices.json. What they hold and do; the routes are in invoice_routes.py."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from app.sandbox.highlevel import totals
from app.sandbox.highlevel.dto import (
    Dto,
    array,
    each,
    filled,
    flag,
    instant,
    mapping,
    nested,
    number,
    one_of,
    text,
    texts,
)
from app.sandbox.highlevel.errors import bad_request
from app.sandbox.highlevel.sandbox import Sandbox
from app.sandbox.highlevel.store import iso, now
from app.sandbox.highlevel.tables import Kind, Row, object_id

ACTIONS = ("sms_and_email", "send_manually", "email", "sms")
MODES = ("cash", "card", "cheque", "bank_transfer", "other")

_WHERE = {"altId": text, "altType": one_of("location")}
_ADDRESS = Dto(
    fields=dict.fromkeys(("addressLine1", "addressLine2", "city", "state", "countryCode", "postalCode"), text)
)
_BUSINESS = Dto(
    fields={
        **dict.fromkeys(("logoUrl", "name", "phoneNo", "website"), text),
        "address": nested(_ADDRESS),
        "customValues": texts,
    }
)
# The spec asks for a phone and an email of every contact; an empty one is refused (highlevel-api-docs#16).
_CONTACT = Dto(
    fields={
        **dict.fromkeys(("id", "name", "phoneNo", "email"), filled),
        "additionalEmails": array,
        "companyName": text,
        "address": nested(_ADDRESS),
        "customFields": texts,
    },
    required=("id", "name", "phoneNo", "email"),
)
_TAX = Dto(
    fields={"_id": text, "name": text, "rate": number, "calculation": text, "description": text, "taxId": text},
    required=("_id", "name", "rate"),
)
_ITEM = Dto(
    fields={
        "name": filled,
        "currency": filled,
        "amount": number,
        "qty": number,
        **dict.fromkeys(("description", "productId", "priceId", "automaticTaxCategoryId"), text),
        "taxes": each(_TAX),
        "isSetupFeeItem": flag,
        "taxInclusive": flag,
        "type": one_of("one_time", "recurring"),
    },
    required=("name", "currency", "amount", "qty"),
)
_DISCOUNT = Dto(
    fields={"value": number, "type": one_of("percentage", "fixed"), "validOnProductIds": texts}, required=("type",)
)
_SENT_TO = Dto(fields=dict.fromkeys(("email", "emailCc", "emailBcc", "phoneNo"), texts), required=("email",))
CREATE = Dto(
    fields={
        **_WHERE,
        "name": filled,
        "businessDetails": nested(_BUSINESS),
        "currency": filled,
        "items": each(_ITEM),
        "discount": nested(_DISCOUNT),
        "contactDetails": nested(_CONTACT),
        "issueDate": instant,
        "sentTo": nested(_SENT_TO),
        "liveMode": flag,
        "dueDate": instant,
        **dict.fromkeys(("termsNotes", "title", "invoiceNumber", "invoiceNumberPrefix"), text),
        "automaticTaxesEnabled": flag,
        **dict.fromkeys(("paymentSchedule", "lateFeesConfiguration", "tipsConfiguration", "paymentMethods"), mapping),
        "miscellaneousCharges": mapping,
        "attachments": array,
    },
    required=(
        *("altId", "altType", "name", "businessDetails", "currency", "items"),
        *("discount", "contactDetails", "issueDate", "sentTo", "liveMode"),
    ),
)
UPDATE = CREATE.but(
    *("items", "sentTo", "lateFeesConfiguration"),
    required=("altId", "altType", "name", "currency", "invoiceItems", "issueDate", "dueDate"),
    invoiceItems=each(_ITEM),
    description=text,
    contactId=text,
    xeroDetails=mapping,
)
_SHOWN = ("status", "liveMode", "name", "businessDetails", "invoiceNumber", "currency", "contactDetails", "issueDate")
_SHOWN_TOO = ("dueDate", "discount", "invoiceItems", "title", "automaticTaxesEnabled", "paymentSchedule")


def kind(sandbox: Sandbox) -> Kind:
    """A person's new invoice may name a contact only: `{"contactId", "invoiceItems"}`."""
    return Kind(
        name="invoices",
        fields=frozenset({*_SHOWN, *_SHOWN_TOO, "contactId"}) - {"status"},
        shown=shown,
        make=partial(make, sandbox),
        change=partial(change, sandbox),
        remove=partial(remove, sandbox),
    )


def shown(invoice: Row) -> dict[str, Any]:
    """Without termsNotes: the spec takes it and never shows it."""
    values = invoice.values
    found = totals.of(values["invoiceItems"], values["discount"])
    return {
        "_id": invoice.id,
        "altId": invoice.location_id,
        "altType": "location",
        **{name: values[name] for name in (*_SHOWN, *_SHOWN_TOO) if name in values},
        "total": totals.plain(found.total),
        "amountPaid": totals.plain(values["amountPaid"]),
        "amountDue": totals.plain(due(invoice)),
        "createdAt": iso(invoice.added),
        "updatedAt": iso(invoice.updated),
        "totalSummary": {
            "subTotal": totals.plain(found.subtotal),
            "discount": totals.plain(found.discount),
            "tax": totals.plain(found.tax),
        },
    }


def written(invoice: Row) -> dict[str, Any]:
    """The answer to a write has no totalSummary."""
    return {name: value for name, value in shown(invoice).items() if name != "totalSummary"}


def due(invoice: Row) -> Decimal:
    values = invoice.values
    return totals.of(values["invoiceItems"], values["discount"]).total - Decimal(values["amountPaid"])


def make(sandbox: Sandbox, location_id: str, values: dict[str, Any]) -> Row:
    values = _lines(_whose(sandbox, values))
    today = now()
    start = {
        "name": "Invoice",
        "title": "INVOICE",
        "currency": "USD",
        "businessDetails": {},
        "discount": {"type": "fixed", "value": 0},
        "invoiceItems": [],
        "issueDate": today.date().isoformat(),
        "liveMode": True,
        "invoiceNumber": str(next_number(sandbox, location_id)),
        **values,
    }
    start.setdefault("dueDate", (today + timedelta(days=30)).date().isoformat())
    start |= {"status": "draft", "amountPaid": Decimal()}
    invoice = sandbox.tables.invoices.add(Row(id=object_id(), location_id=location_id, values=start))
    _tell(sandbox, "InvoiceCreate", invoice)
    return invoice


def change(sandbox: Sandbox, invoice: Row, values: dict[str, Any]) -> Row:
    if invoice.values["status"] in ("paid", "void"):
        raise bad_request(f"A {invoice.values['status']} invoice cannot be changed.")
    if invoice.take(_lines(_whose(sandbox, values))):
        _tell(sandbox, "InvoiceUpdate", invoice)
    return invoice


def remove(sandbox: Sandbox, invoice: Row) -> None:
    del sandbox.tables.invoices[invoice.id]
    _tell(sandbox, "InvoiceDelete", invoice)


def send(sandbox: Sandbox, invoice: Row, action: str) -> None:
    """Nothing leaves: what would have been sent is counted (`/_control/mails`)."""
    if invoice.values["status"] == "void":
        raise bad_request("A void invoice cannot be sent.")
    contact = invoice.values["contactDetails"]
    if action in ("email", "sms_and_email"):
        sandbox.tables.mails.append({"invoiceId": invoice.id, "kind": "email", "to": contact["email"]})
    if action in ("sms", "sms_and_email"):
        sandbox.tables.mails.append({"invoiceId": invoice.id, "kind": "sms", "to": contact["phoneNo"]})
    if invoice.values["status"] == "draft":
        invoice.take({"status": "sent"})
    _tell(sandbox, "InvoiceSent", invoice)


def void(sandbox: Sandbox, invoice: Row) -> None:
    if invoice.values["status"] == "paid":
        raise bad_request("A paid invoice cannot be voided.")
    if invoice.take({"status": "void"}):
        _tell(sandbox, "InvoiceVoid", invoice)


def pay(sandbox: Sandbox, invoice: Row, amount: float | None, mode: str) -> None:
    """All that is due when no amount is named."""
    left = due(invoice)
    paid = left if amount is None else Decimal(str(amount))
    if invoice.values["status"] == "void" or not 0 < paid <= left:
        raise bad_request("The amount is not due on this invoice.")
    status = "paid" if paid == left else "partially_paid"
    invoice.take({"amountPaid": invoice.values["amountPaid"] + paid, "status": status})
    contact = invoice.values["contactDetails"]
    transaction = {
        "contactId": contact["id"],
        "contactName": contact["name"],
        "contactEmail": contact["email"],
        "currency": invoice.values["currency"],
        "amount": totals.plain(paid),
        "status": "succeeded",
        "liveMode": invoice.values["liveMode"],
        "entityType": "invoice",
        "entityId": invoice.id,
        "paymentProviderType": mode,
    }
    sandbox.tables.transactions.add(Row(id=object_id(), location_id=invoice.location_id, values=transaction))
    _tell(sandbox, "InvoicePaid" if status == "paid" else "InvoicePartiallyPaid", invoice)


def next_number(sandbox: Sandbox, location_id: str) -> int:
    used = [each.values["invoiceNumber"] for each in sandbox.tables.invoices.of(location_id)]
    return max((int(number) for number in used if number.isdigit()), default=0) + 1


def _whose(sandbox: Sandbox, values: dict[str, Any]) -> dict[str, Any]:
    contact = sandbox.store.contacts.get(values.pop("contactId", ""))
    if contact is None or "contactDetails" in values:
        return values
    known = {"email": contact.values.get("email") or "", "phoneNo": contact.values.get("phone") or ""}
    return {**values, "contactDetails": {"id": contact.id, "name": contact.name, **known}}


def _lines(values: dict[str, Any]) -> dict[str, Any]:
    """Called `items` when an invoice is made, and `invoiceItems` ever after."""
    items = values.pop("items", None) or values.get("invoiceItems")
    if items is None:
        return values
    return {**values, "invoiceItems": [{"_id": object_id(), "taxes": [], **item} for item in items]}


def _tell(sandbox: Sandbox, event: str, invoice: Row) -> None:
    """Neither type nor locationId: altId says where (contracts/ghl, section 2.4)."""
    body = shown(invoice)
    summary = {name: body["totalSummary"][name] for name in ("subTotal", "discount")}
    sandbox.webhooks.emit_unnamed(event, {**body, "totalSummary": summary})

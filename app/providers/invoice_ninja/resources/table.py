"""The resources of Invoice Ninja, one row each: contracts/invoice_ninja, sections 3, 5, 6, 8, 9.

Actions of credits, vendors, purchase orders, tokens, locations and tags are read in the product's code, not recorded.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.invoice_ninja.resources.access import Token, Webhook
from app.providers.invoice_ninja.resources.billing import (
    Credit,
    Invoice,
    Payment,
    PurchaseOrder,
    Quote,
    RecurringInvoice,
)
from app.providers.invoice_ninja.resources.files import Document
from app.providers.invoice_ninja.resources.parties import Client, Location, Vendor
from app.providers.invoice_ninja.resources.spec import ANYWHERE, Reached, Spec, status
from app.providers.invoice_ninja.resources.values import time_log
from app.providers.invoice_ninja.resources.work import Product, Project, Tag, Task, TaskStatus

_NUMBER = {"number": "number", "client_id": "client_id"}
_SEARCHED = dict.fromkeys((f"custom_value{n}" for n in range(1, 5)), "filter")
# A discount without is_amount_discount is one in money, and a date that is left out is the company's today.
_BILL = ("client_id", "date", "is_amount_discount")
_BILL_SENT_BACK = ("date", "is_amount_discount")


def _sent(record: Invoice) -> bool:
    return record.status_id != "1"


def _asked(record: object) -> bool:
    """Nothing of the record shows it."""
    return True


_EMAIL: Mapping[str, Reached] = {"email": _sent, "send_email": _sent}

CLIENTS = Spec(
    path="clients",
    model=Client,
    # Left out, they are reset to the company's currency; what is given replaces them all.
    sends_back=("settings",),
    merged=("settings", "contacts"),
    filters={"number": "number", "id_number": "id_number", "name": "name", **_SEARCHED},
    has_documents=True,
)
LOCATIONS = Spec(path="locations", model=Location, filters={"name": "filter"}, since="2025")
VENDORS = Spec(
    path="vendors",
    model=Vendor,
    merged=("contacts",),
    filters={"number": "number", "id_number": "id_number", "name": "filter", **_SEARCHED},
    has_documents=True,
)
PRODUCTS = Spec(path="products", model=Product, filters={"product_key": "product_key", **_SEARCHED}, has_documents=True)
INVOICES = Spec(
    path="invoices",
    model=Invoice,
    required=_BILL,
    sends_back=_BILL_SENT_BACK,
    filters={**_NUMBER, "po_number": "filter", **_SEARCHED},
    actions={**ANYWHERE, "mark_sent": _sent, "cancel": status("5")},
    # A payment that it makes is told to the customer where the company is set so; payments.pay can keep silent.
    emailing={**_EMAIL, "mark_paid": status("4")},
    has_documents=True,
)
RECURRING_INVOICES = Spec(
    path="recurring_invoices",
    model=RecurringInvoice,
    required=("client_id", "frequency_id", "is_amount_discount"),
    sends_back=("is_amount_discount",),
    filters=_NUMBER,
    actions={**ANYWHERE, "stop": status("1", "3")},
    # From its start on, the product sends each invoice by itself.
    emailing={"start": status("2"), "send_now": _asked},
    has_documents=True,
)
QUOTES = Spec(
    path="quotes",
    model=Quote,
    required=_BILL,
    sends_back=_BILL_SENT_BACK,
    filters={**_NUMBER, "po_number": "filter", **_SEARCHED},
    actions={
        **ANYWHERE,
        "mark_sent": _sent,
        "approve": status("3", "4"),
        "convert_to_invoice": lambda quote: bool(quote.invoice_id),
    },
    emailing=_EMAIL,
    has_documents=True,
)
CREDITS = Spec(
    path="credits",
    model=Credit,
    required=_BILL,
    sends_back=_BILL_SENT_BACK,
    filters=_NUMBER,
    actions={**ANYWHERE, "mark_sent": _sent},
    emailing=_EMAIL,
    has_documents=True,
)
PURCHASE_ORDERS = Spec(
    path="purchase_orders",
    model=PurchaseOrder,
    required=("vendor_id", "date", "is_amount_discount"),
    sends_back=_BILL_SENT_BACK,
    filters={"number": "number"},
    actions={
        **ANYWHERE,
        "mark_sent": _sent,
        "cancel": status("5"),
        "expense": lambda order: bool(order.expense_id),
        "add_to_inventory": status("4"),
    },
    emailing=_EMAIL,
    has_documents=True,
)
PAYMENTS = Spec(
    path="payments",
    model=Payment,
    required=("client_id", "date"),
    silence={"email_receipt": "false"},
    filters={**_NUMBER, "transaction_reference": "filter", **_SEARCHED},
    has_documents=True,
)
PROJECTS = Spec(path="projects", model=Project, required=("client_id", "name"), filters=_NUMBER, has_documents=True)
TASKS = Spec(
    path="tasks",
    model=Task,
    # Left out, the first is wiped and the second counted anew.
    sends_back=("time_log", "number"),
    encoded={"time_log": time_log},
    filters={**_NUMBER, "description": "filter", **_SEARCHED},
    has_documents=True,
)
TASK_STATUSES = Spec(path="task_statuses", model=TaskStatus, required=("name",))
TAGS = Spec(path="tags", model=Tag, required=("name", "entity_type"), since="2026")
DOCUMENTS = Spec(path="documents", model=Document, actions={})
TOKENS = Spec(path="tokens", model=Token, required=("name",))
WEBHOOKS = Spec(
    path="webhooks",
    model=Webhook,
    required=("target_url", "event_id"),
    sends_back=("target_url", "event_id"),
    deletes_in_bulk=True,
)

ALL: Sequence[Spec[Any]] = (
    *(CLIENTS, LOCATIONS, VENDORS, PRODUCTS, INVOICES, RECURRING_INVOICES, QUOTES, CREDITS, PURCHASE_ORDERS, PAYMENTS),
    *(PROJECTS, TASKS, TASK_STATUSES, TAGS, DOCUMENTS, TOKENS, WEBHOOKS),
)

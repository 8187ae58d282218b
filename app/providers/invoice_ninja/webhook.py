"""What Invoice Ninja's deliveries mean: event ids, bodies, and the proof that they are ours. Pure.

There is no signature, no delivery id and no event name (contracts/invoice_ninja, section 8): a custom header that we
asked for proves the sender, our URL names the event, and the body is the bare entity.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

from app.errors import BadPayload
from app.providers.base import Event, Verdict

SECRET_HEADER = "X-Crossledger-Secret"  # noqa: S105 - the header's name, not the secret

HANDLED: Mapping[str, str] = {
    "1": "EVENT_CREATE_CLIENT",
    "10": "EVENT_UPDATE_CLIENT",
    "11": "EVENT_DELETE_CLIENT",
    "37": "EVENT_ARCHIVE_CLIENT",
    "45": "EVENT_RESTORE_CLIENT",
    "18": "EVENT_CREATE_TASK",
    "19": "EVENT_UPDATE_TASK",
    "20": "EVENT_DELETE_TASK",
    "36": "EVENT_ARCHIVE_TASK",
    "44": "EVENT_RESTORE_TASK",
}
# Their entities, and what we call them.
_OBJECTS = {"CLIENT": "contact", "TASK": "task"}

# What else an entity may be to us: a client with several persons is a business.
_ALSO = {"CLIENT": ("business",)}

IGNORED_BECAUSE: Mapping[str, Mapping[str, str]] = {
    "invoices are not synced": {
        "2": "EVENT_CREATE_INVOICE",
        "8": "EVENT_UPDATE_INVOICE",
        "9": "EVENT_DELETE_INVOICE",
        "22": "EVENT_LATE_INVOICE",
        "24": "EVENT_REMIND_INVOICE",
        "33": "EVENT_ARCHIVE_INVOICE",
        "41": "EVENT_RESTORE_INVOICE",
        "60": "EVENT_SENT_INVOICE",
    },
    "quotes are not synced": {
        "3": "EVENT_CREATE_QUOTE",
        "6": "EVENT_UPDATE_QUOTE",
        "7": "EVENT_DELETE_QUOTE",
        "21": "EVENT_APPROVE_QUOTE",
        "23": "EVENT_EXPIRED_QUOTE",
        "34": "EVENT_ARCHIVE_QUOTE",
        "42": "EVENT_RESTORE_QUOTE",
        "61": "EVENT_SENT_QUOTE",
        "64": "EVENT_REMIND_QUOTE",
    },
    "payments are not synced": {
        "4": "EVENT_CREATE_PAYMENT",
        "12": "EVENT_DELETE_PAYMENT",
        "31": "EVENT_UPDATE_PAYMENT",
        "32": "EVENT_ARCHIVE_PAYMENT",
        "40": "EVENT_RESTORE_PAYMENT",
    },
    "credits are not synced": {
        "27": "EVENT_CREATE_CREDIT",
        "28": "EVENT_UPDATE_CREDIT",
        "29": "EVENT_DELETE_CREDIT",
        "35": "EVENT_ARCHIVE_CREDIT",
        "43": "EVENT_RESTORE_CREDIT",
        "62": "EVENT_SENT_CREDIT",
    },
    "projects are not synced": {
        "25": "EVENT_PROJECT_CREATE",
        "26": "EVENT_PROJECT_UPDATE",
        "30": "EVENT_PROJECT_DELETE",
        "38": "EVENT_ARCHIVE_PROJECT",
        "46": "EVENT_RESTORE_PROJECT",
    },
    "products are not synced": {
        "50": "EVENT_CREATE_PRODUCT",
        "51": "EVENT_UPDATE_PRODUCT",
        "52": "EVENT_DELETE_PRODUCT",
        "53": "EVENT_RESTORE_PRODUCT",
        "54": "EVENT_ARCHIVE_PRODUCT",
    },
    "vendors are whom the company buys from: a CRM has no such thing": {
        "5": "EVENT_CREATE_VENDOR",
        "13": "EVENT_UPDATE_VENDOR",
        "14": "EVENT_DELETE_VENDOR",
        "48": "EVENT_ARCHIVE_VENDOR",
        "49": "EVENT_RESTORE_VENDOR",
    },
    "expenses are the company's own costs: a CRM has no such thing": {
        "15": "EVENT_CREATE_EXPENSE",
        "16": "EVENT_UPDATE_EXPENSE",
        "17": "EVENT_DELETE_EXPENSE",
        "39": "EVENT_ARCHIVE_EXPENSE",
        "47": "EVENT_RESTORE_EXPENSE",
    },
    "purchase orders are the company's own buying: a CRM has no such thing": {
        "55": "EVENT_CREATE_PURCHASE_ORDER",
        "56": "EVENT_UPDATE_PURCHASE_ORDER",
        "57": "EVENT_DELETE_PURCHASE_ORDER",
        "58": "EVENT_RESTORE_PURCHASE_ORDER",
        "59": "EVENT_ARCHIVE_PURCHASE_ORDER",
        "63": "EVENT_SENT_PURCHASE_ORDER",
        "65": "EVENT_ACCEPTED_PURCHASE_ORDER",
    },
}

_REASONS = {event_id: reason for reason, group in IGNORED_BECAUSE.items() for event_id in group}
EVENTS: Mapping[str, str] = {**HANDLED, **{i: name for group in IGNORED_BECAUSE.values() for i, name in group.items()}}

# A hashid of ten letters and digits today (section 1). It becomes a part of a URL later, so nothing else may pass.
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")


def address(root: str, key: str, event_id: str) -> str:
    """Where one event of one connection is delivered. `root`: the address of this installation's webhooks."""
    return f"{root}/invoice-ninja/{key}/{event_id}"


def spoken(event_id: str) -> str:
    """EVENT_CREATE_CLIENT -> client created"""
    words = EVENTS.get(event_id, "").lower().split("_")
    return f"{words[2]} {words[1]}d" if len(words) == 3 else f"event {event_id}"


def authentic(secret_header: str, expected_digest: str) -> bool:
    """Whether the delivery carries the connection's secret. `expected_digest`: SHA-256 of it, in lower hex."""
    digest = hashlib.sha256(secret_header.encode("utf-8", "surrogateescape")).hexdigest()
    return hmac.compare_digest(digest.encode(), expected_digest.encode()) and bool(secret_header)


def read(raw: bytes, event_id: str) -> Event:
    """Name a proven delivery. `event_id` is the one our URL was subscribed with. Raises BadPayload."""
    entity = _entity(raw)
    # Two events can have equal bodies (updated_at has whole seconds), and one may be repeated: section 8 and 9.
    delivery_id = hashlib.sha256(event_id.encode("utf-8", "replace") + b"\0" + raw).hexdigest()
    if event_id in HANDLED:
        kind, own = HANDLED[event_id].rpartition("_")[2], _id_of(entity)
        return Event(
            delivery_id=delivery_id,
            kind=HANDLED[event_id],
            verdict=Verdict.HANDLED,
            object=_OBJECTS[kind],
            external_id=own,
            also=tuple((each, own) for each in _ALSO.get(kind, ())),
            by_content=True,
        )
    known = event_id in EVENTS
    return Event(
        delivery_id=delivery_id,
        kind=EVENTS[event_id] if known else f"event {event_id[:20]}",
        verdict=Verdict.IGNORED if known else Verdict.UNKNOWN,
        by_content=True,
        reason=_REASONS[event_id] if known else "not an event id of Invoice Ninja that we know",
    )


def _entity(raw: bytes) -> Mapping[str, Any]:
    try:
        entity = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadPayload("the body is not JSON in UTF-8") from error
    if not isinstance(entity, dict):
        raise BadPayload("the body is not a JSON object")
    return entity


def _id_of(entity: Mapping[str, Any]) -> str:
    external_id = entity.get("id")
    if not isinstance(external_id, str) or not _ID.fullmatch(external_id):
        raise BadPayload("the record in the body has no usable id")
    return external_id

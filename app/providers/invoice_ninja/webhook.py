"""What Invoice Ninja's deliveries mean: event ids, bodies, and the proof that they are ours. Pure.

There is no signature, no delivery id and no event name (contracts/invoice_ninja, section 8): a custom header that we
asked for proves the sender, our URL names the event, and the body is the bare entity.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from app.errors import BadPayload
from app.providers.base import Event, Verdict
from app.providers.invoice_ninja import states

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
    "2": "EVENT_CREATE_INVOICE",
    "8": "EVENT_UPDATE_INVOICE",
    "9": "EVENT_DELETE_INVOICE",
    "22": "EVENT_LATE_INVOICE",
    "24": "EVENT_REMIND_INVOICE",
    "33": "EVENT_ARCHIVE_INVOICE",
    "41": "EVENT_RESTORE_INVOICE",
    "60": "EVENT_SENT_INVOICE",
    "3": "EVENT_CREATE_QUOTE",
    "6": "EVENT_UPDATE_QUOTE",
    "7": "EVENT_DELETE_QUOTE",
    "21": "EVENT_APPROVE_QUOTE",
    "23": "EVENT_EXPIRED_QUOTE",
    "34": "EVENT_ARCHIVE_QUOTE",
    "42": "EVENT_RESTORE_QUOTE",
    "61": "EVENT_SENT_QUOTE",
    "64": "EVENT_REMIND_QUOTE",
    "50": "EVENT_CREATE_PRODUCT",
    "51": "EVENT_UPDATE_PRODUCT",
    "52": "EVENT_DELETE_PRODUCT",
    "53": "EVENT_RESTORE_PRODUCT",
    "54": "EVENT_ARCHIVE_PRODUCT",
    "4": "EVENT_CREATE_PAYMENT",
    "12": "EVENT_DELETE_PAYMENT",
    "31": "EVENT_UPDATE_PAYMENT",
    "32": "EVENT_ARCHIVE_PAYMENT",
    "40": "EVENT_RESTORE_PAYMENT",
    "27": "EVENT_CREATE_CREDIT",
    "28": "EVENT_UPDATE_CREDIT",
    "29": "EVENT_DELETE_CREDIT",
    "35": "EVENT_ARCHIVE_CREDIT",
    "43": "EVENT_RESTORE_CREDIT",
    "62": "EVENT_SENT_CREDIT",
}
Entity = Mapping[str, Any]
Ids = Callable[[Entity], Sequence[str]]


def _own(entity: Entity) -> Sequence[str]:
    external_id = entity.get("id")
    if not isinstance(external_id, str) or not _ID.fullmatch(external_id):
        raise BadPayload("the record in the body has no usable id")
    return (external_id,)


def _of_client(entity: Entity) -> Sequence[str]:
    client_id = entity.get("client_id")
    return (client_id,) if isinstance(client_id, str) and _ID.fullmatch(client_id) else ()


def _states(name: str) -> Ids:
    """What the body says to have happened to the record."""
    return lambda entity: states.told(name, {**entity, "id": _own(entity)[0]})


def _paid_invoices(entity: Entity) -> Sequence[str]:
    """Payments fire no event of their invoices, but name them: section 8."""
    invoices = [each for each in entity.get("invoices") or () if isinstance(each, dict)]
    told = [id_ for each in invoices for id_ in states.told("invoice", each)]
    return [id_ for id_ in told if id_.split("/")[2] in ("partial", "paid")]


def _paper(kind: str) -> Ids:
    """An opportunity's partner is named by what it is."""
    return lambda entity: [f"{kind}/{id_}" for id_ in _own(entity)]


def _parts(entity: Entity) -> Sequence[str]:
    """What of a payment went to which invoice is a record of its own; a deleted one does not name its invoices."""
    (own,) = _own(entity)
    return [f"{own}/{id_.removeprefix('invoice/')}" for id_ in _paid(entity)] or [own]


def _paid(entity: Entity) -> Sequence[str]:
    """The invoices that a payment went to; none where it waits for one."""
    lists = (("invoices", "id"), ("paymentables", "invoice_id"))
    rows = [(row, name) for kind, name in lists if isinstance(entity.get(kind), list) for row in entity[kind]]
    named = [row.get(name) for row, name in rows if isinstance(row, dict)]
    return [f"invoice/{id_}" for id_ in named if isinstance(id_, str) and _ID.fullmatch(id_)]


# An entity of theirs -> what its events are news of: our object, and where the ids stand in the body. The first row
# is the event's own record, the others are told of it.
_NEWS: Mapping[str, Sequence[tuple[str, Ids]]] = {
    "CLIENT": (("contact", _own), ("business", _own)),  # one with several persons is a business
    "TASK": (("task", _own),),
    "PRODUCT": (("product", _own),),
    "INVOICE": (
        ("notice", _states("invoice")),
        ("balance", _of_client),
        ("opportunity", _paper("invoice")),
        ("invoice", _own),
    ),
    "QUOTE": (("notice", _states("quote")), ("opportunity", _paper("quote"))),
    "CREDIT": (("notice", _states("credit")), ("balance", _of_client)),
    "PAYMENT": (
        ("notice", _states("payment")),
        ("notice", _paid_invoices),
        ("balance", _of_client),
        ("opportunity", _paid),
        ("payment", _parts),
    ),
}


def telling(objects: Collection[str]) -> list[str]:
    """The kinds of events that are news of one of these objects, or of contacts, which every bridge reads."""
    told = {"contact", *objects}
    return [kind for kind in HANDLED.values() if told & {name for name, _ in _NEWS[kind.rpartition("_")[2]]}]


IGNORED_BECAUSE: Mapping[str, Mapping[str, str]] = {
    "projects are not synced": {
        "25": "EVENT_PROJECT_CREATE",
        "26": "EVENT_PROJECT_UPDATE",
        "30": "EVENT_PROJECT_DELETE",
        "38": "EVENT_ARCHIVE_PROJECT",
        "46": "EVENT_RESTORE_PROJECT",
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

_PAST = {each: each for each in ("sent", "late", "expired")} | {"remind": "reminded"}

# A hashid of ten letters and digits today (section 1). It becomes a part of a URL later, so nothing else may pass.
_ID = re.compile(r"[0-9A-Za-z_-]{1,100}")


def address(root: str, key: str, event_id: str) -> str:
    """Where one event of one connection is delivered. `root`: the address of this installation's webhooks."""
    return f"{root}/invoice-ninja/{key}/{event_id}"


def spoken(event_id: str) -> str:
    """EVENT_CREATE_CLIENT -> client created"""
    words = EVENTS.get(event_id, "").lower().split("_")
    return f"{words[2]} {_PAST.get(words[1], f'{words[1]}d')}" if len(words) == 3 else f"event {event_id}"


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
        return _handled(delivery_id, HANDLED[event_id], entity)
    known = event_id in EVENTS
    return Event(
        delivery_id=delivery_id,
        kind=EVENTS[event_id] if known else f"event {event_id[:20]}",
        verdict=Verdict.IGNORED if known else Verdict.UNKNOWN,
        by_content=True,
        reason=_REASONS[event_id] if known else "not an event id of Invoice Ninja that we know",
    )


def _handled(delivery_id: str, kind: str, entity: Entity) -> Event:
    rows = _NEWS[kind.rpartition("_")[2]]
    news = list(dict.fromkeys((name, id_) for name, ids in rows for id_ in ids(entity)))
    if not news:
        reason = "nothing of it is synced: a draft, or undone"
        return Event(delivery_id=delivery_id, kind=kind, verdict=Verdict.IGNORED, by_content=True, reason=reason)
    (object_, external_id), *also = news
    return Event(
        delivery_id=delivery_id,
        kind=kind,
        verdict=Verdict.HANDLED,
        object=object_,
        external_id=external_id,
        also=tuple(also),
        by_content=True,
    )


def _entity(raw: bytes) -> Entity:
    try:
        entity = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadPayload("the body is not JSON in UTF-8") from error
    if not isinstance(entity, dict):
        raise BadPayload("the body is not a JSON object")
    return entity

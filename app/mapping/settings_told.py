"""Settings of a bridge, and what they are set to, in the words of its pages. Pure.

What has no words of its own goes by its name, so that a new setting is told before it has some.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from app.mapping.labels import Labels
from app.mapping.wording import ASKS, STANDINGS, WAYS, WINNERS
from app.sync.filters import Op
from app.sync.records import Side

_LONGEST = 400

# By their path; first with the object before it.
_NAMES: Mapping[str, str] = {
    "enabled": "synced",
    "prefer": "who wins",
    "wins": "who wins",
    "keep_filled": "an empty value never overwrites",
    "slot": "field that holds HighLevel's id",
    "sweep_minutes": "minutes between two looks for what changed",
    "full_compare_hours": "hours between two whole comparisons",
    "direction": "which way",
    "crm_deleted": "when it is deleted in HighLevel",
    "billing_deleted": "when it is deleted in Invoice Ninja",
    "billing_archived": "when it is archived in Invoice Ninja",
    "only": "filter",
    "since": "only what is there since",
    "contact.tags.into": "tags go to",
    "contact.tags.direction": "which way tags go",
    "contact.tags.only": "only these tags",
    "contact.tags.groups": "client groups by tags",
    "open": "status of a task that is opened again",
    "due_field": "field that holds the due date",
    "done": "statuses that mean completed",
    "note.into": "notes go to",
    "appointment.into": "appointments become",
    "put_away": "statuses in which the task is put away",
    "rules": "when something is made",
    "outcomes": "what becomes of the opportunity",
    "due_days": "days until it is due",
    "item": "text of the line",
    "archive_drafts": "archive drafts of what is lost",
    "invoice.mode": "what is synced of invoices",
    "drafts": "drafts as well",
    "test_mode": "invoices of the test mode as well",
    "mark_sent": "mark as sent",
    "cancel_void": "cancel what is void",
    "number_prefix": "what numbers begin with",
}
_BELOW: Mapping[str, str] = {
    "custom_fields": "custom field for",
    "balance.tags": "tag for",
    "statuses": "status for",
    "wording": "text for",
}
"""What is said of all settings below one."""
_PLACES: Mapping[str, str] = {
    "off": "nowhere",
    "group": "the client group",
    "activity": "the client's activity",
    "private_notes": "the client's private notes",
    "public_notes": "the client's public notes",
    "task": "tasks",
    "note": "notes",
}
_VALUES: Mapping[str, Mapping[str, str]] = {
    "prefer": WINNERS,
    "wins": {**WINNERS, "": "the bridge's choice"},
    "direction": WAYS,
    "tags.direction": WAYS,
    "crm_deleted": {
        "archive": "archive its partner",
        "keep": "keep its partner",
        "delete": "delete its partner",
    },
    "billing_deleted": {"keep": "keep its partner", "delete": "delete its partner"},
    "billing_archived": {"sync": "go on with it", "pause": "pause until it is restored"},
    "tags.into": _PLACES,
    "into": _PLACES,
    "mode": {"mirror": "invoices are made as well", "payments_only": "payments only"},
}
_IN_BILLING = ("slot", "due_field", "tags.into", "into")
"""Settings whose values are fields in billing."""


def name_of(object_: str, path: Sequence[str], labels: Labels) -> str:
    """“who wins for City”."""
    whole = ".".join(path)
    known = _first(_NAMES, object_, whole)
    if known:
        return known
    above, last = ".".join(path[:-1]), path[-1]
    if above == "prefer":
        return f"who wins for {labels.of(object_, Side.BILLING, last)}"
    below = _first(_BELOW, object_, above)
    return f"{below} {_plain(last)}" if below else _plain(" ".join(path))


def value_of(object_: str, path: Sequence[str], value: Any, labels: Labels) -> str:
    """ "" for nothing."""
    whole = ".".join(path)
    words = _VALUES.get("prefer" if path[0] == "prefer" else whole, {})
    if value is None or isinstance(value, str):
        if whole in _IN_BILLING and value and value not in words:
            return _label(labels, object_, Side.BILLING, value)
        return words.get(value or "", value or "")[:_LONGEST]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        told = _condition if whole == "only" else _item
        return "; ".join(told(object_, each, labels) for each in value)[:_LONGEST]
    return str(value)


def _condition(object_: str, given: Mapping[str, Any], labels: Labels) -> str:
    """“Tags has vip”."""
    side = Side(given["side"]) if given.get("side") else Side.CRM
    label = _label(labels, object_, side, given["field"])
    if not given.get("side") and label == _plain(given["field"]):
        label = _label(labels, object_, Side.BILLING, given["field"])
    return " ".join(filter(None, (label, ASKS[Op(given["op"])], given.get("value"))))


def _item(_: str, given: Any, __: Labels) -> str:
    if not isinstance(given, Mapping):
        return str(given)
    when = STANDINGS.get(str(given.get("when", "")), "")
    rest = [str(each) for name, each in given.items() if name != "when" and each not in (None, "")]
    return ": ".join(filter(None, (when, " → ".join(rest))))


def _label(labels: Labels, object_: str, side: Side, name: str) -> str:
    """The bridge's own are those of contacts."""
    label = labels.of(object_ or "contact", side, name)
    return label if label != name else _plain(name)


def _first(words: Mapping[str, str], object_: str, path: str) -> str:
    return words.get(f"{object_}.{path}") or words.get(path, "")


def _plain(name: str) -> str:
    return name.replace("_", " ")

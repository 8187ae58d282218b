"""How one resource differs from the others, and what that makes of a request. Pure."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from app.errors import Rejected, Unsupported
from app.providers.invoice_ninja.resources.values import Entity, outgoing

T = TypeVar("T", bound=Entity)
U = TypeVar("U", bound=Entity)
Reached = Callable[[Any], bool]
"""Whether a record is as a bulk action should have left it."""

# Words at the top of a body that make the product act beside saving; the second row writes to the customer.
FLAGS = frozenset(
    {"mark_sent", "paid", "cancel", "approve", "convert", "auto_bill", "start", "stop", "save_default_terms"}
)
FLAGS |= {"send_email", "email_receipt", "send_now", "email_type"}
# What must be said of every contact when one of them changes; what is left out is kept.
SENT_BACK_OF_A_CONTACT = ("id", "is_primary", "send_email")

ANYWHERE: Mapping[str, Reached] = {
    "archive": lambda record: record.archived_at is not None,
    "restore": lambda record: record.lifecycle == "active",
    "delete": lambda record: record.is_deleted,
}


def status(*ids: str) -> Reached:
    return lambda record: record.status_id in ids


@dataclass(frozen=True, kw_only=True)
class Spec(Generic[T]):
    """One row of the table."""

    path: str
    model: type[T]
    required: tuple[str, ...] = ()
    """What a create must say itself, because the product refuses without it, or fills it in with a surprise."""
    sends_back: tuple[str, ...] = ()
    """What an update that is silent about it would destroy."""
    merged: tuple[str, ...] = ()
    """Objects and lists that an update replaces as a whole."""
    encoded: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    silence: Mapping[str, str] = field(default_factory=dict)
    """Words for the query of a create, without which the company's settings decide whether the customer is told."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Field of ours -> the filter that narrows a search for it. Some are LIKE; unknown ones are ignored."""
    actions: Mapping[str, Reached] = field(default_factory=lambda: ANYWHERE)
    """What POST /{path}/bulk is known to do."""
    emailing: Mapping[str, Reached] = field(default_factory=dict)
    """Bulk actions that write to the customer, or may: some only under a setting of the company."""
    deletes_in_bulk: bool = False
    """DELETE only archives; the bulk action deletes."""
    has_documents: bool = False
    since: str = ""
    """The version that brought it; "": it was always there."""

    def answering(self, model: type[U]) -> "Spec[U]":
        """The same resource, where more is included in its answers."""
        return Spec(**{each.name: getattr(self, each.name) for each in fields(self)} | {"model": model})

    def creating(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if missing := [name for name in self.required if values.get(name) in (None, "")]:
            raise Rejected(
                f"a new one of {self.path} must say {', '.join(missing)}", fields=dict.fromkeys(missing, "missing")
            )
        return self._body(values)

    def updating(
        self, current: Mapping[str, Any], values: Mapping[str, Any], dropped: Collection[str]
    ) -> dict[str, Any]:
        """The body of a PUT. `current` is the record as just read; `dropped` are ids of contacts to leave out."""
        if "number" in values and not values["number"]:
            raise Rejected("a number that is taken away is counted anew", fields={"number": "empty"})
        if dropped:
            values = {"contacts": [], **values}
        kept = {name: current[name] for name in self.sends_back if current.get(name) not in (None, "")}
        changed = {
            name: _merge(name, current.get(name), value, dropped) if name in self.merged else value
            for name, value in values.items()
        }
        return self._body(kept | changed)

    def _body(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if flags := sorted(name for name in FLAGS & values.keys() if _acts(values[name])):
            raise Unsupported(self.path, f"saving must do nothing else, so {', '.join(flags)} cannot be sent along")
        if "amount_paid" in values:
            raise Unsupported(self.path, "a payment is made with payments.pay, not with amount_paid")
        return {name: outgoing(self.encoded.get(name, _as_it_is)(value)) for name, value in values.items()}


def _as_it_is(value: Any) -> Any:
    return value


def _acts(value: Any) -> bool:
    """The product compares with "true"."""
    return value is True or str(value).lower() in ("true", "1")


def _merge(name: str, current: Any, changed: Any, dropped: Collection[str]) -> Any:
    if name == "contacts":
        return _contacts(current or [], changed, dropped)
    return {**(current or {}), **changed}


def _contacts(current: list[dict[str, Any]], changed: list[Mapping[str, Any]], dropped: Collection[str]) -> Any:
    """All contacts that shall stay, for one that is not in the list is deleted; those without an id are new.

    No id travels that was not read from this very record: that of another client would move its contact here, without
    a question (section 3).
    """
    own = {contact["id"] for contact in current}
    changes = {entry["id"]: entry for entry in changed if "id" in entry}
    if strangers := (changes.keys() | set(dropped)) - own:
        raise Rejected(f"no contact of this record: {', '.join(sorted(strangers))}")
    stay = [contact for contact in current if contact["id"] not in dropped]
    kept = [{word: contact[word] for word in SENT_BACK_OF_A_CONTACT if word in contact} for contact in stay]
    new = [dict(entry) for entry in changed if "id" not in entry]
    if not kept and not new:
        raise Rejected("the last contact cannot be dropped: a blank one would take its place")
    return [{**contact, **changes.get(contact["id"], {})} for contact in kept] + new

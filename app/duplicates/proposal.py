"""Which record of a cluster should survive, and what people must know before they merge. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.sync.records import Side

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """A live link of a record; `id` is the partner's, on the other side."""

    link_id: int
    object: str
    id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One record of a cluster. `money` as it was read in the search; `invoices`: None where they were not counted."""

    id: str
    name: str
    company: str
    email: str
    phone: str
    city: str
    filled: int
    money: dict[str, str] | None
    created_at: datetime | None
    updated_at: datetime | None
    invoices: int | None = None
    partners: tuple[Partner, ...] = ()

    @property
    def has_money(self) -> bool:
        told = self.money or {}
        return bool(self.invoices) or any(float(told.get(name, 0)) for name in ("balance", "paid_to_date"))


@dataclass(frozen=True, slots=True)
class Proposal:
    survivor: str
    reason: str


def _age(member: Member) -> float:
    return -(member.created_at or _LAST).timestamp()


# In this order: the first in which one record is ahead of all others decides.
_RULES: tuple[tuple[str, Any], ...] = (
    ("it is linked, and has invoices or payments", lambda each: bool(each.partners) and each.has_money),
    ("it has invoices or payments", lambda each: each.has_money),
    ("it is linked", lambda each: bool(each.partners)),
    ("more of its fields are filled in", lambda each: each.filled),
    ("it is the oldest", _age),
)


def propose(members: Sequence[Member]) -> Proposal:
    """`members`: two at least."""
    ranked = sorted(members, key=lambda each: tuple(rule(each) for _, rule in _RULES), reverse=True)
    best, second = ranked[:2]
    ahead = (words for words, rule in _RULES if rule(best) > rule(second))
    return Proposal(best.id, next(ahead, "they are alike; it was read first"))


def warnings(members: Sequence[Member], side: Side, *, merges: bool) -> list[str]:
    """`merges`: whether the vendor merges them from here."""
    said: list[str] = []
    currencies = {each.id: (each.money or {}).get("currency", "") for each in members}
    if len(set(filter(None, currencies.values()))) > 1:
        named = ", ".join(f"{id_}: {code or 'unknown'}" for id_, code in currencies.items())
        said.append(
            f"Their currencies differ ({named}). A client's currency cannot be changed in billing: after a merge the"
            " invoices of all of them stand under the survivor's."
        )
    partners = sorted({(each.object, each.id) for member in members for each in member.partners})
    for object_ in sorted({object_ for object_, _ in partners}):
        ids = [id_ for name, id_ in partners if name == object_]
        if len(ids) > 1:
            said.append(
                f"They are linked to different records on the other side ({', '.join(ids)}). The survivor keeps its"
                " own; a link of another one that finds it taken is cut, and waits as a conflict. Merge those first."
            )
    if merges:
        gone = "client" if side is Side.BILLING else "contact"
        said.append(f"A {gone} that is merged into the survivor is gone for good, with all that stands in its fields.")
    return said

"""Making two records of one account one, where the vendor can; and what hangs on a record that may go.

Only ever at a person's word: what a merge takes away is gone for good.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from app.providers.capabilities import Capability
from app.sync.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What a client owes and has paid, in its own currency; "" where that is not known."""

    balance: Decimal
    paid_to_date: Decimal
    currency: str

    @property
    def any(self) -> bool:
        return bool(self.balance or self.paid_to_date)


class Merger(Protocol):
    """The records of persons in one connected account.

    Every method that calls may raise Retry, Wait, Reconnect, Rejected, Forbidden, Gone; a merge whose answer is lost
    raises AnswerLost.
    """

    @property
    def capability(self) -> Capability:
        """Whether there is a merge; where there is none, what a person does instead."""

    def money(self, record: Record) -> Money | None:
        """As the record itself says it. None where records of this account have none."""

    async def invoices(self, external_id: str) -> int:
        """How many live invoices belong to it: one call. Raises Unsupported where there are none."""

    async def merge(self, survivor: str, other: str, password: str) -> Record:
        """Make `other` a part of `survivor`, and return that; `other` is gone for good.

        `password`: the user's own, sent with this one call and kept nowhere.
        """

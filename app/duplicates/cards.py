"""What is kept of a record to show it to people."""

from typing import Any

from app.duplicates.keys import card_of
from app.providers.merging import Merger
from app.sync.objects import OBJECTS
from app.sync.records import Record

PERSON = next(each.name for each in OBJECTS.values() if each.person)


def member_card(record: Record, merger: Merger) -> dict[str, Any]:
    """With its money, where the record itself says it."""
    money = merger.money(record)
    told = money and {
        "balance": str(money.balance),
        "paid_to_date": str(money.paid_to_date),
        "currency": money.currency,
    }
    return {**card_of(record), "money": told}


def stored_member(record: Record, merger: Merger) -> dict[str, Any]:
    """As a cluster keeps it."""
    moments = {"created_at": record.created_at, "updated_at": record.updated_at}
    told = {name: moment.isoformat() if moment else None for name, moment in moments.items()}
    return {**member_card(record, merger), "id": record.id, **told}

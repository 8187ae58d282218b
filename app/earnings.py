"""What customers owe, and what was invoiced and paid by day: sums of what billing last showed of linked records.

Nothing is converted: each sum is in one currency. Where a bridge keeps balances in step, they say what is unpaid, for
they count every invoice of a linked client; else the linked invoices do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

DAYS = 30
"""How far the chart goes back, today included."""

# What a sweep has read to its end is as fresh as that; what no sweep has read, as the oldest of it.
_UNPAID = text("""
    SELECT b.id AS bridge_id, open.currency, open.amount, coalesce(c.read_to, open.oldest) AS as_of
      FROM bridges b
      CROSS JOIN LATERAL (SELECT CASE
          WHEN b.settings #>> '{balance,enabled}' = 'true' THEN 'balance' ELSE 'invoice' END) says(object)
      CROSS JOIN LATERAL (
          SELECT a.currency, sum(a.open) AS amount, min(a.read_at) AS oldest
            FROM amounts a WHERE a.bridge_id = b.id AND a.object = says.object AND a.open <> 0 GROUP BY a.currency
      ) open
      LEFT JOIN cursors c ON c.bridge_id = b.id AND c.side = 'billing' AND c.object = says.object
     ORDER BY b.id, open.currency
""")
_DAYS = text("""
    SELECT day, currency, coalesce(sum(amount) FILTER (WHERE object = 'invoice'), 0) AS invoiced,
           coalesce(sum(amount) FILTER (WHERE object = 'payment'), 0) AS paid
      FROM amounts
     WHERE day IS NOT NULL AND day > :before AND day <= :until
       AND (CAST(:bridge_id AS bigint) IS NULL OR bridge_id = :bridge_id)
     GROUP BY day, currency HAVING bool_or(amount <> 0) ORDER BY day, currency
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaid:
    """`as_of`: what was known then is counted, and maybe what came later."""

    currency: str
    amount: Decimal
    as_of: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`invoiced`: without drafts and what was cancelled. `paid`: less refunds, on the day of the payment."""

    day: date
    currency: str
    invoiced: Decimal
    paid: Decimal


async def unpaid(engine: AsyncEngine) -> dict[int, list[Unpaid]]:
    """By bridge and currency; a bridge of which nothing is unpaid, or known, is not there."""
    found: dict[int, list[Unpaid]] = {}
    async with engine.connect() as connection:
        for row in (await connection.execute(_UNPAID)).mappings():
            told = {name: row[name] for name in Unpaid.__slots__}
            found.setdefault(row["bridge_id"], []).append(Unpaid(**told))
    return found


def together(sums: Sequence[Unpaid]) -> list[Unpaid]:
    """One for each currency, the largest first; as old as the oldest of them."""
    return sorted(
        (
            Unpaid(
                currency=currency,
                amount=sum((each.amount for each in sums if each.currency == currency), Decimal(0)),
                as_of=min(each.as_of for each in sums if each.currency == currency),
            )
            for currency in {each.currency for each in sums}
        ),
        key=lambda each: (-each.amount, each.currency),
    )


async def days(engine: AsyncEngine, now: datetime, *, bridge_id: int | None = None) -> list[Day]:
    """Of the last days on which there was any. Somewhere east of UTC it is tomorrow already."""
    today = now.astimezone(UTC).date()
    values = {"before": today - timedelta(days=DAYS), "until": today + timedelta(days=1), "bridge_id": bridge_id}
    async with engine.connect() as connection:
        return [Day(**row) for row in (await connection.execute(_DAYS, values)).mappings()]

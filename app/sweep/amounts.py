"""The money of pairs, as a list of billing shows it: a payment of an invoice changes no field that is kept in step."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sweep.knowledge import Of
from app.sync.records import Record, Side

_NOTE = text("""
    INSERT INTO amounts AS a (link_id, bridge_id, object, currency, amount, open, day)
    SELECT l.id, l.bridge_id, l.object, m.currency, m.amount, m.open, m.day
      FROM unnest(CAST(:ids AS text[]), CAST(:currencys AS text[]), CAST(:amounts AS numeric[]),
                  CAST(:opens AS numeric[]), CAST(:days AS date[])) AS m(id, currency, amount, open, day)
      JOIN links l ON l.bridge_id = :bridge_id AND l.object = :object AND l.billing_id = m.id
      LEFT JOIN amounts was ON was.link_id = l.id
     WHERE (l.crm_id IS NOT NULL AND l.state <> 'unlinked' OR l.problem = 'direction' AND :alone)
       AND (was.currency, was.amount, was.open, was.day) IS DISTINCT FROM (m.currency, m.amount, m.open, m.day)
     ORDER BY l.id
    ON CONFLICT (link_id) DO UPDATE SET currency = excluded.currency, amount = excluded.amount, open = excluded.open,
        day = excluded.day, read_at = now()
""")


async def note(connection: AsyncConnection, of: Of, records: Sequence[Record], *, alone: bool) -> None:
    """Of those that are linked, where it is not what it was. `alone`: no other bridge has this billing account."""
    summed = [{"id": each.id, **each.sum.columns()} for each in records if each.sum]
    if of.side is Side.BILLING and summed:
        lists = {f"{name}s": [row[name] for row in summed] for name in summed[0]}
        await connection.execute(_NOTE, of.values(**lists, alone=alone))

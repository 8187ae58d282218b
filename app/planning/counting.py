"""How many records a filter lets take part, of those that a plan has read. No vendor is asked.

A record is asked as the engine asks it: together with its partner where it has one, by a link or by the plan, and else
with a partner that is empty in all that only its side knows. A pair counts once.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.sync.filters import Condition, Seen, refusal
from app.sync.records import FieldSpec, Side, Values

# A reading that has come to its end on both sides, or cannot be made of one of them.
_LAST_READ = text("""
    SELECT id, created_at FROM runs
     WHERE bridge_id = :bridge AND kind = 'plan' AND NOT jsonb_exists(options, 'start')
       AND (SELECT bool_and(coalesce(position -> 'read', '[]') @> to_jsonb(mark)
                            OR jsonb_exists(coalesce(position -> 'unread', '{}'), mark))
              FROM unnest(CAST(:marks AS text[])) AS mark)
     ORDER BY id DESC LIMIT 1
""")
_SOME = """(SELECT jsonb_object_agg(v.key, v.value) FROM jsonb_each({record}.record -> 'values') AS v
             WHERE v.key = ANY(:fields))"""
_PAIRED = "crm_id IS NOT NULL AND billing_id IS NOT NULL"
_ROWS = text(f"""
    WITH pairs AS (
        SELECT crm_id, split_part(billing_id, '/', 1) AS billing_id FROM links
         WHERE bridge_id = :bridge AND object = :object AND {_PAIRED}
        UNION
        SELECT crm_id, split_part(billing_id, '/', 1) FROM plan_items
         WHERE run_id = :run AND object = :object AND {_PAIRED}
    ), had AS (
        SELECT * FROM snapshots WHERE run_id = :run AND object = :object
    )
    SELECT c.side, {_SOME.format(record="c")} AS own, count(*) AS records,
           CASE WHEN b.run_id IS NOT NULL THEN coalesce({_SOME.format(record="b")}, '{{}}') END AS partner
      FROM had c LEFT JOIN pairs p ON p.crm_id = c.external_id
      LEFT JOIN had b ON b.side = 'billing' AND b.external_id = p.billing_id
     WHERE c.side = 'crm' GROUP BY 1, 2, 4
    UNION ALL
    SELECT b.side, {_SOME.format(record="b")}, count(*), NULL FROM had b
     WHERE b.side = 'billing' AND NOT EXISTS (
        SELECT FROM pairs p JOIN had c ON c.side = 'crm' AND c.external_id = p.crm_id
         WHERE p.billing_id = b.external_id)
     GROUP BY 1, 2
""")  # noqa: S608 -- constants of ours
_MOST_FREQUENT = text("""
    SELECT record -> 'values' ->> :field AS value FROM snapshots
     WHERE run_id = :run AND object = :object AND record -> 'values' ->> :field <> ''
     GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for a plan, and when that was begun."""

    plan_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Alike:
    """So many records with the same values in the fields that are asked for. `partner`: None where there is none."""

    side: Side
    own: Values
    partner: Values | None
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`alone`: how many each condition would let take part by itself. `left_out`: by side."""

    records: int
    matching: int
    alone: Sequence[int]
    left_out: Mapping[Side, int]


async def last_read(engine: AsyncEngine, bridge_id: int, object_: str) -> Read | None:
    """The newest plan that has read all of an object; None where there is none."""
    values = {"bridge": bridge_id, "marks": [f"{object_}/{side.value}" for side in Side]}
    async with engine.connect() as connection:
        row = (await connection.execute(_LAST_READ, values)).first()
    return Read(row.id, row.created_at) if row else None


async def alike(engine: AsyncEngine, bridge_id: int, plan_id: int, object_: str, fields: Iterable[str]) -> list[Alike]:
    """The records of a plan, put together where they do not differ in `fields`."""
    values = {"bridge": bridge_id, "run": plan_id, "object": object_, "fields": sorted(set(fields))}
    async with engine.begin() as connection:
        # What was just read is not analysed yet: taken for a few rows, each would be compared with each.
        await connection.execute(text("SET LOCAL enable_nestloop = off"))
        rows = (await connection.execute(_ROWS, values)).all()
    return [Alike(Side(row.side), _values(row.own), _partner(row), row.records) for row in rows]


async def frequent(engine: AsyncEngine, plan_id: int, object_: str, field: str, most: int) -> list[str]:
    """The values that the most records of a plan have in a field."""
    values = {"run": plan_id, "object": object_, "field": field, "most": most}
    async with engine.connect() as connection:
        return [str(value) for value in (await connection.execute(_MOST_FREQUENT, values)).scalars()]


def tally(
    conditions: Sequence[Condition], rows: Iterable[Alike], specs: Mapping[Side, Mapping[str, FieldSpec]]
) -> Tally:
    """Pure."""
    records = matching = 0
    alone = [0] * len(conditions)
    left_out: Counter[Side] = Counter()
    for row in rows:
        seen = _seen(row, specs)
        records += row.records
        if refusal(conditions, seen):
            left_out[row.side] += row.records
        else:
            matching += row.records
        for place, condition in enumerate(conditions):
            alone[place] += 0 if refusal([condition], seen) else row.records
    return Tally(records=records, matching=matching, alone=alone, left_out={side: left_out[side] for side in Side})


def _seen(row: Alike, specs: Mapping[Side, Mapping[str, FieldSpec]]) -> dict[Side, Seen]:
    """As `sync.participation` puts them before the filter."""
    there = specs[row.side.other]
    partner = row.partner if row.partner is not None else dict.fromkeys(there, "")
    return {row.side: Seen(row.own, specs[row.side]), row.side.other: Seen(partner, there)}


def _partner(row: Any) -> Values | None:
    return _values(row.partner) if row.partner is not None else None


def _values(found: Any) -> Values:
    """A record may have none of the fields: then there is no object at all."""
    return dict(json.loads(found) if isinstance(found, str) else found or {})

"""What we know of the records of one batch: their rows in `links`, and the events about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.sweep.judging import Heard, Known
from app.sync.objects import OBJECTS
from app.sync.records import Record, Side, owner_of
from app.sync.statements import COLUMN

# With the parent's id where the pair is a part of it. A pair of parents that was cut has no parts to move.
_KNOWN = {
    side: text(
        f"SELECT l.{column} AS id, CASE WHEN l.state <> 'waiting_for_parent'"  # noqa: S608
        f" THEN l.base_{side.value} || coalesce(seen.told, '{{}}') END AS base,"
        " l.state, l.problem, l.billing_part AS part, l.created_at,"
        f" coalesce(p.{column}, '') AS parent, coalesce(l.{COLUMN[side.other]}, '') AS partner FROM links l"
        " LEFT JOIN links p ON p.bridge_id = l.bridge_id AND p.object = :parent AND p.state <> 'unlinked'"
        " AND strpos(l.billing_id, '/') > 0 AND p.billing_id = split_part(l.billing_id, '/', 1)"
        # What waits for a person's decision is no news until it is yet another value.
        f" LEFT JOIN LATERAL (SELECT jsonb_object_agg(h.key, h.value -> 'conflict' -> '{side.value}') AS told"
        f" FROM jsonb_each(l.held) h WHERE h.value -> 'conflict' ->> '{side.value}' IS NOT NULL) seen ON true"
        f" WHERE l.bridge_id = :bridge_id AND l.object = :object AND l.{column} = ANY(:ids)"
    )
    for side, column in COLUMN.items()
}
_HEARD = text("""
    SELECT external_id, max(received_at), bool_or(state = 'pending') FROM events
     WHERE external_id = ANY(:names) AND bridge_id = :bridge_id AND object = :object AND side = :side
     GROUP BY external_id
""")
# Delivered ones: what a sweep found on one side says nothing of the other.
_PENDING = text("""
    SELECT DISTINCT external_id FROM events
     WHERE state = 'pending' AND bridge_id = :bridge_id AND object = :object AND side = :side
       AND external_id = ANY(:names) AND kind <> 'sweep'
""")
_UNSEEN = {
    side: text(f"""
        SELECT p.{column} FROM links p
         WHERE p.bridge_id = :bridge_id AND p.object = :parent AND p.state = 'ok'
           AND p.crm_id IS NOT NULL AND p.billing_id IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM links c
                 WHERE c.bridge_id = p.bridge_id AND c.object = :object AND c.{column} = p.{column})
         ORDER BY p.id LIMIT :most
    """)  # noqa: S608 -- columns of ours
    for side, column in COLUMN.items()
}
_PAIRED = {
    side: text(
        f"SELECT {column} FROM links WHERE bridge_id = :bridge_id AND object = :object AND created_at < :before"  # noqa: S608
        " AND crm_id IS NOT NULL AND billing_id IS NOT NULL AND state <> 'unlinked'"
    )
    for side, column in COLUMN.items()
}


_WHOLES = text("""
    SELECT billing_id FROM links WHERE bridge_id = :bridge_id AND object = :parent AND billing_id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class Of:
    """Of which records: an object of a side of a bridge."""

    bridge_id: int
    side: Side
    object: str

    def values(self, **more: Any) -> dict[str, Any]:
        return {"bridge_id": self.bridge_id, "object": self.object, "side": self.side.value, **more}


async def links(connection: AsyncConnection, of: Of, records: Sequence[Record]) -> dict[str, Known]:
    """By the id on this side: of the records, and of their parts."""
    ids = [each.id for record in records for each in (record, *record.parts)]
    rows = await connection.execute(_KNOWN[of.side], of.values(ids=ids, parent=OBJECTS[of.object].parent))
    return {row.pop("id"): Known(**row) for row in map(dict, rows.mappings())}


async def wholes(connection: AsyncConnection, of: Of, records: Sequence[Record]) -> set[str]:
    """Ids of records that are their parents' object already (a client that is a business), which we may have made."""
    if of.side is Side.CRM or not OBJECTS[of.object].part:
        return set()
    values = of.values(ids=[each.id for each in records], parent=OBJECTS[of.object].parent)
    return set((await connection.execute(_WHOLES, values)).scalars())


async def heard(connection: AsyncConnection, of: Of, partners: Mapping[str, str]) -> dict[str, Heard]:
    """By id. `partners`: the other side's id of each record, "" where there is none."""
    names = {id_: _names(id_) for id_ in partners}
    asked = sorted({name for each in names.values() for name in each})
    rows = (await connection.execute(_HEARD, of.values(names=asked))).all()
    told = {name: (at, pending) for name, at, pending in rows}
    waiting = await _waiting(connection, Of(of.bridge_id, of.side.other, of.object), partners.values())
    found: dict[str, Heard] = {}
    for id_, partner in partners.items():
        mine = [told[name] for name in names[id_] if name in told]
        newest = max((at for at, _ in mine), default=None)
        found[id_] = Heard(newest, any(pending for _, pending in mine) or bool(waiting & set(_names(partner))))
    return found


async def _waiting(connection: AsyncConnection, of: Of, ids: Iterable[str]) -> set[str]:
    names = sorted({name for each in ids if each for name in _names(each)})
    return set((await connection.execute(_PENDING, of.values(names=names))).scalars()) if names else set()


def _names(id_: str) -> tuple[str, ...]:
    """An event may name the record, what it is a part of, or all parts of that: "invoice/" for its payments."""
    owner = owner_of(id_)
    return (id_,) if owner == id_ else (id_, owner, f"{owner}/")


async def unseen_parts(connection: AsyncConnection, of: Of, most: int) -> list[str]:
    """What every pair of the parent has, where it was never looked at."""
    values = of.values(parent=OBJECTS[of.object].parent, most=most)
    return list((await connection.execute(_UNSEEN[of.side], values)).scalars())


async def paired(connection: AsyncConnection, of: Of, before: datetime) -> set[str]:
    """Ids of pairs that were there before."""
    return set((await connection.execute(_PAIRED[of.side], of.values(before=before))).scalars())

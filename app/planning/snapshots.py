"""The records of both sides as they were read for a plan: in the database, for there may be any number."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.providers.base import KeyKind, MatchKey
from app.sync.naming import name_of
from app.sync.objects import ObjectType
from app.sync.records import Record, Side

_RECORD = TypeAdapter(Record)
_LONGEST_KEY = 200

_KEEP = text("""
    INSERT INTO snapshots (run_id, object, side, external_id, record, keys)
    SELECT :run, :object, :side, r.id, r.record, ARRAY(SELECT jsonb_array_elements_text(r.keys))
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id text, record jsonb, keys jsonb)
    ON CONFLICT (run_id, object, side, external_id) DO UPDATE SET record = excluded.record, keys = excluded.keys
""")
_ONE = text("""
    SELECT record FROM snapshots WHERE run_id = :run AND object = :object AND side = :side AND external_id = :id
""")
_NEXT = text("""
    SELECT record FROM snapshots WHERE run_id = :run AND object = :object AND side = :side AND external_id > :after
     ORDER BY external_id LIMIT :most
""")
_NAMED = text("""
    SELECT w.object, w.side, w.id, s.record, coalesce(c.id, b.id) AS link_id
      FROM unnest(CAST(:objects AS text[]), CAST(:sides AS text[]), CAST(:ids AS text[])) AS w(object, side, id)
      JOIN runs r ON r.id = :run
      JOIN snapshots s ON s.run_id = :run AND s.object = w.object AND s.side = w.side AND s.external_id = w.id
      LEFT JOIN links c ON w.side = 'crm' AND c.bridge_id = r.bridge_id AND c.object = w.object AND c.crm_id = w.id
      LEFT JOIN links b ON w.side = 'billing' AND b.bridge_id = r.bridge_id AND b.object = w.object
                       AND b.billing_id = w.id
""")
_KNOWN = text("""
    SELECT 1 FROM snapshots
     WHERE keys @> ARRAY[:key] AND run_id = :run AND object = :object AND side = :side LIMIT 1
""")
_COUNT = text("SELECT count(*) FROM snapshots WHERE run_id = :run")
_SHARED = text(r"""
    SELECT side, object, split_part(key, ':', 1) AS kind, substr(key, strpos(key, ':') + 1) AS key, count(*) AS records,
           (array_agg(external_id ORDER BY external_id))[1\:20] AS ids
      FROM snapshots CROSS JOIN LATERAL unnest(snapshots.keys) AS keys(key)
     WHERE run_id = :run
     GROUP BY snapshots.side, snapshots.object, keys.key HAVING count(*) > 1 ORDER BY count(*) DESC, key LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Shared:
    """A match key that several records of one side have: which of them is meant is not known. `kind`: email, slot
    (the other side's id that they carry) or identity (what records of the object are recognised by)."""

    side: Side
    object: str
    kind: str
    key: str
    records: int
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Named:
    """A record as people know it; `link_id` where it has a pair, or is on its way to one."""

    id: str
    name: str
    link_id: int | None


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Those of one run."""

    engine: AsyncEngine
    run_id: int

    async def keep(self, connection: AsyncConnection, type_: ObjectType, side: Side, page: Sequence[Record]) -> None:
        """In the caller's transaction. One that is read again takes the place of what it was."""
        rows = [{"id": each.id, "record": _shown(each), "keys": sorted(_keys(type_, each))} for each in page]
        await connection.execute(_KEEP, {**self._of(type_.name, side), "rows": json.dumps(rows)})

    async def one(self, object_: str, side: Side, external_id: str) -> Record | None:
        async with self.engine.connect() as connection:
            found = await connection.scalar(_ONE, {**self._of(object_, side), "id": external_id})
        return _RECORD.validate_python(found) if found is not None else None

    async def after(self, object_: str, side: Side, external_id: str, most: int) -> list[Record]:
        """The next ones, in the order of their ids."""
        values = {**self._of(object_, side), "after": external_id, "most": most}
        async with self.engine.connect() as connection:
            return [_RECORD.validate_python(each) for each in (await connection.execute(_NEXT, values)).scalars()]

    async def may_have(self, object_: str, side: Side, key: MatchKey) -> bool:
        """Whether looking for a key at the vendor can find anything. Weak keys are not kept here: it may."""
        if (named := _named(key)) is None:
            return True
        async with self.engine.connect() as connection:
            return await connection.scalar(_KNOWN, {**self._of(object_, side), "key": named}) is not None

    async def count(self) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(_COUNT, {"run": self.run_id}) or 0)

    async def shared(self, most: int) -> list[Shared]:
        """Keys that several records of one side have, the most frequent first."""
        async with self.engine.connect() as connection:
            rows = (await connection.execute(_SHARED, {"run": self.run_id, "most": most})).mappings().all()
        return [Shared(**{**row, "side": Side(row["side"])}) for row in rows]

    async def named(self, keys: Sequence[Shared], most: int) -> list[list[Named]]:
        """For each of these keys, so many of the records that share it."""
        wanted = [(key.object, key.side.value, id_) for key in keys for id_ in key.ids[:most]]
        objects, sides, ids = [list(each) for each in zip(*wanted, strict=True)] if wanted else ([], [], [])
        values = {"run": self.run_id, "objects": objects, "sides": sides, "ids": ids}
        async with self.engine.connect() as connection:
            rows = (await connection.execute(_NAMED, values)).all()
        found = {
            (row.object, row.side, row.id): Named(row.id, name_of(_RECORD.validate_python(row.record)), row.link_id)
            for row in rows
        }
        asked = [[(key.object, key.side.value, id_) for id_ in key.ids[:most]] for key in keys]
        return [[found[each] for each in of_key if each in found] for of_key in asked]

    def _of(self, object_: str, side: Side) -> dict[str, Any]:
        return {"run": self.run_id, "object": object_, "side": side.value}


def _shown(record: Record) -> Any:
    """Without the vendor's own answer: nothing is written back from here."""
    shown = _RECORD.dump_python(record, mode="json")
    return _bare(shown)


def _bare(shown: dict[str, Any]) -> dict[str, Any]:
    return {**shown, "raw": {}, "parts": [_bare(each) for each in shown["parts"]]}


def _keys(type_: ObjectType, record: Record) -> set[str]:
    keys = {f"slot:{record.slot}", f"slot:{record.id}"} if record.slot else {f"slot:{record.id}"}
    named = record.values.get(type_.recognised_by, "")
    keys |= {f"identity:{_plain(named)}"} if type_.recognised_by and named else set()
    if type_.person:
        keys |= {f"email:{_plain(each)}" for each in _addresses(record.raw)}
    return {key for key in keys if len(key) <= _LONGEST_KEY}


def _addresses(part: Any) -> Iterator[str]:
    """Every e-mail address in a vendor's answer: a client has those of all its contacts."""
    if isinstance(part, str):
        if "@" in part and " " not in part.strip():
            yield part
    elif isinstance(part, Mapping):
        for each in part.values():
            yield from _addresses(each)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from _addresses(each)


def _named(key: MatchKey) -> str | None:
    """A key as it is kept; None for one that is not, or is too long to be."""
    if key.kind not in (KeyKind.SLOT, KeyKind.EMAIL, KeyKind.IDENTITY):
        return None
    value = key.value.strip() if key.kind is KeyKind.SLOT else _plain(key.value)
    named = f"{key.kind.value}:{value}"
    return named if len(named) <= _LONGEST_KEY else None


def _plain(value: str) -> str:
    return " ".join(value.split()).casefold()

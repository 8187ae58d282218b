"""What a plan says of each record, and how that is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.models.link import LinkState
from app.models.plan import Action, ItemState
from app.planning.rehearsal import Effect
from app.sync.conflicts import undecided
from app.sync.naming import name_of
from app.sync.records import Record, Side
from app.sync.store import LinkRow, Settlement, Target

_ACTIONS = {
    "created": Action.CREATE,
    "linked": Action.LINK,
    "updated": Action.UPDATE,
    "moved": Action.UPDATE,
    LinkState.CONFLICT.value: Action.CONFLICT,
    LinkState.EXCLUDED.value: Action.SKIP,
    LinkState.UNLINKED.value: Action.UNLINK,
}
WRITING = (Action.CREATE, Action.LINK, Action.UPDATE)
"""What is done when a plan is applied. The rest is for people to read."""

_COLUMNS = "object, side, crm_id, billing_id, title, action, problem, detail, changes, effects, candidates"
_KEEP = text(f"""
    INSERT INTO plan_items (run_id, {_COLUMNS})
    SELECT :run, {_COLUMNS} FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS r(object text, side text, crm_id text, billing_id text, title text, action text, problem text, detail text,
             changes jsonb, effects jsonb, candidates jsonb)
    ON CONFLICT DO NOTHING
""")  # noqa: S608 -- constants of ours
# A record that was left alone before its partner was looked at makes room for the pair.
_MAKE_ROOM = text("""
    DELETE FROM plan_items p
     USING jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(object text, crm_id text, billing_id text)
     WHERE p.run_id = :run AND p.object = r.object AND (p.crm_id IS NULL OR p.billing_id IS NULL)
       AND r.crm_id IS NOT NULL AND r.billing_id IS NOT NULL AND (p.crm_id = r.crm_id OR p.billing_id = r.billing_id)
""")
_FIND = text(f"""
    SELECT id, {_COLUMNS} FROM plan_items WHERE run_id = :run AND object = :object AND crm_id = :id AND :side = 'crm'
    UNION ALL
    SELECT id, {_COLUMNS} FROM plan_items
     WHERE run_id = :run AND object = :object AND billing_id = :id AND :side = 'billing'
""")  # noqa: S608 -- as above
_FIRST_PART = text(f"""
    SELECT id, {_COLUMNS} FROM plan_items
     WHERE run_id = :run AND object = :object AND crm_id IS NOT NULL AND action <> 'unlink'
       AND split_part(billing_id, '/', 1) = :whole AND strpos(billing_id, '/') > 0 ORDER BY id LIMIT 1
""")  # noqa: S608 -- as above
_ASKED = """FROM plan_items WHERE run_id = :run AND state = ANY(:states) AND action = ANY(:actions)
       AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(:ids))"""
_COUNT = text(f"SELECT count(*) {_ASKED}")
_NEXT = text(f"""
    SELECT id, {_COLUMNS} {_ASKED} AND id > :after ORDER BY id LIMIT :most
""")
_MARK = text("""
    UPDATE plan_items SET state = i.state, detail = i.detail, action = i.action, changes = i.changes,
           effects = i.effects, problem = i.problem, crm_id = coalesce(l.crm_id, p.crm_id),
           billing_id = coalesce(l.billing_id, p.billing_id), done_at = now()
      FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS i(id bigint, state text, detail text, action text, problem text, changes jsonb, effects jsonb,
             link_id bigint)
      JOIN plan_items p USING (id)
      LEFT JOIN links l ON l.id = i.link_id
     WHERE plan_items.id = i.id
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """As `models.plan.PlanItem`; `id` is 0 until it is kept."""

    object: str
    side: Side
    crm_id: str | None
    billing_id: str | None
    title: str
    action: Action
    problem: str = ""
    detail: str = ""
    changes: Sequence[Mapping[str, Any]] = ()
    effects: Sequence[Mapping[str, Any]] = ()
    candidates: Sequence[Mapping[str, Any]] = ()
    id: int = 0

    @property
    def external_id(self) -> str:
        return (self.crm_id if self.side is Side.CRM else self.billing_id) or ""

    def id_on(self, side: Side) -> str | None:
        return self.crm_id if side is Side.CRM else self.billing_id

    def takes_over(self, other: "Item") -> bool:
        """Whether the other one is a record of this pair that was left alone before its partner was looked at."""
        alone = not (other.crm_id and other.billing_id)
        shared = any(self.id_on(side) and self.id_on(side) == other.id_on(side) for side in Side)
        return bool(self.crm_id and self.billing_id) and alone and shared and self.object == other.object


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an item: its new state, its link, and what it is now, if it was planned anew."""

    item: Item
    state: ItemState
    detail: str = ""
    link_id: int | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """Those of one plan."""

    engine: AsyncEngine
    run_id: int

    async def keep(self, connection: AsyncConnection, items: Sequence[Item]) -> None:
        """In the caller's transaction."""
        values = {"run": self.run_id, "rows": json.dumps([_row(each) for each in items])}
        await connection.execute(_MAKE_ROOM, values)
        await connection.execute(_KEEP, values)

    async def find(self, object_: str, side: Side, external_id: str) -> Item | None:
        return await self._one(_FIND, {"object": object_, "side": side.value, "id": external_id})

    async def first_part(self, object_: str, whole: str) -> Item | None:
        """Of the pairs of the parts of a billing record."""
        return await self._one(_FIRST_PART, {"object": object_, "whole": whole})

    async def after(
        self, id_: int, most: int, *, states: Sequence[ItemState], only: Sequence[int] | None = None
    ) -> list[Item]:
        """The next ones that write something, parents before their children. `only`: of these ids."""
        values = {**self._asked(states, only), "after": id_, "most": most}
        async with self.engine.connect() as connection:
            return [_item(dict(row)) for row in (await connection.execute(_NEXT, values)).mappings()]

    async def count(self, *, states: Sequence[ItemState], only: Sequence[int] | None = None) -> int:
        """How many `after` gives in all."""
        async with self.engine.connect() as connection:
            return int(await connection.scalar(_COUNT, self._asked(states, only)) or 0)

    async def mark(self, connection: AsyncConnection, outcomes: Sequence[Outcome]) -> None:
        """In the caller's transaction."""
        rows = [
            {
                **_row(each.item),
                "id": each.item.id,
                "state": each.state.value,
                "detail": each.detail or each.item.detail,
                "link_id": each.link_id,
            }
            for each in outcomes
        ]
        await connection.execute(_MARK, {"rows": json.dumps(rows)})

    async def _one(self, statement: TextClause, values: Mapping[str, Any]) -> Item | None:
        async with self.engine.connect() as connection:
            found = (await connection.execute(statement, {**values, "run": self.run_id})).mappings().first()
        return _item(dict(found)) if found else None

    def _asked(self, states: Sequence[ItemState], only: Sequence[int] | None) -> dict[str, Any]:
        return {
            "run": self.run_id,
            "states": [each.value for each in states],
            "actions": [each.value for each in WRITING],
            "ids": list(only) if only is not None else None,
        }


def planned(
    target: Target,
    link: LinkRow,
    end: Settlement | None,
    outcome: str,
    effects: Sequence[Effect],
    record: Record | None,
) -> Item | None:
    """What an attempt would have done; None where there is nothing to do.

    A pair that nothing is written of is there to be decided while a field of it waits for a person.
    """
    if end is None:
        return None
    open_ = undecided(end.link.get("held", {})) if outcome == "unchanged" else []
    if outcome in ("unchanged", "done already", "gone") and not effects and not open_:
        return None
    action = Action.WAIT if end.waits_for else Action.CONFLICT if open_ else _ACTIONS.get(outcome, Action.SKIP)
    told = end.activity or {}
    return Item(
        object=target.object,
        side=target.side,
        crm_id=end.link.get("crm_id", link.crm_id),
        billing_id=end.link.get("billing_id", link.billing_id),
        title=title_of(record),
        action=action,
        problem=str(end.link.get("problem") or ("conflict" if open_ else "")),
        detail=str(end.link.get("detail") or told.get("detail") or ""),
        changes=open_ or list(told.get("changes", ())),
        effects=[each.told() for each in effects],
        candidates=list(end.link.get("candidates", ())),
    )


def title_of(record: Record | None) -> str:
    """What people call the record."""
    return "" if record is None else name_of(record) or record.id


def _row(item: Item) -> dict[str, Any]:
    return {
        "object": item.object,
        "side": item.side.value,
        "crm_id": item.crm_id,
        "billing_id": item.billing_id,
        "title": item.title[:200],
        "action": item.action.value,
        "problem": item.problem,
        "detail": item.detail,
        "changes": list(item.changes),
        "effects": list(item.effects),
        "candidates": list(item.candidates),
    }


def _item(row: Mapping[str, Any]) -> Item:
    return Item(**{**row, "side": Side(row["side"]), "action": Action(row["action"])})

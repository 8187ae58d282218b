"""A plan: both sides are read completely, then every record is rehearsed, and what would be done is kept.

1. read      each object, each side, page by page, into `snapshots`
2. rehearse  each record of the CRM, then those of billing that no pair has yet, parents before their children

No vendor is written to, and no link is made. The plan's own pairs stand beside the links: what is planned for a record
is known when its partner, its twin or its child comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.db import Database
from app.directory import BridgeView
from app.errors import CrossledgerError, Reconnect, Retry, Unsupported, Wait
from app.models.link import LinkState
from app.models.plan import Action
from app.patience import Patient
from app.planning.items import Item, Items, planned, title_of
from app.planning.rehearsal import DryStore, Effect, Open, blank, rehearsed
from app.planning.snapshots import Snapshots
from app.providers.base import BEGINNING
from app.runs import Progress, RunView
from app.sync.engine import Engine
from app.sync.objects import OBJECTS
from app.sync.policy import BridgeSettings
from app.sync.records import Record, Side, is_part, owner_of
from app.sync.store import LinkRow, Store, Target

PAGE = 200

_STATES = {
    Action.SKIP: LinkState.EXCLUDED,
    Action.CONFLICT: LinkState.CONFLICT,
    Action.WAIT: LinkState.WAITING_FOR_PARENT,
    Action.UNLINK: LinkState.UNLINKED,
}
_TOLD = text("""
    SELECT DISTINCT object, side, external_id FROM events
     WHERE bridge_id = :bridge AND external_id <> '' AND object <> '' AND side <> ''
       AND received_at >= :start AND received_at < :end
       AND (object, side, external_id) > (:object, :side, :id)
     ORDER BY object, side, external_id LIMIT :most
""")


class PlanStore(DryStore):
    """As if what the plan has decided so far had been done. `page`: what is not in the database yet.

    `remapped`: by object, fields that the settings to try map to others.
    """

    def __init__(self, db: Database, items: Items, remapped: Mapping[str, Sequence[str]]) -> None:
        super().__init__(db)
        self.items = items
        self.remapped = remapped
        self.page: dict[tuple[str, Side, str], Item] = {}

    def add(self, item: Item) -> None:
        for side in Side:
            if external_id := item.id_on(side):
                self.page[item.object, side, external_id] = item

    async def find(self, target: Target, side: Side, external_id: str) -> tuple[LinkRow, bool] | None:
        item = self.page.get((target.object, side, external_id)) or await self.items.find(
            target.object, side, external_id
        )
        if item:
            return _row(target, item), False
        known = await super().find(target, side, external_id)
        return (_without(known[0], self.remapped.get(target.object, ())), known[1]) if known else None

    async def first_part(self, target: Target) -> LinkRow | None:
        """Of a whole that is planned to be several pairs: on the page, kept before it, or there already."""
        on_page = (each for each in self.page.values() if _is_part_of(each, target))
        item = next(on_page, None) or await self.items.first_part(target.object, target.external_id)
        return _row(target, item) if item else await super().first_part(target)


def _without(link: LinkRow, names: Sequence[str]) -> LinkRow:
    """As the settings to try would leave it: nothing is agreed on fields that are mapped to others."""
    if not names or link.base_crm is None or link.base_billing is None:
        return link
    crm, billing = (
        {name: value for name, value in base.items() if name not in names}
        for base in (link.base_crm, link.base_billing)
    )
    return replace(link, base_crm=crm, base_billing=billing)


def _is_part_of(item: Item, whole: Target) -> bool:
    billing_id = item.billing_id or ""
    paired = item.object == whole.object and item.crm_id is not None
    return paired and is_part(billing_id) and owner_of(billing_id) == whole.external_id


def _row(target: Target, item: Item) -> LinkRow:
    pair = item.crm_id and item.billing_id
    state = _STATES.get(item.action, LinkState.OK)
    return replace(
        blank(target),
        id=-1,
        crm_id=item.crm_id,
        billing_id=item.billing_id,
        state=state.value if state is not LinkState.OK or pair else LinkState.PENDING.value,
        problem=item.problem,
    )


@dataclass(frozen=True, slots=True)
class Planner:
    engine: AsyncEngine
    connections: Connections
    store: Store
    open: Open

    async def work(self, run: RunView, progress: Progress) -> None:
        """Options: `settings` to try in place of the bridge's; `start`, `end`: only what events of that time named."""
        bridge = await self.connections.directory.one(run.bridge_id)
        remapped: Mapping[str, Sequence[str]] = {}
        if given := run.options.get("settings"):
            settings = BridgeSettings.model_validate(given)
            remapped = settings.remapped(bridge.settings)
            bridge = replace(bridge, settings=settings)
        db = self.store.db
        store = PlanStore(db, Items(db.single, run.id), remapped)
        making = _Making(self, run, progress, bridge, Snapshots(db.single, run.id), store, dict(run.position))
        if "start" in run.options:
            await making.rehearse_told()
            return
        await making.read()
        await making.rehearse()


@dataclass(slots=True)
class _Making:
    """One plan being made."""

    planner: Planner
    run: RunView
    progress: Progress
    bridge: BridgeView
    snapshots: Snapshots
    store: PlanStore
    position: dict[str, Any]

    @property
    def objects(self) -> Sequence[str]:
        """Parents before their children. What is an aspect of its parent, or written once, follows by itself."""
        on = [name for name in self.bridge.settings.objects() if not OBJECTS[name].facet and not OBJECTS[name].once]
        return sorted(on, key=lambda name: (_depth(name), list(OBJECTS).index(name)))

    async def read(self) -> None:
        """Into the snapshots. What was begun and not ended is read anew: a page's place is nothing that lasts."""
        for object_ in self.objects:
            for side in Side:
                mark = f"{object_}/{side.value}"
                if mark in self.position.get("read", ()) or mark in self.position.get("unread", {}):
                    continue
                try:
                    await self._read(object_, side)
                except Unsupported as reason:
                    unread = {**self.position.get("unread", {}), mark: reason.reason}
                    self.position = {**self.position, "unread": unread}
                else:
                    self.position = {**self.position, "read": [*self.position.get("read", ()), mark]}
                await self.progress.checkpoint(position=self.position)

    async def _read(self, object_: str, side: Side) -> None:
        patient = partial(Patient, rest=self.progress.rest)
        account = self.planner.connections.open(self.bridge, side, background=True, through=patient)
        records = account.records(object_, self.bridge.settings.of(object_))
        page: list[Record] = []
        async for record in records.each(BEGINNING):
            page.append(record)
            if len(page) == PAGE:
                await self._keep(object_, side, page)
                page = []
        await self._keep(object_, side, page)

    async def _keep(self, object_: str, side: Side, page: Sequence[Record]) -> None:
        async with self.planner.engine.begin() as connection:
            await self.snapshots.keep(connection, OBJECTS[object_], side, page)
            await self.progress.checkpoint(connection, counts={"read": len(page)})

    async def rehearse(self) -> None:
        total = await self.snapshots.count()
        walk = [(object_, side) for object_ in self.objects for side in Side]
        begun = self.position.get("rehearsed", {})
        for object_, side in walk:
            mark = f"{object_}/{side.value}"
            after = begun.get(mark, "")
            while page := await self.snapshots.after(object_, side, after, PAGE):
                targets = [self._target(object_, side, each.id) for each in page]
                after = page[-1].id
                begun = {**begun, mark: after}
                self.position = {**self.position, "rehearsed": begun}
                await self._page(targets, {each.id: each for each in page}, self.snapshots, total)

    async def rehearse_told(self) -> None:
        """What events of a time have named, with both sides as they are now."""
        window = {name: datetime.fromisoformat(self.run.options[name]) for name in ("start", "end")}
        object_, side, id_ = self.position.get("told", ("", "", ""))
        while True:
            values = {**window, "bridge": self.bridge.id, "object": object_, "side": side, "id": id_, "most": PAGE}
            async with self.planner.engine.connect() as connection:
                found = (await connection.execute(_TOLD, values)).all()
            if not found:
                return
            object_, side, id_ = found[-1]
            self.position = {**self.position, "told": [object_, side, id_]}
            on = set(self.bridge.settings.objects())
            targets = [self._target(o, Side(s), x) for o, s, x in found if o in on]
            await self._page(targets, {}, None, None)

    async def _page(
        self, targets: Sequence[Target], records: Mapping[str, Record], snapshots: Snapshots | None, total: int | None
    ) -> None:
        items: list[Item] = []
        counts: dict[str, int] = {}
        waiting = list(targets)
        for target in waiting:
            if target.side is Side.BILLING and await self._is_covered(target):
                continue
            item = await self._one(target, records.get(target.external_id), snapshots)
            name = item.action.value if item else "in step"
            counts[name] = counts.get(name, 0) + 1
            if item:
                items = [each for each in items if not item.takes_over(each)] + [item]
                self.store.add(item)
            if (end := self.store.end_of(target)) and end.parts:
                waiting += [replace(target, external_id=each) for each in end.parts]
        async with self.planner.engine.begin() as connection:
            await self.store.items.keep(connection, items)
            await self.progress.checkpoint(
                connection, position=self.position, done=len(targets), total=total, counts=counts
            )
        self.store.page.clear()

    async def _is_covered(self, target: Target) -> bool:
        """Its pair was looked at from the CRM's side."""
        known = await self.store.find(target, Side.BILLING, target.external_id)
        return known is not None and bool(known[0].crm_id and known[0].billing_id)

    async def _one(self, target: Target, record: Record | None, snapshots: Snapshots | None) -> Item | None:
        effects: list[Effect] = []
        known = {(target.object, target.side): record} if record else {}
        engine = Engine(self.store, rehearsed(self.planner.open, effects, snapshots, known))
        self.store.ends.clear()
        link = await self.store.claim(target) or blank(target)
        try:
            outcome = await engine.sync(target, self.bridge, link)
        except (Retry, Wait, Reconnect):
            raise  # about the vendor, not about this record: the run goes on later
        except CrossledgerError as refusal:
            return _refused(target, link, record, str(refusal))
        return planned(target, link, self.store.end_of(target), outcome, effects, record)

    def _target(self, object_: str, side: Side, external_id: str) -> Target:
        return Target(
            bridge_id=self.bridge.id, object=object_, side=side, external_id=external_id, claim=f"run-{self.run.id}"
        )


def _refused(target: Target, link: LinkRow, record: Record | None, why: str) -> Item:
    return Item(
        object=target.object,
        side=target.side,
        crm_id=link.crm_id,
        billing_id=link.billing_id,
        title=title_of(record),
        action=Action.CONFLICT,
        problem="rejected",
        detail=why,
    )


def _depth(name: str) -> int:
    parent = OBJECTS[name].parent
    return 1 + _depth(parent) if parent else 0

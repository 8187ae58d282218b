"""A plan is applied: exactly what it says is done, record by record, each by the engine.

Each record is rehearsed once more with both sides as they are now, and what would be written is compared with what was
planned. Where the two differ, nothing is written: the item shows what would be done now, and a person looks at it. The
reads of the rehearsal serve the attempt, so a record costs the calls that it always costs.

What is stopped anywhere goes on without doing anything twice: the engine finds what it has made before it makes it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.connections import Connections
from app.directory import BridgeView
from app.errors import CrossledgerError, InternalError, Reconnect, Retry, Wait
from app.jobs import given_up
from app.models.plan import ItemState
from app.planning.items import Item, Items, Outcome, planned
from app.planning.once import ReadOnceAccount
from app.planning.rehearsal import Effect, LastRehearsal, Open, rehearsed
from app.providers.base import Account
from app.redaction import internal_error
from app.runs import Progress, RunView
from app.sync.engine import Engine
from app.sync.records import Side
from app.sync.store import LinkRow, Store, Target

log = structlog.get_logger()

PAGE = 40
AT_ONCE = 6
PATIENCE = 15.0
"""Seconds that a record waits here for its turn or its budget; longer than that, the run waits."""
TRIES = 3
"""How often a record that a vendor answers with trouble is tried before it is left for the end."""
ROUNDS, PAUSE = 5, 20.0
"""How often those are tried at the end, and the seconds before the second time; it grows."""


@dataclass(frozen=True, slots=True)
class Backfill:
    engine: AsyncEngine
    connections: Connections
    store: Store
    open: Open

    async def work(self, run: RunView, progress: Progress) -> None:
        """Options: `plan`; `items`, their ids, or all; `changed`: also those that were planned anew."""
        states = [ItemState.PLANNED, *([ItemState.CHANGED] if run.options.get("changed") else [])]
        items = Items(self.store.db.single, int(run.options["plan"]))
        only = run.options.get("items")
        position = {"after": 0, "later": [], "rounds": 0, **run.position}
        if not run.total:
            await progress.checkpoint(total=await items.count(states=states, only=only))
        while page := await items.after(position["after"], PAGE, states=states, only=only):
            applying = _Applying(self, run, await self.connections.directory.one(run.bridge_id))
            outcomes, trouble = await self._all_of(applying, page, items, progress, position)
            if trouble and not outcomes:
                raise next(iter(trouble.values()))  # the vendor is away: nothing is given up, all of it waits
            later = [*position["later"], *trouble]
            position = {**position, "after": page[-1].id, "later": later}
            await self._keep(items, outcomes, progress, position)
        while position["later"]:
            page = await items.after(0, PAGE, states=states, only=position["later"])
            applying = _Applying(self, run, await self.connections.directory.one(run.bridge_id))
            outcomes, trouble = await self._all_of(applying, page, items, progress, position)
            rounds = position["rounds"] + 1
            if trouble and rounds >= ROUNDS:
                outcomes += [await applying.give_up(each, trouble[each.id]) for each in page if each.id in trouble]
                trouble = {}
            seen = {each.id for each in page} - trouble.keys()
            left = [each for each in position["later"] if each not in seen] if page else []
            position = {**position, "later": left, "rounds": rounds if trouble else position["rounds"]}
            await self._keep(items, outcomes, progress, position)
            if trouble:
                raise Retry(str(next(iter(trouble.values()))), after=PAUSE * rounds)

    async def _all_of(
        self, applying: "_Applying", page: Sequence[Item], items: Items, progress: Progress, position: dict[str, Any]
    ) -> tuple[list[Outcome], dict[int, Retry]]:
        """Where it cannot go on, what was done is kept first."""
        outcomes, trouble, stop = await applying.all_of(page)
        if stop is not None:
            await self._keep(items, outcomes, progress, position)
            raise stop
        return outcomes, trouble

    async def _keep(
        self, items: Items, outcomes: Sequence[Outcome], progress: Progress, position: dict[str, Any]
    ) -> None:
        async with self.engine.begin() as connection:
            await items.mark(connection, outcomes)
            counts = Counter(each.state.value for each in outcomes)
            await progress.checkpoint(connection, position=position, done=len(outcomes), counts=counts)


@dataclass(slots=True)
class _Applying:
    """One page: parents come before their children, so objects one after the other. `bridge`: as it is set by then."""

    backfill: Backfill
    run: RunView
    bridge: BridgeView
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def all_of(self, page: Sequence[Item]) -> tuple[list[Outcome], dict[int, Retry], BaseException | None]:
        """What came of them, those that met a vendor in trouble, and why the others cannot go on now: Wait and
        Reconnect concern all. What was begun is always brought to its end."""
        outcomes: list[Outcome] = []
        trouble: dict[int, Retry] = {}
        stop: BaseException | None = None
        for object_ in dict.fromkeys(each.object for each in page):
            some = [each for each in page if each.object == object_]
            ends = await asyncio.gather(*(self._patiently(each) for each in some), return_exceptions=True)
            for item, end in zip(some, ends, strict=True):
                if isinstance(end, Retry):
                    trouble[item.id] = end
                elif isinstance(end, BaseException):
                    stop = end
                else:
                    outcomes.append(end)
            if stop is not None:
                break
        return outcomes, trouble, stop

    async def _patiently(self, item: Item) -> Outcome:
        async with self.slots:
            for attempt in range(1, TRIES + 1):
                while True:
                    try:
                        return await self._one(item)
                    except Wait as wait:
                        if wait.seconds > PATIENCE:
                            raise
                        await asyncio.sleep(wait.seconds)
                    except Retry as trouble:
                        failure = trouble
                        break
                if attempt < TRIES:
                    await asyncio.sleep(failure.after or 0.5 * 2**attempt)
            raise failure

    async def give_up(self, item: Item, trouble: Retry) -> Outcome:
        """The row of its record says so as well: one that is on its way is left alone by every sweep."""
        target = self._target(item)
        link = await self.backfill.store.claim(target)
        return await self._failed(item, target, link, trouble)

    async def _one(self, item: Item) -> Outcome:
        store, target = self.backfill.store, self._target(item)
        link = await store.claim(target)
        if link is None:
            raise Wait(0.2, "another job works on the record")
        if link.revision != self.bridge.revision:
            await store.postpone(target, link, {}, None)
            await self.backfill.connections.directory.refresh()
            self.bridge = await self.backfill.connections.directory.one(self.run.bridge_id)
            raise Wait(0.2, "the settings were changed")
        open_ = self._open()
        try:
            if not _is_begun(link, item):
                anew = await self._changed(target, link, item, open_)
                if anew is not None:
                    await self._put_back(target, link)
                    return Outcome(item=anew, state=ItemState.CHANGED, detail="It was changed since the plan was made.")
            outcome = await Engine(store, open_).sync(target, self.bridge, link)
        except (Wait, Retry, Reconnect):
            await store.postpone(target, link, {}, None)
            raise
        except SQLAlchemyError:
            raise
        except CrossledgerError as refusal:
            return await self._failed(item, target, link, refusal)
        except Exception as bug:
            log.exception("backfill.bug", run=self.run.id, link=link.id)
            return await self._failed(item, target, link, InternalError(internal_error(bug)))
        return Outcome(item=item, state=ItemState.DONE, detail=outcome, link_id=link.id)

    async def _failed(self, item: Item, target: Target, link: LinkRow | None, failure: CrossledgerError) -> Outcome:
        """`link`: None where another job works on the record, and tells itself how that ends."""
        if link is not None:
            await self.backfill.store.settle(target, link, given_up(target, link, failure))
        return Outcome(item=item, state=ItemState.FAILED, detail=str(failure))

    def _target(self, item: Item) -> Target:
        return Target(
            bridge_id=self.bridge.id,
            object=item.object,
            side=item.side,
            external_id=item.external_id,
            claim=f"run-{self.run.id}-{item.id}",
            run_id=self.run.id,
        )

    async def _changed(self, target: Target, link: LinkRow, item: Item, open_: Open) -> Item | None:
        """What would be done now, where that is not what was planned."""
        effects: list[Effect] = []
        dry = LastRehearsal(self.backfill.store.db)
        try:
            outcome = await Engine(dry, rehearsed(open_, effects)).sync(target, self.bridge, link)
        except (Wait, Retry, Reconnect):
            raise
        except CrossledgerError:
            return None  # it is refused when it is done, and told then
        end = dry.end_of(target)
        if not effects and outcome in ("unchanged", "updated", "linked"):
            return None  # somebody was quicker: nothing is left to write
        now = planned(target, link, end, outcome, effects, None)
        if now is not None and _said(now) == _said(item):
            return None
        return replace(now or replace(item, changes=(), effects=()), id=item.id, title=item.title)

    async def _put_back(self, target: Target, link: LinkRow) -> None:
        """As if it had not been claimed: a row that was made for this is dropped, and its events stay unanswered."""
        if link.state == "pending" and not (link.crm_id and link.billing_id):
            await self.backfill.store.forget(target, replace(link, last_event=0), outcome="left as it was")
        else:
            await self.backfill.store.postpone(target, link, {}, None)

    def _open(self) -> Open:
        known: dict[Any, Any] = {}

        def opened(bridge: BridgeView, side: Side) -> Account:
            return ReadOnceAccount(self.backfill.open(bridge, side), side.value, known)

        return opened


def _is_begun(link: LinkRow, item: Item) -> bool:
    """A create of ours may have gone out, whose answer is not known: the engine looks for it first."""
    return link.creating == item.side.other.value and not (link.crm_id and link.billing_id)


def _said(item: Item) -> Any:
    """What is compared: what would be written, and what that would overwrite."""
    changes = [tuple(each.get(name) for name in ("field", "side", "before", "after", "held")) for each in item.changes]
    return item.action, list(item.effects), changes

"""The search for duplicates: a run that reads each side whole and changes nothing at any vendor.

What it reads goes into the database page by page, and what belongs together is found there: no record is kept in
memory. Started again after a stop, it reads a side that was not read to its end anew. Its result takes the place of the
one before in one transaction; what people have decided stays.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import TextClause

from app.connections import Connections
from app.directory import BridgeView
from app.duplicates import statements
from app.duplicates.cards import PERSON, member_card
from app.duplicates.keys import keys_of, vat_field
from app.duplicates.merging import Merging
from app.models.run import RunKind
from app.patience import Patient
from app.providers.base import BEGINNING
from app.providers.merging import Merger
from app.runs import Progress, Runs, RunView
from app.sync.records import Presence, Record, Side

BATCH = 200
TOO_COMMON = 10
"""What more records than this share (an office's phone) says nothing about them."""
LOOK_UP = 1.0
"""Seconds between two looks whether to go on, while waiting for a vendor's budget."""


async def begin(runs: Runs, bridge_id: int, side: Side | None, common_above: int, actor: str) -> int:
    """Returns the run. `side` None: both. Raises Gone, and Rejected where one is under way."""
    options = {"sides": [each.value for each in Side if side in (None, each)], "common_above": common_above}
    return await runs.begin(bridge_id, RunKind.DUPLICATES, options, actor)


@dataclass(frozen=True, slots=True)
class Search:
    connections: Connections

    async def work(self, run: RunView, progress: Progress) -> None:
        """Options: `sides` and `common_above`. Raises what a vendor's answer means."""
        if run.position.get("published"):
            return
        bridge = await self.connections.directory.one(run.bridge_id)
        sides = [Side(each) for each in run.options["sides"]]
        read: list[str] = list(run.position.get("read", ()))
        if not read:
            await Merging(self.connections).finish_all(bridge.id)
            await self._forget(run, progress)
        for side in sides:
            if side.value not in read:
                await self._read(bridge, side, run, progress)
                read.append(side.value)
                await progress.checkpoint(position={"read": read})
        await self._join(run, progress)
        await self._publish(run, progress, sides)

    async def _forget(self, run: RunView, progress: Progress) -> None:
        """What an earlier search has left, that was cancelled."""
        async with self.connections.engine.begin() as connection:
            await connection.execute(statements.FORGET_OTHERS, {"bridge_id": run.bridge_id, "run_id": run.id})
            await progress.checkpoint(connection)

    async def _read(self, bridge: BridgeView, side: Side, run: RunView, progress: Progress) -> None:
        settings = bridge.settings.of(PERSON)
        patient = partial(Patient, rest=progress.rest)
        account = self.connections.open(bridge, side, background=True, through=patient)
        merger, vat = account.merger(), vat_field(side, settings.pairs())
        values = {"run_id": run.id, "side": side.value}
        async with self.connections.engine.begin() as connection:
            again = (await connection.execute(statements.FORGET_SIDE, values)).rowcount
            await progress.checkpoint(
                connection, done=-again, counts={f"{side.value} records": -again} if again else {}
            )
        async for batch in _batches(account.records(PERSON, settings).each(BEGINNING)):
            rows = [_row(each, merger, vat) for each in batch if each.presence is Presence.ACTIVE]
            async with self.connections.engine.begin() as connection:
                await connection.execute(statements.STORE, {**values, "records": json.dumps(rows)})
                await progress.checkpoint(connection, done=len(rows), counts={f"{side.value} records": len(rows)})
            await progress.checkpoint()

    async def _join(self, run: RunView, progress: Progress) -> None:
        for statement in statements.ANALYZE:
            await self._execute(statement, {})
        values = {"run_id": run.id, "most": _most(run)}
        while await self._execute(statements.SPREAD, values):
            await self._execute(statements.SHORTEN, {"run_id": run.id})
            await progress.checkpoint()

    async def _publish(self, run: RunView, progress: Progress, sides: Sequence[Side]) -> None:
        old = {"bridge_id": run.bridge_id, "sides": [each.value for each in sides]}
        new = {"bridge_id": run.bridge_id, "run_id": run.id, "most": _most(run)}
        async with self.connections.engine.begin() as connection:
            await connection.execute(statements.NO_LOOPS)
            await connection.execute(statements.DROP_CLUSTERS, old)
            await connection.execute(statements.DROP_COMMON, old)
            clusters = (await connection.execute(statements.PUBLISH, new)).rowcount
            common = (await connection.execute(statements.PUBLISH_COMMON, new)).rowcount
            await connection.execute(statements.FORGET, {"run_id": run.id})
            counts = {"clusters": clusters, "keys that are too common": common}
            await progress.checkpoint(connection, position={"published": True}, counts=counts)

    async def _execute(self, statement: TextClause, values: dict[str, Any]) -> int:
        """How many rows it changed."""
        async with self.connections.engine.begin() as connection:
            await connection.execute(statements.NO_LOOPS)
            return (await connection.execute(statement, values)).rowcount


def _most(run: RunView) -> int:
    return int(run.options["common_above"])


async def _batches(records: AsyncIterator[Record]) -> AsyncIterator[list[Record]]:
    batch: list[Record] = []
    async for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _row(record: Record, merger: Merger, vat: str) -> dict[str, Any]:
    return {
        "external_id": record.id,
        "card": member_card(record, merger),
        "made_at": record.created_at.isoformat() if record.created_at else None,
        "changed_at": record.updated_at.isoformat() if record.updated_at else None,
        "keys": keys_of(record, vat),
    }

"""One reading of one object of one side, from its cursor or from the beginning, batch by batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.connections import Connections
from app.directory import BridgeView
from app.patience import Patient
from app.providers.base import BEGINNING
from app.queue import transact
from app.runs import Progress
from app.sweep import amounts, book, knowledge
from app.sweep.judging import Finding, Terms, judge, shown
from app.sweep.knowledge import Of
from app.sweep.readings import Reading, Scope, moves_silently
from app.sync.fieldmap import resolve
from app.sync.objects import OBJECTS, BillingArchived
from app.sync.records import Record, Side

BATCH = 100
UNSEEN = 500
"""Parts that are looked at for the first time in one round."""
OVERLAP = timedelta(hours=1)
"""How far a reading goes back behind the one before: clocks differ, and a record may show up late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneReading:
    connections: Connections
    progress: Progress
    bridge: BridgeView
    reading: Reading
    scope: Scope
    grace: timedelta
    leave_young: bool
    _seen: set[str] = field(default_factory=set, repr=False)

    async def read(self) -> None:
        """Queue what has news; at its end the cursor moves. Raises what the vendor's answer means."""
        started = datetime.now(UTC)
        everything = self.scope is Scope.FULL
        async with self._engine.connect() as connection:
            cursor = await book.cursor(connection, self._of)
            unseen = await self._unseen(connection)
            paired = await knowledge.paired(connection, self._of, started) if everything else set()
        await self._keep(unseen, [])
        settings = self.bridge.settings.of(self.reading.object)
        patient = partial(Patient, rest=self.progress.rest)
        records = {
            side: self.connections.open(self.bridge, side, background=True, through=patient).records(
                self.reading.object, settings
            )
            for side in Side
        }
        terms = Terms(
            side=self.reading.side,
            rules=resolve(settings.pairs(), records[Side.CRM].fields(), records[Side.BILLING].fields())[0],
            begun=settings.since or cursor.begun_at,
            now=started,
            grace=self.grace,
            told=self.reading.told,
            leave_young=self.leave_young,
            in_parts=OBJECTS[self.reading.object].part,
            pauses=settings.billing_archived is BillingArchived.PAUSE and self.reading.side is Side.BILLING,
        )
        batch: list[Record] = []
        async for record in records[self.reading.side].each(self._since(cursor)):
            batch.append(record)
            if len(batch) >= BATCH:
                await self._compare(terms, batch)
                batch = []
        await self._compare(terms, batch)
        if everything and self.reading.whole:
            await self._keep_missing(sorted(paired - self._seen))
        async with self._engine.begin() as connection:
            await book.read(connection, self._of, started, whole=everything)

    def _since(self, cursor: book.Cursor) -> datetime:
        provider = self.connections.provider(self.bridge.connection(self.reading.side).provider)
        if self.scope is Scope.FULL or moves_silently(self.bridge, provider, self.reading.object):
            return BEGINNING
        return max(cursor.begun_at, cursor.read_to - OVERLAP) if cursor.read_to else cursor.begun_at

    async def _unseen(self, connection: AsyncConnection) -> list[str]:
        if not OBJECTS[self.reading.object].of_every_parent:
            return []
        return await knowledge.unseen_parts(connection, self._of, UNSEEN)

    async def _compare(self, terms: Terms, batch: Sequence[Record]) -> None:
        async with self._engine.connect() as connection:
            known = await knowledge.links(connection, self._of, batch)
            records = {each.id: each for record in batch for each in shown(record, known)}
            partners = {id_: known[id_].partner if id_ in known else "" for id_ in records}
            heard = await knowledge.heard(connection, self._of, partners)
            wholes = await knowledge.wholes(connection, self._of, batch)
        await transact(
            self._engine, partial(amounts.note, of=self._of, records=batch, alone=not self.bridge.shares_billing)
        )
        findings = {
            id_: judge(terms, record, known.get(id_), heard[id_], ours=id_ in wholes) for id_, record in records.items()
        }
        if self.scope is Scope.FULL:
            self._seen.update(records)
            self._seen.update(part.id for record in batch for part in record.parts)
        await self._keep(
            [id_ for id_, finding in findings.items() if finding is Finding.NEWS],
            [id_ for id_, finding in findings.items() if finding is Finding.MISSED],
        )
        await self.progress.checkpoint(done=len(batch))  # records that are read again after a stop count again

    async def _keep_missing(self, ids: Sequence[str]) -> None:
        """Pairs that are not in the list. A list proves nothing: the job that looks at one decides."""
        for start in range(0, len(ids), BATCH):
            part = ids[start : start + BATCH]
            async with self._engine.connect() as connection:
                heard = await knowledge.heard(connection, self._of, dict.fromkeys(part, ""))
            await self._keep([id_ for id_ in part if not heard[id_].pending], [], absent=True)

    async def _keep(self, news: Sequence[str], missed: Sequence[str], *, absent: bool = False) -> None:
        """Events, jobs and counts together, or none of them: after a stop nothing is counted twice."""
        if not news and not missed:
            return
        counts = {"absent" if absent else "found": len(news) + len(missed), "missed": len(missed)}

        async def stored(connection: AsyncConnection) -> None:
            view = self.bridge.connection(self.reading.side)
            await book.found(connection, self._of, view, news=news, missed=missed)
            await self.progress.checkpoint(connection, counts={name: n for name, n in counts.items() if n})

        await transact(self._engine, stored)

    @property
    def _of(self) -> Of:
        return Of(self.bridge.id, self.reading.side, self.reading.object)

    @property
    def _engine(self) -> AsyncEngine:
        return self.connections.engine

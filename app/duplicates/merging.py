"""Merging what a person has found to be one thing, through the vendor's own merge.

    a person says which survives      with the version of what they saw
    claim                             every link of these records, in every bridge of the account: no job is at work
    compare                           each record as it is now; one that changed is shown anew, and nothing is merged
    note what is about to be done
    the vendor merges                 one call for each record that goes, with the password, which is kept nowhere
    follow                            one transaction: links, activity, what the cluster is now

A lost answer is resolved by reading both: where the other one is gone and its persons are the survivor's, it was
merged; while it is there, nobody knows yet: the note stays, and the next merge or search of the bridge reads again.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connections import Connections
from app.directory import BridgeView
from app.duplicates.cards import PERSON, stored_member
from app.duplicates.claims import Hold, holding
from app.duplicates.clusters import OBJECTS_OF_PERSONS, Clusters, moment_of, version_of
from app.duplicates.following import Merged, follow
from app.errors import AnswerLost, CrossledgerError, Gone, OutOfDate, Rejected, Retry, Unsupported
from app.models import DuplicateCluster
from app.models.duplicate import ClusterState
from app.providers.base import Records, Support
from app.providers.merging import Merger
from app.queue import transact
from app.sync.records import Presence, Record, Side, own_of

log = structlog.get_logger()

_NOTE = text("UPDATE duplicate_clusters SET merging = CAST(:merging AS jsonb) WHERE id = :id")
_MEMBERS = text("UPDATE duplicate_clusters SET members = CAST(:members AS jsonb) WHERE id = :id")
_MERGED = text("""
    UPDATE duplicate_clusters SET members = CAST(:members AS jsonb), merging = NULL, state = :state, actor = :actor,
        decided_at = now()
     WHERE id = :id
""")
_UNFINISHED = text("SELECT id FROM duplicate_clusters WHERE bridge_id = :bridge_id AND merging IS NOT NULL ORDER BY id")


class Stale(OutOfDate):
    """The cluster is not what the person saw: they have to look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`version`: of the cluster, as it was shown."""

    survivor: str
    others: Sequence[str]
    version: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What is about to be done, kept until it is known that it was. `persons`: ids of those in `other`."""

    survivor: str
    other: str
    persons: Sequence[str]
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What one merge works with. `row.members` follows what is done."""

    row: DuplicateCluster
    bridge: BridgeView
    records: Records
    merger: Merger


@dataclass(frozen=True, slots=True)
class Merging:
    connections: Connections

    async def merge(self, cluster_id: int, wanted: Decision, password: str) -> None:
        """Raises Gone, Stale, Unsupported where the vendor has no merge, and what the vendor's answer means."""
        await self.finish(cluster_id)
        bench = await self._bench(cluster_id)
        _check(bench, wanted)
        async with self._holding(bench, wanted.survivor, *wanted.others) as hold:
            found = await self._compare(bench, wanted)
            for other in wanted.others:
                await hold.renew()
                persons = [own_of(each.id) for each in found[other].parts]
                note = Note(survivor=wanted.survivor, other=other, persons=persons, actor=wanted.actor)
                survivor = await self._merge_one(bench, note, password)
                await self._follow(bench, hold, note, survivor)

    async def finish(self, cluster_id: int) -> None:
        """Find out what became of a merge whose end is not known. Raises Gone, and what the vendor's answer means."""
        bench = await self._bench(cluster_id)
        if bench.row.merging is None:
            return
        note = Note(**bench.row.merging)
        async with self._holding(bench, note.survivor, note.other) as hold:
            survivor = await self._if_merged(bench, note)
            if survivor is None:
                await self._keep(bench, None)
            else:
                await self._follow(bench, hold, note, survivor)

    async def finish_all(self, bridge_id: int) -> None:
        """The same for all of a bridge."""
        async with self.connections.engine.connect() as connection:
            ids = (await connection.execute(_UNFINISHED, {"bridge_id": bridge_id})).scalars().all()
        for cluster_id in ids:
            await self.finish(cluster_id)

    async def _bench(self, cluster_id: int) -> Bench:
        row, bridge = await Clusters(self.connections).row(cluster_id)
        account = self.connections.open(bridge, Side(row.side))
        records = account.records(PERSON, bridge.settings.of(PERSON))
        return Bench(row=row, bridge=bridge, records=records, merger=account.merger())

    def _holding(self, bench: Bench, *ids: str) -> AbstractAsyncContextManager[Hold]:
        return holding(self.connections.engine, bench.bridge.id, OBJECTS_OF_PERSONS, ids)

    async def _compare(self, bench: Bench, wanted: Decision) -> Mapping[str, Record]:
        """The records as they are now. Raises Stale where one is not as it was shown, and keeps what it is now."""
        stored = {each["id"]: each for each in bench.row.members}
        found: dict[str, Record] = {}
        for id_ in (wanted.survivor, *wanted.others):
            try:
                found[id_] = await bench.records.fetch(id_)
            except Gone:
                continue
        live = {id_: each for id_, each in found.items() if each.presence is Presence.ACTIVE}
        unchanged = [id_ for id_, each in live.items() if moment_of(stored[id_]["updated_at"]) == each.updated_at]
        changed = sorted({wanted.survivor, *wanted.others} - set(unchanged))
        if changed:
            now = {id_: stored_member(each, bench.merger) for id_, each in live.items()}
            left = [now.get(id_, each) for id_, each in stored.items() if id_ in now or id_ not in changed]
            async with self.connections.engine.begin() as connection:
                await connection.execute(_MEMBERS, {"id": bench.row.id, "members": json.dumps(left)})
            raise Stale(f"{', '.join(changed)} changed since it was shown, or is gone. Nothing was merged: look again.")
        return live

    async def _merge_one(self, bench: Bench, note: Note, password: str) -> Record:
        """The survivor afterwards."""
        await self._keep(bench, note)
        try:
            return await bench.merger.merge(note.survivor, note.other, password)
        except AnswerLost as lost:
            survivor = await self._if_merged(bench, note)
            if survivor is None:
                unknown = (
                    f"{note.other} is still there, so it may not have been merged. Look again before you repeat it."
                )
                raise Retry(f"{lost} {unknown}") from lost
            return survivor
        except CrossledgerError:
            await self._keep(bench, None)
            raise

    async def _if_merged(self, bench: Bench, note: Note) -> Record | None:
        """The survivor, where the other one is a part of it now; None where that is still there."""
        try:
            await bench.records.fetch(note.other)
        except Gone:
            survivor = await bench.records.fetch(note.survivor)
        else:
            return None
        if set(note.persons) <= {own_of(each.id) for each in survivor.parts}:
            return survivor
        await self._keep(bench, None)
        raise Rejected(f"{note.other} is gone, and its persons are not with {note.survivor}: it was not merged there.")

    async def _keep(self, bench: Bench, note: Note | None) -> None:
        values = {"id": bench.row.id, "merging": json.dumps(asdict(note)) if note else None}
        async with self.connections.engine.begin() as connection:
            if not (await connection.execute(_NOTE, values)).rowcount and note is not None:
                raise Stale("A search has taken its place meanwhile. Nothing was merged: look again.")

    async def _follow(self, bench: Bench, hold: Hold, note: Note, survivor: Record) -> None:
        merged = Merged(
            bridge_id=bench.bridge.id,
            object=PERSON,
            survivor=survivor,
            other=note.other,
            actor=note.actor,
            claim=hold.claim,
            links=hold.links,
        )
        own = stored_member(survivor, bench.merger)
        left = [own if each["id"] == survivor.id else each for each in bench.row.members if each["id"] != note.other]
        state = ClusterState.MERGED if len(left) < 2 else ClusterState.OPEN
        values = {"id": bench.row.id, "members": json.dumps(left), "state": state.value, "actor": note.actor}
        await transact(self.connections.engine, partial(_followed, merged=merged, values=values))
        bench.row.members = left
        log.info("duplicates.merged", bridge=bench.bridge.id, survivor=survivor.id, other=note.other)


async def _followed(connection: AsyncConnection, *, merged: Merged, values: Mapping[str, Any]) -> None:
    await follow(connection, merged)
    await connection.execute(_MERGED, values)


def _check(bench: Bench, wanted: Decision) -> None:
    row, capability = bench.row, bench.merger.capability
    ids = {each["id"] for each in row.members}
    if row.state != ClusterState.OPEN or wanted.version != version_of(row.members):
        raise Stale("It is not what you saw any more: look again.")
    if len({wanted.survivor, *wanted.others}) != 1 + len(wanted.others) or not {wanted.survivor, *wanted.others} <= ids:
        raise Rejected(f"Name each of these once: {', '.join(sorted(ids))}.")
    if capability.support is Support.NONE:
        whom = f"Keep {wanted.survivor}, and merge into it: {', '.join(wanted.others)}"
        raise Unsupported("merge", f"{capability.reason}. {whom}.")

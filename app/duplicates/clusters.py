"""A cluster as a person is shown it: with its links, and with what hangs on each record, asked for now."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.connections import Connections
from app.directory import BridgeView
from app.duplicates.cards import PERSON
from app.duplicates.proposal import Member, Partner, Proposal, propose, warnings
from app.errors import CrossledgerError, Gone
from app.models import DuplicateCluster
from app.models.duplicate import ClusterState
from app.providers.base import Capability, Support
from app.sync.objects import OBJECTS
from app.sync.records import Side, owner_of

COUNTED = 20
"""Records of one cluster whose invoices are counted: one call each."""

OBJECTS_OF_PERSONS = tuple(filter(None, (PERSON, OBJECTS[PERSON].parent)))

_LIVE = "bridge_id = :bridge_id AND object = ANY(:objects) AND crm_id IS NOT NULL AND billing_id IS NOT NULL"
_LINKS = {
    Side.CRM: text(
        f"SELECT id, object, state, crm_id AS own, billing_id AS partner FROM links WHERE {_LIVE}"  # noqa: S608
        " AND state <> 'unlinked' AND crm_id = ANY(:ids) ORDER BY id"
    ),
    Side.BILLING: text(
        f"SELECT id, object, state, billing_id AS own, crm_id AS partner FROM links WHERE {_LIVE}"  # noqa: S608
        " AND state <> 'unlinked' AND (billing_id = ANY(:ids)"
        " OR strpos(billing_id, '/') > 0 AND split_part(billing_id, '/', 1) = ANY(:ids)) ORDER BY id"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterView:
    """`version`: of what is shown; a merge names it. `uncounted`: why invoices could not be counted."""

    row: DuplicateCluster
    members: Sequence[Member]
    proposal: Proposal | None
    warnings: Sequence[str]
    capability: Capability
    version: str
    uncounted: str = ""


@dataclass(frozen=True, slots=True)
class Clusters:
    connections: Connections
    objects: Sequence[str] = field(default=OBJECTS_OF_PERSONS)

    async def row(self, cluster_id: int) -> tuple[DuplicateCluster, BridgeView]:
        """Raises Gone."""
        async with AsyncSession(self.connections.engine) as session:
            row = await session.get(DuplicateCluster, cluster_id)
        bridge = await self.connections.directory.bridge(row.bridge_id) if row else None
        if row is None or bridge is None:
            raise Gone(f"There is no cluster {cluster_id} any more. A search may have taken its place: see the list.")
        return row, bridge

    async def show(self, cluster_id: int) -> ClusterView:
        """Raises Gone. A vendor in trouble is no failure: then invoices are not counted."""
        row, bridge = await self.row(cluster_id)
        side = Side(row.side)
        members = await self._linked(row, side)
        capability = self.connections.open(bridge, side).merger().capability
        uncounted, proposal, said = "", None, list[str]()
        if row.state == ClusterState.OPEN and len(members) > 1:
            members, uncounted = await self._counted(bridge, side, members)
            proposal = propose(members)
            said = warnings(members, side, merges=capability.support is not Support.NONE)
        return ClusterView(
            row=row,
            members=members,
            proposal=proposal,
            warnings=said,
            capability=capability,
            version=version_of(row.members),
            uncounted=uncounted,
        )

    async def _linked(self, row: DuplicateCluster, side: Side) -> list[Member]:
        members = [member_of(each) for each in row.members]
        values = {"bridge_id": row.bridge_id, "objects": list(self.objects), "ids": [each.id for each in members]}
        async with self.connections.engine.connect() as connection:
            rows = (await connection.execute(_LINKS[side], values)).all()
        found: dict[str, list[Partner]] = {}
        for id_, object_, state, own, partner in rows:
            linked = Partner(link_id=id_, object=object_, id=partner, state=state)
            found.setdefault(own if side is Side.CRM else owner_of(own), []).append(linked)
        return [replace(each, partners=tuple(found.get(each.id, ()))) for each in members]

    async def _counted(self, bridge: BridgeView, side: Side, members: list[Member]) -> tuple[list[Member], str]:
        """With the invoices of each, or of its client. Why not all of them were counted, in words."""
        merger = self.connections.open(bridge, Side.BILLING).merger()
        counted: dict[str, int] = {}
        uncounted = f"Only the invoices of the first {COUNTED} are counted." if len(members) > COUNTED else ""
        try:
            for member in members[:COUNTED]:
                clients = {member.id} if side is Side.BILLING else {owner_of(each.id) for each in member.partners}
                if clients:
                    counted[member.id] = sum([await merger.invoices(each) for each in sorted(clients)])
        except CrossledgerError as failure:
            uncounted = f"Their invoices could not be counted: {failure}"
        return [replace(each, invoices=counted.get(each.id)) for each in members], uncounted


def member_of(stored: Mapping[str, Any]) -> Member:
    given = {each.name: stored[each.name] for each in fields(Member) if each.name in stored}
    moments = {name: moment_of(stored.get(name)) for name in ("created_at", "updated_at")}
    return Member(**{**given, **moments})


def version_of(members: Iterable[Mapping[str, Any]]) -> str:
    """The same as long as none of them is known to have changed."""
    known = sorted((each["id"], str(moment_of(each.get("updated_at")))) for each in members)
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def moment_of(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None

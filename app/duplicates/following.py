"""What becomes of links when a vendor has merged one billing record into another.

the link of the merged record | then
has no partner                | goes
the survivor has none         | is the survivor's; both sides meet anew, as when they were first linked
the survivor has another      | a conflict: two records of the CRM have one in billing now, be it in two bridges
was cut before                | stays cut

Persons who were linked one by one (client/contact) keep their contact's id, and only their client is another one.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.models.link import LinkState
from app.queue import RecordJob, defer
from app.sync.deletions import MERGED
from app.sync.records import Record, Side, is_part, own_of, owner_of

_ROWS = text("""
    SELECT id, bridge_id, object, crm_id, billing_id, billing_part, state, problem FROM links
     WHERE id = ANY(:ids) AND claim = :claim ORDER BY id
""")
_DROP = text("DELETE FROM links WHERE id = :id")
# Also one that a job has made meanwhile: a person of the merged client is heard of as the survivor's.
_MAKE_ROOM = text("""
    DELETE FROM links l USING links moved
     WHERE moved.id = :id AND l.bridge_id = moved.bridge_id AND l.object = moved.object AND l.billing_id = :billing_id
       AND (l.crm_id IS NULL OR l.state = 'unlinked')
""")
_MOVE = text("""
    UPDATE links SET billing_id = :billing_id, billing_part = :part, state = 'pending', problem = '', detail = '',
        base_crm = NULL, base_billing = NULL, held = '{}', candidates = '[]', tries = 0, first_failed_at = NULL,
        next_try_at = NULL, creating = '', waits_for = ''
     WHERE id = :id
""")
_CONFLICT = text("""
    UPDATE links SET state = :state, problem = :problem, detail = :detail, next_try_at = NULL, waits_for = ''
     WHERE id = :id
""")
_WAITS = text("""
    UPDATE links SET waits_for = object_ || '/billing/' || :survivor
      FROM unnest(CAST(:objects AS text[])) AS object_
     WHERE bridge_id = :bridge_id AND waits_for = object_ || '/billing/' || :other
""")
_TELL = text("""
    INSERT INTO activities (bridge_id, link_id, object, crm_id, billing_id, action, cause, detail)
    SELECT bridge_id, link_id, object, coalesce(crm_id, ''), billing_id, action, 'duplicates', detail
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(bridge_id bigint, link_id bigint, object text, crm_id text,
           billing_id text, action text, detail text)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """`other` is a part of `survivor` now. `links`: ids of our links that are about one of the two, under `claim`."""

    bridge_id: int
    object: str
    survivor: Record
    other: str
    actor: str
    claim: str
    links: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A link of one of the two, as far as it matters here."""

    id: int
    bridge_id: int
    object: str
    crm_id: str | None
    billing_id: str
    billing_part: str
    state: str
    problem: str

    @property
    def is_pair(self) -> bool:
        """Also one that was cut because its client was not found any more, before the merge was known."""
        return bool(self.crm_id) and (self.state != LinkState.UNLINKED or self.problem == "billing_gone")


async def follow(connection: AsyncConnection, merged: Merged) -> None:
    """Belongs to the caller's transaction. Doing it again changes nothing more."""
    rows = await connection.execute(_ROWS, {"ids": list(merged.links), "claim": merged.claim})
    lines = [Line(**row) for row in rows.mappings()]
    told = [_activity(merged, "merged", merged.survivor.id, _words(merged))]
    jobs: list[RecordJob] = []
    for line in [each for each in lines if owner_of(each.billing_id) == merged.other]:
        if line.crm_id is None:
            await connection.execute(_DROP, {"id": line.id})
        elif not line.is_pair:
            continue
        elif keeper := _keeper(line, lines, merged.survivor.id):
            detail = _conflict(merged, keeper)
            values = {"id": line.id, "state": LinkState.CONFLICT.value, "problem": MERGED, "detail": detail}
            await connection.execute(_CONFLICT, values)
            told.append(_activity(merged, "conflict", line.billing_id, detail, line))
        else:
            to = _new_id(line, merged.survivor.id)
            await connection.execute(_MAKE_ROOM, {"id": line.id, "billing_id": to})
            await connection.execute(_MOVE, {"id": line.id, "billing_id": to, "part": _part(line, merged.survivor)})
            told.append(_activity(merged, "linked", to, _words(merged), line))
            jobs.append(_job(line.bridge_id, line.object, to))
    for bridge_id in sorted({merged.bridge_id, *(each.bridge_id for each in lines)}):
        ids = {"survivor": merged.survivor.id, "other": merged.other}
        objects = sorted({merged.object, *(each.object for each in lines)})
        await connection.execute(_WAITS, {"bridge_id": bridge_id, "objects": objects, **ids})
        jobs.append(_job(bridge_id, merged.object, merged.survivor.id))
    await connection.execute(_TELL, {"rows": json.dumps(told)})
    await defer(connection, jobs)


def _new_id(line: Line, survivor: str) -> str:
    return f"{survivor}/{own_of(line.billing_id)}" if is_part(line.billing_id) else survivor


def _keeper(line: Line, lines: Sequence[Line], survivor: str) -> Line | None:
    """The pair that the survivor has already, in any bridge of the account. A person takes no other person's place."""
    pairs = [each for each in lines if each.crm_id and each.state != LinkState.UNLINKED]
    live = [each for each in pairs if each.object == line.object]
    if is_part(line.billing_id):
        return next((each for each in live if each.billing_id == _new_id(line, survivor)), None)
    return next((each for each in live if owner_of(each.billing_id) == survivor), None)


def _part(line: Line, survivor: Record) -> str:
    """The person of the pair, where the survivor has that person now."""
    return line.billing_part if line.billing_part in {own_of(each.id) for each in survivor.parts} else ""


def _words(merged: Merged) -> str:
    return f"client {merged.other} was merged into {merged.survivor.id} by {merged.actor}, for good"


def _conflict(merged: Merged, keeper: Line) -> str:
    return (
        f"Its client {merged.other} was merged into {merged.survivor.id}, which is linked to {keeper.crm_id}. Two"
        " records of the CRM have one client now, and only that one is synced. Merge the two in the CRM as well, or"
        " delete one."
    )


def _activity(merged: Merged, action: str, billing_id: str, detail: str, line: Line | None = None) -> dict[str, Any]:
    return {
        "bridge_id": line.bridge_id if line else merged.bridge_id,
        "link_id": line.id if line else None,
        "object": line.object if line else merged.object,
        "crm_id": line.crm_id if line else None,
        "billing_id": billing_id,
        "action": action,
        "detail": detail,
    }


def _job(bridge_id: int, object_: str, billing_id: str) -> RecordJob:
    return RecordJob(bridge_id=bridge_id, object=object_, side=Side.BILLING, external_id=billing_id)

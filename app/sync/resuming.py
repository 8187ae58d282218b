"""What follows when a connection works again, or the settings of a bridge were changed."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Boolean, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col

from app.models import Bridge, Event, Link
from app.models.event import EventState
from app.models.link import LinkState
from app.queue import Priority, RecordJob, defer
from app.sync.records import Side
from app.sync.statements import OUTDATED

# An attempt that is under way would store once more what is forgotten here: its claim is good no more.
_FORGET = text(f"""
    UPDATE links SET base_crm = base_crm - CAST(:names AS text[]), base_billing = base_billing - CAST(:names AS text[]),
           claim = CASE WHEN claim = '' THEN '' ELSE rtrim(claim, '{OUTDATED}') || '{OUTDATED}' END
     WHERE bridge_id = :bridge_id AND object = :object
       AND (base_crm ?| CAST(:names AS text[]) OR claimed_until > now())
""")  # noqa: S608 -- a constant


async def resume(connection: AsyncConnection, *, connection_id: int) -> int:
    """Every record of the connection's bridges with unanswered events or decisions, or that waits; returns how many."""
    bridges = select(col(Bridge.id)).where(
        (col(Bridge.crm_connection_id) == connection_id) | (col(Bridge.billing_connection_id) == connection_id)
    )
    rows = await connection.execute(
        select(col(Event.bridge_id), col(Event.object), col(Event.side), col(Event.external_id))
        .where(col(Event.state) == EventState.PENDING.value, col(Event.bridge_id).in_(bridges))
        .distinct()
    )
    jobs = [RecordJob(bridge_id=b, object=o, side=s, external_id=x) for b, o, s, x in rows if b is not None]
    waiting = await connection.execute(
        select(col(Link.bridge_id), col(Link.object), col(Link.crm_id), col(Link.billing_id)).where(
            col(Link.state).in_([LinkState.WAITING.value, LinkState.RETRYING.value])
            | literal_column("links.decisions <> '{}'", Boolean),
            col(Link.bridge_id).in_(bridges),
        )
    )
    jobs += [
        RecordJob(bridge_id=b, object=o, side=Side.CRM if c else Side.BILLING, external_id=c or i or "")
        for b, o, c, i in waiting
    ]
    return await defer(connection, jobs)


async def forget_agreed(connection: AsyncConnection, *, bridge_id: int, fields: Mapping[str, Sequence[str]]) -> None:
    """What both sides agreed on in these `fields` of objects: each pair meets anew there, as when it was first linked.

    Compared with another field's value, an empty one would look like one that was cleared.
    """
    for object_, names in fields.items():
        await connection.execute(_FORGET, {"bridge_id": bridge_id, "object": object_, "names": list(names)})


async def reconsider(connection: AsyncConnection, *, bridge_id: int) -> int:
    """The bridge's settings were changed: what was left out by them may take part now. Returns how many are queued."""
    rows = await connection.execute(
        select(col(Link.object), col(Link.crm_id), col(Link.billing_id)).where(
            col(Link.bridge_id) == bridge_id,
            col(Link.state) == LinkState.EXCLUDED.value,
            col(Link.problem).in_(["filtered", "archived", "direction", "unmatched"]),
        )
    )
    jobs = [
        RecordJob(
            bridge_id=bridge_id,
            object=object_,
            side=Side.CRM if crm_id else Side.BILLING,
            external_id=crm_id or billing_id or "",
            priority=Priority.FLOOD,
        )
        for object_, crm_id, billing_id in rows
    ]
    return await defer(connection, jobs)

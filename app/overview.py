"""How all bridges are doing, in a few questions that walk indexes however many records and events there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models.link import LinkState
from app.sweep.health import DAYS

HOURS = 24
"""How far the charts go back, the hour that runs included."""


class Standing(StrEnum):
    """Which bridges are asked for."""

    LIVE = "live"
    PAUSED = "paused"
    DRY_RUN = "dry_run"
    TROUBLED = "troubled"  # a record failed or needs a decision, or a connection is refused


_STANDING: Mapping[Standing, str] = {
    Standing.LIVE: "b.enabled",
    Standing.PAUSED: "NOT b.enabled AND b.live_since IS NOT NULL",
    Standing.DRY_RUN: "NOT b.enabled AND b.live_since IS NULL",
    Standing.TROUBLED: """(
        'needs_reconnect' IN (crm.state, billing.state)
        OR EXISTS (SELECT 1 FROM links l WHERE l.bridge_id = b.id AND l.state IN ('failed', 'conflict'))
        OR b.id IN (SELECT l.bridge_id FROM links l WHERE l.conflicts <> '[]'))""",
}
_BRIDGES = """
    WITH part AS (
        SELECT b.id, b.name, b.enabled, b.live_since, b.crm_connection_id, b.billing_connection_id,
               crm.name AS crm, crm.state AS crm_state, billing.name AS billing, billing.state AS billing_state
          FROM bridges b
          JOIN connections crm ON crm.id = b.crm_connection_id
          JOIN connections billing ON billing.id = b.billing_connection_id
         WHERE b.id < :below
           AND strpos(lower(concat_ws(' ', b.name, crm.name, billing.name)), lower(:name)) > 0
           AND {standing}
         ORDER BY b.id DESC LIMIT :limit
    )
    SELECT part.*, states.counts AS states, waiting.since AS oldest_at, last.at AS heard_at, missed.count AS missed
      FROM part
      CROSS JOIN LATERAL (
          SELECT coalesce(jsonb_object_agg(s.state, s.count), '{{}}') AS counts FROM (
              SELECT l.state, count(*) FROM links l WHERE l.bridge_id = part.id GROUP BY l.state) s) states
      CROSS JOIN LATERAL (
          SELECT min(e.received_at) AS since FROM events e
           WHERE e.bridge_id = part.id AND e.state = 'pending') waiting
      CROSS JOIN LATERAL (
          SELECT max(e.received_at) AS at FROM unnest(ARRAY[crm_connection_id, billing_connection_id]) AS side(id)
           CROSS JOIN LATERAL (
               SELECT received_at FROM events
                WHERE connection_id = side.id AND kind NOT IN ('poll', 'sweep') ORDER BY id DESC LIMIT 1) e) last
      CROSS JOIN LATERAL (
          SELECT coalesce(sum(m.missed), 0) AS count FROM missed_events m
           WHERE m.bridge_id = part.id AND m.day > (now() AT TIME ZONE 'UTC')::date - CAST(:days AS integer)) missed
     ORDER BY part.id DESC
"""
# A record that is in step but for one field needs a decision as well.
_DECIDE = text("SELECT bridge_id, state, count(*) FROM links WHERE conflicts <> '[]' GROUP BY bridge_id, state")
_HOURS = text("""
    SELECT hour, coalesce(e.events, 0) AS events, coalesce(a.written, 0) AS written,
           coalesce(a.failures, 0) AS failures, e.latency[1] AS median, e.latency[2] AS slowest
      FROM generate_series(CAST(:since AS timestamptz), CAST(:now AS timestamptz), interval '1 hour') AS hour
      LEFT JOIN (
          SELECT date_trunc('hour', received_at, 'UTC') AS hour, count(*) AS events,
                 percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY extract(epoch FROM handled_at - received_at))
                     FILTER (WHERE state = 'done') AS latency
            FROM events WHERE received_at >= :since GROUP BY 1) e USING (hour)
      LEFT JOIN (
          SELECT date_trunc('hour', at, 'UTC') AS hour, count(*) FILTER (WHERE action <> 'failed') AS written,
                 count(*) FILTER (WHERE action = 'failed') AS failures
            FROM activities WHERE at >= :since GROUP BY 1) a USING (hour)
     ORDER BY hour
""")
# Runs are many: only those of bridges that were never live are looked at.
_STEPS = text("""
    WITH apart AS (SELECT unnest(CAST(:apart AS bigint[])) AS id),
         usable AS (SELECT id, provider FROM connections
                     WHERE kind = 'account' AND state <> 'pending' AND id NOT IN (SELECT id FROM apart)),
         made AS (SELECT id, enabled OR live_since IS NOT NULL AS live FROM bridges
                   WHERE crm_connection_id NOT IN (SELECT id FROM apart)
                     AND billing_connection_id NOT IN (SELECT id FROM apart))
    SELECT EXISTS (SELECT 1 FROM usable WHERE provider = ANY(:crm)) AS crm,
           EXISTS (SELECT 1 FROM usable WHERE provider = ANY(:billing)) AS billing,
           EXISTS (SELECT 1 FROM made) AS bridge,
           EXISTS (SELECT 1 FROM made CROSS JOIN LATERAL (
               SELECT 1 FROM runs r WHERE r.bridge_id = made.id AND r.kind = 'plan' AND r.state = 'done' LIMIT 1) done
                    WHERE NOT made.live) AS planned,
           EXISTS (SELECT 1 FROM made WHERE live) AS live,
           (SELECT count(*) FROM usable WHERE provider = ANY(:crm)
               AND NOT EXISTS (SELECT 1 FROM bridges b WHERE b.crm_connection_id = usable.id)) AS alone
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeHealth:
    """`crm` and `billing`: the names of its connections. The five counts are records, each counted once; of those that
    wait, `waiting_for_parent` do so for the record that they belong to.

    `oldest_at`: since when the oldest event waits that nobody has handled. `heard_at`: the last delivery of either
    connection. `missed`: changes of the last days, 30 as a rule, that no event had told of.
    """

    id: int
    name: str
    enabled: bool
    live_since: datetime | None
    crm: str
    crm_state: str
    billing: str
    billing_state: str
    in_step: int
    left_out: int
    waiting: int
    waiting_for_parent: int
    failing: int
    decide: int
    oldest_at: datetime | None
    heard_at: datetime | None
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """`median` and `slowest`: seconds from an event to its end, of half and of 95 % of those handled; None: of none."""

    hour: datetime
    events: int
    written: int
    failures: int
    median: float | None
    slowest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What is done of what a newcomer has to do. Who went live without a plan needs none any more.

    `alone`: CRM accounts that no bridge uses.
    """

    crm: bool
    billing: bool
    bridge: bool
    planned: bool
    live: bool
    alone: int


async def bridges(
    engine: AsyncEngine, *, limit: int, below: int, name: str = "", standing: Standing | None = None, days: int = DAYS
) -> list[BridgeHealth]:
    """Newest first. `name`: a part of the bridge's name or of a connection's, in any case. `days`: of `missed`."""
    asked = text(_BRIDGES.format(standing=_STANDING[standing] if standing else "true"))
    async with engine.connect() as connection:
        values = {"limit": limit, "below": below, "name": name, "days": days}
        rows = (await connection.execute(asked, values)).mappings().all()
        open_: dict[int, dict[str, int]] = {}
        for bridge_id, state, count in await connection.execute(_DECIDE):
            open_.setdefault(bridge_id, {})[state] = count
    return [_health(dict(row), open_.get(row["id"], {})) for row in rows]


async def hours(engine: AsyncEngine, now: datetime) -> list[Hour]:
    """The last day, by hour (UTC), oldest first; each hour is there."""
    since = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    async with engine.connect() as connection:
        rows = await connection.execute(_HOURS, {"since": since, "now": now})
        return [Hour(**row) for row in rows.mappings()]


async def steps(engine: AsyncEngine, *, crm: Sequence[str], billing: Sequence[str], apart: Sequence[int] = ()) -> Steps:
    """`crm` and `billing`: the names of the providers of each side. `apart`: connections that do not count."""
    async with engine.connect() as connection:
        row = (
            (await connection.execute(_STEPS, {"crm": list(crm), "billing": list(billing), "apart": list(apart)}))
            .mappings()
            .one()
        )
    return Steps(**{**row, "planned": row["planned"] or row["live"]})


def _health(row: dict[str, Any], open_: Mapping[str, int]) -> BridgeHealth:
    """`open_`: of the records in each state, how many need a decision."""
    states = {state: count - open_.get(state, 0) for state, count in row.pop("states").items()}
    for column in ("crm_connection_id", "billing_connection_id"):
        row.pop(column)
    return BridgeHealth(
        **row,
        in_step=states.pop(LinkState.OK, 0),
        left_out=states.pop(LinkState.EXCLUDED, 0) + states.pop(LinkState.UNLINKED, 0),
        failing=states.pop(LinkState.FAILED, 0),
        decide=states.pop(LinkState.CONFLICT, 0) + sum(open_.values()),
        waiting=sum(states.values()),
        waiting_for_parent=states.get(LinkState.WAITING_FOR_PARENT, 0),
    )

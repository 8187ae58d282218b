"""The dashboard's pages on a full database: how long each takes, and whether one of them reads a whole table."""

import time
from collections.abc import Mapping
from itertools import chain
from typing import LiteralString

import psycopg

from tests.bench.report import Row, at, ms
from tests.flows.driver import Site, installed

ROUNDS = 20
PAGES = (
    "/",
    "/activity",
    "/activity?action=merged",
    "/activity?search=c77",
    "/activity?search=person&side=crm",
    "/activity?cause=sweep",
    "/activity/500",
    "/deliveries",
    "/deliveries?bridge=1&state=failed",
    "/deliveries?connection=2",
    "/deliveries?record=c77",
    "/records",
    "/records?doing=failing&bridge=1",
    "/records?object=contact&doing=in_step",
    "/records?search=person",
    "/records?search=b4711",
    "/records/500",
    "/failing",
    "/decide",
    "/decide/333",
    "/runs",
)
FILL: tuple[LiteralString, ...] = (
    """
    INSERT INTO links (bridge_id, object, crm_id, billing_id, state, base_crm, base_billing, problem, detail, conflicts,
                       name, words)
    SELECT 1, 'contact', 'c' || i, 'b' || i,
           CASE WHEN i % 100 = 0 THEN 'failed' ELSE 'ok' END, '{"city": "York"}', '{"city": "York"}',
           CASE WHEN i % 100 = 0 THEN 'rejected' ELSE '' END,
           CASE WHEN i % 100 = 0 THEN 'refused: bad ' || i ELSE '' END,
           CASE WHEN i % 333 = 0 THEN '["field"]'::jsonb ELSE '[]'::jsonb END,
           'Person ' || i, 'person ' || i || ' acme example'
      FROM generate_series(1, 50000) i RETURNING 1
    """,
    """
    INSERT INTO activities (bridge_id, link_id, object, crm_id, billing_id, at, action, cause, changes)
    SELECT 1, i % 50000 + 1, 'contact', 'c' || i % 50000 + 1, 'b' || i % 50000 + 1,
           now() - (100000 - i) * interval '60 days' / 100000,
           CASE WHEN i % 50 = 0 THEN 'created' ELSE 'updated' END, 'ContactUpdate',
           '[{"field": "city", "side": "crm", "before": "York", "after": "Leeds"}]'
      FROM generate_series(1, 100000) i RETURNING 1
    """,
    """
    INSERT INTO events (delivery, connection_id, bridge_id, side, object, external_id, kind, state, received_at,
                        handled_at, provider, deliveries)
    SELECT 'bench:' || i, 1, 1, 'crm', 'contact', 'c' || i % 50000 + 1, 'ContactUpdate', 'done',
           now() - (100000 - i) * interval '60 days' / 100000,
           now() - (100000 - i) * interval '60 days' / 100000 + interval '20 ms', 'highlevel', 1
      FROM generate_series(1, 100000) i RETURNING 1
    """,
)
_GROWING = ("activities", "events", "links", "audit")
_SCANS = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY (%s)"


async def measure() -> list[Row]:
    async with installed() as site:
        service = await site.serve()
        await site.connect()
        for statement in FILL:
            await site.rows(statement)
        async with await psycopg.AsyncConnection.connect(site.database, autocommit=True) as connection:
            await connection.execute("VACUUM (ANALYZE)")  # as PostgreSQL does by itself after a while
        waits, scanned = await _looked_at(site)
        service.stop()
    slowest = max(waits, key=lambda path: at(0.5, waits[path]))
    return [
        Row(
            what="a page with 100,000 activities and events, 50,000 links: median of the slowest, and of all",
            measured=f"{ms(at(0.5, waits[slowest]))} ({slowest}), {ms(at(0.5, list(chain(*waits.values()))))}",
            target="<= 500 ms",
            met=at(0.5, waits[slowest]) <= 0.5,
        ),
        Row(
            what="tables that grow and were read whole for it",
            measured=", ".join(scanned) or "none",
            target="none",
            met=not scanned,
        ),
    ]


async def _looked_at(site: Site) -> tuple[Mapping[str, list[float]], list[str]]:
    """Seconds of each look at each page, the first one aside; and what was scanned."""
    waits: dict[str, list[float]] = {path: [] for path in PAGES}
    async with site.admin() as admin:
        for path in PAGES:
            (await admin.get(path)).raise_for_status()
        before = dict(await site.rows(_SCANS, list(_GROWING)))
        for _ in range(ROUNDS):
            for path in PAGES:
                began = time.perf_counter()
                (await admin.get(path)).raise_for_status()
                waits[path].append(time.perf_counter() - began)
        await site.rows("SELECT pg_sleep(1.5)")  # until what was counted is told
        after = dict(await site.rows(_SCANS, list(_GROWING)))
    return waits, [name for name in _GROWING if after[name] > before[name]]

"""The statements of `store.py` that every job runs, as SQL: built once, one round trip each."""

import functools

from sqlalchemy import TextClause, text

from app.sync.records import Side

OUTDATED = "!"
"""What is put behind a claim whose attempt works by settings that were changed: it can be given back, not settled."""
COLUMN = {Side.CRM: "crm_id", Side.BILLING: "billing_id"}

_FIELDS = (
    "id, crm_id, billing_id, billing_part, state, problem, detail, origin, base_crm, base_billing, held, tries,"
    " creating, created_at, synced_at, decisions, apart, name, words"
)
_PENDING = (
    "FROM events e WHERE e.state = 'pending' AND e.bridge_id = :bridge_id AND e.object = :object"
    " AND e.side = :side AND e.external_id = :external_id"
)
# A burst of changes of one pair costs two syncs: the first at once, the rest when no more comes (but not for ever).
_RESTS = (
    "(CASE WHEN l.written_at > now() - make_interval(secs => :burst)"
    " THEN extract(epoch FROM l.written_at - now()) + :burst"
    " WHEN l.written_at > now() - make_interval(secs => 10 * :burst) AND ("
    "SELECT count(*) > 1 AND max(e.received_at) > now() - make_interval(secs => :burst / 2) FROM events e"
    " WHERE e.state = 'pending' AND e.bridge_id = :bridge_id AND e.object = :object AND"
    " (e.side = 'crm' AND e.external_id = l.crm_id OR e.side = 'billing' AND e.external_id = l.billing_id)"
    ") THEN :burst / 2 ELSE 0 END)::float8"
)
# The names put into these statements are the constants above; values are always parameters.
CLAIM = {
    side: text(
        f"INSERT INTO links AS l (bridge_id, object, {column}, claim, claimed_until)"  # noqa: S608
        " VALUES (:bridge_id, :object, :external_id, :claim, now() + make_interval(secs => :seconds))"
        f" ON CONFLICT (bridge_id, object, {column})"
        " DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until"
        " WHERE l.claimed_until IS NULL OR l.claimed_until < now() OR l.claim = excluded.claim"
        f" RETURNING {_FIELDS}, (SELECT coalesce(max(e.id), 0) {_PENDING}) AS last_event,"
        f" coalesce((SELECT e.kind {_PENDING} ORDER BY e.id DESC LIMIT 1), '') AS cause, {_RESTS} AS rests,"
        " (SELECT b.revision FROM bridges b WHERE b.id = :bridge_id) AS revision"
    )
    for side, column in COLUMN.items()
}
FIND = {
    side: text(
        f"SELECT {_FIELDS}, coalesce(claimed_until > now(), false) AS busy FROM links"  # noqa: S608
        f" WHERE bridge_id = :bridge_id AND object = :object AND {column} = :external_id"
    )
    for side, column in COLUMN.items()
}
# By its own id: for work that comes from what was done, not from news of a record.
CLAIM_LINK = text(f"""
    UPDATE links AS l SET claim = :claim, claimed_until = now() + make_interval(secs => :seconds)
     WHERE l.id = :id AND (l.claimed_until IS NULL OR l.claimed_until < now() OR l.claim = :claim)
    RETURNING {_FIELDS}, object
""")  # noqa: S608
SHOW_LINK = text(f"SELECT {_FIELDS}, object FROM links WHERE id = :id")  # noqa: S608
RELEASE = {
    side: text(
        "UPDATE links SET claimed_until = NULL WHERE bridge_id = :bridge_id AND object = :object"  # noqa: S608
        f" AND {column} = :external_id AND claim = :claim RETURNING id"
    )
    for side, column in COLUMN.items()
}
FIRST_PART = text(
    f"SELECT {_FIELDS} FROM links WHERE bridge_id = :bridge_id AND object = :object"  # noqa: S608
    " AND split_part(billing_id, '/', 1) = :external_id AND strpos(billing_id, '/') > 0"
    " AND crm_id IS NOT NULL AND state <> 'unlinked' ORDER BY id LIMIT 1"
)
# Bridges of different CRM accounts may share a billing account.
ELSEWHERE = text("""
    SELECT b.name FROM links l
      JOIN bridges b ON b.id = l.bridge_id
      JOIN bridges ours ON ours.billing_connection_id = b.billing_connection_id AND ours.id <> b.id
     WHERE ours.id = :bridge_id AND l.object = :object AND l.state <> 'unlinked'
       AND (l.billing_id = :billing_id AND l.crm_id IS NOT NULL OR l.crm_id = nullif(:slot, ''))
     LIMIT 1
""")
# A create went out to this side, and its answer is not here yet, or was lost, or whoever waited for it was killed: a
# record that is found there may be what came of it.
AWAITED = {
    side: text(
        "SELECT 1 FROM links WHERE bridge_id = :bridge_id"  # noqa: S608
        f" AND object = :object AND creating = :side AND creating <> '' AND {column} IS NULL LIMIT 1"
    )
    for side, column in COLUMN.items()
}
# The same, where it is still being looked for.
COMING = {
    side: text(
        "SELECT 1 FROM links WHERE bridge_id = :bridge_id AND object = :object AND creating = :side"  # noqa: S608
        f" AND creating <> '' AND {column} IS NULL"
        " AND state <> 'failed' LIMIT 1"
    )
    for side, column in COLUMN.items()
}
WAITING = text("""
    SELECT object, CASE WHEN crm_id IS NULL THEN 'billing' ELSE 'crm' END, coalesce(crm_id, billing_id) FROM links
     WHERE bridge_id = :bridge_id AND waits_for = ANY(:keys)
""")
# One statement settles an attempt: the link, and only with it the activity and the events that it answers.
_KEPT = """
    WITH kept AS (
        UPDATE links SET claim = '', claimed_until = NULL, match_key = NULL, {columns}
         WHERE id = :id AND claim = :claim
           AND (CAST(:revision AS integer) IS NULL
                OR EXISTS (SELECT 1 FROM bridges b WHERE b.id = :bridge_id AND b.revision = :revision))
        RETURNING id
    ), answered AS (
        UPDATE events SET state = :event_state, outcome = :event_outcome, handled_at = now()
         WHERE state = 'pending' AND bridge_id = :bridge_id AND object = :object AND side = :side
           AND external_id = :external_id AND id <= :last_event AND EXISTS (SELECT 1 FROM kept)
    ){told}{counted}
    SELECT id FROM kept
"""
_TOLD = """, told AS (
        INSERT INTO activities (bridge_id, link_id, run_id, event_id, object, crm_id, billing_id, action, cause, detail,
                                changes)
        SELECT :bridge_id, kept.id, a.run_id, nullif(:last_event, 0), :object, a.crm_id, a.billing_id, a.action,
               a.cause, a.detail, a.changes
          FROM kept, jsonb_to_record(CAST(:activity AS jsonb))
            AS a(run_id bigint, crm_id text, billing_id text, action text, cause text, detail text, changes jsonb)
        RETURNING id
    ), said AS (
        INSERT INTO failed_exchanges (activity_id, exchange)
        SELECT told.id, a.exchange FROM told, jsonb_to_record(CAST(:activity AS jsonb)) AS a(exchange jsonb)
         WHERE a.exchange IS NOT NULL
    )"""
# Written where it has changed only: most attempts find the money as it was.
_COUNTED = """, counted AS (
        INSERT INTO amounts (link_id, bridge_id, object, currency, amount, open, day)
        SELECT kept.id, :bridge_id, :object, m.* FROM kept,
            (VALUES (:currency, CAST(:amount AS numeric), CAST(:open AS numeric), CAST(:day AS date)))
                 AS m(currency, amount, open, day)
         WHERE NOT EXISTS (SELECT 1 FROM amounts a WHERE a.link_id = kept.id AND a.currency = m.currency
                              AND a.amount = m.amount AND a.open = m.open AND a.day IS NOT DISTINCT FROM m.day)
        ON CONFLICT (link_id) DO UPDATE SET currency = excluded.currency, amount = excluded.amount,
            open = excluded.open, day = excluded.day, read_at = now()
    )"""
NAME = text("UPDATE links SET name = :name, words = :words WHERE id = :id RETURNING id")
JSON = {"base_crm", "base_billing", "held", "candidates", "conflicts", "decisions"}
# Those that this attempt has carried out are done with; one that was made meanwhile stays, and has a job of its own.
_DONE_WITH = "decisions = CASE WHEN decisions = CAST(:decisions AS jsonb) THEN '{}' ELSE decisions END"
# The key of a row that nobody works at. `patient`: the create that may have gone out for it is still looked for, by its
# job that is tried again; after so long it is not waited for any more.
FREE = text("""
    UPDATE links SET match_key = NULL
     WHERE bridge_id = :bridge_id AND object = :object AND match_key = :match_key
       AND (claimed_until IS NULL OR claimed_until < now())
       AND NOT (:patient AND creating <> '' AND state IN ('pending', 'retrying', 'waiting', 'waiting_for_parent')
                AND greatest(created_at, next_try_at) > now() - interval '1 hour')
""")
RESERVE = text(
    "UPDATE links SET match_key = :match_key, creating = :creating WHERE id = :id AND claim = :claim RETURNING id"
)


@functools.cache
def settle(columns: tuple[str, ...], told: bool, counted: bool) -> TextClause:
    """`columns` are names of ours, in the few combinations that settlements have."""
    pairs = [f"{name} = CAST(:{name} AS jsonb)" if name in JSON else f"{name} = :{name}" for name in columns]
    pairs = [_DONE_WITH if name == "decisions" else pair for name, pair in zip(columns, pairs, strict=True)]
    return text(_KEPT.format(columns=", ".join(pairs), told=_TOLD if told else "", counted=_COUNTED if counted else ""))

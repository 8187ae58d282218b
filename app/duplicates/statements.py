"""The statements of a search. All that grows with the number of records is done by the database."""

from sqlalchemy import text

FORGET = text("DELETE FROM duplicate_records WHERE run_id = :run_id")
FORGET_OTHERS = text("""
    DELETE FROM duplicate_records
     WHERE run_id IN (SELECT id FROM runs WHERE bridge_id = :bridge_id AND id <> :run_id)
""")
FORGET_SIDE = text("DELETE FROM duplicate_records WHERE run_id = :run_id AND side = :side")
STORE = text("""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:records AS jsonb))
            AS r(external_id text, card jsonb, made_at timestamptz, changed_at timestamptz, keys jsonb)
    ), made AS (
        INSERT INTO duplicate_records (run_id, side, external_id, card, made_at, changed_at)
        SELECT :run_id, :side, external_id, card, made_at, changed_at FROM given
        ON CONFLICT DO NOTHING RETURNING id, external_id
    )
    INSERT INTO duplicate_keys (record_id, run_id, side, kind, key)
    SELECT made.id, :run_id, :side, k ->> 0, k ->> 1
      FROM made JOIN given USING (external_id) CROSS JOIN jsonb_array_elements(given.keys) k
    ON CONFLICT DO NOTHING
""")
# Both were filled a moment ago: without this the planner takes them for empty.
ANALYZE = (text("ANALYZE duplicate_records"), text("ANALYZE duplicate_keys"))
# How many groups there will be it cannot know; taking them for few, it would compare each with each.
NO_LOOPS = text("SET LOCAL enable_nestloop = off")

# Each record takes the least label of those that it shares a key with, again and again, until none changes. What too
# many share joins nothing.
SPREAD = text("""
    WITH least AS (
        SELECT k.side, k.kind, k.key, min(coalesce(r.label, r.id)) AS label
          FROM duplicate_keys k JOIN duplicate_records r ON r.id = k.record_id
         WHERE k.run_id = :run_id
         GROUP BY k.side, k.kind, k.key HAVING count(*) BETWEEN 2 AND :most
    ), best AS (
        SELECT k.record_id, min(least.label) AS label FROM duplicate_keys k JOIN least USING (side, kind, key)
         WHERE k.run_id = :run_id GROUP BY k.record_id
    )
    UPDATE duplicate_records r SET label = best.label FROM best
     WHERE r.id = best.record_id AND best.label < coalesce(r.label, r.id)
""")
# A short cut through long chains: the label of the record that gave its own.
SHORTEN = text("""
    UPDATE duplicate_records r SET label = giver.label FROM duplicate_records giver
     WHERE r.run_id = :run_id AND giver.id = r.label AND giver.label < r.label
""")

# One that is being merged at the moment keeps its note.
DROP_CLUSTERS = text("""
    DELETE FROM duplicate_clusters WHERE bridge_id = :bridge_id AND side = ANY(:sides) AND merging IS NULL
""")
DROP_COMMON = text("DELETE FROM duplicate_common WHERE bridge_id = :bridge_id AND side = ANY(:sides)")
PUBLISH = text("""
    WITH labelled AS (
        SELECT id, side, external_id, coalesce(label, id) AS label, made_at, changed_at, card FROM duplicate_records
         WHERE run_id = :run_id
    ), found AS (
        SELECT side, label, jsonb_agg(external_id ORDER BY id) AS ids, jsonb_agg(card || jsonb_build_object(
                   'id', external_id, 'created_at', made_at, 'updated_at', changed_at) ORDER BY made_at, id) AS members
          FROM labelled GROUP BY side, label HAVING count(*) > 1
    ), sharing AS (
        SELECT l.label, l.id, l.external_id, k.kind, k.key, count(*) OVER (PARTITION BY k.side, k.kind, k.key) AS many
          FROM duplicate_keys k JOIN labelled l ON l.id = k.record_id WHERE k.run_id = :run_id
    ), joined AS (
        SELECT label, kind, key, jsonb_agg(external_id ORDER BY id) AS ids FROM sharing
         WHERE many BETWEEN 2 AND :most GROUP BY label, kind, key
    ), by_keys AS (
        SELECT label, jsonb_agg(jsonb_build_object('kind', kind, 'key', key, 'ids', ids) ORDER BY kind, key) AS keys
          FROM joined GROUP BY label
    )
    INSERT INTO duplicate_clusters (bridge_id, side, state, keys, members, actor, decided_at)
    SELECT :bridge_id, found.side, CASE WHEN d.id IS NULL THEN 'open' ELSE 'dismissed' END, by_keys.keys, found.members,
           coalesce(d.actor, ''), d.created_at
      FROM found JOIN by_keys USING (label)
      LEFT JOIN LATERAL (SELECT id, actor, created_at FROM duplicate_dismissals
             WHERE bridge_id = :bridge_id AND side = found.side AND ids @> found.ids ORDER BY id LIMIT 1) d ON true
     ORDER BY found.label
""")
PUBLISH_COMMON = text("""
    INSERT INTO duplicate_common (bridge_id, side, kind, key, records)
    SELECT :bridge_id, side, kind, key, count(*) FROM duplicate_keys WHERE run_id = :run_id
     GROUP BY side, kind, key HAVING count(*) > :most ORDER BY count(*)
""")

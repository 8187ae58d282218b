"""What a person decides about a cluster without any vendor: these are not one thing, or may be after all."""

from sqlalchemy import text

from app.connections import Connections
from app.duplicates.clusters import Clusters
from app.errors import OutOfDate

_DISMISS = text("""
    WITH decided AS (
        UPDATE duplicate_clusters SET state = 'dismissed', actor = :actor, decided_at = now()
         WHERE id = :id AND state = 'open' AND merging IS NULL RETURNING bridge_id, side, members
    )
    INSERT INTO duplicate_dismissals (bridge_id, side, ids, actor)
    SELECT bridge_id, side, jsonb_path_query_array(members, '$[*].id'), :actor FROM decided RETURNING id
""")
# Also dismissals of more records than these: they would dismiss these again.
_REOPEN = text("""
    WITH decided AS (
        UPDATE duplicate_clusters SET state = 'open', actor = :actor, decided_at = NULL
         WHERE id = :id AND state = 'dismissed' RETURNING id, bridge_id, side, members
    ), taken_back AS (
        DELETE FROM duplicate_dismissals d USING decided c
         WHERE d.bridge_id = c.bridge_id AND d.side = c.side
           AND d.ids @> jsonb_path_query_array(c.members, '$[*].id')
    )
    SELECT id FROM decided
""")


async def decide(connections: Connections, cluster_id: int, *, dismissed: bool, actor: str) -> None:
    """Raises Gone, and OutOfDate where it is not in the state in which this can be decided."""
    await Clusters(connections).row(cluster_id)
    async with connections.engine.begin() as connection:
        values = {"id": cluster_id, "actor": actor}
        if await connection.scalar(_DISMISS if dismissed else _REOPEN, values) is None:
            raise OutOfDate("It is not open." if dismissed else "It was not dismissed.")

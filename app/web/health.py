"""For load balancers, supervisors and Prometheus."""

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.metrics import LINKS, OLDEST, PENDING
from app.pausing import HELD
from app.web.problems import documented, problem

log = structlog.get_logger()

_PENDING = text("""
    SELECT count(*), coalesce(extract(epoch FROM now() - min(e.received_at)), 0) FROM events e WHERE e.state = 'pending'
""")
_LATE = text(f"""
    SELECT coalesce(extract(epoch FROM now() - min(e.received_at)), 0) FROM events e
      JOIN bridges b ON b.id = e.bridge_id
      JOIN connections c ON c.id = b.crm_connection_id AND c.state = 'active'
      JOIN connections d ON d.id = b.billing_connection_id AND d.state = 'active'
     WHERE e.state = 'pending' AND NOT {HELD.format(object="e.object")}
       AND NOT EXISTS (SELECT 1 FROM links l WHERE l.bridge_id = e.bridge_id AND l.object = e.object
             AND l.state = 'retrying' AND e.external_id = CASE e.side WHEN 'crm' THEN l.crm_id ELSE l.billing_id END)
       AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.status = 'todo' AND j.scheduled_at > now()
             AND j.queueing_lock = 'soon/' || e.bridge_id || '/' || e.object || '/' || e.side || '/' || e.external_id)
""")  # noqa: S608 -- constants of ours
_LINKS = text("SELECT state, count(*) FROM links GROUP BY state")


def make_router(engine: AsyncEngine, *, late_after: float) -> APIRouter:
    """`late_after`: seconds after which an event that nobody works on makes the service not ready."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @router.get("/readyz", responses=documented({503: "No database, or an event waits for too long"}))
    async def readyz() -> Response:
        """The database answers, and no event waits that should have been handled.

        Events of a record whose vendor is in trouble or whose account's limit is used up, of what is paused, or of a
        connection that needs a reconnect, wait on purpose: they are in `/metrics`, and do not make the service unready.
        """
        try:
            async with engine.connect() as connection:
                oldest = float(await connection.scalar(_LATE) or 0)
        except (SQLAlchemyError, OSError) as error:
            # Anybody may ask here, and the reason names hosts and users: it is for the log.
            log.error("health.database", reason=str(error).partition("\n")[0])
            return problem(503, "The database does not answer; the log says why.")
        if oldest > late_after:
            return problem(503, f"An event has been waiting for {oldest:.0f} s: is a worker running?")
        return Response(f'{{"status":"ok","oldest_event_seconds":{oldest:.1f}}}', media_type="application/json")

    @router.get("/metrics", response_class=PlainTextResponse, responses=documented({503: "No database"}))
    async def metrics() -> Response:
        """Prometheus text format."""
        async with engine.connect() as connection:
            count, oldest = (await connection.execute(_PENDING)).one()
            PENDING.set(count)
            OLDEST.set(float(oldest))
            LINKS.clear()
            for state, number in await connection.execute(_LINKS):
                LINKS.labels(state).set(number)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router

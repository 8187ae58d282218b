"""The worker: runs jobs until it is told to stop, and survives its database going away for a while."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import procrastinate
import structlog
from procrastinate import JobContext, exceptions
from procrastinate.jobs import Job, Status
from sqlalchemy import TextClause, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app import heartbeat, pausing
from app.connections import Connections
from app.installations import Installations
from app.jobs import RecordSync
from app.pausing import HELD
from app.providers.client import LONGEST_ANSWER
from app.queue import CARE, QUEUE, RUN, SYNC, RecordJob, defer
from app.runs import Runs
from app.settings import Settings
from app.subscriptions import Subscriptions
from app.sweep.schedule import Schedule
from app.sync.records import Side
from app.sync.store import Target

log = structlog.get_logger()

_PATIENCE = (0.2, 0.5, 1, 2, 4)
"""Seconds between attempts of one job while our own database is away."""

_AGAIN = 1.0
"""Seconds until the database is asked for again after it did not answer."""

# A belt beside the braces: whatever the reason, an event that waits without a job gets one. A sweep that is under way
# queues what it has found by itself.
_ORPHANS = text(f"""
    SELECT DISTINCT e.bridge_id, e.object, e.side, e.external_id FROM events e
      JOIN bridges b ON b.id = e.bridge_id
      JOIN connections c ON c.id = b.crm_connection_id AND c.state = 'active'
      JOIN connections d ON d.id = b.billing_connection_id AND d.state = 'active'
     WHERE e.state = 'pending' AND e.received_at < now() - make_interval(secs => :seconds)
       AND NOT {HELD.format(object="e.object")}
       AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.status IN ('todo', 'doing')
             AND j.lock = e.bridge_id || '/' || e.object || '/' || e.side || '/' || e.external_id)
       AND NOT (e.kind = 'sweep' AND EXISTS (SELECT 1 FROM runs r
             WHERE r.bridge_id = e.bridge_id AND r.kind = 'sweep' AND r.state = 'running'))
     LIMIT 500
""")  # noqa: S608 -- constants of ours
# Children whose parent has its pair by now, and whose wake was lost with the process that was to give it.
_WAITING_FOR_NOTHING = text(f"""
    SELECT w.bridge_id, w.object, CASE WHEN w.crm_id IS NULL THEN 'billing' ELSE 'crm' END,
           coalesce(w.crm_id, w.billing_id)
      FROM links w
      JOIN bridges b ON b.id = w.bridge_id AND b.enabled AND (b.settings -> w.object ->> 'enabled') = 'true'
      JOIN connections c ON c.id = b.crm_connection_id AND c.state = 'active'
      JOIN connections d ON d.id = b.billing_connection_id AND d.state = 'active'
     CROSS JOIN LATERAL (
        SELECT p.crm_id, p.billing_id, p.state FROM links p
         WHERE split_part(w.waits_for, '/', 2) = 'crm' AND p.bridge_id = w.bridge_id
           AND p.object = split_part(w.waits_for, '/', 1)
           AND p.crm_id = substr(w.waits_for, length(split_part(w.waits_for, '/', 1)) + 6)
        UNION ALL
        SELECT p.crm_id, p.billing_id, p.state FROM links p
         WHERE split_part(w.waits_for, '/', 2) = 'billing' AND p.bridge_id = w.bridge_id
           AND p.object = split_part(w.waits_for, '/', 1)
           AND p.billing_id = substr(w.waits_for, length(split_part(w.waits_for, '/', 1)) + 10)
        UNION ALL
        SELECT p.crm_id, p.billing_id, p.state FROM links p
         WHERE split_part(w.waits_for, '/', 2) = 'billing' AND p.bridge_id = w.bridge_id
           AND p.object = split_part(w.waits_for, '/', 1) AND strpos(p.billing_id, '/') > 0
           AND split_part(p.billing_id, '/', 1) = substr(w.waits_for, length(split_part(w.waits_for, '/', 1)) + 10)
     ) parent
     WHERE w.waits_for <> '' AND w.state = 'waiting_for_parent'
       AND parent.crm_id IS NOT NULL AND parent.billing_id IS NOT NULL
       AND parent.state NOT IN ('unlinked', 'excluded')
       AND NOT {HELD.format(object="w.object")}
       AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.status IN ('todo', 'doing')
             AND j.lock = w.bridge_id || '/' || w.object || '/'
                 || CASE WHEN w.crm_id IS NULL THEN 'billing/' ELSE 'crm/' END || coalesce(w.crm_id, w.billing_id))
     LIMIT 500
""")  # noqa: S608 -- as above
_OLD_EVENTS = text("""
    DELETE FROM events WHERE id IN (
        SELECT id FROM events WHERE state <> 'pending' AND received_at < now() - make_interval(days => :days)
         ORDER BY id LIMIT 5000)
""")
# Every few minutes there is one: those that found nothing are of no use.
_IDLE_SWEEPS = text("""
    DELETE FROM runs WHERE id IN (
        SELECT id FROM runs WHERE kind = 'sweep' AND state IN ('done', 'failed') AND counts = '{}' AND actor = ''
           AND ended_at < now() - make_interval(days => :days) ORDER BY id LIMIT 5000)
""")
_OLD_AUDIT = text("""
    DELETE FROM audit WHERE id IN (
        SELECT id FROM audit WHERE at < now() - make_interval(days => :days) ORDER BY id LIMIT 5000)
""")
_OLD_EXCHANGES = text("""
    DELETE FROM failed_exchanges WHERE activity_id IN (
        SELECT activity_id FROM failed_exchanges WHERE at < now() - make_interval(days => :days)
         ORDER BY activity_id LIMIT 5000)
""")


@dataclass(frozen=True, slots=True)
class Worker:
    settings: Settings
    engine: AsyncEngine
    queue: procrastinate.App
    sync: RecordSync
    connections: Connections
    installations: Installations
    runs: Runs
    sweeps: Schedule
    revive: Callable[[], Awaitable[None]]
    """Brings the bundled database back where that is ours to do."""

    def register(self) -> None:
        """Tell the job engine about our tasks."""
        self.queue.task(name=SYNC, queue=QUEUE, pass_context=True)(self._sync_record)
        self.queue.task(name=RUN, queue=CARE, pass_context=True)(self._work_on_run)
        every = max(1, min(30, int(self.settings.stalled_after / 3)))
        self._periodic("rescue_stalled", f"* * * * * */{every}", self._rescue_stalled)
        self._periodic("rescue_orphans", "* * * * *", self._rescue_orphans)
        self._periodic("rescue_runs", "* * * * *", self.runs.rescue)
        self._periodic("resume_paused", "* * * * *", self._resume_paused)
        self._periodic("settle_installations", "* * * * *", self.installations.settle)
        self._periodic("sweep", "* * * * *", self.sweeps.begin_due)
        self._periodic("look_again", "*/10 * * * *", self._look_again)
        self._periodic("renew_tokens", "*/10 * * * *", self._renew_tokens)
        self._periodic("check_webhooks", "23 * * * *", self._check_webhooks)
        self._periodic("forget_old", "17 3 * * *", self._forget_old)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. A worker that fails is started again."""
        pause = 0.5
        self.runs.stopping = stop
        while not stop.is_set():
            try:
                await self._run_once(stop)
            except Exception as error:  # noqa: BLE001 -- a worker that has ended silently helps nobody
                log.warning("worker.restarts", reason=str(error) or type(error).__name__, seconds=pause)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), pause)
                pause = min(10.0, pause * 2)
                await self._revive()
            else:
                pause = 0.5

    async def _revive(self) -> None:
        """A revival that fails is tried again at the next turn; it must not end the worker."""
        try:
            await self.revive()
        except Exception as error:  # noqa: BLE001 -- as above
            log.warning("database.not_revived", reason=str(error) or type(error).__name__)

    async def _run_once(self, stop: asyncio.Event) -> None:
        settings = self.settings
        working = asyncio.create_task(
            self.queue.run_worker_async(
                queues=[QUEUE, CARE],
                concurrency=settings.worker_concurrency,
                fetch_job_polling_interval=settings.poll_interval,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=LONGEST_ANSWER + 5,
                update_heartbeat_interval=settings.stalled_after / 3,
                stalled_worker_timeout=settings.stalled_after,
            )
        )
        beside = [asyncio.create_task(stop.wait()), asyncio.create_task(self._beat())]
        await asyncio.wait({working, *beside}, return_when=asyncio.FIRST_COMPLETED)
        for each in beside:
            each.cancel()
        if not working.done():
            working.cancel()  # the engine then lets running jobs finish
        with contextlib.suppress(asyncio.CancelledError):
            await working

    async def _beat(self) -> None:
        """As long as the engine runs and the database answers. The engine itself gives up half a minute later."""
        while True:
            pause = heartbeat.EVERY
            try:
                async with self.engine.connect() as connection:
                    await connection.execute(text("SELECT 1"))
                heartbeat.give(self.settings.home)
            except (SQLAlchemyError, OSError) as error:
                log.debug("worker.no_heartbeat", reason=str(error).partition("\n")[0])
                await self._revive()
                pause = min(pause, _AGAIN)
            await asyncio.sleep(pause)

    async def _sync_record(self, context: JobContext, /, *, reason: str, **record: Any) -> None:
        target = _target(context.job)
        for pause in _PATIENCE:
            try:
                return await self.sync.run(target, reason)
            except SQLAlchemyError as error:
                log.warning("sync.database", reason=str(error).splitlines()[0], seconds=pause)
                await asyncio.sleep(pause)
        return await self.sync.run(target, reason)

    async def _work_on_run(self, context: JobContext, /, *, run_id: int) -> None:
        await self.runs.work(run_id, f"job-{context.job.id}-{context.job.attempts}")

    def _periodic(self, name: str, cron: str, work: Callable[[], Awaitable[None]]) -> None:
        async def run(timestamp: int) -> None:
            await work()

        task = self.queue.task(name=name, queue=CARE, queueing_lock=name)(run)
        self.queue.periodic(cron=cron)(task)

    async def _rescue_stalled(self) -> None:
        """Jobs of workers that died go to others. Where fresh news of the record waits already, that is enough."""
        jobs = self.queue.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=self.settings.stalled_after):
            if job.task_name == SYNC:
                await self.sync.store.release(_target(job))
            try:
                await jobs.retry_job(job)
            except exceptions.UniqueViolation:
                await jobs.finish_job(job, status=Status.FAILED, delete_job=True)
            except exceptions.ConnectorException as error:
                log.info("job.rescued_elsewhere", job=job.id, reason=str(error))
            else:
                log.warning("job.rescued", job=job.id)

    async def _rescue_orphans(self) -> None:
        async with self.engine.begin() as connection:
            rows = [
                *await connection.execute(_ORPHANS, {"seconds": 60 + self.settings.stalled_after * 2}),
                *await connection.execute(_WAITING_FOR_NOTHING),
            ]
            jobs = [RecordJob(bridge_id=b, object=o, side=s, external_id=x) for b, o, s, x in rows]
            if jobs:
                log.warning("event.rescued", count=await defer(connection, jobs))

    async def _resume_paused(self) -> None:
        if gone_on := await pausing.resume_due(self.engine):
            await self.connections.directory.refresh()
            log.info("pause.over", bridges=gone_on)

    async def _forget_old(self) -> None:
        await self._forget(_OLD_EVENTS, self.settings.keep_events_days)
        await self._forget(_OLD_AUDIT, self.settings.keep_audit_days)
        await self._forget(_OLD_EXCHANGES, self.settings.keep_events_days)
        await self._forget(_IDLE_SWEEPS, 1)

    async def _forget(self, old: TextClause, days: int) -> None:
        """A few thousand in each transaction, so that nothing waits for it."""
        forgotten = 1
        while forgotten:
            async with self.engine.begin() as connection:
                forgotten = (await connection.execute(old, {"days": days})).rowcount

    async def _renew_tokens(self) -> None:
        """Ahead of their expiry, also those of accounts where nothing happens."""
        await self.connections.renew_tokens()

    async def _look_again(self) -> None:
        await self.connections.look_again()

    async def _check_webhooks(self) -> None:
        await Subscriptions(self.connections, self.settings.public_url, self.settings.local_url).check_all()


def _target(job: Job) -> Target:
    """The record of a job. Each run has a claim of its own: one that comes back late owns nothing any more."""
    named: dict[str, Any] = job.task_kwargs
    return Target(
        bridge_id=named["bridge_id"],
        object=named["object_"],
        side=Side(named["side"]),
        external_id=named["external_id"],
        claim=f"job-{job.id}-{job.attempts}",
        run_id=named.get("run_id"),
    )

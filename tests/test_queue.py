"""How jobs are put into the queue, and what of the job engine we rely on."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from procrastinate.jobs import Job
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database, conninfo
from app.queue import Priority, RecordJob, defer, make_app

LATER = datetime.now(UTC) + timedelta(hours=1)


def job(record: str = "hl_1", *, priority: Priority = Priority.LIVE, at: datetime | None = None) -> RecordJob:
    return RecordJob(bridge_id=1, object="contact", side="crm", external_id=record, priority=priority, at=at)


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    db = Database.at(database)
    yield db.engine
    await db.dispose()


async def queue_up(engine: AsyncEngine, *jobs: RecordJob) -> int:
    async with engine.begin() as connection:
        return await defer(connection, jobs)


async def waiting(engine: AsyncEngine) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT * FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id"))
        return [dict(row) for row in rows.mappings()]


async def fetch(database: str) -> Job | None:
    queue = make_app(database)
    async with queue.open_async():
        worker = await queue.job_manager.register_worker()
        return await queue.job_manager.fetch_job(queues=None, worker_id=worker)


async def test_a_job_that_waits_is_not_queued_twice(engine: AsyncEngine) -> None:
    assert await queue_up(engine, job(), job()) == 1
    assert await queue_up(engine, job()) == 0
    assert len(await waiting(engine)) == 1


async def test_a_job_is_queued_with_what_the_worker_needs(engine: AsyncEngine) -> None:
    await queue_up(engine, job(priority=Priority.FLOOD))
    (row,) = await waiting(engine)
    assert (row["task_name"], row["queue_name"], row["priority"]) == ("sync_record", "sync", -1)
    assert row["args"] == {
        "bridge_id": 1,
        "object_": "contact",
        "side": "crm",
        "external_id": "hl_1",
        "reason": "event",
    }


async def test_no_jobs_are_no_statement(engine: AsyncEngine) -> None:
    assert await queue_up(engine) == 0


async def test_news_does_not_wait_for_an_old_retry(engine: AsyncEngine, database: str) -> None:
    await queue_up(engine, job(priority=Priority.RETRY, at=LATER))
    assert await queue_up(engine, job()) == 1
    taken = await fetch(database)
    assert taken is not None
    assert taken.scheduled_at is None


async def test_what_has_to_wait_a_moment_does_not_wait_for_an_old_retry(engine: AsyncEngine) -> None:
    await queue_up(engine, job(priority=Priority.RETRY, at=LATER))
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await queue_up(engine, job(priority=Priority.WAITED, at=soon))
    assert min(row["scheduled_at"] for row in await waiting(engine)) == soon


async def test_a_later_retry_does_not_put_off_what_waits_a_moment(engine: AsyncEngine) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await queue_up(engine, job(priority=Priority.WAITED, at=soon))
    await queue_up(engine, job(priority=Priority.RETRY, at=LATER))
    assert min(row["scheduled_at"] for row in await waiting(engine)) == soon


async def test_live_news_come_before_a_flood_and_a_flood_before_what_waited(engine: AsyncEngine, database: str) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    await queue_up(
        engine,
        job("retry", priority=Priority.RETRY, at=past),
        job("waited", priority=Priority.WAITED, at=past),
        job("flood", priority=Priority.FLOOD),
        job("live"),
    )
    order = []
    while taken := await fetch(database):
        order.append(taken.task_kwargs["external_id"])
    assert order == ["live", "flood", "waited", "retry"]


async def test_a_running_job_keeps_its_records_next_job_back(engine: AsyncEngine, database: str) -> None:
    await queue_up(engine, job())
    assert await fetch(database)
    assert await queue_up(engine, job()) == 1
    assert await fetch(database) is None


async def test_a_waiting_job_of_higher_priority_keeps_lower_ones_of_its_record_back_until_its_time(
    engine: AsyncEngine, database: str
) -> None:
    """Documented today, and open upstream (procrastinate#1599): retries are queued low because of it."""
    await queue_up(engine, job(priority=Priority.LIVE, at=LATER))
    await queue_up(engine, job(priority=Priority.FLOOD))
    assert await fetch(database) is None


async def test_two_processes_that_queue_the_same_record_in_the_same_instant_get_one_refusal(
    engine: AsyncEngine, database: str
) -> None:
    async with engine.connect() as one:
        await defer(one, [job()])
        other = Database.at(database)
        async with other.engine.connect() as two:
            await two.execute(text("SET lock_timeout = '10s'"))
            await one.commit()
            assert await defer(two, [job()]) == 0
        await other.dispose()
    with pytest.raises(IntegrityError):
        async with engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('q', 't', :once)"),
                {"once": job().once},
            )


async def test_a_backlog_in_a_table_without_statistics_is_walked_by_its_index(
    engine: AsyncEngine, database: str
) -> None:
    """With the planner's defaults each fetch would sort the whole backlog (architecture, section 2)."""
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE procrastinate_jobs"))
    await queue_up(engine, *(job(f"hl_{n}") for n in range(5_000)))
    query = (
        "EXPLAIN (FORMAT JSON) SELECT jobs.* FROM procrastinate_jobs AS jobs WHERE NOT EXISTS (SELECT 1"
        " FROM procrastinate_jobs AS other_jobs WHERE jobs.lock IS NOT NULL AND other_jobs.lock = jobs.lock"
        " AND (other_jobs.status = 'doing' OR (other_jobs.status = 'todo' AND (other_jobs.priority > jobs.priority"
        " OR (other_jobs.priority = jobs.priority AND other_jobs.id < jobs.id))))) AND jobs.status = 'todo'"
        " AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())"
        " ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1 FOR UPDATE OF jobs SKIP LOCKED"
    )
    queue = make_app(database)
    async with queue.open_async():
        plan = await queue.connector.execute_query_one_async(query)
    told = json.dumps(plan)
    assert "Index Scan" in told
    assert '"Sort"' not in told
    assert "Bitmap" not in told


async def test_the_job_engines_own_connections_have_the_planner_settings(database: str) -> None:
    queue = make_app(database)
    async with queue.open_async():
        for setting in ("enable_sort", "enable_bitmapscan"):
            row = await queue.connector.execute_query_one_async(f"SHOW {setting}")
            assert row[setting] == "off"


async def test_our_own_connections_keep_the_planners_defaults(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(conninfo(database)) as connection:
        assert await (await connection.execute("SHOW enable_sort")).fetchone() == ("on",)

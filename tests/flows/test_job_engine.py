"""What we rely on in the job engine (procrastinate) and in PostgreSQL's planner. Architecture, section 2.2.

Where a new version of the engine breaks one of these, app.queue and app.worker have to change with it.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
import psycopg
import pytest
from procrastinate.jobs import Job, Status
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.queue import QUEUE, SYNC, Priority, RecordJob, defer, make_app

BACKLOG = 5_000

# The inner SELECT of procrastinate_fetch_job_v2 (procrastinate 3.10); the first test says when it is another one.
_FETCH = """
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                other_jobs.status = 'doing'
                                OR
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
"""
_QUEUES = f"ARRAY['{QUEUE}', 'care']::varchar[]"
_EXPLAIN = "EXPLAIN (FORMAT JSON) " + _FETCH.replace("target_queue_names", _QUEUES)


@pytest.fixture
async def queue(database: str) -> AsyncIterator[procrastinate.App]:
    app = make_app(database)
    async with app.open_async():
        yield app


def plain_engine(database: str) -> AsyncEngine:
    return create_async_engine(make_url(database).set(drivername="postgresql+psycopg"))


async def queued(database: str, *jobs: RecordJob) -> None:
    engine = plain_engine(database)
    async with engine.begin() as connection:
        await defer(connection, jobs)
    await engine.dispose()


def record(external_id: str, priority: Priority = Priority.LIVE, at: datetime | None = None) -> RecordJob:
    return RecordJob(bridge_id=1, object="contact", side="crm", external_id=external_id, priority=priority, at=at)


def in_an_hour() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


async def taken(queue: procrastinate.App) -> Job | None:
    """What a worker gets next; only registered workers get anything."""
    manager = queue.job_manager
    return await manager.fetch_job(queues=[QUEUE], worker_id=await manager.register_worker())


# -- the planner -----------------------------------------------------------------------------------------------------


async def test_the_fetch_query_is_the_one_whose_plan_we_know(database: str) -> None:
    async with await psycopg.AsyncConnection.connect(database) as connection:
        cursor = await connection.execute("SELECT prosrc FROM pg_proc WHERE proname = 'procrastinate_fetch_job_v2'")
        row = await cursor.fetchone()
    assert row is not None
    source = "\n".join(line for line in row[0].splitlines() if not line.strip().startswith("--"))
    assert "".join(_FETCH.split()) in "".join(source.split())


async def test_a_backlog_is_not_sorted_for_each_fetch_though_the_table_was_never_analysed(
    database: str, queue: procrastinate.App
) -> None:
    await queued(database, *(record(f"hl_{number}") for number in range(BACKLOG)))
    row = await queue.connector.execute_query_one_async(_EXPLAIN)
    plan = row["QUERY PLAN"][0]["Plan"]
    assert "Sort" not in kinds(plan)
    assert "procrastinate_jobs_priority_idx_v1" in indexes(plan)


async def test_fetching_from_a_backlog_touches_a_few_pages_only(database: str, queue: procrastinate.App) -> None:
    await queued(database, *(record(f"hl_{number}") for number in range(BACKLOG)))
    explained = _EXPLAIN.replace("FORMAT JSON", "ANALYZE, BUFFERS, FORMAT JSON")
    row = await queue.connector.execute_query_one_async(explained)
    plan = row["QUERY PLAN"][0]["Plan"]
    # The whole table is some hundred pages; each candidate asks an index for jobs with its lock.
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 100


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def kinds(plan: dict[str, Any]) -> set[str]:
    return {str(node["Node Type"]) for node in nodes(plan)}


def indexes(plan: dict[str, Any]) -> set[str]:
    return {str(node["Index Name"]) for node in nodes(plan) if "Index Name" in node}


# -- locks and priorities --------------------------------------------------------------------------------------------


async def test_one_record_is_worked_on_by_one_job_at_a_time(database: str, queue: procrastinate.App) -> None:
    await queued(database, record("hl_1"))
    first = await taken(queue)
    assert first is not None
    await queued(database, record("hl_1"))
    assert await taken(queue) is None
    await queue.job_manager.finish_job(first, status=Status.SUCCEEDED, delete_job=True)
    assert await taken(queue) is not None


async def test_a_job_that_waits_for_its_time_blocks_later_ones_of_lower_priority(
    database: str, queue: procrastinate.App
) -> None:
    """procrastinate#1599 wants this changed. It is why a retry is deferred below live work."""
    await queued(database, record("hl_1", Priority.LIVE, in_an_hour()))
    await queued(database, record("hl_1", Priority.FLOOD))
    assert await taken(queue) is None


async def test_a_retry_at_lower_priority_does_not_hold_up_fresh_news_of_its_record(
    database: str, queue: procrastinate.App
) -> None:
    await queued(database, record("hl_1", Priority.RETRY, in_an_hour()))
    await queued(database, record("hl_1"))
    job = await taken(queue)
    assert job is not None
    assert job.priority == Priority.LIVE


async def test_live_events_overtake_a_flood(database: str, queue: procrastinate.App) -> None:
    await queued(database, *(record(f"flood_{number}", Priority.FLOOD) for number in range(50)))
    await queued(database, record("hl_1"))
    job = await taken(queue)
    assert job is not None
    assert job.task_kwargs["external_id"] == "hl_1"


async def test_pending_events_of_one_record_are_one_ready_job(database: str, queue: procrastinate.App) -> None:
    for _ in range(3):
        await queued(database, record("hl_1"))
    assert len(list(await queue.job_manager.list_jobs_async(task=SYNC))) == 1


async def test_a_job_deferred_in_a_transaction_that_is_rolled_back_does_not_exist(
    database: str, queue: procrastinate.App
) -> None:
    engine = plain_engine(database)
    async with engine.connect() as connection:
        await defer(connection, [record("hl_1")])
        await connection.rollback()
    await engine.dispose()
    assert await taken(queue) is None


async def test_a_killed_worker_leaves_its_job_to_be_found_by_its_missing_heartbeat(
    database: str, queue: procrastinate.App
) -> None:
    await queued(database, record("hl_1"))
    job = await taken(queue)
    assert job is not None
    manager = queue.job_manager
    assert list(await manager.get_stalled_jobs(seconds_since_heartbeat=30)) == []
    stalled = list(await manager.get_stalled_jobs(seconds_since_heartbeat=-1))
    assert [each.id for each in stalled] == [job.id]
    await manager.retry_job(stalled[0])
    again = await taken(queue)
    assert again is not None
    assert again.id == job.id

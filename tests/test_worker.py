"""What the worker does on the side: jobs of the dead, events without a job, and what is old enough to forget."""

from collections.abc import AsyncIterator

import pytest

from app.main import Service, build
from app.settings import Settings
from app.sync.records import Side
from app.sync.store import Target
from tests.test_inbox import Way, event, make_place

DEAD = (
    "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour')",
    "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)",
)


@pytest.fixture
async def service(settings: Settings, database: str) -> AsyncIterator[Service]:
    service = build(settings, database)
    async with service.running(web=True, worker=False):
        yield service


@pytest.fixture
async def way(service: Service) -> Way:
    await make_place(service.engine)
    return Way(service.db, service.directory, service.inbox)


async def test_a_dead_workers_job_is_queued_again_and_its_record_is_free(service: Service, way: Way) -> None:
    await way.accept(event("d1"))
    (job,) = await way.jobs()
    store = service.worker.sync.store
    claim = {"object": "contact", "side": Side.CRM, "external_id": "hl_1", "bridge_id": job["args"]["bridge_id"]}
    assert await store.claim(Target(**claim, claim=f"job-{job['id']}-0"))
    for statement in DEAD:
        await way.sql(statement)

    await service.worker._rescue_stalled()

    (again,) = await way.jobs()
    assert (again["id"], again["status"], again["attempts"]) == (job["id"], "todo", 1)
    assert await store.claim(Target(**claim, claim=f"job-{job['id']}-1"))


async def test_an_event_that_waits_without_a_job_gets_one(service: Service, way: Way) -> None:
    await way.accept(event("d1"))
    await way.accept(event("young", "hl_2"))
    await way.sql("DELETE FROM procrastinate_jobs")
    await way.sql("UPDATE events SET received_at = now() - interval '1 hour' WHERE external_id = 'hl_1'")

    await service.worker._rescue_orphans()

    assert [job["args"]["external_id"] for job in await way.jobs()] == ["hl_1"]


async def test_old_deliveries_are_forgotten_when_they_were_answered(service: Service, way: Way) -> None:
    for name in ("old", "waiting", "young"):
        await way.accept(event(name, f"hl_{name}"))
    await way.sql("UPDATE events SET state = 'done' WHERE external_id <> 'hl_waiting'")
    await way.sql("UPDATE events SET received_at = now() - interval '91 days' WHERE external_id <> 'hl_young'")

    await service.worker._forget_events()

    assert [row["external_id"] for row in await way.events()] == ["hl_waiting", "hl_young"]

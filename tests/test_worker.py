"""What the worker does on the side: jobs of the dead, events without a job, and what is old enough to forget."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from app import heartbeat
from app.main import Service, build
from app.queue import RecordJob, defer
from app.settings import Settings
from app.sync.records import Side
from app.sync.store import Target
from tests.conftest import until
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

    await service.worker._forget_old()

    assert [row["external_id"] for row in await way.events()] == ["hl_waiting", "hl_young"]


async def test_the_audit_log_is_kept_for_its_own_time(service: Service, way: Way) -> None:
    for name, days in (("old", 731), ("young", 729)):
        await way.sql(
            "INSERT INTO audit (at, actor) VALUES (now() - make_interval(days => :days), :name)", name=name, days=days
        )

    await service.worker._forget_old()

    assert [row["actor"] for row in await way.rows("SELECT actor FROM audit")] == ["young"]


async def test_a_worker_gives_a_sign_of_life_while_its_database_answers(
    settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "EVERY", 0.02)
    service = build(settings, database)
    assert heartbeat.told(settings.home)[0] is False
    async with service.running(web=False, worker=True):
        await until(lambda: _told(settings))
        (settings.home / "worker.alive").unlink()
        await until(lambda: _told(settings))


async def test_a_database_that_does_not_answer_is_brought_back_before_the_engine_gives_up(service: Service) -> None:
    revived = asyncio.Event()

    async def revive() -> None:
        revived.set()

    nowhere = create_async_engine("postgresql+psycopg://nobody@127.0.0.1:1/none")
    beating = asyncio.create_task(replace(service.worker, engine=nowhere, revive=revive)._beat())
    async with asyncio.timeout(20):
        await revived.wait()
    beating.cancel()
    await nowhere.dispose()


async def _told(settings: Settings) -> bool:
    return heartbeat.told(settings.home)[0]


async def test_a_sign_of_life_that_is_old_is_none(settings: Settings) -> None:
    heartbeat.give(settings.home)
    os.utime(settings.home / "worker.alive", (time.time() - 61,) * 2)
    alive, said = heartbeat.told(settings.home)
    assert (alive, "61 s old: it is gone" in said) == (False, True)


async def test_work_that_waited_goes_on_although_a_webhook_queues_the_same_record_now(
    service: Service, way: Way
) -> None:
    await way.accept(event("d1"))
    (crm,) = await way.rows("SELECT id FROM connections WHERE provider = 'highlevel'")
    (job,) = await way.jobs()
    await way.sql("DELETE FROM procrastinate_jobs")
    asked = RecordJob(bridge_id=job["args"]["bridge_id"], object="contact", side="crm", external_id="hl_1")
    async with service.engine.begin() as webhook:
        await defer(webhook, [asked])
        resumed = asyncio.create_task(service.connections.resume(crm["id"]))
        await asyncio.sleep(0.3)
        assert not resumed.done()
    assert await resumed == 0
    assert len(await way.jobs()) == 1

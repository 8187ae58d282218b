"""Jobs: what is not in step, and trying it again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.models import Link
from app.settings import Settings
from tests.api.rows import bridge, put
from tests.conftest import World, connect, until

OPEN = ("retrying", "waiting", "failed", "conflict")
JANE = {"firstName": "Jane", "lastName": "Roe", "email": "jane@example.com"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The next try is far away: what runs was asked for."""
    return settings.model_copy(update={"retry_first": 600})


def links(bridge_id: int, count: int, state: str = "failed", **changed: Any) -> list[dict[str, Any]]:
    """Even ones are known on the CRM side, odd ones in billing."""
    return [
        {
            "bridge_id": bridge_id,
            "object": "contact",
            "crm_id": None if n % 2 else f"{state}-c{n}",
            "billing_id": f"{state}-b{n}" if n % 2 else None,
            "state": state,
            "tries": 5,
            **changed,
        }
        for n in range(count)
    ]


async def failed(world: World) -> dict[str, Any]:
    """A contact that Invoice Ninja refuses."""
    await world.fault(
        world.ninja, kind="status", status=422, method="POST", path="^/api/v1/clients$", body={"message": "No."}
    )
    await world.add_contact(**JANE)
    (job,) = await until(lambda: world.rows("jobs", state="failed"))
    return dict(job)


async def waiting_jobs(world: World) -> list[tuple[str, int]]:
    statement = text("SELECT lock, priority FROM procrastinate_jobs WHERE queue_name = 'sync' ORDER BY id")
    async with world.service.engine.connect() as connection:
        return [(lock, priority) for lock, priority in await connection.execute(statement)]


async def test_only_records_that_are_not_in_step_are_jobs(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    for state in ("pending", "ok", *OPEN, "excluded", "unlinked"):
        await put(bare_world, Link, links(one, 2, state))
    await put(bare_world, Link, links(two, 3))
    assert [job["state"] for job in await bare_world.rows("jobs", bridge_id=one)] == [
        state for state in reversed(OPEN) for _ in range(2)
    ]
    assert [job["bridge_id"] for job in await bare_world.rows("jobs", state="failed")] == [two] * 3 + [one] * 2
    assert await bare_world.rows("jobs", state="retrying", bridge_id=two) == []


async def test_a_failed_record_says_why_and_runs_when_it_is_tried_again(world: World) -> None:
    job = await failed(world)
    assert (job["problem"], job["tries"]) == ("rejected", 1)
    assert "No." in job["detail"]
    await world.mend()
    answer = await world.admin.post(f"/api/v1/jobs/{job['id']}/retry")
    assert (answer.status_code, answer.json()) == (202, {"queued": 1})
    await until(lambda: world.rows("links", crm_id=job["crm_id"], state="ok"))
    assert await world.rows("jobs") == []
    again = await world.admin.post(f"/api/v1/jobs/{job['id']}/retry")
    assert again.status_code == 409
    assert "it is ok" in again.json()["detail"]


async def test_a_retry_need_not_wait_for_the_time_of_the_next_try(world: World) -> None:
    await world.fault(world.ninja, kind="status", status=503, path="^/api/v1/clients", times=1)
    contact_id = await world.add_contact(**JANE)
    (job,) = await until(lambda: world.rows("jobs", state="retrying"))
    assert datetime.fromisoformat(job["next_try_at"]) > datetime.now(UTC) + timedelta(seconds=100)
    assert (await world.admin.post("/api/v1/jobs/retry", json={})).json() == {"queued": 1}
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))


async def test_a_retry_counts_the_tries_anew(bare_world: World) -> None:
    (id_,) = await put(bare_world, Link, links(await bridge(bare_world), 1))
    assert (await bare_world.admin.post(f"/api/v1/jobs/{id_}/retry")).json() == {"queued": 1}
    (link,) = await bare_world.rows("links")
    assert (link["tries"], link["next_try_at"]) == (0, None)


async def test_two_bulk_retries_at_once_do_not_hinder_each_other(bare_world: World) -> None:
    await put(bare_world, Link, links(await bridge(bare_world), 600))
    answers = await asyncio.gather(*(bare_world.admin.post("/api/v1/jobs/retry", json={}) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["queued"] for answer in answers) >= 600


async def test_a_conflict_shows_its_candidates_and_ends_when_only_one_is_left(bare_world: World) -> None:
    one, two = [await bare_world.add_client(name=name, contacts=[{"email": JANE["email"]}]) for name in ("A", "B")]
    await connect(bare_world)
    await bare_world.add_contact(**JANE)
    (job,) = await until(lambda: bare_world.rows("jobs", state="conflict"))
    assert {candidate["id"] for candidate in job["candidates"]} == {one["id"], two["id"]}
    await bare_world.edit_person(two["id"], email="another@example.com")
    assert (await bare_world.admin.post(f"/api/v1/jobs/{job['id']}/retry")).status_code == 202
    await until(lambda: bare_world.rows("links", crm_id=job["crm_id"], billing_id=one["id"], state="ok"))


async def test_many_are_tried_again_in_batches_behind_live_events(bare_world: World) -> None:
    one, two = await bridge(bare_world, "a"), await bridge(bare_world, "b")
    await put(bare_world, Link, links(one, 1201, problem="rejected"))
    await put(bare_world, Link, links(one, 10, "conflict", problem="ambiguous"))
    await put(bare_world, Link, links(two, 10))
    await put(bare_world, Link, links(two, 10, "ok"))
    answer = await bare_world.admin.post("/api/v1/jobs/retry", json={"bridge_id": one, "problem": "rejected"})
    assert (answer.status_code, answer.json()) == (202, {"queued": 1201})
    assert (await bare_world.admin.post("/api/v1/jobs/retry", json={"state": "conflict"})).json() == {"queued": 10}
    assert (await bare_world.admin.post("/api/v1/jobs/retry", json={"bridge_id": two})).json() == {"queued": 10}
    assert (await bare_world.admin.post("/api/v1/jobs/retry", json={"problem": "nothing"})).json() == {"queued": 0}
    assert {priority for _, priority in await waiting_jobs(bare_world)} <= {-1}


@pytest.mark.parametrize(
    "which", [{"state": "ok"}, {"bridge_id": 0}, {"bridge_id": 2**63}, {"problem": "\x00"}, {"brigde_id": 1}, []]
)
async def test_a_choice_that_means_nothing_is_refused_and_nothing_is_queued(bare_world: World, which: Any) -> None:
    await put(bare_world, Link, links(await bridge(bare_world), 1))
    assert (await bare_world.admin.post("/api/v1/jobs/retry", json=which)).status_code == 422
    assert await waiting_jobs(bare_world) == []


async def test_records_of_a_bridge_that_is_switched_off_are_not_tried(bare_world: World) -> None:
    (id_,) = await put(bare_world, Link, links(await bridge(bare_world, enabled=False), 1))
    answer = await bare_world.admin.post(f"/api/v1/jobs/{id_}/retry")
    assert answer.status_code == 409
    assert "switched off" in answer.json()["detail"]
    assert (await bare_world.admin.post("/api/v1/jobs/retry", json={})).json() == {"queued": 0}
    (job,) = await bare_world.rows("jobs")
    assert job["tries"] == 5

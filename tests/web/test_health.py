"""What load balancers, supervisors and Prometheus are told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.main import LATE, Service, build
from app.queue import Priority, RecordJob, defer
from app.settings import Settings
from tests.conftest import ADMIN_TOKEN, serving
from tests.test_inbox import Place, make_place
from tests.web.test_webhooks import away

EVENT = (
    "INSERT INTO events (delivery, bridge_id, provider, side, kind, object, external_id, state, received_at)"
    " VALUES (:delivery, :bridge, 'highlevel', 'crm', 'ContactUpdate', 'contact', 'hl_1', :state,"
    " now() - make_interval(secs => :age))"
)


@pytest.fixture
async def service(settings: Settings, database: str) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """Without a worker, so that an event stays what it is."""
    service = build(settings, database)
    async with (
        serving(service, worker=False) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as http,
    ):
        yield service, http


@pytest.fixture
def http(service: tuple[Service, httpx.AsyncClient]) -> httpx.AsyncClient:
    return service[1]


@pytest.fixture
def engine(service: tuple[Service, httpx.AsyncClient]) -> AsyncEngine:
    return service[0].engine


@pytest.fixture
async def place(engine: AsyncEngine) -> Place:
    return await make_place(engine)


async def run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def add_event(engine: AsyncEngine, place: Place, *, age: float, state: str = "pending") -> None:
    values = {"delivery": f"{state}-{age}", "bridge": place.bridge_id, "state": state, "age": age}
    async with engine.begin() as connection:
        await connection.execute(text(EVENT), values)


async def metrics(http: httpx.AsyncClient) -> dict[str, float]:
    """Every sample, by its name and labels."""
    answer = (await http.get("/metrics")).raise_for_status()
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        sample.name + "".join(f" {name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_a_process_that_runs_is_alive(http: httpx.AsyncClient) -> None:
    answer = await http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_process_is_alive_even_while_the_database_is_away(http: httpx.AsyncClient, database: str) -> None:
    with away(database):
        assert (await http.get("/healthz")).status_code == 200


async def test_an_empty_service_is_ready(http: httpx.AsyncClient) -> None:
    answer = await http.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "oldest_event_seconds": 0.0})


async def test_a_record_whose_next_attempt_has_its_time_does_not_make_the_service_unready(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place
) -> None:
    """An account that sleeps at the vendor, a limit that is used up: one of them is no reason to lose all webhooks."""
    await add_event(engine, place, age=LATE + 5)
    waits = RecordJob(
        bridge_id=place.bridge_id,
        object="contact",
        side="crm",
        external_id="hl_1",
        priority=Priority.WAITED,
        at=datetime.now(UTC) + timedelta(seconds=900),
    )
    async with engine.begin() as connection:
        await defer(connection, [waits])
    assert (await http.get("/readyz")).status_code == 200
    await run(engine, "UPDATE procrastinate_jobs SET scheduled_at = now() - interval '1 minute'")
    assert (await http.get("/readyz")).status_code == 503


async def test_an_event_that_waits_a_moment_is_told_and_does_no_harm(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place
) -> None:
    await add_event(engine, place, age=30)
    answer = await http.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["oldest_event_seconds"] == pytest.approx(30, abs=3)


async def test_an_event_that_waits_too_long_makes_the_service_not_ready(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place
) -> None:
    await add_event(engine, place, age=LATE + 10)
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert "is a worker running?" in answer.json()["detail"]


@pytest.mark.parametrize("state", ["done", "ignored", "unknown", "failed"])
async def test_an_old_event_that_was_answered_does_no_harm(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place, state: str
) -> None:
    await add_event(engine, place, age=LATE + 10, state=state)
    assert (await http.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    "reason",
    [
        "UPDATE connections SET state = 'needs_reconnect' WHERE provider = 'invoice_ninja'",
        "INSERT INTO links (bridge_id, object, crm_id, state) SELECT id, 'contact', 'hl_1', 'retrying' FROM bridges",
    ],
    ids=["a connection waits for credentials", "its record is being retried"],
)
async def test_an_event_that_waits_on_purpose_does_no_harm(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place, reason: str
) -> None:
    await add_event(engine, place, age=LATE + 10)
    await run(engine, reason)
    assert (await http.get("/readyz")).status_code == 200


async def test_while_the_database_is_away_the_service_is_not_ready(http: httpx.AsyncClient, database: str) -> None:
    with away(database):
        answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


async def test_when_the_database_is_back_the_service_is_ready_again(http: httpx.AsyncClient, database: str) -> None:
    with away(database):
        await http.get("/readyz")
    statuses = [(await http.get("/readyz")).status_code for _ in range(3)]
    assert 200 in statuses


async def test_while_the_database_is_away_the_process_still_tells_its_counters(
    http: httpx.AsyncClient, database: str
) -> None:
    with away(database):
        answer = await http.get("/metrics")
    assert answer.status_code in (200, 503)


async def test_metrics_count_what_waits_and_the_links_by_state(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place
) -> None:
    await add_event(engine, place, age=50)
    await add_event(engine, place, age=10)
    await add_event(engine, place, age=99, state="done")
    await run(engine, "INSERT INTO links (bridge_id, object, crm_id, state) SELECT id, 'x', 'a', 'failed' FROM bridges")

    told = await metrics(http)

    assert told["crossledger_events_pending"] == 2
    assert told["crossledger_oldest_pending_seconds"] == pytest.approx(50, abs=3)
    assert told["crossledger_links state=failed"] == 1


async def test_a_state_that_no_link_is_in_any_more_is_not_told_as_it_was(
    http: httpx.AsyncClient, engine: AsyncEngine, place: Place
) -> None:
    await run(engine, "INSERT INTO links (bridge_id, object, crm_id, state) SELECT id, 'x', 'a', 'failed' FROM bridges")
    await metrics(http)
    await run(engine, "DELETE FROM links")
    assert not (await metrics(http)).get("crossledger_links state=failed")


async def test_metrics_hold_no_secret_and_no_account(
    http: httpx.AsyncClient, engine: AsyncEngine, settings: Settings, place: Place
) -> None:
    await run(engine, "UPDATE connections SET sealed = 'SEALED', account_id = 'ACCOUNT-' || id, name = 'CUSTOMER'")
    told = (await http.get("/metrics")).text
    secrets = (settings.secret_key.get_secret_value(), ADMIN_TOKEN, "SEALED", "ACCOUNT-", "CUSTOMER", "hl_1")
    assert not any(secret in told for secret in secrets)

"""The way in: what is stored, in one transaction, when many things arrive at once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncEngine

import app.inbox
from app.db import Database, conninfo
from app.directory import Directory
from app.inbox import Full, Inbox
from app.providers.base import Event, Verdict
from app.queue import make_app

FETCH = "SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL)"


@dataclass(frozen=True)
class Place:
    """A bridge in a fresh database, with its two connections."""

    crm_id: int
    billing_id: int
    bridge_id: int


async def make_place(engine: AsyncEngine, account: str = "loc", *, billing: int = 0) -> Place:
    connect = text(
        "INSERT INTO connections (provider, account_id, base_url, webhook_key_digest)"
        " VALUES (:provider, :account, 'http://x', NULL) RETURNING id"
    )
    bridge = text(
        "INSERT INTO bridges (name, crm_connection_id, billing_connection_id) VALUES ('B', :c, :b) RETURNING id"
    )
    async with engine.begin() as connection:
        crm = await connection.scalar(connect, {"provider": "highlevel", "account": account})
        if not billing:
            billing = await connection.scalar(connect, {"provider": "invoice_ninja", "account": account})
        bridge_id = await connection.scalar(bridge, {"c": crm, "b": billing})
    return Place(int(crm or 0), int(billing), int(bridge_id or 0))


def event(
    delivery: str, record: str = "hl_1", *, by_content: bool = False, verdict: Verdict = Verdict.HANDLED
) -> Event:
    return Event(
        delivery_id=delivery,
        kind="ContactUpdate",
        verdict=verdict,
        object="contact" if verdict is Verdict.HANDLED else "",
        external_id=record if verdict is Verdict.HANDLED else "",
        account="loc",
        by_content=by_content,
    )


@dataclass
class Way:
    """One process's way in."""

    db: Database
    directory: Directory
    inbox: Inbox

    @classmethod
    def make(cls, database: str) -> "Way":
        db = Database.at(database)
        directory = Directory(db.engine)
        return cls(db, directory, Inbox(db, directory))

    @property
    def engine(self) -> AsyncEngine:
        return self.db.engine

    async def accept(self, said: Event) -> None:
        await self.inbox.accept("highlevel", said, await self.directory.connections_of("highlevel", "loc"))

    async def close(self) -> None:
        await self.inbox.stop()
        await self.db.dispose()

    async def rows(self, statement: str, **values: Any) -> Sequence[RowMapping]:
        async with self.engine.connect() as connection:
            return (await connection.execute(text(statement), values)).mappings().all()

    async def sql(self, statement: str, **values: Any) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(text(statement), values)

    async def events(self) -> Sequence[RowMapping]:
        return await self.rows("SELECT * FROM events ORDER BY id")

    async def jobs(self) -> Sequence[RowMapping]:
        return await self.rows("SELECT * FROM procrastinate_jobs ORDER BY id")


@pytest.fixture
async def ways(database: str) -> AsyncIterator[tuple[Way, Way]]:
    """Two processes at one database, with one bridge. Their committers run."""
    async with AsyncExitStack() as stack:
        pair = Way.make(database), Way.make(database)
        for way in pair:
            stack.push_async_callback(way.close)
        await make_place(pair[0].engine)
        for way in pair:
            way.inbox.start()
        yield pair


@pytest.fixture
def way(ways: tuple[Way, Way]) -> Way:
    return ways[0]


@pytest.fixture
async def closed_way(database: str) -> AsyncIterator[Way]:
    """One whose committer does not run yet: what arrives waits, and is one batch when they start."""
    way = Way.make(database)
    await make_place(way.engine)
    await way.directory.connections_of("highlevel", "loc")
    yield way
    await way.close()


async def test_duplicates_inside_one_batch_are_one_event_and_one_job(closed_way: Way) -> None:
    way = closed_way
    sent = [asyncio.create_task(way.accept(event("same"))) for _ in range(20)]
    await asyncio.sleep(0.3)
    way.inbox.start()
    await asyncio.gather(*sent)

    assert len(await way.events()) == 1
    assert len(await way.jobs()) == 1


async def test_what_arrives_together_is_stored_in_one_transaction(closed_way: Way) -> None:
    way = closed_way
    sent = [asyncio.create_task(way.accept(event(f"d{n}", f"hl_{n}"))) for n in range(150)]
    await asyncio.sleep(0.3)
    way.inbox.start()
    await asyncio.gather(*sent)

    assert len({row["external_id"] for row in await way.events()}) == 150
    assert len(await way.jobs()) == 150
    (written,) = await way.rows("SELECT count(DISTINCT xmin::text) AS transactions FROM events")
    assert written["transactions"] == 1


async def test_two_processes_that_store_the_same_delivery_at_once_store_it_once(ways: tuple[Way, Way]) -> None:
    for n in range(50):
        await asyncio.gather(*(way.accept(event(f"d{n}", f"hl_{n}")) for way in ways))

    events, jobs = await ways[0].events(), await ways[0].jobs()
    assert [(row["delivery"].rpartition(":")[2], row["deliveries"]) for row in events] == [
        (f"d{n}", 2) for n in range(50)
    ]
    assert sorted(job["args"]["external_id"] for job in jobs) == sorted(f"hl_{n}" for n in range(50))


async def test_two_processes_that_store_news_of_the_same_record_at_once_queue_it(ways: tuple[Way, Way]) -> None:
    for n in range(50):
        said = [event(f"d{n}-{way}-{more}", f"hl_{n}") for way in range(2) for more in range(2)]
        await asyncio.gather(*(ways[index // 2].accept(each) for index, each in enumerate(said)))

    assert len(await ways[0].events()) == 200
    jobs = [job["args"]["external_id"] for job in await ways[0].jobs()]
    assert sorted(jobs) == sorted(f"hl_{n}" for n in range(50))


async def test_two_processes_that_store_the_same_content_at_once_answer_both_senders(ways: tuple[Way, Way]) -> None:
    for _ in range(50):
        await asyncio.gather(*(way.accept(event(f"c{n}", f"hl_{n}", by_content=True)) for way in ways for n in (1, 2)))

    events = await ways[0].events()
    assert [row["state"] for row in events] == ["pending", "pending"]
    assert len(await ways[0].jobs()) == 2


async def test_repetitions_that_cross_a_job_that_answers_them_are_stored_all_the_same(way: Way) -> None:
    """A job answers its events in another order than the inbox counts them: PostgreSQL ends such a knot by force."""
    for name in ("c1", "c2"):
        await way.accept(event(name, by_content=True))
    answer = text("UPDATE events SET state = 'done' WHERE delivery LIKE :name")
    async with way.engine.connect() as job:
        await job.execute(answer, {"name": "%:c2"})
        again = [asyncio.create_task(way.accept(event(name, by_content=True))) for name in ("c1", "c2")]
        await asyncio.sleep(0.5)  # the inbox has c1 and waits for c2
        await job.execute(answer, {"name": "%:c1"})
        await job.commit()
        results = await asyncio.gather(*again, return_exceptions=True)

    assert results == [None, None]
    assert [row["state"] for row in await way.events()] == ["pending", "pending"]


async def test_an_event_that_arrives_while_its_records_job_runs_gets_a_job_of_its_own(way: Way) -> None:
    await way.accept(event("d1"))
    await way.rows(FETCH)
    await way.sql("UPDATE procrastinate_jobs SET status = 'doing'")

    await way.accept(event("d2"))

    assert [job["status"] for job in await way.jobs()] == ["doing", "todo"]


async def test_a_worker_cannot_take_the_waiting_job_before_the_event_it_is_for_is_stored(
    way: Way, database: str
) -> None:
    await way.accept(event("d1"))
    # Holds every insert back at its end: between "a job waits already" and the commit.
    await way.sql(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END'"
    )
    await way.sql("CREATE TRIGGER hold AFTER INSERT ON events FOR EACH STATEMENT EXECUTE FUNCTION hold()")
    async with await psycopg.AsyncConnection.connect(conninfo(database), autocommit=True) as worker:
        await worker.execute("SELECT pg_advisory_lock(1)")
        arriving = asyncio.create_task(way.accept(event("d2")))
        await asyncio.sleep(0.5)
        assert not arriving.done()
        fetched = await (await worker.execute(FETCH)).fetchone()
        seen = await (await worker.execute("SELECT count(*) FROM events")).fetchone()
        await worker.execute("SELECT pg_advisory_unlock(1)")
        await arriving
        fetched_later = await (await worker.execute(FETCH)).fetchone()
        seen_later = await (await worker.execute("SELECT count(*) FROM events")).fetchone()

    assert (fetched, seen) == ((None,), (1,))
    assert fetched_later is not None
    assert fetched_later[0] is not None
    assert seen_later == (2,)


async def test_an_event_that_meets_a_worker_taking_its_job_gets_a_job_of_its_own(way: Way, database: str) -> None:
    await way.accept(event("d1"))
    async with await psycopg.AsyncConnection.connect(conninfo(database)) as worker:
        await worker.execute(FETCH)  # not committed: the inbox cannot know yet
        arriving = asyncio.create_task(way.accept(event("d2")))
        await asyncio.sleep(0.3)
        assert not arriving.done()
        await worker.commit()
        await arriving

    assert sorted(job["status"] for job in await way.jobs()) == ["doing", "todo"]


async def test_while_workers_fetch_without_pause_no_event_is_left_without_a_later_job(
    ways: tuple[Way, Way], database: str
) -> None:
    """Every job answers what was stored when it began; at the end nothing may be unanswered."""
    stop = asyncio.Event()

    async def work() -> None:
        async with await psycopg.AsyncConnection.connect(conninfo(database), autocommit=True) as worker:
            while True:
                row = await (await worker.execute(FETCH)).fetchone()
                if row is None or row[0] is None:
                    if stop.is_set():
                        return
                    await asyncio.sleep(0)
                    continue
                await worker.execute("UPDATE events SET state = 'done' WHERE state = 'pending'")
                await worker.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', true)", row)

    working = asyncio.create_task(work())
    for n in range(100):
        await asyncio.gather(*(way.accept(event(f"d{n}-{index}")) for index, way in enumerate(ways)))
    stop.set()
    await working

    assert len(await ways[0].events()) == 200
    assert {row["state"] for row in await ways[0].events()} == {"done"}


async def test_an_account_of_two_bridges_stores_an_event_and_a_job_for_each(way: Way) -> None:
    (first,) = await way.rows("SELECT * FROM bridges")
    async with way.engine.begin() as connection:
        billing = await connection.scalar(
            text("INSERT INTO connections (provider, account_id) VALUES ('invoice_ninja', 'second') RETURNING id")
        )
        await connection.execute(
            text("INSERT INTO bridges (name, crm_connection_id, billing_connection_id) VALUES ('2', :c, :b)"),
            {"c": first["crm_connection_id"], "b": billing},
        )
    await way.directory.refresh()

    await way.accept(event("d1"))

    assert len({row["bridge_id"] for row in await way.events()}) == 2
    assert len({job["lock"] for job in await way.jobs()}) == 2


async def test_an_event_that_cannot_be_stored_fails_no_other_event_of_its_batch(closed_way: Way) -> None:
    way = closed_way
    bad = asyncio.create_task(way.accept(event("bad\0", verdict=Verdict.UNKNOWN)))
    good = [asyncio.create_task(way.accept(event(f"d{n}", f"hl_{n}"))) for n in range(5)]
    await asyncio.sleep(0.3)
    way.inbox.start()
    await asyncio.gather(bad, return_exceptions=True)
    results = await asyncio.gather(*good, return_exceptions=True)

    assert results == [None] * 5


async def test_what_arrives_while_a_batch_is_being_stored_is_stored_by_the_next_one(way: Way) -> None:
    async with way.engine.connect() as other:
        await other.execute(text("LOCK TABLE events IN EXCLUSIVE MODE"))
        first = asyncio.create_task(way.accept(event("d1", "hl_1")))
        await asyncio.sleep(0.5)  # it is on its way
        second = asyncio.create_task(way.accept(event("d2", "hl_2")))
        await asyncio.sleep(0.3)
        await other.rollback()
        await asyncio.gather(first, second)

    assert [row["external_id"] for row in await way.events()] == ["hl_1", "hl_2"]


async def test_when_its_connection_was_ended_the_inbox_makes_another_one(way: Way) -> None:
    await way.accept(event("d1"))
    await way.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with suppress(Full):  # the one that finds out; its sender comes back
        await way.accept(event("d2", "hl_2"))
    await way.accept(event("d3", "hl_3"))

    assert {"hl_1", "hl_3"} <= {row["external_id"] for row in await way.events()}
    assert len(await way.jobs()) == len(await way.events())


async def test_who_comes_after_the_others_gave_up_has_a_patience_of_his_own(
    closed_way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.inbox, "PATIENCE", 0.3)
    way = closed_way
    with pytest.raises(Full):
        await way.accept(event("d1", "hl_1"))
    monkeypatch.setattr(app.inbox, "PATIENCE", 30)
    later = asyncio.create_task(way.accept(event("d2", "hl_2")))
    way.inbox.start()
    await later

    assert [row["external_id"] for row in await way.events()] == ["hl_1", "hl_2"]


async def test_a_sender_that_hangs_up_takes_no_other_one_of_its_batch_along(closed_way: Way) -> None:
    way = closed_way
    gone, *others = [asyncio.create_task(way.accept(event(f"d{n}", f"hl_{n}"))) for n in range(3)]
    await asyncio.sleep(0.3)
    gone.cancel()
    way.inbox.start()
    await asyncio.gather(*others)

    assert gone.cancelled()
    assert {"hl_1", "hl_2"} <= {row["external_id"] for row in await way.events()}


async def test_a_full_waiting_room_is_said_at_once(closed_way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.inbox, "WAITING_ROOM", 2)
    way = closed_way
    way.inbox = Inbox(way.db, way.directory)
    waiting = [asyncio.create_task(way.accept(event(f"d{n}"))) for n in range(2)]
    await asyncio.sleep(0.3)
    with pytest.raises(Full):
        await asyncio.wait_for(way.accept(event("d3")), 1)
    way.inbox.start()
    await asyncio.gather(*waiting)


async def test_a_bridge_that_floods_yields_and_another_stays_live(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.inbox, "FLOOD", 3)
    monkeypatch.setattr("app.inbox.time", SimpleNamespace(monotonic=lambda: 1000.0))
    await make_place(way.engine, "quiet")
    await way.directory.refresh()
    for n in range(5):
        await way.inbox.accept(
            "highlevel", event(f"d{n}", f"hl_{n}"), await way.directory.connections_of("highlevel", "loc")
        )
    await way.inbox.accept(
        "highlevel", event("q", "hl_quiet"), await way.directory.connections_of("highlevel", "quiet")
    )

    priorities = {job["args"]["external_id"]: job["priority"] for job in await way.jobs()}
    assert priorities == {"hl_0": 0, "hl_1": 0, "hl_2": 0, "hl_3": -1, "hl_4": -1, "hl_quiet": 0}


async def test_the_stored_job_can_be_read_by_the_job_engine(way: Way, database: str) -> None:
    await way.accept(event("d1"))
    queue = make_app(database)
    async with queue.open_async():
        (job,) = await queue.job_manager.list_jobs_async()
    assert (job.task_name, job.queue, job.task_kwargs["reason"]) == ("sync_record", "sync", "event")

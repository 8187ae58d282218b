"""The budget of a connection: exact, shared by all processes, and fair to those who wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import event, text

from app.budget import UNLIMITED, Budgets, Limit, Spent
from app.db import Database
from app.errors import Wait
from tests.test_inbox import make_place

WRITE_DOWN_EVERY_CALL = (
    "CREATE TABLE calls (at timestamptz)",
    "CREATE FUNCTION note_call() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF NEW.day_calls <> OLD.day_calls THEN INSERT INTO calls VALUES (NEW.recent[cardinality(NEW.recent)]); END IF;"
    " RETURN NULL; END $$",
    "CREATE TRIGGER note_calls AFTER UPDATE ON budgets FOR EACH ROW EXECUTE FUNCTION note_call()",
)
"""The times that the database itself gave to the calls, none left out."""


@pytest.fixture
async def processes(database: str) -> AsyncIterator[list[Database]]:
    processes = [Database.at(database) for _ in range(4)]
    yield processes
    for db in processes:
        await db.dispose()


@pytest.fixture
async def connection_id(processes: list[Database]) -> int:
    place = await make_place(processes[0].engine)
    async with processes[0].engine.begin() as connection:
        await connection.execute(text("INSERT INTO budgets (connection_id) VALUES (:id)"), {"id": place.crm_id})
    return place.crm_id


async def wait_of(budgets: Budgets, connection_id: int, limit: Limit, *, writes: bool = True) -> float:
    """0 where the call may go out now."""
    try:
        await budgets.take(connection_id, limit, writes=writes)
    except Wait as wait:
        return wait.seconds
    return 0


async def recent(db: Database) -> list[datetime]:
    async with db.engine.connect() as connection:
        return list(await connection.scalar(text("SELECT recent FROM budgets")) or ())


async def test_forty_takers_of_four_processes_never_exceed_the_limit_in_any_window(
    processes: list[Database], connection_id: int
) -> None:
    limit, taken = Limit(15, 0.6), 0
    async with processes[0].engine.begin() as connection:
        for statement in WRITE_DOWN_EVERY_CALL:
            await connection.execute(text(statement))
    loop = asyncio.get_running_loop()
    end = loop.time() + 3

    async def take(db: Database) -> None:
        nonlocal taken
        budgets = Budgets(db, {})
        while loop.time() < end:
            if not await wait_of(budgets, connection_id, limit):
                taken += 1

    await asyncio.gather(*(take(processes[n % 4]) for n in range(40)))

    async with processes[0].engine.connect() as connection:
        times = list((await connection.execute(text("SELECT at FROM calls ORDER BY at"))).scalars())
    assert len(times) == taken
    assert taken > 2 * 15
    assert min(times[n + 15] - times[n] for n in range(len(times) - 15)) >= timedelta(seconds=0.6)


async def test_all_calls_of_a_window_may_leave_at_once(processes: list[Database], connection_id: int) -> None:
    budgets = Budgets(processes[0], {})
    waits = [await wait_of(budgets, connection_id, Limit(20, 10)) for _ in range(20)]
    assert waits == [0] * 20
    assert await wait_of(budgets, connection_id, Limit(20, 10)) > 0


async def test_reads_leave_a_share_for_writes(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(50, 30)
    reads = [await wait_of(budgets, connection_id, limit, writes=False) for _ in range(49)]
    assert [wait > 0 for wait in reads] == [False] * 48 + [True]
    writes = [await wait_of(budgets, connection_id, limit) for _ in range(3)]
    assert [wait > 0 for wait in writes] == [False, False, True]


async def test_a_refused_call_is_not_counted(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(2, 10)
    for _ in range(5):
        await wait_of(budgets, connection_id, limit)
    assert len(await recent(processes[0])) == 2


async def test_jobs_that_wait_are_given_distinct_and_later_times(processes: list[Database], connection_id: int) -> None:
    limit = Limit(10, 10)
    all_budgets = [Budgets(db, {}) for db in processes]
    for _ in range(10):
        await wait_of(all_budgets[0], connection_id, limit)
    loop = asyncio.get_running_loop()
    places = []
    for n in range(20):
        wait = await wait_of(all_budgets[n % 4], connection_id, limit)
        places.append(loop.time() + wait)

    gaps = [later - earlier for earlier, later in pairwise(places)]
    assert all(1.5 < gap < 2.5 for gap in gaps)  # two calls a job, one call a second
    assert places[0] - loop.time() < 13


async def test_places_given_at_once_are_distinct(processes: list[Database], connection_id: int) -> None:
    limit = Limit(1, 10)
    await wait_of(Budgets(processes[0], {}), connection_id, limit)
    waits = await asyncio.gather(
        *(wait_of(Budgets(db, {}), connection_id, limit) for db in processes for _ in range(5))
    )
    ordered = sorted(waits)
    assert all(later - earlier > 15 for earlier, later in pairwise(ordered))


async def test_after_the_window_calls_leave_again(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(1, 1)
    assert not await wait_of(budgets, connection_id, limit)
    assert await wait_of(budgets, connection_id, limit)
    await asyncio.sleep(1.1)
    assert not await wait_of(budgets, connection_id, limit)


async def test_a_spent_day_waits_for_the_next_utc_day(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(1000, 1, per_day=3)
    waits = [await wait_of(budgets, connection_id, limit) for _ in range(4)]
    now = datetime.now(UTC)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert waits[:3] == [0, 0, 0]
    assert waits[3] == pytest.approx((midnight - now).total_seconds(), abs=5)


async def test_a_new_day_starts_at_one(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(1000, 1, per_day=3)
    async with processes[0].engine.begin() as connection:
        await connection.execute(text("UPDATE budgets SET day = current_date - 2, day_calls = 3"))
    assert not await wait_of(budgets, connection_id, limit)
    async with processes[0].engine.connect() as connection:
        assert await connection.scalar(text("SELECT day_calls FROM budgets")) == 1


async def test_a_daily_limit_holds_without_a_burst_limit(processes: list[Database], connection_id: int) -> None:
    budgets, limit = Budgets(processes[0], {}), Limit(per_day=2)
    assert [bool(await wait_of(budgets, connection_id, limit)) for _ in range(3)] == [False, False, True]


async def test_issue_reapit_foundations_9193_a_closed_gate_blocks_every_process(
    processes: list[Database], connection_id: int
) -> None:
    limit = Limit(10, 10)
    await Budgets(processes[0], {"highlevel": limit}).gate(connection_id, "highlevel").close(30)
    waits = [await wait_of(Budgets(db, {}), connection_id, limit) for db in processes]
    assert min(waits) >= 29


async def test_a_closed_gate_opens_again(processes: list[Database], connection_id: int) -> None:
    limit, budgets = Limit(10, 10), Budgets(processes[0], {})
    await budgets.close(connection_id, limit, 1)
    assert await wait_of(budgets, connection_id, limit) > 0
    await asyncio.sleep(1.1)
    assert not await wait_of(budgets, connection_id, limit)


async def test_a_shorter_pause_does_not_shorten_a_longer_one(processes: list[Database], connection_id: int) -> None:
    limit, budgets = Limit(10, 10), Budgets(processes[0], {})
    await budgets.close(connection_id, limit, 30)
    await budgets.close(connection_id, limit, 0.01)
    await asyncio.sleep(0.05)
    assert await wait_of(Budgets(processes[1], {}), connection_id, limit) > 25
    assert await wait_of(budgets, connection_id, limit) > 25


async def test_without_a_limit_the_database_is_not_asked() -> None:
    nowhere = Database.at("postgresql://nobody@127.0.0.1:1/none")
    budgets = Budgets(nowhere, {})
    gate = budgets.gate(7, "invoice_ninja")
    await gate.pass_(writes=False)
    assert (gate.connection_id, gate.limit) == (7, UNLIMITED)
    await nowhere.dispose()


async def test_without_a_limit_a_closed_gate_still_blocks_this_process() -> None:
    nowhere = Database.at("postgresql://nobody@127.0.0.1:1/none")
    gate = Budgets(nowhere, {}).gate(7, "invoice_ninja")
    await gate.close(30)
    with pytest.raises(Wait):
        await gate.pass_(writes=False)
    await nowhere.dispose()


async def test_a_missing_budget_is_opened(processes: list[Database], connection_id: int) -> None:
    async with processes[0].engine.begin() as connection:
        await connection.execute(text("DELETE FROM budgets"))
    budgets, limit = Budgets(processes[0], {}), Limit(1, 10)
    await wait_of(budgets, connection_id, limit)
    await wait_of(budgets, connection_id, limit)
    assert await wait_of(budgets, connection_id, limit) > 0
    assert len(await recent(processes[0])) == 1


async def test_connections_do_not_spend_each_others_budget(processes: list[Database], connection_id: int) -> None:
    other = (await make_place(processes[0].engine, "other")).crm_id
    async with processes[0].engine.begin() as connection:
        await connection.execute(text("INSERT INTO budgets (connection_id) VALUES (:id)"), {"id": other})
    budgets, limit = Budgets(processes[0], {}), Limit(1, 10)
    assert not await wait_of(budgets, connection_id, limit)
    assert not await wait_of(budgets, other, limit)


async def test_an_account_without_a_limit_asks_the_database_nothing(
    processes: list[Database], connection_id: int
) -> None:
    assert not await wait_of(Budgets(processes[0], {}), connection_id, Limit(0, 60))

    assert await recent(processes[0]) == []


async def test_where_only_days_are_counted_no_times_are_kept(processes: list[Database], connection_id: int) -> None:
    budgets = Budgets(processes[0], {})
    for _ in range(5):
        assert not await wait_of(budgets, connection_id, Limit(0, 60, per_day=5))

    assert len(await recent(processes[0])) == 1
    assert await wait_of(budgets, connection_id, Limit(0, 60, per_day=5))


async def test_what_is_spent_is_told_by_window_and_day_and_without_a_limit_nothing(
    processes: list[Database], connection_id: int
) -> None:
    limit, other = Limit(5, 60, per_day=100), (await make_place(processes[0].engine, "other")).crm_id
    budgets = Budgets(processes[0], {"highlevel": limit})
    for _ in range(3):
        assert not await wait_of(budgets, connection_id, limit)
    providers = {connection_id: "highlevel", other: "highlevel", other + 1: "invoice_ninja"}
    assert await budgets.spent(providers) == {connection_id: Spent(limit, 3, 3), other: Spent(limit)}

    async with processes[0].engine.begin() as connection:
        await connection.execute(
            text("UPDATE budgets SET day = day - 1, recent = ARRAY(SELECT t - interval '61 s' FROM unnest(recent) t)")
        )
    await budgets.close(connection_id, limit, 30)
    spent = (await budgets.spent(providers))[connection_id]
    assert (spent.recent, spent.today) == (0, 0)
    assert spent.closed_until
    assert spent.closed_until > datetime.now(UTC) + timedelta(seconds=20)


async def test_what_the_vendor_says_is_kept_with_the_next_call_and_costs_no_statement(
    processes: list[Database], connection_id: int
) -> None:
    limit, sent = Limit(100, 60, per_day=1000), list[str]()
    first, second = (Budgets(db, {"highlevel": limit}) for db in processes[:2])
    for db in processes[:2]:
        event.listen(db.single.sync_engine, "before_cursor_execute", lambda _, __, said, *___: sent.append(said))
    gate = first.gate(connection_id, "highlevel")
    await gate.pass_(writes=False)
    gate.heard(899)
    await gate.pass_(writes=False)
    before = datetime.now(UTC)
    second.heard(connection_id, 650)
    await second.take(connection_id, limit, writes=True)
    await gate.pass_(writes=True)  # what it has heard is older than what is known
    assert len(sent) == 4

    spent = (await first.spent({connection_id: "highlevel"}))[connection_id]
    assert (spent.told_left, spent.today) == (650, 4)
    assert spent.told_at
    assert before <= spent.told_at <= datetime.now(UTC)

"""What is told, and when: once as it begins, once as it gets worse, once as it is over."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.models.alert import AlertKind
from app.notify import conditions, watch
from app.settings import Settings
from tests.notify.house import House, housed

BEGAN, ROSE, ENDED = "alert.began", "alert.rose", "alert.ended"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"highlevel_calls_per_day": 1000})


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    """With a channel that wants everything, and no worker: what is to be told stays in the queue."""
    async with housed(settings, database) as house:
        await house.channel()
        yield house


async def test_failures_are_told_once_above_the_threshold_and_once_when_they_are_well_below_it(house: House) -> None:
    told = []
    for failed in (0, 10, 11, 12, 500, 10, 11, 6, 5, 5, 10, 11):
        await house.troubled(failed)
        told.append((failed, await house.look()))
    assert [failed for failed, count in told if count] == [11, 5, 11]
    assert [type_ for type_, _, _ in await house.told()] == [BEGAN, ENDED, BEGAN]
    first, second = await house.alerts()
    assert (first["ended_at"] is not None, second["ended_at"]) == (True, None)
    assert (second["count"], second["thing"], second["thing_id"]) == (11, "bridge", house.bridge)


async def test_the_count_of_an_open_alert_is_kept_up_to_date(house: House) -> None:
    for failed in (11, 40, 8):
        await house.troubled(failed)
        await house.look()
        assert [each["count"] for each in await house.alerts()] == [failed]
    assert len(await house.queued()) == 1


async def test_a_restart_tells_nothing_again(house: House, settings: Settings, database: str) -> None:
    await house.troubled(11)
    assert await house.look() == 1
    async with housed(settings, database) as again:
        assert await again.look() == 0
        await again.troubled(0)
        assert await again.look() == 1
    assert await house.look() == 0
    assert len(await house.queued()) == 2


async def test_workers_that_look_in_the_same_moment_tell_it_once(
    house: House, settings: Settings, database: str
) -> None:
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(housed(settings, database)) for _ in range(6)]
        for failed, in_all in ((11, 1), (0, 2), (11, 3)):
            await house.troubled(failed)
            await house.troubled(failed, "conflict")
            told = await asyncio.gather(*(worker.look() for worker in workers for _ in range(3)))
            assert sum(told) == 2
            assert len(await house.queued()) == in_all * 2
    assert len([each for each in await house.alerts() if each["ended_at"] is None]) == 2


async def test_one_that_finds_out_late_neither_opens_nor_ends_again(
    house: House, settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has asked what is open, and what holds; before it writes, another has done all there is to do."""
    async with housed(settings, database) as late:
        for failed in (11, 0):
            await house.troubled(failed)
            await _overtaken(late, house, monkeypatch)
    assert [type_ for type_, _, _ in await house.told()] == [BEGAN, ENDED]


async def _overtaken(late: House, quick: House, monkeypatch: pytest.MonkeyPatch) -> None:
    decided, proceed, make = asyncio.Event(), asyncio.Event(), watch.Watch._make

    async def held(self: watch.Watch, *given: Any) -> watch.Told | None:
        decided.set()
        await proceed.wait()
        return await make(self, *given)

    monkeypatch.setattr(watch.Watch, "_make", held)
    task = asyncio.create_task(late.look())
    await decided.wait()
    monkeypatch.setattr(watch.Watch, "_make", make)
    assert await quick.look() == 1
    proceed.set()
    assert await task == 0


async def test_what_cannot_be_queued_is_not_opened_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object, **__: object) -> list[int]:
        raise ZeroDivisionError

    await house.troubled(11)
    with monkeypatch.context() as patched:
        patched.setattr(watch, "listening", broken)
        with pytest.raises(ZeroDivisionError):
            await house.look()
    assert (await house.alerts(), await house.queued()) == ([], [])
    assert await house.look() == 1
    assert len(await house.queued()) == 1


async def test_a_decision_that_waits_is_told_until_none_does(house: House) -> None:
    for count in (1, 2, 1, 0, 0):
        await house.troubled(count, "conflict")
        await house.look()
    assert await house.told() == [(BEGAN, "conflict", 1), (ENDED, "conflict", 1)]


async def test_a_bridge_that_is_switched_off_has_no_trouble(house: House) -> None:
    await house.troubled(11)
    await house.troubled(1, "conflict")
    assert await house.look() == 2
    await house.sql("UPDATE bridges SET enabled = false")
    assert await house.look() == 2
    assert await house.look() == 0


async def test_a_connection_that_is_refused_is_told_with_its_cure(house: House) -> None:
    for state in ("needs_reconnect", "needs_reconnect", "active", "disabled"):
        await house.sql("UPDATE connections SET state = :state WHERE id = :id", state=state, id=house.crm)
        await house.look()
    assert await house.told() == [(BEGAN, "reconnect", 1), (ENDED, "reconnect", 1)]
    began = (await house.queued())[0]["message"]
    assert began["cure"].startswith("Make a new token in HighLevel")
    assert began["subject"] == {"type": "connection", "id": house.crm, "name": "Main street"}


async def test_a_connection_that_is_deleted_ends_its_alert(house: House) -> None:
    (made,) = await house.sql(
        "INSERT INTO connections (provider, name, account_id, state)"
        " VALUES ('highlevel', 'Old', 'old', 'needs_reconnect') RETURNING id"
    )
    assert await house.look() == 1
    await house.sql("DELETE FROM connections WHERE id = :id", id=made["id"])
    assert await house.look() == 1
    assert (await house.queued())[1]["message"]["subject"]["name"] == "Old"


async def test_webhooks_that_are_not_in_order_are_told(house: House) -> None:
    for managed, problem, state in (
        (False, "away", "active"),
        (True, "away", "active"),
        (True, "gone", "active"),
        (True, "gone", "needs_reconnect"),  # nobody can look now
        (True, "", "active"),
    ):
        await house.sql(
            "UPDATE connections SET webhooks_managed = :managed, webhooks_problem = :problem, state = :state"
            " WHERE id = :id",
            managed=managed, problem=problem, state=state, id=house.crm,
        )  # fmt: skip
        await house.look()
    assert [each for each in await house.told() if each[1] == "webhooks"] == [
        (BEGAN, "webhooks", 1),
        (ENDED, "webhooks", 1),
    ]


async def test_the_day_s_calls_are_told_at_50_70_90_and_100_per_cent_and_the_next_day(house: House) -> None:
    await house.sql("INSERT INTO budgets (connection_id) VALUES (:id)", id=house.crm)
    day = "(now() AT TIME ZONE 'UTC')::date"
    for calls in (499, 500, 699, 700, 750, 899, 900, 901, 1000, 1000):
        await house.sql(f"UPDATE budgets SET day = {day}, day_calls = :calls", calls=calls)  # noqa: S608
        await house.look()
    assert [(type_, level) for type_, _, level in await house.told()] == [
        (BEGAN, 50),
        *((ROSE, level) for level in (70, 90, 100)),
    ]
    await house.sql(f"UPDATE budgets SET day = {day} - 1")  # noqa: S608 -- of yesterday, nothing was called yet today
    assert await house.look() == 1
    assert (await house.told())[-1][0] == ENDED
    await house.sql(f"UPDATE budgets SET day = {day}, day_calls = 950")  # noqa: S608
    assert await house.look() == 1
    assert (await house.told())[-1] == (BEGAN, "budget", 90)
    ids = [job["message"]["id"] for job in await house.queued()]
    assert len(set(ids)) == len(ids)


async def test_without_a_limit_no_day_is_used_up(settings: Settings, database: str) -> None:
    unlimited = settings.model_copy(update={"highlevel_calls_per_day": 0})
    async with housed(unlimited, database) as house:
        await house.sql(
            "INSERT INTO budgets (connection_id, day, day_calls) VALUES (:id, :today, 9999999)",
            id=house.crm,
            today=datetime.now(UTC).date(),
        )
        assert await house.look() == 0


# -- silence --------------------------------------------------------------------------------------------------------


async def test_a_connection_that_usually_sends_is_missed_until_it_sends_again(house: House) -> None:
    await house.delivered(10, hours=71)
    assert await house.look() == 0
    await house.sql("UPDATE events SET received_at = received_at - interval '2 hours'")
    await house.delivered(20, hours=1, kind="poll")  # found by ourselves: no sign of life
    assert await house.look() == 1
    assert await house.look() == 0
    (alert,) = await house.alerts()
    assert (alert["kind"], alert["count"], alert["bridges"]) == ("silence", 73, [house.bridge])
    await house.delivered(1, hours=0)
    assert await house.look() == 1
    assert [type_ for type_, _, _ in await house.told()] == [BEGAN, ENDED]


@pytest.mark.parametrize(("count", "apart"), [(9, 1), (10, 24)], ids=["too few ever", "too far apart"])
async def test_a_connection_that_seldom_sends_is_not_missed(house: House, count: int, apart: float) -> None:
    await house.delivered(count, hours=100, apart=apart)
    assert await house.look() == 0


async def test_a_silence_is_not_over_because_the_events_are_forgotten_or_the_connection_is_refused(
    house: House,
) -> None:
    await house.delivered(10, hours=100)
    assert await house.look() == 1
    await house.sql("DELETE FROM events WHERE id < (SELECT max(id) FROM events)")
    assert await house.look() == 0
    await house.sql("DELETE FROM events")
    assert await house.look() == 0
    await house.sql("UPDATE connections SET state = 'needs_reconnect' WHERE id = :id", id=house.crm)
    await house.look()
    assert [each["ended_at"] for each in await house.alerts() if each["kind"] == "silence"] == [None]


async def test_a_connection_without_a_bridge_that_is_on_may_be_silent(house: House) -> None:
    await house.delivered(10, hours=100)
    await house.sql("UPDATE bridges SET enabled = false")
    assert await house.look() == 0


async def test_zero_switches_a_condition_off(settings: Settings, database: str) -> None:
    off = settings.model_copy(update={"alert_failures": 0, "alert_silent_hours": 0})
    async with housed(off, database) as house:
        await house.troubled(100)
        await house.delivered(10, hours=1000)
        assert await house.look() == 0


# -- who is told ----------------------------------------------------------------------------------------------------


async def test_a_channel_hears_of_its_kinds_and_bridges_only(house: House) -> None:
    other, _ = await house.place("Second")
    wanted: dict[str, dict[str, Any]] = {
        "all": {},
        "its kind": {"kinds": ["budget", "failures"]},
        "another kind": {"kinds": ["budget"]},
        "its bridge": {"bridges": [other, house.bridge]},
        "another bridge": {"bridges": [other]},
        "neither": {"kinds": ["budget"], "bridges": [other]},
        "off": {},
    }
    ids = {name: (await house.channel(name=name, **some)).id for name, some in wanted.items()}
    await house.sql("UPDATE channels SET enabled = false WHERE name = 'off'")
    await house.sql("DELETE FROM channels WHERE name = 'Mine'")
    await house.troubled(11)
    assert await house.look() == 1
    names = {id_: name for name, id_ in ids.items()}
    assert [names[job["channel_id"]] for job in await house.queued()] == ["all", "its kind", "its bridge"]


async def test_a_connection_s_alert_is_one_of_every_bridge_that_uses_it(house: House) -> None:
    await house.sql("DELETE FROM channels")
    mine = await house.channel(bridges=[house.bridge])
    await house.channel(bridges=[(await house.place("Second"))[0]])
    await house.sql("UPDATE connections SET state = 'needs_reconnect' WHERE id = :id", id=house.crm)
    assert await house.look() == 1
    assert [job["channel_id"] for job in await house.queued()] == [mine.id]


async def test_without_a_channel_alerts_are_kept_all_the_same(house: House) -> None:
    await house.sql("DELETE FROM channels")
    await house.troubled(11)
    assert await house.look() == 1
    assert len(await house.alerts()) == 1
    assert await house.queued() == []


async def test_nothing_of_a_customer_and_no_reason_is_told(house: House) -> None:
    await house.troubled(11)
    await house.troubled(1, "conflict")
    await house.sql(
        "UPDATE connections SET state = 'needs_reconnect', state_reason = 'jane@example.com is s3cret',"
        " webhooks_problem = 'jane@example.com is s3cret', account_id = 's3cret', data = '{\"key\": \"s3cret\"}'"
    )
    assert await house.look() == 4
    said = json.dumps([job["message"] for job in await house.queued()])
    assert "jane" not in said
    assert "s3cret" not in said
    assert {job["message"]["kind"] for job in await house.queued()} == {"failures", "conflict", "reconnect"}


async def test_past_alerts_are_forgotten_and_open_ones_never(house: House) -> None:
    await house.troubled(11)
    await house.look()
    await house.troubled(0)
    await house.look()
    await house.troubled(11)
    await house.look()
    await house.sql("UPDATE alerts SET since = now() - interval '9 years', ended_at = ended_at - interval '9 years'")
    await house.notifier.watch.forget_old()
    assert [each["ended_at"] for each in await house.alerts()] == [None]


# -- how much it costs ----------------------------------------------------------------------------------------------


async def test_looking_walks_indexes_however_many_records_and_events_there_are(house: House) -> None:
    await house.sql(
        "INSERT INTO links (bridge_id, object, crm_id, state) SELECT :bridge, 'contact', 'c' || n,"
        " CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'ok' END FROM generate_series(1, 100000) n",
        bridge=house.bridge,
    )
    await house.sql(
        "INSERT INTO events (delivery, connection_id, kind, state) SELECT 'd' || n, :connection,"
        " CASE WHEN n % 2 = 0 THEN 'poll' ELSE 'ContactUpdate' END, 'done' FROM generate_series(1, 100000) n",
        connection=house.crm,
    )
    for table in ("links", "events"):
        await house.sql(f"ANALYZE {table}")
    plans = [
        *await house.sql(f"EXPLAIN {conditions._TROUBLED.text}"),
        *await house.sql(f"EXPLAIN {conditions._SILENT.text}", seconds=3600),
    ]
    lines = [str(row["QUERY PLAN"]) for row in plans]
    assert any("links_troubled" in line or "links_health" in line for line in lines), lines
    assert any("events_heard" in line for line in lines), lines
    assert not any("Seq Scan on links" in line or "Seq Scan on events" in line for line in lines), lines
    assert await house.look() == 1


def test_every_kind_has_a_test() -> None:
    said = Path(__file__).read_text()
    assert [kind for kind in AlertKind if f'"{kind.value}"' not in said] == []

"""The daily summary: what it says, and that it is told once a day."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.earnings import Unpaid
from app.notify.daily import next_at
from app.notify.summary import Standing, summary
from app.overview import BridgeHealth
from app.settings import Settings
from tests.notify.house import House, housed

NOW = datetime(2026, 11, 22, 7, tzinfo=UTC)
ROOT = "https://sync.example.com"
WELL = BridgeHealth(
    id=1, name="Main street", enabled=True, live_since=NOW, heard_at=NOW, oldest_at=None, in_step=1200, left_out=0,
    crm="Location", crm_state="active", billing="Company", billing_state="active",
    waiting=0, waiting_for_parent=0, failing=0, decide=0, missed=0,
)  # fmt: skip


def standing(*unpaid: tuple[str, str], **changed: Any) -> Standing:
    sums = [Unpaid(currency=currency, amount=Decimal(sum_), as_of=NOW) for sum_, currency in unpaid]
    return Standing(replace(WELL, **changed), sums)


def test_that_all_is_well_is_said_in_one_line() -> None:
    said = summary(3, [standing(("20", "USD")), standing(("1234.5", "EUR"), id=2)], NOW, ROOT)
    assert (said.title, said.cure, said.count, said.url) == ("All is well", "", 0, ROOT)
    assert said.text == ("All is well: 2,400 records are in step on 2 bridges, 1,234.50 EUR and 20.00 USD unpaid.")


def test_without_a_bridge_it_is_not_said_that_all_is_well() -> None:
    assert summary(3, [], NOW, ROOT).title == "No bridge is on"


def test_each_bridge_in_trouble_has_a_line_and_all_together_have_one() -> None:
    bridges = [
        standing(("10", "EUR"), failing=3, decide=1, waiting=4, missed=2, oldest_at=NOW - timedelta(hours=3)),
        standing(id=2, name="Well"),
        standing(("5", "EUR"), id=3, name="Refused", billing_state="needs_reconnect", decide=1),
    ]
    said = summary(3, bridges, NOW, ROOT)
    assert said.title == "2 bridges need a look"
    assert said.text.split("\n") == [
        "“Main street”: 3 failing, 1 to decide, 4 waiting, 2 missed by webhooks, a change has waited for 3 h,"
        " 10.00 EUR unpaid.",
        "“Refused”: “Company” needs to be reconnected, 1 to decide, 5.00 EUR unpaid.",
        "In all, on 3 bridges: “Company” needs to be reconnected, 3 failing, 2 to decide, 4 waiting,"
        " 2 missed by webhooks, a change has waited for 3 h, 15.00 EUR unpaid.",
    ]
    first, second = said.subject["bridges"]
    assert (first["id"], first["failing"], first["unpaid"]) == (1, 3, {"EUR": "10"})
    assert (second["name"], second["refused"]) == ("Refused", ["Company"])


@pytest.mark.parametrize(
    ("changed", "troubled"),
    [
        ({}, False),
        ({"left_out": 5}, False),
        ({"oldest_at": NOW - timedelta(minutes=14)}, False),
        ({"oldest_at": NOW - timedelta(minutes=16)}, True),
        *(({name: 1}, True) for name in ("failing", "decide", "waiting", "missed")),
        ({"crm_state": "needs_reconnect"}, True),
    ],
    ids=str,
)
def test_what_is_trouble(changed: dict[str, Any], troubled: bool) -> None:
    assert standing(("9", "EUR"), **changed).troubled(NOW) is troubled


def test_many_bridges_are_named_up_to_a_limit() -> None:
    said = summary(3, [standing(id=n, failing=1) for n in range(100)], NOW, ROOT)
    assert said.text.count("\n") == 41
    assert "And 60 more bridges." in said.text


@pytest.mark.parametrize(("now", "day"), [("06:59", 22), ("07:00", 23), ("07:01", 23)])
def test_the_next_time_of_an_hour(now: str, day: int) -> None:
    moment = datetime.fromisoformat(f"2026-11-22T{now}:00+00:00")
    assert next_at(7, moment) == datetime(2026, 11, day, 7, tzinfo=UTC)
    assert next_at(None, moment) is None


# -- once a day -----------------------------------------------------------------------------------------------------


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    async with housed(settings, database) as house:
        await house.sql("UPDATE bridges SET enabled = true")
        yield house


async def due(house: House, hours: float = 0.5) -> None:
    await house.sql("UPDATE channels SET summary_at = now() - make_interval(secs => :late)", late=hours * 3600)


async def told(house: House) -> list[tuple[int, str]]:
    """Channel and title of each summary."""
    jobs = [job for job in await house.queued() if job["message"]["type"] == "summary"]
    return [(job["channel_id"], job["message"]["title"]) for job in jobs]


async def test_workers_that_look_in_the_same_moment_tell_it_once(
    house: House, settings: Settings, database: str
) -> None:
    for _ in range(3):
        await house.channel()
    async with AsyncExitStack() as stack:
        workers = [await stack.enter_async_context(housed(settings, database)) for _ in range(6)]
        for day in (1, 2):
            await due(house)
            counts = await asyncio.gather(*(each.notifier.daily.tell_due() for each in workers for _ in range(3)))
            assert sum(counts) == 3
            assert len(await told(house)) == 3 * day


async def test_after_a_restart_what_was_due_is_told_once_and_the_next_comes_at_its_hour(
    house: House, settings: Settings, database: str
) -> None:
    channel = await house.channel()
    await due(house, hours=75)
    (before,) = await house.sql("SELECT summary_at FROM channels")
    async with housed(settings, database) as again:
        assert [await again.notifier.daily.tell_due() for _ in range(2)] == [1, 0]
    assert await house.notifier.daily.tell_due() == 0
    (after,) = await house.sql("SELECT summary_at, now() AS now FROM channels")
    assert after["summary_at"] - before["summary_at"] == timedelta(days=4)
    assert timedelta(0) < after["summary_at"] - after["now"] < timedelta(days=1)
    assert await told(house) == [(channel.id, "All is well")]


async def test_what_cannot_be_queued_is_not_moved_on_either(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    await house.channel()
    await due(house)
    with monkeypatch.context() as patched:
        patched.setattr("app.notify.daily.queue", broken)
        with pytest.raises(ZeroDivisionError):
            await house.notifier.daily.tell_due()
    assert await house.notifier.daily.tell_due() == 1


async def test_a_channel_is_told_of_its_bridges_only_and_one_that_is_off_of_none(house: House) -> None:
    other, _ = await house.place("Second")
    await house.sql("UPDATE bridges SET enabled = true")
    await house.troubled(2, bridge=other)
    await house.sql(
        "INSERT INTO missed_events (bridge_id, side, object, day, missed) VALUES (:id, 'crm', 'contact', :day, 7)",
        id=other,
        day=datetime.now(UTC).date() - timedelta(days=9),
    )
    mine = await house.channel(bridges=[house.bridge])
    all_ = await house.channel()
    off = await house.channel()
    await house.notifier.channels.change(off, None, {"enabled": False})
    await house.channel(name="without")
    await due(house)
    await house.sql("UPDATE channels SET summary_at = NULL WHERE name = 'without'")
    await house.notifier._look()
    assert await told(house) == [(mine.id, "All is well"), (all_.id, "1 bridge needs a look")]
    text = (await house.queued())[-1]["message"]["text"]
    assert "“Bridge Second”: 2 failing." in text, "what was missed nine days ago was told then"

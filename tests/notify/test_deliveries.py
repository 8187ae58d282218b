"""One message to one channel, by a worker: until it arrives, or is given up."""

from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from procrastinate.exceptions import AlreadyEnqueued

from app.models import Channel
from app.notify.targets import SignedHook
from app.settings import Settings
from tests.conftest import until
from tests.notify.house import House, housed
from tests.notify.receiver import Receiver, receiving, verified


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"retry_first": 0.05, "retry_longest": 0.1})


@pytest.fixture
async def house(settings: Settings, database: str) -> AsyncIterator[House]:
    async with housed(settings, database, worker=True) as house:
        yield house


async def shown(house: House, channel: Channel) -> Channel:
    row = await house.notifier.channels.find(channel.id or 0)
    assert row
    return row


async def eventually(house: House, receiver: Receiver, *types: str) -> None:
    async def came() -> bool:
        return receiver.types() == list(types) and not await house.queued()

    await until(came)


async def test_what_begins_and_ends_arrives_signed_and_in_order(house: House) -> None:
    async with receiving(Receiver()) as receiver:
        channel = await house.channel(receiver.url)
        await house.troubled(11)
        await house.look()
        await eventually(house, receiver, "alert.began")
        await house.troubled(0)
        await house.look()
        await eventually(house, receiver, "alert.began", "alert.ended")
    target = house.notifier.channels.target(channel)
    assert isinstance(target, SignedHook)
    for headers, body in receiver.told:
        assert verified(headers, body, target.secret)
    assert receiver.bodies[0]["data"]["subject"] == {
        "type": "bridge",
        "id": house.bridge,
        "name": "Bridge Main street",
    }
    assert (await shown(house, channel)).sent_at


async def test_a_channel_that_is_down_says_so_and_gets_everything_once_in_order_when_it_is_up(house: House) -> None:
    async with receiving(Receiver(503, "later")) as receiver:
        channel = await house.channel(receiver.url)
        await house.troubled(11)
        await house.look()
        await until(lambda: _refused(receiver, 3))
        await house.troubled(0)
        await house.look()
        row = await shown(house, channel)
        assert row.problem == "127.0.0.1 answers 503 Service Unavailable: later"
        assert row.problem_since
        assert (row.sent_at, row.given_up) == (None, 0)
        receiver.status = 200
        await eventually(house, receiver, "alert.began", "alert.ended")
    row = await shown(house, channel)
    assert (row.problem, row.problem_since, row.given_up) == ("", None, 0)
    assert row.sent_at


async def _refused(receiver: Receiver, times: int) -> bool:
    return receiver.refused >= times


async def test_another_channel_does_not_wait_for_one_that_is_down(house: House) -> None:
    async with receiving(Receiver(500)) as down, receiving(Receiver()) as up:
        await house.channel(down.url)
        await house.channel(up.url)
        await house.troubled(11)
        await house.look()
        await until(lambda: _told(up, 1))
        assert down.told == []


async def _told(receiver: Receiver, count: int) -> bool:
    return len(receiver.told) == count


async def test_a_message_that_never_arrives_is_given_up_and_that_is_seen(settings: Settings, database: str) -> None:
    few = settings.model_copy(update={"retry_tries": 3})
    async with housed(few, database, worker=True) as house, receiving(Receiver(500, "no")) as receiver:
        channel = await house.channel(receiver.url)
        await house.troubled(11)
        await house.look()

        async def given_up() -> bool:
            return (await shown(house, channel)).given_up == 1 and not await house.queued()

        await until(given_up)
        assert receiver.refused == 3
        assert (await shown(house, channel)).problem == "127.0.0.1 answers 500 Internal Server Error: no"


async def test_where_a_person_mends_the_channel_the_message_goes_to_the_new_place(house: House) -> None:
    async with receiving(Receiver(404)) as wrong, receiving(Receiver()) as right:
        channel = await house.channel(wrong.url)
        await house.troubled(11)
        await house.look()
        await until(lambda: _refused(wrong, 1))
        target = house.notifier.channels.target(channel)
        assert isinstance(target, SignedHook)
        assert await house.notifier.channels.change(channel, SignedHook(right.url, target.secret), {})
        await eventually(house, right, "alert.began")


@pytest.mark.parametrize("statement", ["UPDATE channels SET enabled = false", "DELETE FROM channels"])
async def test_a_channel_that_is_off_or_gone_gets_nothing_more(house: House, statement: str) -> None:
    async with receiving(Receiver(500)) as receiver:
        await house.channel(receiver.url)
        await house.troubled(11)
        await house.look()
        await until(lambda: _refused(receiver, 1))
        await house.sql(statement)
        receiver.status = 200
        await until(lambda: _nothing_queued(house))
        assert receiver.told == []


async def _nothing_queued(house: House) -> bool:
    return not await house.queued()


async def test_a_worker_that_stops_leaves_the_message_for_the_next_one(settings: Settings, database: str) -> None:
    async with receiving(Receiver(500)) as receiver:
        async with housed(settings, database, worker=True) as house:
            await house.channel(receiver.url)
            await house.troubled(11)
            await house.look()
            await until(lambda: _refused(receiver, 1))
        receiver.status = 200
        async with housed(settings, database, worker=True) as again:
            await eventually(again, receiver, "alert.began")


async def test_the_worker_looks_once_a_minute_by_itself(house: House) -> None:
    tasks = house.service.queue.periodic_registry.periodic_tasks
    crons = {task.task.name: task.cron for task in tasks.values()}
    assert crons["watch"] == "* * * * *"
    assert "forget_alerts" in crons
    async with receiving(Receiver()) as receiver:
        await house.channel(receiver.url)
        await house.troubled(11)
        with suppress(AlreadyEnqueued):  # it is about to
            await house.service.queue.tasks["watch"].defer_async(timestamp=0)
        await eventually(house, receiver, "alert.began")


async def test_no_secret_is_in_the_log_or_in_the_queue(
    house: House, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    """What the other side says in its anger may repeat what it was sent."""
    async with receiving(Receiver(500)) as receiver:
        channel = await house.channel(receiver.url)
        target = house.notifier.channels.target(channel)
        assert isinstance(target, SignedHook)
        receiver.answer = f"no {target.secret} at {target.url}"
        await house.troubled(11)
        await house.look()
        await until(lambda: _refused(receiver, 2))
        row = await shown(house, channel)
        said = str(await house.queued()) + row.problem + "".join(capfd.readouterr())
    assert "[secret]" in row.problem
    for secret in (target.secret, "a-secret-path-of-its-own", settings.secret_key.get_secret_value()):
        assert secret not in said
    assert target.secret not in str((await house.sql("SELECT * FROM channels"))[0])

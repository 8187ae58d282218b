"""Connections and bridges in memory: quick, and never old for long."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import Database
from app.directory import Directory
from app.errors import Reconnect
from app.sync.records import Side
from tests.test_inbox import make_place


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    db = Database.at(database)
    yield db.engine
    if reading := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(reading)
    await db.dispose()


@pytest.fixture
def questions(engine: AsyncEngine) -> list[str]:
    """The statements that were sent to the database."""
    sent: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        sent.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    return sent


async def run(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_a_connection_is_found_by_its_account(engine: AsyncEngine) -> None:
    place = await make_place(engine)
    (found,) = await Directory(engine).connections_of("highlevel", "loc")
    assert (found.id, found.account_id, found.state) == (place.crm_id, "loc", "active")


async def test_an_account_of_another_provider_is_another_account(engine: AsyncEngine) -> None:
    place = await make_place(engine)
    (found,) = await Directory(engine).connections_of("invoice_ninja", "loc")
    assert found.id == place.billing_id


async def test_what_is_not_connected_is_not_found(engine: AsyncEngine) -> None:
    directory = Directory(engine)
    assert await directory.connections_of("highlevel", "nowhere") == ()
    assert await directory.connection_by_key("nothing") is None
    assert await directory.bridges_of(7) == ()
    assert await directory.bridge(7) is None


async def test_a_bridge_is_found_from_both_its_sides(engine: AsyncEngine) -> None:
    place, directory = await make_place(engine), Directory(engine)
    ((from_crm, crm_side),) = await directory.bridges_of(place.crm_id)
    ((from_billing, billing_side),) = await directory.bridges_of(place.billing_id)
    assert (from_crm.id, crm_side) == (place.bridge_id, Side.CRM)
    assert (from_billing.id, billing_side) == (place.bridge_id, Side.BILLING)
    assert from_crm.connection(Side.BILLING).id == place.billing_id


async def test_a_bridge_that_is_switched_off_takes_no_events_but_is_known(engine: AsyncEngine) -> None:
    place, directory = await make_place(engine), Directory(engine)
    await run(engine, "UPDATE bridges SET enabled = false")
    assert await directory.bridges_of(place.crm_id) == ()
    bridge = await directory.bridge(place.bridge_id)
    assert bridge is not None
    assert not bridge.enabled


async def test_connections_without_a_webhook_key_are_not_found_by_an_empty_one(engine: AsyncEngine) -> None:
    await make_place(engine)
    assert await Directory(engine).connection_by_key("") is None


async def test_known_things_are_answered_from_memory(engine: AsyncEngine, questions: list[str]) -> None:
    place, directory = await make_place(engine), Directory(engine)
    await directory.connections_of("highlevel", "loc")
    questions.clear()
    for _ in range(100):
        await directory.connections_of("highlevel", "loc")
        await directory.bridges_of(place.crm_id)
    assert questions == []


async def test_a_thousand_questions_for_unknown_accounts_are_few_looks(
    engine: AsyncEngine, questions: list[str]
) -> None:
    directory = Directory(engine)
    for n in range(1_000):
        await directory.connections_of("highlevel", f"unknown-{n}")
    assert len(questions) < 50


async def test_many_questions_at_once_are_one_look(engine: AsyncEngine, questions: list[str]) -> None:
    await make_place(engine)
    directory = Directory(engine)
    questions.clear()
    await asyncio.gather(*(directory.connections_of("highlevel", "loc") for _ in range(50)))
    assert len(questions) <= 4


async def test_a_connection_made_elsewhere_is_known_a_moment_later(engine: AsyncEngine) -> None:
    directory = Directory(engine)
    assert await directory.connections_of("highlevel", "loc") == ()
    await make_place(engine)
    await asyncio.sleep(0.3)
    assert await directory.connections_of("highlevel", "loc")


async def test_a_change_made_elsewhere_is_known_when_the_copy_is_old(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_place(engine)
    directory = Directory(engine)
    (before,) = await directory.connections_of("highlevel", "loc")
    await run(engine, "UPDATE connections SET state = 'disabled'")
    started = time.monotonic()
    monkeypatch.setattr("app.directory.time", SimpleNamespace(monotonic=lambda: started + 2.1))
    await directory.connections_of("highlevel", "loc")  # answered from the old copy; a new one is being read
    assert directory._reading is not None
    await directory._reading
    (after,) = await directory.connections_of("highlevel", "loc")
    assert (before.state, after.state) == ("active", "disabled")


async def test_a_change_of_our_own_is_known_at_once(engine: AsyncEngine) -> None:
    await make_place(engine)
    directory = Directory(engine)
    await directory.connections_of("highlevel", "loc")
    await run(engine, "UPDATE connections SET state = 'disabled'")
    await directory.refresh()
    (after,) = await directory.connections_of("highlevel", "loc")
    assert after.state == "disabled"


async def test_what_is_out_of_use_is_refused_and_nobody_is_told_of_it_again(engine: AsyncEngine) -> None:
    """A copy may be old: with the id, a connection that was mended just now would be called refused."""
    place = await make_place(engine)
    directory = Directory(engine)
    (await directory.one(place.bridge_id)).require_connections()
    await run(engine, "UPDATE connections SET state = 'needs_reconnect' WHERE provider = 'invoice_ninja'")
    await directory.refresh()
    with pytest.raises(Reconnect, match="Invoice Ninja does not let Crossledger in any more") as refused:
        (await directory.one(place.bridge_id)).require_connections()
    assert refused.value.connection == 0


async def test_the_rules_that_were_worked_out_for_one_copy_are_none_of_another(engine: AsyncEngine) -> None:
    place = await make_place(engine)
    directory = Directory(engine)
    before = await directory.one(place.bridge_id)
    before.rules["contact"] = ()
    await directory.refresh()
    assert (await directory.one(place.bridge_id)).rules == replace(before).rules == {}


async def test_a_view_shows_no_secret(engine: AsyncEngine) -> None:
    await make_place(engine)
    await run(
        engine,
        "UPDATE connections SET sealed = 'SEALED', webhook_key_digest = 'KEY' || id, webhook_secret_digest = 'SECRET',"
        """ data = '{"x": "DATA"}'""",
    )
    directory = Directory(engine)
    (view,) = await directory.connections_of("highlevel", "loc")
    ((bridge, _),) = await directory.bridges_of(view.id)
    for shown in (repr(view), str(view), repr(bridge)):
        assert not any(word in shown for word in ("SEALED", "KEY", "SECRET", "DATA"))


async def test_questions_go_on_with_the_old_copy_while_a_new_one_is_read(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_place(engine)
    directory = Directory(engine)
    await directory.connections_of("highlevel", "loc")
    monkeypatch.setattr("app.directory._FRESH", 0)
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE connections IN ACCESS EXCLUSIVE MODE"))
        assert await asyncio.wait_for(directory.connections_of("highlevel", "loc"), 1)
    assert await asyncio.wait_for(directory.connection_by_key("nothing"), 5) is None


async def test_a_change_made_here_is_seen_though_an_older_reading_ends_after_it(engine: AsyncEngine) -> None:
    await make_place(engine)
    directory = Directory(engine)
    async with engine.begin() as connection:
        await connection.execute(text("LOCK TABLE bridges IN ACCESS EXCLUSIVE MODE"))
        older = asyncio.create_task(directory.connections_of("highlevel", "loc"))
        await asyncio.sleep(0.2)  # it has read the connections, and waits for the bridges
        await run(engine, "UPDATE connections SET state = 'disabled'")
        await directory.refresh()
    await older
    (found,) = await directory.connections_of("highlevel", "loc")
    assert found.state == "disabled"


async def test_a_bridge_whose_settings_cannot_be_read_stops_and_the_others_go_on(engine: AsyncEngine) -> None:
    broken, sound = await make_place(engine), await make_place(engine, "second")
    await run(engine, "UPDATE bridges SET settings = '{\"prefer\": 7}' WHERE id = (SELECT min(id) FROM bridges)")
    directory = Directory(engine)
    assert await directory.bridges_of(broken.crm_id) == ()
    assert [bridge.id for bridge, _ in await directory.bridges_of(sound.crm_id)] == [sound.bridge_id]

"""A record that we make is told of before its answer is stored, or after whoever would have stored it has died."""

import asyncio
from typing import Any

import httpx
import pytest

from app.providers.client import Client
from app.queue import RecordJob, defer
from app.sync.store import LinkRow, Store
from tests.conftest import World, connect, until
from tests.flows.resting import rest, swept
from tests.flows.test_balance import add_invoice
from tests.flows.test_notes import activities, crm_notes, say
from tests.flows.test_notices import notes
from tests.flows.test_tasks import pair, tasks
from tests.races.racing import killed_before_it_is_stored


async def contacts(world: World) -> list[dict[str, Any]]:
    return list((await world.highlevel.get("/_control/state")).json()["contacts"])


async def settled(world: World, object_: str) -> bool:
    return any(each["state"] != "pending" for each in await world.rows("links", object=object_))


async def made_in_the_crm(world: World, **person: str) -> str:
    person = {"first_name": "Mia", "last_name": "Rossi", **person}
    return str((await world.add_client(name="Rossi", contacts=[person]))["id"])


async def one_of_each(world: World, client: str) -> None:
    assert [each["id"] for each in await world.clients("active,archived")] == [client]
    assert [each["firstName"] for each in await contacts(world)] == ["Mia"]


@pytest.mark.parametrize("email", ["", "mia@rossi"])
async def test_of_a_person_without_an_email_that_the_crm_takes_there_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch, email: str
) -> None:
    """Its event comes long before the answer to its create."""
    send = Client.send

    async def send_slowly(self: Client, request: httpx.Request, **given: Any) -> httpx.Response:
        answer = await send(self, request, **given)
        if request.method == "POST" and request.url.path == "/contacts/":
            await until(lambda: world.rows("events", kind="ContactCreate"))
            await asyncio.sleep(1)
        return answer

    monkeypatch.setattr(Client, "send", send_slowly)
    client = await made_in_the_crm(world, email=email)
    await until(lambda: world.rows("links", state="ok"))
    await rest(world)
    await one_of_each(world, client)


@pytest.mark.parametrize("person", [{}, {"phone": "+14155550177"}, {"email": "mia@rossi"}], ids=["", "phone", "email"])
async def test_nor_where_the_answer_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, person: dict[str, str]
) -> None:
    monkeypatch.setattr("app.jobs.backoff", lambda *_: 2.0)  # as it is set by default: after the vendor's webhook
    await world.fault(world.highlevel, kind="drop_after", method="POST", path="^/contacts/$", times=1)
    client = await made_in_the_crm(world, **person)
    await until(lambda: world.rows("links", billing_id=client, state="ok"))
    await rest(world)
    await one_of_each(world, client)


async def test_nor_where_whoever_made_it_was_killed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_at() -> None:
        await until(lambda: world.rows("links", object="contact", state="ok"), 4)

    killed_before_it_is_stored(monkeypatch, "contact", looked_at)
    client = await made_in_the_crm(world)
    await rest(world)
    await one_of_each(world, client)


async def test_a_task_whose_making_was_cut_off_is_not_made_back(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connect(bare_world, task={"enabled": True})
    contact, client = await pair(bare_world)

    async def looked_at() -> None:
        await until(lambda: bare_world.rows("links", object="task", state="ok"), 4)

    killed_before_it_is_stored(monkeypatch, "task", looked_at)
    body = {"client_id": client, "description": "Send the offer"}
    (await bare_world.ninja.post("/api/v1/tasks", json=body)).raise_for_status()
    await rest(bare_world)
    there = (await bare_world.highlevel.get(f"/contacts/{contact}/tasks")).json()["tasks"]
    assert (len(await tasks(bare_world)), len(there)) == (1, 1)


async def test_a_note_whose_making_was_cut_off_does_not_come_back(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connect(bare_world, note={"enabled": True})
    contact, client = await pair(bare_world)

    async def looked_at() -> None:
        await until(lambda: bare_world.rows("links", object="note", state="ok"), 4)

    killed_before_it_is_stored(monkeypatch, "note", looked_at)
    await say(bare_world, client, "Paid")
    await swept(bare_world)
    await until(lambda: crm_notes(bare_world, contact))
    await rest(bare_world)
    assert (await activities(bare_world, client), await crm_notes(bare_world, contact)) == (["Paid"], ["Paid"])


async def test_a_notice_whose_making_was_cut_off_does_not_come_back(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await connect(bare_world, notice={"enabled": True}, note={"enabled": True})
    contact, client = await pair(bare_world)

    async def looked_at() -> None:
        await until(lambda: settled(bare_world, "note"), 4)

    killed_before_it_is_stored(monkeypatch, "notice", looked_at)
    await add_invoice(bare_world, client, 33)
    await until(lambda: notes(bare_world, contact))
    await rest(bare_world)
    assert await activities(bare_world, client) == []
    assert len(await notes(bare_world, contact)) == 1


async def test_a_twin_that_was_cut_is_archived_by_whoever_comes_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the cut of the pair with our own client and the archiving of that."""
    await world.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    name = {"firstName": "Ada", "lastName": "Lovelace", "companyName": "Acme"}
    contact = await world.add_contact(**name, email="ada@example.com")
    cut, killed = Store.cut, list[LinkRow]()

    async def cut_and_die(self: Store, link: LinkRow, problem: str) -> bool:
        ended = await cut(self, link, problem)
        if not killed:
            killed.append(link)
            raise KeyError("killed")  # the job is tried again, as one of a worker that died
        return ended

    monkeypatch.setattr(Store, "cut", cut_and_die)
    async with world.service.engine.begin() as connection:
        told = RecordJob(bridge_id=world.bridge_id, object="contact", side="crm", external_id=contact)
        await defer(connection, [told])
    await until(lambda: world.rows("links", state="ok"))
    await rest(world)
    person = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"}
    theirs = await world.add_client(name="Acme", contacts=[person])
    await until(lambda: world.rows("links", billing_id=theirs["id"], state="ok"))
    await rest(world)
    assert killed
    assert [each["id"] for each in await world.clients()] == [theirs["id"]]

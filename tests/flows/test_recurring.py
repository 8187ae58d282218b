"""When the next recurring invoice goes out, as a field of the contact: polled, for no event tells of it."""

from typing import Any

import pytest

from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import unhurried
from tests.flows.test_balance import day, definitions
from tests.flows.test_notices import act, add, poll
from tests.flows.test_tasks import pair

FIELD = "Next recurring invoice"
PATH = "recurring_invoices"


@pytest.fixture
async def recurring(bare_world: World) -> World:
    await connect(bare_world, recurring={"enabled": True})
    return bare_world


async def add_recurring(world: World, client: str, next_day: str, *, started: bool = True) -> str:
    made = await add(world, PATH, client, 10, frequency_id="5", next_send_date=next_day)
    if started:
        await act(world, PATH, "start", made["id"])
    return str(made["id"])


async def next_day(world: World, contact: str, field: str = FIELD) -> str:
    ids = {each["id"] for each in await definitions(world) if each["name"] == field}
    found = (await world.contact(contact))["customFields"]
    return "".join(str(each["value"])[:10] for each in found if each["id"] in ids)


async def polled(world: World, contact: str, wanted: str) -> None:
    """A round finds it, and another one finds nothing more."""
    for _ in range(2):
        await poll(world)

        async def reached() -> bool:
            return await next_day(world, contact) == wanted

        await until(reached, 20, f"never {wanted or 'empty'}")
        await world.quiet()


async def test_issue_invoiceninja_10639_the_next_date_is_asked_for_and_arrives(recurring: World) -> None:
    contact, client = await pair(recurring)
    id_ = await add_recurring(recurring, client, day(20), started=False)
    await recurring.quiet()
    await polled(recurring, contact, "")  # a draft
    await act(recurring, PATH, "start", id_)
    await polled(recurring, contact, day(20))
    types = {each["name"]: each["dataType"] for each in await definitions(recurring)}
    assert types[FIELD] == "DATE"
    assert "emails" not in (await recurring.ninja.get("/_control/state")).json()


async def test_issue_invoiceninja_11102_a_date_that_moves_without_an_event_is_followed(recurring: World) -> None:
    contact, client = await pair(recurring)
    id_ = await add_recurring(recurring, client, day(20))
    await polled(recurring, contact, day(20))
    await recurring.ninja.put(f"/api/v1/{PATH}/{id_}", json={"next_send_date": day(25)})
    await polled(recurring, contact, day(25))
    sooner = await add_recurring(recurring, client, day(3))
    await polled(recurring, contact, day(3))
    await act(recurring, PATH, "stop", sooner)
    await polled(recurring, contact, day(25))


@pytest.mark.parametrize("end", ["stop", "archive", "delete"])
async def test_the_date_goes_when_the_recurring_invoice_ends_and_comes_back_with_it(recurring: World, end: str) -> None:
    contact, client = await pair(recurring)
    id_ = await add_recurring(recurring, client, day(20))
    await polled(recurring, contact, day(20))
    await act(recurring, PATH, end, id_)
    await polled(recurring, contact, "")
    await act(recurring, PATH, {"stop": "start"}.get(end, "restore"), id_)
    await polled(recurring, contact, day(20))


async def linked(world: World, count: int) -> bool:
    return len(await world.rows("links", object="contact", state="ok")) == count


async def test_the_field_is_made_once_whoever_needs_it_first(recurring: World) -> None:
    clients = [
        await recurring.add_client(name=f"Client {n}", contacts=[{"first_name": f"C{n}", "email": f"c{n}@example.com"}])
        for n in range(6)
    ]
    for each in clients:
        await add_recurring(recurring, each["id"], day(9))
    path = f"/locations/{LOCATION}/customFields"
    await until(lambda: linked(recurring, len(clients)), 30)
    await recurring.quiet()
    await recurring.fault(recurring.highlevel, kind="latency", method="POST", path=path, seconds=0.5)
    await recurring.fault(recurring.highlevel, kind="drop_after", method="POST", path=path, times=1)
    await recurring.forget_calls()
    await poll(recurring)

    async def all_there() -> bool:
        return len(await recurring.rows("links", object="recurring", state="ok")) == len(clients)

    await until(all_there, 30)
    await recurring.quiet()
    assert [each["name"] for each in await definitions(recurring)].count(FIELD) == 1
    written = [each["path"] for each in await recurring.calls(recurring.highlevel, "POST")]
    assert written.count(path) == 1
    for row in await recurring.rows("links", object="recurring"):
        assert await next_day(recurring, row["crm_id"]) == day(9)


async def test_a_field_that_is_there_is_used_whatever_its_case(bare_world: World) -> None:
    body: dict[str, Any] = {"name": "Next Bill", "dataType": "DATE", "model": "contact"}
    (await bare_world.highlevel.post(f"/locations/{LOCATION}/customFields", json=body)).raise_for_status()
    fields = {"next_recurring": "next bill"}
    await connect(bare_world, recurring={"enabled": True, "custom_fields": fields})
    contact, client = await pair(bare_world)
    before = await definitions(bare_world)
    await add_recurring(bare_world, client, day(11))
    await poll(bare_world)

    async def written() -> bool:
        return await next_day(bare_world, contact, "Next Bill") == day(11)

    await until(written, 20)
    assert await definitions(bare_world) == before


async def test_a_quiet_round_costs_one_call_and_a_new_date_three_more(recurring: World) -> None:
    contact, client = await pair(recurring)
    id_ = await add_recurring(recurring, client, day(20))
    await polled(recurring, contact, day(20))
    await recurring.forget_calls()
    await poll(recurring)
    await recurring.quiet()
    assert [each["path"] for each in await recurring.calls(recurring.ninja)] == [f"/api/v1/{PATH}"]
    assert await recurring.calls(recurring.highlevel) == []

    await unhurried(recurring)
    await recurring.ninja.put(f"/api/v1/{PATH}/{id_}", json={"next_send_date": day(21)})
    await recurring.forget_calls()
    await poll(recurring)

    async def written() -> bool:
        return await next_day(recurring, contact) == day(21)

    await until(written, 20)
    await recurring.quiet()
    calls = [*await recurring.calls(recurring.ninja), *await recurring.calls(recurring.highlevel)]
    assert [each["method"] for each in calls if each["method"] != "GET"] == ["PUT"]
    assert len([each for each in calls if PATH in each["path"]]) == 2  # the list, and the client's
    assert len(calls) <= 1 + 3 + 2  # the echo: two reads of the contact's pair


async def test_the_date_waits_until_the_client_has_a_contact(recurring: World) -> None:
    await recurring.fault(recurring.highlevel, kind="status", status=503, method="POST", path="^/contacts/$", times=3)
    made = await recurring.add_client(name="Late", contacts=[{"first_name": "Lata", "email": "lata@example.com"}])
    await add_recurring(recurring, made["id"], day(7))
    await poll(recurring)
    await until(lambda: recurring.rows("links", object="recurring", state="waiting_for_parent"))
    (link,) = await until(lambda: recurring.rows("links", object="recurring", state="ok"), 20)
    assert await next_day(recurring, link["crm_id"]) == day(7)


async def test_switched_off_nothing_is_asked_and_nothing_is_written(bare_world: World) -> None:
    await connect(bare_world)
    contact, client = await pair(bare_world)
    await add_recurring(bare_world, client, day(20))
    await bare_world.forget_calls()
    await poll(bare_world)
    await bare_world.quiet()
    assert [*await bare_world.calls(bare_world.ninja), *await bare_world.calls(bare_world.highlevel)] == []
    assert await next_day(bare_world, contact) == ""
    assert FIELD not in [each["name"] for each in await definitions(bare_world)]

"""A wrong field map over many records: all of it goes back, but what people have changed since."""

import asyncio
from datetime import UTC, datetime

import httpx

from tests.conftest import World, until
from tests.flows.resting import rest
from tests.flows.test_contacts import JANE
from tests.undo.conftest import ended, items, undo

MANY = 60
WRONG = [
    {"crm": "email", "billing": "email"},
    {"crm": "last_name", "billing": "last_name"},
    {"crm": "state", "billing": "city", "direction": "to_billing"},
]


async def mapped_wrong(world: World) -> tuple[dict[str, str], str]:
    """Clients by their contact, whose cities were overwritten; the time before that."""
    slots = asyncio.Semaphore(8)

    async def add(number: int) -> str:
        async with slots:
            who = {"lastName": f"Doe {number}", "email": f"p{number}@x.example", "phone": "", "city": f"Town {number}"}
            return await world.add_contact(**{**JANE, **who})

    contacts = await asyncio.gather(*(add(number) for number in range(MANY)))

    async def all_linked() -> bool:
        return len(await world.rows("links", state="ok", limit=500)) == MANY

    await until(all_linked, 90, "not all contacts have their client")
    await rest(world, 60)
    before = datetime.now(UTC).isoformat()
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": {"contact": {"fields": WRONG}}})
    answer = await replay(world, since="2000-01-01T00:00:00Z", side="crm")
    run = await ended(world, answer.json()["id"])
    assert (run["total"], run["done"], run["counts"]["updated"]) == (MANY, MANY, MANY)
    await rest(world, 60)
    clients = {each["custom_value4"]: each["id"] for each in await world.clients()}
    assert {each["city"] for each in await world.clients()} == {"LDN"}
    return {contact: clients[contact] for contact in contacts}, before


async def replay(world: World, *, since: str, **only: str) -> httpx.Response:
    window = {"bridge_id": world.bridge_id, "from": since, "to": datetime.now(UTC).isoformat()}
    return await world.admin.post("/api/v1/replay", json={**window, **only})


async def test_everything_goes_back_but_what_people_changed_since(world: World) -> None:
    clients, before = await mapped_wrong(world)
    by_hand = list(clients.items())[:7]
    for _, client_id in by_hand:
        await world.edit_client(client_id, city="By hand")
    await rest(world, 60)
    await world.forget_calls()
    run = await undo(world, bridge_id=world.bridge_id, since=before)
    await rest(world, 60)
    cities = {each["id"]: each["city"] for each in await world.clients()}
    expected = {client_id: f"Town {number}" for number, client_id in enumerate(clients.values())}
    assert cities == {**expected, **{client_id: "By hand" for _, client_id in by_hand}}
    assert (run["total"], run["done"]) == (MANY, MANY)
    left = await items(world, run, outcome="changed_since", limit=500)
    assert {(each["billing_id"], each["field"], each["now"]) for each in left} == {
        (client_id, "city", "By hand") for _, client_id in by_hand
    }
    assert len(await items(world, run, outcome="restored", limit=500)) == MANY - 7
    puts = [call["path"] for call in await world.calls(world.ninja, "PUT")]
    assert sorted(puts) == sorted(set(puts))
    assert len(puts) == MANY - 7
    assert await world.calls(world.highlevel, "PUT") == []
    exported = await world.admin.get(f"/api/v1/undo/{run['id']}/items.csv", params={"outcome": "changed_since"})
    assert exported.headers["content-type"].startswith("text/csv")
    assert len(exported.text.splitlines()) == 7 + 1

"""Several persons of one client: the vendor keeps them in one list, and each goes back by itself."""

import asyncio

from tests.conftest import World, until
from tests.flows.resting import rest
from tests.flows.test_businesses import add_business, company, grouped, join
from tests.undo.conftest import items, undo

__all__ = ["grouped"]


async def test_persons_of_one_client_go_back_side_by_side(grouped: World) -> None:
    world = grouped
    acme = await add_business(world)
    await rest(world)
    people = [await world.add_contact(firstName=f"P{n}", lastName="Doe", email=f"p{n}@x.example") for n in range(4)]
    await join(world, acme, *people)
    await rest(world)
    before = (await world.rows("activities"))[0]["id"]
    await asyncio.gather(*(world.edit_contact(each, lastName="Roe") for each in people))

    async def all_renamed() -> bool:
        return {each["last_name"] for each in (await company(world))["contacts"]} == {"Roe"}

    await until(all_renamed, 20)
    await rest(world)
    since = min(each["at"] for each in await world.rows("activities") if each["id"] > before)
    run = await undo(world, bridge_id=world.bridge_id, since=since, fields=["last_name"])
    await rest(world)
    client = await company(world)
    assert {each["last_name"] for each in client["contacts"]} == {"Doe"}
    assert len(client["contacts"]) == 4
    assert run["counts"] == {"restored": 4}
    assert {(await world.contact(each))["lastName"] for each in people} == {"Roe"}


async def test_one_person_of_a_client_is_not_put_away_alone(grouped: World) -> None:
    world = grouped
    acme = await add_business(world)
    await rest(world)
    people = [await world.add_contact(firstName=f"P{n}", email=f"p{n}@x.example") for n in range(2)]
    await join(world, acme, *people)
    await rest(world)
    (link,) = await world.rows("links", object="contact", crm_id=people[0])
    run = await undo(world, link_id=link["id"])
    await rest(world)
    assert {each["field"] for each in await items(world, run, outcome="cannot")} == {"record"}
    client = await company(world)
    assert (len(client["contacts"]), client["archived_at"]) == (2, 0)

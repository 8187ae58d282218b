"""Bridges: what may be joined, and how the field map works between two accounts."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from app.models import Connection
from tests.api.test_connections import connect, highlevel, ninja
from tests.conftest import World, until


async def make(world: World, crm: int, billing: int, **changed: Any) -> httpx.Response:
    body = {"name": "B", "crm_connection_id": crm, "billing_connection_id": billing, "live": True, **changed}
    return await world.admin.post("/api/v1/bridges", json=body)


@pytest.fixture
async def pair(bare_world: World) -> tuple[int, int]:
    crm = (await connect(bare_world, highlevel(bare_world))).json()["id"]
    return crm, (await connect(bare_world, ninja(bare_world))).json()["id"]


async def test_a_bridge_is_made_with_the_defaults_and_shows_its_field_map(
    bare_world: World, pair: tuple[int, int]
) -> None:
    answer = await make(bare_world, *pair)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["enabled"] is True
    assert made["settings"]["prefer"] == "crm"
    rules = {rule["billing"]: rule for rule in made["fields"]["rules"]}
    assert (rules["name"]["crm"], rules["name"]["direction"]) == ("company", "both")
    assert rules["email"]["crm_label"]
    reasons = {each["crm"]: each["reason"] for each in made["fields"]["skipped"]}
    assert all(" " in reason for reason in reasons.values())
    assert (await bare_world.admin.get(f"/api/v1/bridges/{made['id']}")).json() == made
    (listed,) = await bare_world.rows("bridges")
    assert listed == {name: value for name, value in made.items() if name not in ("fields", "pauses")}


async def test_a_pair_that_cannot_work_is_listed_with_its_reason(bare_world: World, pair: tuple[int, int]) -> None:
    fields = [{"crm": "email", "billing": "email"}, {"crm": "custom.nothing_like_it", "billing": "vat_number"}]
    made = (await make(bare_world, *pair, settings={"contact": {"fields": fields}})).json()
    assert [rule["billing"] for rule in made["fields"]["rules"]] == ["email"]
    (skipped,) = made["fields"]["skipped"]
    assert skipped["reason"] == "the CRM account has no field “custom.nothing_like_it”"


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        (lambda crm, billing: (billing, crm), "is a billing system, not a CRM"),
        (lambda crm, billing: (crm, crm), "is a CRM, not a billing system"),
        (lambda crm, billing: (99, billing), "There is no connection 99 for crm_connection_id."),
        (lambda crm, billing: (crm, 99), "There is no connection 99 for billing_connection_id."),
    ],
)
async def test_connections_that_do_not_fit_are_refused_with_a_sentence(
    bare_world: World, pair: tuple[int, int], order: Any, sentence: str
) -> None:
    answer = await make(bare_world, *order(*pair))
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert await bare_world.rows("bridges") == []


async def test_a_slot_that_the_billing_side_has_not_is_refused(bare_world: World, pair: tuple[int, int]) -> None:
    answer = await make(bare_world, *pair, settings={"slot": "private_notes"})
    assert answer.status_code == 422
    assert "“private_notes”; choose from: custom_value4" in answer.json()["detail"]
    made = await make(bare_world, *pair, settings={"slot": "id_number"})
    assert made.status_code == 201
    change = {"settings": {"slot": "public_notes"}}
    assert (await bare_world.admin.patch(f"/api/v1/bridges/{made.json()['id']}", json=change)).status_code == 422


async def test_two_connections_have_one_bridge_at_most(bare_world: World, pair: tuple[int, int]) -> None:
    assert (await make(bare_world, *pair)).status_code == 201
    again = await make(bare_world, *pair)
    assert again.status_code == 409
    assert "already" in again.json()["detail"]


@pytest.mark.parametrize(
    "meaningless",
    [
        {"prefer": "nobody"},
        {"slto": "id_number"},
        {"contact": {"fields": [{"crm": "a\x00", "billing": "email"}]}},
        {"contact": {"direction": "sideways"}},
    ],
)
async def test_settings_that_mean_nothing_are_refused(
    bare_world: World, pair: tuple[int, int], meaningless: dict[str, Any]
) -> None:
    assert (await make(bare_world, *pair, settings=meaningless)).status_code == 422


async def test_a_change_leaves_the_rest_as_it_was(bare_world: World, pair: tuple[int, int]) -> None:
    made = (await make(bare_world, *pair, settings={"prefer": "billing"})).json()
    url = f"/api/v1/bridges/{made['id']}"
    assert (await bare_world.admin.patch(url, json={})).json() == made
    assert (await bare_world.admin.patch(url, json={"name": "New"})).json() == {**made, "name": "New"}
    off = (await bare_world.admin.patch(url, json={"enabled": False})).json()
    assert off == {**made, "name": "New", "enabled": False, "pauses": off["pauses"]}
    assert [(each["source"], each["ends_at"]) for each in off["pauses"]] == [("bridge", None)]
    changed = (await bare_world.admin.patch(url, json={"settings": {"slot": "id_number"}})).json()
    assert (changed["settings"]["slot"], changed["settings"]["prefer"]) == ("id_number", "crm")
    assert (await bare_world.admin.patch(url, json={"crm_connection_id": 1})).status_code == 422


async def test_a_bridge_that_is_switched_off_syncs_nothing_and_on_again_it_does(world: World) -> None:
    url = f"/api/v1/bridges/{world.bridge_id}"
    await world.admin.patch(url, json={"enabled": False})
    contact_id = await world.add_contact(firstName="Jane", lastName="Roe", email="jane@example.com")
    await until(lambda: world.rows("events", state="pending"))
    assert await world.clients() == []
    await world.admin.patch(url, json={"enabled": True})
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))


async def test_a_deleted_bridge_takes_its_links_with_it_and_frees_its_connections(world: World) -> None:
    await world.add_contact(firstName="Jane", lastName="Roe", email="jane@example.com")
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    assert (await world.admin.delete(f"/api/v1/bridges/{world.bridge_id}")).status_code == 204
    for path in ("bridges", "links", "activities", "jobs"):
        assert await world.rows(path) == []
    for id_ in (world.crm_connection_id, world.billing_connection_id):
        assert (await world.admin.delete(f"/api/v1/connections/{id_}")).status_code == 204
    assert len(await world.clients()) == 1


@pytest.mark.parametrize(
    ("column", "sentence"),
    [({"kind": "agency"}, "is an agency: connect its locations"), ({"state": "pending"}, "waits to be claimed")],
)
async def test_what_is_no_account_of_ours_gets_no_bridge(
    bare_world: World, pair: tuple[int, int], column: dict[str, str], sentence: str
) -> None:
    async with bare_world.service.engine.begin() as connection:
        await connection.execute(update(Connection).where(col(Connection.id) == pair[0]).values(column))
    answer = await make(bare_world, *pair)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]
    assert await bare_world.rows("bridges") == []

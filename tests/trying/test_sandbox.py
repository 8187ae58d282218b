"""Trying the service without accounts: the sandbox, begun by one press, used, restarted, and taken away."""

from typing import Any

import pytest

from app.errors import Rejected
from app.main import build
from app.providers.sandboxed import ADDRESSES
from app.settings import Settings
from app.trying.seeds import CLIENTS, CONTACTS, NEW_CLIENTS
from tests.conftest import serving, until
from tests.trying.conftest import House, _admin


async def test_one_press_and_everybody_is_on_both_sides(house: House) -> None:
    shown = await house.begin()
    assert (shown["exists"], shown["running"]) == (True, True)
    (bridge,) = await house.rows("bridges")
    assert bridge["enabled"]
    assert {each["base_url"] for each in await house.rows("connections")} == set(ADDRESSES.values())
    found = await house.in_step()
    assert len(found) == len(CONTACTS) + len(NEW_CLIENTS)
    linked = [each for each in await house.rows("activities") if each["action"] == "linked"]
    assert len(linked) == len(CLIENTS)
    webhooks = (await house.admin.get(f"/api/v1/connections/{shown['billing_connection_id']}/webhooks")).json()
    assert {each["step"] for each in webhooks["changes"]} == {"keep"}


async def test_what_is_edited_there_arrives_on_the_other_side(house: House) -> None:
    await house.begin()
    first = (await house.in_step())[0]
    path = f"/api/v1/sandbox/people/crm/{first['crm']['id']}"
    assert (await house.admin.patch(path, json={"city": "Exeter"})).json() == {"told": True}
    await until(lambda: _has(house, "billing", "city", "Exeter"))
    other = next(each for each in await house.people() if each["billing"]["values"]["city"] == "Exeter")
    path = f"/api/v1/sandbox/people/billing/{other['billing']['id']}"
    # Invoice Ninja sends no webhook for that; a sweep is begun.
    assert (await house.admin.patch(path, json={"phone": "+442079460199"})).json() == {"told": False}
    await until(lambda: _has(house, "crm", "phone", "+442079460199"))
    new = {"side": "billing", "first_name": "Nora", "email": "nora@new.example", "company": "New Ltd"}
    assert (await house.admin.post("/api/v1/sandbox/people", json=new)).status_code == 201
    await until(lambda: _has(house, "crm", "email", "nora@new.example"))


async def test_what_a_mapping_makes_of_a_value_or_leaves_alone_is_not_apart(house: House) -> None:
    shown = await house.begin()
    first = (await house.in_step())[0]
    city = {"crm": "city", "billing": "city", "direction": "to_billing", "steps": [{"do": "case", "to": "upper"}]}
    fields = [city, *({"crm": name, "billing": name} for name in ("email", "first_name"))]
    answer = await house.admin.patch(
        f"/api/v1/bridges/{shown['bridge_ids'][0]}", json={"settings": {"contact": {"fields": fields}}}
    )
    assert answer.status_code == 200, answer.text
    person = f"/api/v1/sandbox/people/crm/{first['crm']['id']}"
    await house.admin.patch(person, json={"city": "Kiruna", "last_name": "Elsewhere"})
    await until(lambda: _has(house, "billing", "city", "KIRUNA"))
    found = next(each for each in await house.in_step() if each["link_id"] == first["link_id"])
    assert found["billing"]["values"]["last_name"] != "Elsewhere"
    assert found["apart"] == []


async def test_while_a_vendor_is_down_a_change_waits_and_is_caught_up(house: House) -> None:
    await house.begin()
    first = (await house.in_step())[0]
    trouble = {"side": "billing", "trouble": "down"}
    shown = (await house.admin.post("/api/v1/sandbox/troubles", json=trouble)).json()
    assert [(each["trouble"], each["side"]) for each in shown["troubles"]] == [("down", "billing")]
    assert 50 < shown["troubles"][0]["seconds_left"] <= 60
    path = f"/api/v1/sandbox/people/crm/{first['crm']['id']}"
    await house.admin.patch(path, json={"city": "Truro"})
    await until(lambda: _records(house))
    assert not await _has(house, "billing", "city", "Truro")
    assert next(each["apart"] for each in await house.people() if each["link_id"] == first["link_id"]) == ["city"]
    assert (await house.admin.delete("/api/v1/sandbox/troubles")).status_code == 204
    await until(lambda: _has(house, "billing", "city", "Truro"))
    assert (await house.show())["troubles"] == []


async def test_taking_it_away_leaves_nothing_of_it(house: House) -> None:
    shown = await house.begin()
    await house.in_step()
    stage = house.service.sandbox.stage
    assert stage
    assert (await house.admin.delete("/api/v1/sandbox")).status_code == 204
    for path in ("bridges", "connections", "links", "activities", "events"):
        assert await house.rows(path) == []
    assert not stage.alive
    assert list((house.service.settings.home / "sandbox").iterdir()) == []
    assert (await house.show()) == {**_NOTHING, "obstacle": ""}
    assert (await house.begin())["bridge_ids"] != shown["bridge_ids"]


_NOTHING: dict[str, Any] = {
    "exists": False,
    "running": False,
    "crm_connection_id": None,
    "billing_connection_id": None,
    "bridge_ids": [],
    "troubles": [],
    "waiting": None,
}


async def test_after_a_restart_of_the_service_everybody_is_there_still(settings: Settings, database: str) -> None:
    async with serving(build(settings, database)) as url, _admin(url) as admin:
        first = House(build(settings, database), admin)
        await first.begin()
        before = await first.in_step()
    service = build(settings, database)
    async with serving(service) as url, _admin(url) as admin:
        house = House(service, admin)
        await until(lambda: _runs(house))
        assert await house.people() == before
        path = f"/api/v1/sandbox/people/crm/{before[0]['crm']['id']}"
        await house.admin.patch(path, json={"city": "Exeter"})
        await until(lambda: _has(house, "billing", "city", "Exeter"))


async def test_a_simulator_that_has_lost_its_memory_is_filled_anew(settings: Settings, database: str) -> None:
    async with serving(build(settings, database)) as url, _admin(url) as admin:
        await House(build(settings, database), admin).begin()
    (settings.home / "sandbox" / "highlevel.json").write_text("{ torn")
    service = build(settings, database)
    async with serving(service) as url, _admin(url) as admin:
        house = House(service, admin)
        await until(lambda: _runs(house))
        await until(lambda: _are(house, len(CONTACTS) + len(NEW_CLIENTS)))
        assert len(await house.in_step()) == len(CONTACTS) + len(NEW_CLIENTS)


async def test_a_process_that_only_serves_says_why_it_cannot(house: House) -> None:
    house.service.sandbox.works = False
    answer = await house.admin.post("/api/v1/sandbox")
    assert answer.status_code == 422
    assert "one process" in answer.json()["detail"]
    assert "one process" in (await house.show())["obstacle"]
    assert await house.rows("connections") == []


async def test_a_set_up_that_fails_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.trying import beginning

    async def fails(*_: object) -> None:
        raise Rejected("no")

    monkeypatch.setattr(beginning, "make_bridge", fails)
    assert (await house.admin.post("/api/v1/sandbox")).status_code == 422
    assert await house.rows("connections") == []
    assert house.service.sandbox.stage is None


async def _has(house: House, side: str, field: str, value: str) -> bool:
    found = [each[side]["values"][field] for each in await house.people() if each[side]]
    return value in found


async def _records(house: House) -> int:
    return int((await house.show())["waiting"]["records"])


async def _runs(house: House) -> bool:
    return bool((await house.show())["running"])


async def _are(house: House, count: int) -> bool:
    return len(await house.people()) >= count

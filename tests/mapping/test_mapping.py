"""Steps through the whole system, and a field map that a person tries, changes, keeps versions of and restores."""

from typing import Any

from tests.conftest import World, connect, until
from tests.flows.resting import rest
from tests.flows.test_contacts import linked
from tests.flows.test_damage import forget_field, vat_field

TABLE = {"do": "table", "rows": [{"value": "LDN", "becomes": "London area"}, {"value": "YRK", "becomes": "York area"}]}
LIVES = {"do": "template", "text": "{first_name} lives in {value}"}
UPPER = {"do": "case", "to": "upper"}


def pair(crm: str, billing: str, direction: str = "both", *steps: dict[str, Any]) -> dict[str, Any]:
    return {"crm": crm, "billing": billing, "direction": direction, "steps": list(steps)}


EMAIL, NAMES = pair("email", "email"), (pair("first_name", "first_name"), pair("last_name", "last_name"))
FIELDS = [
    EMAIL,
    *NAMES,
    pair("state", "state", "both", {"do": "trim"}, TABLE),
    pair("city", "public_notes", "to_billing", LIVES),
    pair("postal_code", "postal_code", "to_billing", {"do": "default", "value": "none"}),
]


async def _settings(world: World, **contact: Any) -> dict[str, Any]:
    (bridge,) = await world.rows("bridges")
    return {**bridge["settings"], "contact": {**bridge["settings"]["contact"], **contact}}


async def _patch(world: World, status: int = 200, **contact: Any) -> dict[str, Any]:
    settings = await _settings(world, **contact)
    answer = await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": settings})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_a_table_goes_both_ways_a_template_one_way_and_a_default_where_nothing_is(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"fields": FIELDS})
    contact_id, client_id = await linked(world, postalCode="")
    client = await world.client(client_id)
    assert (client["state"], client["public_notes"]) == ("London area", "Jane lives in London")
    assert client["postal_code"] == "none"

    await world.edit_client(client_id, state="York area", postal_code="Y1")
    await until(lambda: _state(world, contact_id, "YRK"))
    await world.edit_contact(contact_id, firstName="Joan", city="York")
    await until(lambda: _notes(world, client_id, "Joan lives in York"))
    await rest(world)
    assert (await world.client(client_id))["postal_code"] == "Y1", "what goes one way only is not taken back"

    await world.forget_calls()
    await world.edit_contact(contact_id, state="LDS", website="https://acme.example/new")
    await until(lambda: _told(world, contact_id, "“LDS” is not in the table"))
    await rest(world)
    assert (await world.client(client_id))["state"] == "York area", "what the table does not know erases nothing"
    assert await world.calls(world.highlevel, "PUT") == []
    await world.edit_contact(contact_id, state="LDN")
    await until(lambda: _client_state(world, client_id, "London area"))


async def _state(world: World, contact_id: str, state: str) -> bool:
    return bool((await world.contact(contact_id)).get("state") == state)


async def _client_state(world: World, client_id: str, state: str) -> bool:
    return bool((await world.client(client_id))["state"] == state)


async def _notes(world: World, client_id: str, notes: str) -> bool:
    return bool((await world.client(client_id))["public_notes"] == notes)


async def _told(world: World, contact_id: str, why: str) -> bool:
    activities = await world.rows("activities", crm_id=contact_id, limit=200)
    return any(change.get("why") == why for each in activities for change in each["changes"])


async def test_a_mapping_is_shown_tried_changed_and_brought_back(world: World) -> None:
    contact_id, client_id = await linked(world)
    here = f"/api/v1/bridges/{world.bridge_id}"
    shown = (await world.admin.get(f"{here}/mapping/contact")).raise_for_status().json()
    fields = {each["name"]: each for each in shown["billing"]}
    assert fields["custom_value4"]["reserved"]
    assert {each["crm"]: each["reason"] for each in shown["pairs"]}["city"] == ""
    assert (await world.admin.get(f"{here}/mapping/nothing")).status_code == 422

    draft = {"object": "contact", "pair": pair("city", "city", "to_billing", UPPER)}
    tried = (await world.admin.post(f"{here}/mapping/preview", json=draft)).raise_for_status().json()
    (record,) = [each for each in tried["records"] if each["id"] == contact_id]
    assert (tried["side"], record["before"], record["after"], record["refused"]) == ("crm", "London", "LONDON", "")
    assert len(tried["records"]) <= 5
    draft["pair"] = pair("city", "city", "both", TABLE)
    tried = (await world.admin.post(f"{here}/mapping/preview", json=draft)).raise_for_status().json()
    assert {each["refused"] for each in tried["records"] if each["id"] == contact_id} == {
        "“London” is not in the table"
    }
    draft["pair"] = pair("city", "email")
    refused = await world.admin.post(f"{here}/mapping/preview", json={**draft, "pair": pair("tags", "country")})
    assert "tags are kept in a field for text" in refused.json()["detail"]

    answer = await world.admin.patch(
        here, json={"settings": await _settings(world, fields=[pair("city", "city", "both", UPPER)])}
    )
    assert answer.status_code == 422
    assert "let it go to_billing or to_crm only, or take that step out" in answer.text
    unknown = {"do": "template", "text": "{colour} {value}"}
    detail = (await _patch(world, 422, fields=[EMAIL, pair("city", "city", "to_billing", unknown)]))["detail"]
    assert detail == "city cannot go to city: its template asks for “colour”, and there is no such field."

    before = await _settings(world)
    await _patch(world, fields=[EMAIL, *NAMES, pair("city", "city", "to_billing", UPPER)])
    await _patch(world, fields=[EMAIL, *NAMES, pair("city", "city", "to_billing", UPPER)])
    first, made = reversed(await world.rows(f"bridges/{world.bridge_id}/versions"))
    assert (first["number"], first["changes"], made["number"], made["actor"]) == (1, [], 2, "admin token")
    change = {"object": "contact", "what": "field City", "before": "City ↔ City", "after": "City → City: CAPITALS"}
    assert change in made["changes"]

    await world.edit_contact(contact_id, firstName="Joan")
    await until(lambda: _city(world, client_id, "LONDON"))
    old = (await world.admin.get(f"{here}/versions/1")).raise_for_status().json()
    back = {**change, "before": change["after"], "after": change["before"]}
    assert (old["settings"], back in old["restoring"]) == (before, True)
    restored = (await world.admin.post(f"{here}/versions/1/restore")).raise_for_status().json()
    assert (restored["number"], restored["bridge"]["settings"]) == (3, before)
    (newest, *_) = await world.rows(f"bridges/{world.bridge_id}/versions")
    assert newest["note"] == "version 1 brought back"
    await world.admin.post(f"{here}/versions/2/restore")
    assert (await _settings(world))["contact"]["fields"][-1]["steps"] == [UPPER]
    assert (await world.admin.post(f"{here}/versions/99/restore")).status_code == 404
    assert (await world.admin.post(f"{here}/versions/5561817193/restore")).status_code == 422


async def _city(world: World, client_id: str, city: str) -> bool:
    return bool((await world.client(client_id))["city"] == city)


async def test_a_field_that_was_taken_out_of_the_account_is_no_empty_one_for_a_default(bare_world: World) -> None:
    world = bare_world
    default = {"do": "default", "value": "none given"}
    fields = [EMAIL, *NAMES, pair("city", "city"), pair("custom.vat_number", "vat_number", "to_billing", default)]
    await connect(world, contact={"fields": fields})
    field_id = await vat_field(world)
    contact_id, client_id = await linked(world, customFields=[{"id": field_id, "field_value": "GB999"}])
    await forget_field(world, field_id)
    await world.edit_contact(contact_id, city="York")
    await until(lambda: _city(world, client_id, "York"))
    await world.quiet()
    assert (await world.client(client_id))["vat_number"] == "GB999"

"""What a bridge is set to, and the rarer ways in which records come and go."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import World, connect, until
from tests.flows.test_balance import add_invoice, pay, settled
from tests.flows.test_contacts import JANE, linked
from tests.planning.conftest import plan

SECOND = "sandboxLocation0002"


async def contacts(world: World) -> list[dict[str, Any]]:
    return list((await world.highlevel.get("/_control/state")).json()["contacts"])


async def test_a_bridge_that_goes_to_billing_only_never_writes_to_the_crm(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"direction": "to_billing"})
    _, client_id = await linked(world)
    await world.forget_calls()
    await world.edit_client(client_id, city="Elsewhere")
    await world.add_client(name="Rossi", contacts=[{"email": "mia@rossi.example"}])
    (row,) = await until(lambda: world.rows("links", state="excluded"))
    await world.quiet()
    assert row["problem"] == "direction"
    assert await world.calls(world.highlevel, "PUT") == []
    assert len(await contacts(world)) == 1


async def test_what_is_emptied_on_one_side_stays_on_the_other_where_the_bridge_keeps_it(bare_world: World) -> None:
    """But for what is worked out: a tag of the balance is taken away when it is over."""
    world = bare_world
    await connect(world, keep_filled=True, balance={"enabled": True})
    contact_id, client_id = await linked(world)
    invoice = await add_invoice(world, client_id, 50)
    await settled(world, contact_id, balance_due=50, tags={"invoice-sent"})
    await pay(world, client_id, invoice["id"], 50)
    await settled(world, contact_id, balance_due=0, tags={"paid"})
    await world.edit_contact(contact_id, city="", lastName="Miller")
    await until(lambda: world.rows("activities", action="updated", object="contact"))
    await world.quiet()
    client = await world.client(client_id)
    assert (client["contacts"][0]["last_name"], client["city"]) == ("Miller", "London")
    await world.edit_client(client_id, city="Bath")
    await until(lambda: _lives_in(world, contact_id, "Bath"))


async def _lives_in(world: World, contact_id: str, city: str) -> bool:
    return bool((await world.contact(contact_id))["city"] == city)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_field_that_is_mapped_to_an_empty_one_is_not_erased(bare_world: World, at_once: bool) -> None:
    """The other field was never filled: that it is empty is no news. The plan of that map says the same.

    Not `at_once`: the field is out of the map for a while.
    """
    world = bare_world
    await connect(world)
    before = datetime.now(UTC).isoformat()
    contact_id, client_id = await linked(world, state="")
    names = [("email", "email"), ("last_name", "last_name"), ("state", "city")]
    fields = [{"crm": crm, "billing": billing, "direction": "to_billing"} for crm, billing in names]
    (bridge,) = await world.rows("bridges")
    settings = {**bridge["settings"], "contact": {**bridge["settings"]["contact"], "fields": fields}}
    shown = await plan(world, settings=settings, start=before)
    assert shown["items"] == {}
    if not at_once:
        less = {**settings, "contact": {**settings["contact"], "fields": fields[:-1]}}
        await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": less})
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"settings": settings})
    await world.edit_contact(contact_id, lastName="Miller")
    await until(lambda: world.rows("activities", action="updated"))
    await world.quiet()
    client = await world.client(client_id)
    assert (client["contacts"][0]["last_name"], client["city"]) == ("Miller", "London")
    await world.edit_contact(contact_id, state="YRK")
    await until(lambda: _city(world, client_id, "YRK"))


async def _city(world: World, client_id: str, city: str) -> bool:
    return bool((await world.client(client_id))["city"] == city)


async def test_a_deleted_contacts_client_can_be_kept(bare_world: World) -> None:
    world = bare_world
    await connect(world, contact={"crm_deleted": "keep"})
    contact_id, client_id = await linked(world)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await until(lambda: world.rows("links", state="unlinked"))
    await world.quiet()
    assert (await world.client(client_id))["archived_at"] == 0


async def test_the_slot_can_be_another_field(bare_world: World) -> None:
    world = bare_world
    await connect(world, slot="custom_value1")
    contact_id, client_id = await linked(world)
    client = await world.client(client_id)
    assert (client["custom_value1"], client["custom_value4"]) == (contact_id, "")


async def test_what_a_person_keeps_in_the_slot_field_is_not_overwritten(bare_world: World) -> None:
    world = bare_world
    person = {"email": "jane@acme.example"}
    client = await world.add_client(name="Acme", custom_value4="VIP", contacts=[person])
    await connect(world)
    await world.add_contact(**JANE)
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    after = await world.client(client["id"])
    assert after["custom_value4"] == "VIP"
    assert after["city"] == "London"


async def test_an_archived_client_stays_linked_and_archived(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.ninja.post("/api/v1/clients/bulk", json={"action": "archive", "ids": [client_id]})
    await world.edit_contact(contact_id, city="York")
    await world.quiet()
    client = await world.client(client_id)
    assert client["city"] == "York"
    assert client["archived_at"] > 0


async def test_a_contact_that_comes_back_brings_its_client_back(world: World) -> None:
    """An unlinked pair whose contact answers again: HighLevel can restore deleted contacts."""
    contact_id, client_id = await linked(world)
    missing = {"statusCode": 400, "message": f"Contact with id {contact_id} not found"}
    await world.fault(world.highlevel, kind="status", status=400, method="GET", path=contact_id, body=missing)
    await world.edit_client(client_id, city="York")
    await until(lambda: world.rows("links", state="unlinked"))
    await world.quiet()
    assert (await world.client(client_id))["archived_at"] > 0
    await world.mend()
    await world.edit_contact(contact_id, state="Yorkshire")
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    client = await world.client(client_id)
    assert client["archived_at"] == 0
    assert client["state"] == "Yorkshire"
    assert (await world.contact(contact_id))["city"] == "York"


async def test_issue_mautic_7466_a_contact_merged_into_another_passes_its_client_on(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await world.highlevel.post("/_control/locations/sandboxLocation0001", json={"allow_duplicate_contact": True})
    heir = await world.add_contact(**{**JANE, "firstName": "Janet"})
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await world.highlevel.delete("/_control/webhook-faults")
    await world.edit_client(client_id, vat_number="GB1")
    await until(lambda: world.rows("links", crm_id=heir, state="ok"))
    await world.quiet()
    client = await world.client(client_id)
    assert client["archived_at"] == 0
    assert client["contacts"][0]["first_name"] == "Janet"


async def test_another_person_on_the_client_is_not_a_new_name_for_the_contact(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.edit_client(client_id, contacts=[{"first_name": "Bob", "email": "bob@acme.example"}])
    await world.edit_client(client_id, city="York")
    (job,) = await until(lambda: world.rows("jobs", state="failed"))
    assert "no longer on client" in job["detail"]
    assert (await world.contact(contact_id))["firstName"] == "Jane"


async def test_a_second_contact_of_a_client_is_the_one_that_matches_by_email(bare_world: World) -> None:
    world = bare_world
    people = [{"first_name": "Bob", "email": "bob@acme.example"}, {"first_name": "J", "email": "jane@acme.example"}]
    client = await world.add_client(name="Acme", contacts=people)
    await connect(world)
    await world.add_contact(**JANE)
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    bob, jane = (await world.client(client["id"]))["contacts"]
    assert (bob["first_name"], bob["email"]) == ("Bob", "bob@acme.example")
    assert (jane["first_name"], jane["email"]) == ("Jane", "jane@acme.example")


async def test_two_contacts_with_one_email_are_not_two_clients(world: World) -> None:
    first, _ = await linked(world)
    await world.highlevel.post("/_control/locations/sandboxLocation0001", json={"allow_duplicate_contact": True})
    second = await world.add_contact(**{**JANE, "firstName": "John"})
    (job,) = await until(lambda: world.rows("jobs", state="conflict"))
    assert job["crm_id"] == second
    assert "already linked" in job["detail"]
    shown = (await world.admin.get(f"/api/v1/conflicts/{job['id']}")).raise_for_status().json()
    (partner,) = [each for each in shown["options"] if each["decide"] == "partner"]
    assert partner["refused"] == f"it is already linked to {first}", "nothing is offered that cannot be done"
    path, wanted = f"/api/v1/conflicts/{job['id']}/decide", {"partner": partner["partner"]}
    refused = await world.admin.post(path, json=wanted)
    assert (refused.status_code, f"already linked to {first}" in refused.json()["detail"]) == (422, True)
    assert len(await world.clients()) == 1


async def test_a_phone_that_another_contact_has_is_a_conflict_not_a_guess(world: World) -> None:
    await linked(world)
    person = {"first_name": "John", "email": "john@acme.example", "phone": JANE["phone"]}
    await world.add_client(name="Other", contacts=[person])
    (job,) = await until(lambda: world.rows("jobs", state="conflict"))
    assert "allows no second record" in job["detail"]
    assert len(await contacts(world)) == 1


async def test_a_field_map_of_ones_own_is_followed(bare_world: World) -> None:
    world = bare_world
    fields = [
        {"crm": "email", "billing": "email"},
        {"crm": "last_name", "billing": "name", "direction": "to_billing"},
        {"crm": "custom.account_tier", "billing": "custom_value2"},
    ]
    await connect(world, contact={"fields": fields})
    _, client_id = await linked(world)
    client = await world.client(client_id)
    assert (client["name"], client["city"], client["contacts"][0]["first_name"]) == ("Doe", "", "")
    bridge = (await world.admin.get(f"/api/v1/bridges/{world.bridge_id}")).json()
    assert len(bridge["fields"]["rules"]) == 3


@pytest.mark.parametrize("edit", [{"name": "Acme Ltd"}])
async def test_a_company_that_highlevel_cannot_change_is_held_and_said_so(world: World, edit: dict[str, str]) -> None:
    contact_id, client_id = await linked(world)
    await world.edit_client(client_id, **edit)
    (activity,) = await until(lambda: world.rows("activities", action="held"))
    assert activity["changes"][0]["field"] == "name"
    assert "cannot be changed" in activity["changes"][0]["why"]
    await world.edit_client(client_id, city="York")
    await world.quiet()
    assert (await world.contact(contact_id))["city"] == "York"
    assert (await world.client(client_id))["name"] == "Acme Ltd"
    assert len(await world.rows("activities", action="held")) == 1


async def test_two_locations_share_a_company_and_each_keeps_to_its_own_clients(world: World) -> None:
    second = await second_location(world)
    _, client_id = await linked(world)
    mine = await until(lambda: world.rows("links", billing_id=client_id, bridge_id=second))
    await world.edit_client(client_id, city="Elsewhere")
    await world.quiet()

    assert [(link["state"], link["problem"]) for link in mine] == [("excluded", "elsewhere")]
    assert [link["state"] for link in await world.rows("links", bridge_id=world.bridge_id)] == ["ok"]
    assert len(await contacts(world)) == 1


async def test_a_client_made_in_a_shared_company_is_given_to_no_location_by_guess(world: World) -> None:
    await second_location(world)
    client = await world.add_client(name="Rossi", contacts=[{"email": "mia@rossi.example"}])
    await until(lambda: has_two(world, client["id"], "shared"))
    await world.add_contact(firstName="Mia", lastName="Rossi", email="mia@rossi.example")
    (link,) = await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))

    assert link["bridge_id"] == world.bridge_id
    assert len(await contacts(world)) == len(await world.clients()) == 1


async def test_a_client_of_another_location_with_the_same_email_is_a_conflict(world: World) -> None:
    second = await second_location(world)
    _, client_id = await linked(world)
    await world.quiet()
    headers = {"Authorization": "Bearer sandbox-highlevel-human-token-2"}
    twin = await world.highlevel.post("/contacts/", json={"locationId": SECOND, **JANE}, headers=headers)
    (link,) = await until(lambda: world.rows("links", crm_id=twin.json()["contact"]["id"], state="conflict"))

    assert link["bridge_id"] == second
    assert client_id in link["detail"]
    assert len(await world.clients()) == 1


async def second_location(world: World) -> int:
    """Another location that brings its contacts to the same company; returns its bridge."""
    token = {"private_token": "sandbox-highlevel-service-token-2", "base_url": world.highlevel_url}
    body = {"provider": "highlevel", "name": "Second", "location_id": SECOND, **token}
    crm = (await world.admin.post("/api/v1/connections", json=body)).raise_for_status().json()
    ids = {"crm_connection_id": crm["id"], "billing_connection_id": world.billing_connection_id}
    bridge = await world.admin.post("/api/v1/bridges", json={"name": "Second bridge", "live": True, **ids})
    return int(bridge.raise_for_status().json()["id"])


async def has_two(world: World, client_id: str, problem: str) -> bool:
    return [link["problem"] for link in await world.rows("links", billing_id=client_id)] == [problem] * 2

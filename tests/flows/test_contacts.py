"""Contacts and clients, both ways, through the whole system: real service, real PostgreSQL, real simulators."""

import asyncio
from typing import Any

from tests.conftest import LOCATION, World, until
from tests.flows.resting import rest, unhurried

JANE: dict[str, Any] = {
    "firstName": "Jane",
    "lastName": "Doe",
    "companyName": "Acme",
    "email": "jane@acme.example",
    "phone": "+442079460018",
    "address1": "1 Elm Row",
    "city": "London",
    "state": "LDN",
    "postalCode": "N1 1AA",
    "country": "GB",
    "website": "https://acme.example",
}


async def linked(world: World, **fields: Any) -> tuple[str, str]:
    """A contact and its client, in step and at rest."""
    contact_id = await world.add_contact(**{**JANE, **fields})

    async def link() -> Any:
        return await world.rows("links", crm_id=contact_id, state="ok")

    rows = await until(link)
    await world.quiet()
    return contact_id, rows[0]["billing_id"]


async def test_a_contact_created_in_highlevel_becomes_a_client(world: World) -> None:
    contact_id, client_id = await linked(world)
    client = await world.client(client_id)
    (person,) = client["contacts"]
    assert (client["name"], client["address1"], client["city"], client["state"]) == (
        "Acme",
        "1 Elm Row",
        "London",
        "LDN",
    )
    assert (client["postal_code"], client["country_id"]) == ("N1 1AA", "826")
    assert client["website"] == "https://acme.example"
    assert (person["first_name"], person["last_name"]) == ("Jane", "Doe")
    assert (person["email"], person["phone"]) == ("jane@acme.example", "+442079460018")
    assert client["custom_value4"] == contact_id


async def test_a_client_created_in_invoice_ninja_becomes_a_contact(world: World) -> None:
    person = {"first_name": "Mia", "last_name": "Rossi", "email": "mia@rossi.example", "phone": "06 1234 5678"}
    client = await world.add_client(name="Rossi", country_id="380", city="Roma", contacts=[person])
    rows = await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    contact = await world.contact(rows[0]["crm_id"])
    assert (contact["firstName"], contact["lastName"], contact["companyName"]) == ("Mia", "Rossi", "Rossi")
    assert (contact["email"], contact["country"], contact["city"]) == ("mia@rossi.example", "IT", "Roma")


async def test_edits_of_different_fields_on_both_sides_both_survive(world: World) -> None:
    contact_id, client_id = await linked(world)
    await asyncio.gather(
        world.edit_contact(contact_id, phone="+442079460099"),
        world.edit_client(client_id, address1="22 Oak Lane", vat_number="GB123456789"),
    )
    await world.quiet()
    client, contact = await world.client(client_id), await world.contact(contact_id)
    assert client["contacts"][0]["phone"] == contact["phone"] == "+442079460099"
    assert client["address1"] == contact["address1"] == "22 Oak Lane"
    assert client["vat_number"] == "GB123456789"


async def test_issue_mailchimp_user_sync_46_only_the_changed_field_travels_and_the_echo_is_silent(world: World) -> None:
    contact_id, _ = await linked(world)
    await world.forget_calls()
    await world.edit_contact(contact_id, city="Cambridge")
    await until(lambda: world.calls(world.ninja, "PUT"))
    await world.quiet()
    assert await world.calls(world.highlevel, "PUT") == []
    assert len(await world.calls(world.ninja, "PUT")) == 1
    activity = (await world.rows("activities"))[0]
    assert [(c["field"], c["side"], c["before"], c["after"]) for c in activity["changes"]] == [
        ("city", "billing", "London", "Cambridge")
    ]


async def test_issue_object_sync_for_salesforce_445_a_create_and_a_changed_update_take_three_calls_and_an_echo_two(
    world: World,
) -> None:
    await unhurried(world)
    await world.forget_calls()
    contact_id, _ = await linked(world)
    await rest(world)
    created = len(await world.calls(world.highlevel)) + len(await world.calls(world.ninja))
    assert created == 3 + 2, "the create and its echo"
    await world.forget_calls()
    await world.edit_contact(contact_id, city="Cambridge")
    await until(lambda: world.calls(world.ninja, "PUT"))
    await rest(world)
    assert len(await world.calls(world.highlevel)) + len(await world.calls(world.ninja)) == 3 + 2


async def test_the_same_webhook_twice_is_one_client_and_one_event(world: World) -> None:
    await world.highlevel.post("/_control/webhook-faults", json={"kind": "duplicate", "share": 1.0})
    contact_id = await world.add_contact(**JANE)
    (event,) = await until(lambda: world.rows("events", external_id=contact_id, state="done"))
    await world.quiet()
    assert len(await world.clients()) == 1
    (event,) = await world.rows("events", external_id=contact_id)
    assert event["deliveries"] == 2


async def test_issue_admin_portal_304_fifty_doubled_and_shuffled_events_make_fifty_clients(world: World) -> None:
    for fault in ({"kind": "duplicate", "share": 1.0}, {"kind": "reorder", "share": 0.5}):
        await world.highlevel.post("/_control/webhook-faults", json=fault)
    await asyncio.gather(*(world.add_contact(**{**JANE, "email": f"p{n}@x.example", "phone": ""}) for n in range(50)))
    await until(lambda: _count(world, 50), 30)
    await world.quiet()
    assert len(await world.clients()) == 50


async def _count(world: World, number: int) -> bool:
    return len(await world.rows("links", state="ok", limit=500)) >= number


async def test_writing_to_invoice_ninja_keeps_settings_other_contacts_and_all_that_is_not_mapped(world: World) -> None:
    contact_id, client_id = await linked(world)
    whole = await world.client(client_id)
    second = {"first_name": "Bob", "last_name": "Roe", "email": "bob@acme.example", "phone": "1"}
    settings = {**whole["settings"], "currency_id": "3", "payment_terms": "14"}
    await world.edit_client(
        client_id, contacts=[*whole["contacts"], second], settings=settings, public_notes="keep", custom_value3="mine"
    )
    await world.quiet()
    before = await world.client(client_id)
    await world.edit_contact(contact_id, lastName="Doe-Smith", city="York")
    await until(lambda: world.calls(world.ninja, "PUT"))
    await world.quiet()
    after = await world.client(client_id)
    assert after["settings"] == before["settings"]
    assert after["settings"]["payment_terms"] == "14"
    assert after["contacts"][1]["id"] == before["contacts"][1]["id"]
    assert after["contacts"][1]["email"] == "bob@acme.example"
    assert (after["public_notes"], after["custom_value3"]) == ("keep", "mine")
    assert (after["contacts"][0]["last_name"], after["city"]) == ("Doe-Smith", "York")


async def test_a_conflict_is_decided_by_the_bridges_policy_and_both_values_are_told(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": False})
    await world.edit_contact(contact_id, city="Crmton")
    await world.edit_client(client_id, city="Billingham")
    await rest(world)
    await world.admin.patch(
        f"/api/v1/bridges/{world.bridge_id}", json={"enabled": True, "settings": {"prefer": "billing"}}
    )
    await world.edit_contact(contact_id, postalCode="N2 2BB")
    await until(lambda: _contact_has(world, contact_id, "city", "Billingham"))
    await world.quiet()
    told = [c for a in await world.rows("activities") for c in a["changes"] if c.get("conflict")]
    assert [(c["field"], c["before"], c["after"]) for c in told] == [("city", "Crmton", "Billingham")]


async def _contact_has(world: World, contact_id: str, field: str, value: str) -> bool:
    return bool((await world.contact(contact_id)).get(field) == value)


async def test_a_cleared_field_is_cleared_on_the_other_side(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.edit_client(client_id, website="")
    await until(lambda: _cleared(world, contact_id))


async def _cleared(world: World, contact_id: str) -> bool:
    return not (await world.contact(contact_id)).get("website")


async def test_a_contact_deleted_in_highlevel_archives_the_client_and_unlinks(world: World) -> None:
    contact_id, client_id = await linked(world)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.quiet()
    client = await world.client(client_id)
    assert client["archived_at"] > 0
    assert client["is_deleted"] is False
    assert client["name"] == "Acme", "gone is not empty: nothing was cleared"
    assert "archived" in (await world.rows("activities"))[0]["detail"]


async def test_a_client_deleted_in_invoice_ninja_never_deletes_the_contact(world: World) -> None:
    contact_id, client_id = await linked(world)
    (await world.ninja.delete(f"/api/v1/clients/{client_id}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.quiet()
    assert (await world.contact(contact_id))["email"] == "jane@acme.example"
    await world.edit_contact(contact_id, city="Leeds")
    await world.quiet()
    assert await world.clients() == [], "an unlinked contact is not made into a client again"


async def test_a_client_restored_from_the_bin_is_in_step_again(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.ninja.delete(f"/api/v1/clients/{client_id}")
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.edit_contact(contact_id, city="Leeds")
    await world.quiet()
    await world.ninja.post("/api/v1/clients/bulk", json={"action": "restore", "ids": [client_id]})
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    assert (await world.client(client_id))["city"] == "Leeds"


async def test_issue_invoiceninja_9613_a_client_that_is_there_already_is_linked_by_its_email(
    bare_world: World,
) -> None:
    world = bare_world
    client = await world.add_client(name="Old name", contacts=[{"first_name": "J", "email": "Jane@Acme.example"}])
    await _connect(world)
    contact_id = await world.add_contact(**JANE)
    (link,) = await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    assert link["billing_id"] == client["id"]
    assert len(await world.clients()) == 1


async def test_two_clients_with_the_contacts_email_are_a_conflict_and_not_guessed(bare_world: World) -> None:
    world = bare_world
    for name in ("One", "Two"):
        await world.add_client(name=name, contacts=[{"email": "jane@acme.example"}])
    await _connect(world)
    contact_id = await world.add_contact(**JANE)
    (job,) = await until(lambda: world.rows("jobs", state="conflict"))
    assert job["crm_id"] == contact_id
    assert len(job["candidates"]) == 2
    assert len(await world.clients()) == 2


async def test_of_two_clients_with_the_contacts_email_the_one_with_its_name_is_taken(bare_world: World) -> None:
    world = bare_world
    for first in ("Other", "Jane"):
        person = {"first_name": first, "last_name": "Doe", "email": "jane@acme.example"}
        await world.add_client(name="Acme", contacts=[person])
    await _connect(world)
    await world.add_contact(**JANE)
    (link,) = await until(lambda: world.rows("links", state="ok"))
    assert (await world.client(link["billing_id"]))["contacts"][0]["first_name"] == "Jane"
    assert len(await world.clients()) == 2


async def test_an_earlier_installations_client_is_found_by_its_slot_though_its_email_changed(bare_world: World) -> None:
    world = bare_world
    contact_id = await world.add_contact(**JANE)
    client = await world.add_client(name="Acme", custom_value4=contact_id, contacts=[{"email": "old@acme.example"}])
    await _connect(world)
    async with world.service.engine.begin() as connection:
        from sqlalchemy import text

        await connection.execute(text("UPDATE bridges SET created_at = now() + interval '1 day'"))
    await world.service.directory.refresh()
    await world.edit_contact(contact_id, city="Cambridge")
    (link,) = await until(lambda: world.rows("links", state="ok"))
    assert link["billing_id"] == client["id"]
    assert len(await world.clients()) == 1


async def test_twins_created_on_both_sides_at_once_end_as_one_pair(world: World) -> None:
    person = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}
    await asyncio.gather(world.add_contact(**JANE), world.add_client(name="Acme", contacts=[person]))
    await until(lambda: world.rows("links", state="ok"))
    await world.quiet()
    assert len(await world.clients()) == 1
    assert len(await world.rows("links", state="ok")) == 1


async def test_a_client_that_a_person_made_while_we_made_ours_replaces_ours(world: World) -> None:
    """The narrow race: ours was written after we looked and before theirs could be seen."""
    contact_id, ours = await linked(world)
    person = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}
    theirs = await world.add_client(name="Acme", contacts=[person])
    await until(lambda: world.rows("links", billing_id=theirs["id"], state="ok"))
    await world.quiet()
    assert (await world.client(ours))["archived_at"] > 0
    (link,) = await world.rows("links", state="ok")
    assert (link["crm_id"], link["billing_id"]) == (contact_id, theirs["id"])


async def test_custom_fields_travel_by_their_key(world: World) -> None:
    contact_id, client_id = await linked(world)
    fields = (await world.highlevel.get(f"/locations/{LOCATION}/customFields")).json()["customFields"]
    vat = next(field["id"] for field in fields if field["fieldKey"] == "contact.vat_number")
    await world.edit_contact(contact_id, customFields=[{"id": vat, "field_value": "GB999"}])
    await until(lambda: _client_has(world, client_id, "vat_number", "GB999"))


async def _client_has(world: World, client_id: str, field: str, value: str) -> bool:
    return bool((await world.client(client_id))[field] == value)


async def test_issue_mautic_5401_twenty_quick_updates_end_with_the_last_value(world: World) -> None:
    contact_id, client_id = await linked(world)
    for number in range(20):
        await world.edit_contact(contact_id, city=f"City {number}")
    await until(lambda: _client_has(world, client_id, "city", "City 19"))
    await world.quiet()
    assert (await world.client(client_id))["city"] == "City 19"
    assert (await world.contact(contact_id))["city"] == "City 19"


async def _connect(world: World) -> None:
    from tests.conftest import connect

    await connect(world)

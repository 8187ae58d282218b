"""Interleavings that once erased, merged or stranded something; each found by a review and mended."""

import asyncio
from typing import Any

from sqlalchemy import text

from app.main import build
from app.sync.records import Side
from app.sync.store import Target
from tests.conftest import LOCATION, World, connect, until
from tests.flows.test_contacts import JANE, linked
from tests.flows.test_failures import contacts, has


async def sql(world: World, statement: str, **values: Any) -> None:
    async with world.service.engine.begin() as connection:
        await connection.execute(text(statement), values)


def set_(world: World, **changes: Any) -> None:
    """Settings are frozen for everybody else."""
    for name, value in changes.items():
        object.__setattr__(world.service.settings, name, value)


async def vat_field(world: World) -> str:
    fields = (await world.highlevel.get(f"/locations/{LOCATION}/customFields")).json()["customFields"]
    return str(next(field["id"] for field in fields if field["fieldKey"] == "contact.vat_number"))


async def forget_field(world: World, field_id: str) -> None:
    """The location's field was deleted, or made anew: its id answers nothing any more."""
    await sql(
        world,
        "UPDATE connections SET data = replace(data::text, :old, 'AAAAAAAAAAAAAAAAAAAA')::jsonb WHERE id = :id",
        old=field_id,
        id=world.crm_connection_id,
    )
    await world.service.directory.refresh()


async def test_a_client_that_a_person_restored_is_not_archived_again(world: World) -> None:
    contact_id, client_id = await linked(world)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.quiet()
    await world.ninja.post("/api/v1/clients/bulk", json={"action": "restore", "ids": [client_id]})
    await until(lambda: world.rows("events", kind="EVENT_RESTORE_CLIENT", state="done"))
    await world.quiet()
    assert (await world.client(client_id))["archived_at"] == 0


async def test_after_a_failed_create_a_namesake_is_not_taken_for_the_lost_answer(bare_world: World) -> None:
    world = bare_world
    old = await world.add_contact(firstName="Mia", lastName="Rossi", email="other.mia@rossi.example", city="Oslo")
    await connect(world)
    await world.fault(world.highlevel, kind="status", status=500, method="POST", path="^/contacts/$", times=1)
    client = await world.add_client(name="Rossi Srl", contacts=[{"first_name": "Mia", "last_name": "Rossi"}])
    (link,) = await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    assert link["crm_id"] != old
    assert (await world.client(client["id"]))["city"] == ""


async def test_a_worker_with_an_old_copy_does_not_break_a_connection_that_was_just_mended(
    bare_world: World, database: str
) -> None:
    world = bare_world
    await connect(world)
    contact_id, _ = await linked(world)
    other = build(world.service.settings, database)
    await sql(world, "UPDATE connections SET state = 'needs_reconnect' WHERE id = :id", id=world.crm_connection_id)
    await other.directory.bridge(world.bridge_id)
    path = f"/api/v1/connections/{world.crm_connection_id}"
    (await world.admin.post(f"{path}/check", json={})).raise_for_status()
    target = Target(bridge_id=world.bridge_id, object="contact", side=Side.CRM, external_id=contact_id, claim="x")
    await other.worker.sync.run(target, "event")
    await other.client.aclose()
    await other.db.dispose()
    assert (await world.admin.get(path)).json()["state"] == "active"


async def test_many_events_do_not_burn_a_days_tries_in_seconds(world: World) -> None:
    contact_id, _ = await linked(world)
    set_(world, retry_tries=5, retry_first=60.0)
    await world.fault(world.ninja, kind="status", status=500, path="^/api/v1/clients")
    for number in range(8):
        await world.edit_contact(contact_id, city=f"City {number}")
        await asyncio.sleep(0.15)
    (job,) = await until(lambda: world.rows("jobs"))
    assert (job["state"], job["tries"]) == ("retrying", 1)


async def test_after_giving_up_the_next_edit_has_all_its_tries(world: World) -> None:
    contact_id, client_id = await linked(world)
    set_(world, retry_tries=3, retry_first=0.1)
    await world.fault(world.ninja, kind="status", status=500, path="^/api/v1/clients")
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("jobs", state="failed"))
    await world.mend()
    await world.fault(world.ninja, kind="status", status=500, method="PUT", path="^/api/v1/clients", times=1)
    await world.edit_contact(contact_id, city="Leeds")
    await until(lambda: has(world, client_id, "city", "Leeds"))


async def test_an_asked_retry_that_meets_a_refused_token_goes_on_when_it_is_renewed(world: World) -> None:
    contact_id, client_id = await linked(world)
    body = {"message": "no", "errors": {"city": ["no"]}}
    await world.fault(world.ninja, kind="status", status=422, method="PUT", body=body)
    await world.edit_contact(contact_id, city="York")
    (job,) = await until(lambda: world.rows("jobs", state="failed"))
    await world.quiet()
    await world.mend()
    refused = {"statusCode": 401, "message": "Invalid JWT"}
    await world.fault(world.highlevel, kind="status", status=401, body=refused)
    (await world.admin.post(f"/api/v1/jobs/{job['id']}/retry")).raise_for_status()
    await until(lambda: world.rows("jobs", state="waiting"))
    await world.mend()
    (await world.admin.post(f"/api/v1/connections/{world.crm_connection_id}/check", json={})).raise_for_status()
    await until(lambda: has(world, client_id, "city", "York"))


async def test_a_persons_second_company_is_no_twin_of_the_invoiced_first(world: World) -> None:
    _, ours = await linked(world)
    invoice = {"client_id": ours, "line_items": [{"product_key": "x", "quantity": 1, "cost": 100}]}
    (await world.ninja.post("/api/v1/invoices", json=invoice, params={"mark_sent": "true"})).raise_for_status()
    person = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}
    theirs = await world.add_client(name="Jane's Other Company", contacts=[person])
    await until(lambda: world.rows("jobs", state="conflict"))
    await world.quiet()
    assert (await world.client(ours))["archived_at"] == 0
    assert (await world.client(theirs["id"]))["name"] == "Jane's Other Company"


async def test_a_custom_field_deleted_in_highlevel_erases_nothing_in_billing(world: World) -> None:
    field_id = await vat_field(world)
    contact_id, client_id = await linked(world, customFields=[{"id": field_id, "field_value": "GB999"}])
    assert (await world.client(client_id))["vat_number"] == "GB999"
    await forget_field(world, field_id)
    await world.edit_contact(contact_id, city="York")
    await until(lambda: has(world, client_id, "city", "York"))
    await world.quiet()
    assert (await world.client(client_id))["vat_number"] == "GB999"


async def test_issue_highlevel_api_docs_313_what_highlevel_accepts_and_drops_is_not_erased_in_billing(
    world: World,
) -> None:
    contact_id, client_id = await linked(world)
    await forget_field(world, await vat_field(world))
    await world.edit_client(client_id, vat_number="GB123")
    await until(lambda: world.calls(world.highlevel, "PUT"))
    await world.quiet()
    await world.edit_contact(contact_id, city="York")
    await until(lambda: has(world, client_id, "city", "York"))
    await world.quiet()
    assert (await world.client(client_id))["vat_number"] == "GB123"


async def test_an_edit_between_a_lost_create_and_its_retry_survives(world: World) -> None:
    set_(world, retry_first=1.0)
    # Else the client's own event links the two before the retry comes.
    (await world.ninja.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()
    await world.fault(world.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    contact_id = await world.add_contact(**JANE)
    await until(lambda: world.rows("jobs", state="retrying"))
    await world.edit_contact(contact_id, city="York", website="", email="jane.new@acme.example")
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    (client,) = await world.clients()
    assert (client["city"], client["contacts"][0]["email"]) == ("York", "jane.new@acme.example")
    assert not (await world.contact(contact_id)).get("website")


async def test_a_contact_entered_anew_brings_its_archived_client_back(world: World) -> None:
    contact_id, _ = await linked(world)
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=contact_id, state="unlinked"))
    await world.quiet()
    again = await world.add_contact(**JANE)
    await until(lambda: world.rows("links", crm_id=again, state="ok"))
    await world.quiet()
    assert len(await world.clients()) == 1


async def test_what_a_dead_attempt_reserved_keeps_no_twin_waiting_for_ever(world: World) -> None:
    """Its create may have gone out: as long as that can still be found out, it does, as tests/races show."""
    await sql(
        world,
        "INSERT INTO links (bridge_id, object, crm_id, created_at, claim, claimed_until, match_key, creating)"
        " VALUES (:bridge, 'contact', 'dead', now() - interval '61 min', 'job-0', now() - interval '1 h',"
        " 'email:mia@rossi.example', 'billing')",
        bridge=world.bridge_id,
    )
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    assert len(await contacts(world)) == 1


async def test_a_twin_that_may_not_be_archived_does_not_cut_the_pair(world: World) -> None:
    contact_id, _ = await linked(world)
    body = {"message": "This action is unauthorized."}
    await world.fault(world.ninja, kind="status", status=401, method="POST", path="clients/bulk", body=body)
    person = {"first_name": "Jane", "last_name": "Doe", "email": "jane@acme.example"}
    await world.add_client(name="Acme", contacts=[person])
    await asyncio.sleep(0.5)
    await world.quiet()
    (link,) = await world.rows("links", crm_id=contact_id)
    assert link["state"] == "ok"


async def test_a_retry_goes_on_when_its_bridge_is_switched_on_again(world: World) -> None:
    contact_id, client_id = await linked(world)
    set_(world, retry_first=0.6)
    await world.fault(world.ninja, kind="status", status=500, path="^/api/v1/clients")
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("jobs", state="retrying"))
    path = f"/api/v1/bridges/{world.bridge_id}"
    await world.admin.patch(path, json={"enabled": False})
    await world.mend()
    await asyncio.sleep(1)
    await world.admin.patch(path, json={"enabled": True})
    await until(lambda: has(world, client_id, "city", "York"))


async def test_a_contact_whose_answer_is_lost_is_found_though_the_search_index_does_not_have_it_yet(
    world: World,
) -> None:
    settings = {"allow_duplicate_contact": True, "index_lag": 60}
    (await world.highlevel.post("/_control/settings", json=settings)).raise_for_status()
    # Else the contact's own event links the two before the retry comes.
    (await world.highlevel.post("/_control/webhook-faults", json={"kind": "lose"})).raise_for_status()
    await world.fault(world.highlevel, kind="drop_after", method="POST", path="^/contacts/$", times=1)
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    (await world.highlevel.post("/_control/settings", json={"index_lag": 0})).raise_for_status()
    assert len(await contacts(world)) == 1


async def test_a_country_that_highlevel_does_not_know_is_held_and_the_rest_arrives(world: World) -> None:
    client = await world.add_client(name="Isla", country_id="531", contacts=[{"email": "jo@isla.example"}])
    (link,) = await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    assert link["held"]["country"]["value"] == "CW"
    contact = await world.contact(link["crm_id"])
    assert (contact["email"], contact.get("country")) == ("jo@isla.example", None)

"""What happens when a vendor is in trouble: nothing is lost, nothing is done twice, and it is visible."""

from typing import Any

from tests.conftest import World, until
from tests.flows.test_contacts import JANE, linked


async def test_after_a_while_of_500_the_change_arrives(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.fault(world.ninja, kind="status", status=500, path="^/api/v1/clients")
    await world.edit_contact(contact_id, city="York")
    (job,) = await until(lambda: world.rows("jobs", state="retrying"))
    assert "500" in job["detail"]
    assert job["tries"] >= 1
    await world.mend()
    await until(lambda: has(world, client_id, "city", "York"))
    await world.quiet()
    assert await world.rows("jobs") == []


async def has(world: World, client_id: str, field: str, value: str) -> bool:
    return bool((await world.client(client_id))[field] == value)


async def test_issue_invoiceninja_6367_a_create_whose_answer_is_lost_is_not_made_again(world: World) -> None:
    await world.fault(world.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    contact_id = await world.add_contact(**JANE)
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    assert len(await world.clients()) == 1


async def test_a_create_whose_answer_is_lost_is_found_by_its_slot_even_without_an_email(world: World) -> None:
    await world.fault(world.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    contact_id = await world.add_contact(firstName="Only", lastName="Name")
    await until(lambda: world.rows("links", crm_id=contact_id, state="ok"))
    await world.quiet()
    assert len(await world.clients()) == 1


async def test_a_contact_whose_answer_is_lost_is_not_made_again(world: World) -> None:
    await world.fault(world.highlevel, kind="drop_after", method="POST", path="^/contacts/$", times=1)
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "last_name": "Rossi"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    assert len(await contacts(world)) == 1


async def contacts(world: World) -> list[dict[str, Any]]:
    return list((await world.highlevel.get("/_control/state")).json()["contacts"])


async def test_issue_highlevel_api_docs_64_a_contact_that_is_refused_and_made_all_the_same_is_linked(
    world: World,
) -> None:
    await world.fault(world.highlevel, kind="created_anyway", status=422, method="POST", path="^/contacts/$", times=1)
    client = await world.add_client(name="Rossi", contacts=[{"first_name": "Mia", "email": "mia@rossi.example"}])
    await until(lambda: world.rows("links", billing_id=client["id"], state="ok"))
    await world.quiet()
    assert len(await contacts(world)) == 1


async def test_a_429_waits_as_long_as_the_vendor_says(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.fault(
        world.ninja, kind="status", status=429, path="^/api/v1/clients", times=1, headers={"Retry-After": "1"}
    )
    await world.forget_calls()
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.calls(world.ninja, "PUT"))
    assert (await world.client(client_id))["city"] == "York"
    asked = [call["at"] for call in await world.calls(world.ninja)]
    assert asked[1] - asked[0] >= 0.95


async def test_a_refused_token_makes_the_connection_wait_without_burning_tries(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.fault(world.highlevel, kind="status", status=401, body={"statusCode": 401, "message": "Invalid JWT"})
    await world.highlevel.post("/_control/webhooks", json={"url": f"{world.url}/webhooks/highlevel", "events": "all"})
    await world.edit_client(client_id, city="York")
    (job,) = await until(lambda: world.rows("jobs", state="waiting"))
    assert job["tries"] == 0
    connection = (await world.admin.get(f"/api/v1/connections/{world.crm_connection_id}")).json()
    assert connection["state"] == "needs_reconnect"
    assert "Invalid JWT" in connection["state_reason"]
    await world.mend()
    (await world.admin.post(f"/api/v1/connections/{world.crm_connection_id}/check", json={})).raise_for_status()
    await until(lambda: contact_has(world, contact_id, "city", "York"))


async def contact_has(world: World, contact_id: str, field: str, value: str) -> bool:
    return bool((await world.contact(contact_id)).get(field) == value)


async def test_what_a_vendor_refuses_is_failed_with_its_words_and_can_be_retried(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.fault(
        world.ninja, kind="status", status=422, method="PUT",
        body={"message": "The given data was invalid.", "errors": {"city": ["is not to our taste"]}},
    )  # fmt: skip
    await world.edit_contact(contact_id, city="York")
    (job,) = await until(lambda: world.rows("jobs", state="failed"))
    assert "is not to our taste" in job["detail"]
    await world.mend()
    (await world.admin.post(f"/api/v1/jobs/{job['id']}/retry")).raise_for_status()
    await until(lambda: has(world, client_id, "city", "York"))
    await world.quiet()
    assert await world.rows("jobs") == []


async def test_one_record_in_trouble_does_not_hold_up_the_others(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.fault(world.ninja, kind="status", status=500, path=client_id)
    await world.edit_contact(contact_id, city="York")
    await until(lambda: world.rows("jobs", state="retrying"))
    other = await world.add_contact(firstName="Ravi", email="ravi@shah.example")
    await until(lambda: world.rows("links", crm_id=other, state="ok"))

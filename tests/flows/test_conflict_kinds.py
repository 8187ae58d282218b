"""Conflicts of records, between the running service and both simulators: each kind, and each decision about it."""

from typing import Any

import pytest

from tests.conftest import World, connect, until
from tests.flows.invoicing import WORK, add, change, invoice_of, invoices, joined, links, payments, take, today
from tests.flows.invoicing import act as press_there
from tests.flows.resting import rest
from tests.flows.test_conflicts import conflict, decide
from tests.flows.test_contacts import JANE, linked
from tests.flows.test_policies import contacts
from tests.flows.test_tasks import add_task, crm_task, pair, tasks


def options(found: dict[str, Any]) -> list[str]:
    """Those of the record that are not refused."""
    return [f"{each['decide']} {each['partner']}".strip() for each in found["options"] if not each["refused"]]


# -- several records could be the partner ---------------------------------------------------------------------------


async def doubtful(world: World) -> tuple[str, list[str], dict[str, Any]]:
    """A contact, two clients with its e-mail, and the conflict."""
    person = {"email": "jane@acme.example"}
    both = [await world.add_client(name=name, city="Oldtown", contacts=[person]) for name in ("Acme", "Acme two")]
    await connect(world)
    contact_id = await world.add_contact(**JANE)
    await until(lambda: world.rows("conflicts", kind="ambiguous"))
    await rest(world)
    return contact_id, [each["id"] for each in both], await conflict(world, kind="ambiguous")


async def silent_client(world: World, name: str) -> dict[str, Any]:
    """One more client with that e-mail, of which no event tells."""
    await world.ninja.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    return await world.add_client(name=name, contacts=[{"email": "jane@acme.example"}])


async def test_a_person_says_which_of_two_candidates_it_is(bare_world: World) -> None:
    contact_id, (first, second), found = await doubtful(bare_world)
    assert (found["state"], found["crm_id"], found["billing_id"]) == ("conflict", contact_id, None)
    assert {each["id"]: each["values"]["name"] for each in found["candidates"]} == {first: "Acme", second: "Acme two"}
    assert options(found) == [f"partner {each['id']}" for each in found["candidates"]] + ["create", "keep_apart"]
    await decide(bare_world, found["id"], partner=second)
    (link,) = await bare_world.rows("links", state="ok")
    assert (link["crm_id"], link["billing_id"], link["conflicts"], link["candidates"]) == (contact_id, second, [], [])
    assert (await bare_world.client(second))["city"] == "London"
    assert (await bare_world.client(first))["city"] == "Oldtown"
    (activity,) = await bare_world.rows("activities", action="linked")
    assert activity["detail"] == "found by the choice of admin token"
    assert len(await bare_world.clients()) == 2


async def test_a_chosen_partner_that_is_gone_is_asked_about_anew(bare_world: World) -> None:
    contact_id, (first, second), found = await doubtful(bare_world)
    third = await silent_client(bare_world, "Acme three")
    (await bare_world.ninja.delete(f"/api/v1/clients/{second}")).raise_for_status()
    await rest(bare_world)
    await decide(bare_world, found["id"], partner=second)
    again = (await bare_world.admin.get(f"/api/v1/conflicts/{found['id']}")).json()
    assert {each["id"] for each in again["candidates"]} == {first, third["id"]}
    assert (again["conflicts"], again["crm_id"], again["billing_id"]) == (["ambiguous"], contact_id, None)


async def test_news_of_one_candidate_does_not_decide_and_one_more_is_shown(bare_world: World) -> None:
    contact_id, (first, second), found = await doubtful(bare_world)
    await bare_world.edit_client(first, website="https://new.example")
    await rest(bare_world)
    (aside,) = await bare_world.rows("links", billing_id=first)
    assert (aside["state"], aside["problem"], aside["crm_id"]) == ("excluded", "undecided", None)
    third = await bare_world.add_client(name="Acme three", contacts=[{"email": "jane@acme.example"}])
    await rest(bare_world)
    again = await conflict(bare_world, kind="ambiguous")
    assert again["id"] == found["id"]
    assert {each["id"] for each in again["candidates"]} == {first, second, third["id"]}
    await decide(bare_world, found["id"], partner=first)
    (link,) = await bare_world.rows("links", billing_id=first)
    assert (link["state"], link["crm_id"]) == ("ok", contact_id)
    assert (await bare_world.contact(contact_id))["website"] == "https://acme.example"


async def test_a_candidate_that_is_the_only_one_left_is_linked(bare_world: World) -> None:
    contact_id, (first, second), _ = await doubtful(bare_world)
    await bare_world.edit_person(second, email="other@acme.example")
    await bare_world.edit_client(first, website="https://new.example")
    await rest(bare_world)
    (link,) = await bare_world.rows("links", billing_id=first)
    assert (link["state"], link["crm_id"]) == ("ok", contact_id)
    assert await bare_world.rows("conflicts") == []


async def test_who_is_none_of_the_candidates_gets_a_partner_of_its_own(bare_world: World) -> None:
    contact_id, candidates, found = await doubtful(bare_world)
    await bare_world.fault(bare_world.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    await decide(bare_world, found["id"], create=True)
    (link,) = await until(lambda: bare_world.rows("links", crm_id=contact_id, state="ok"))
    await rest(bare_world)
    assert link["billing_id"] not in candidates
    assert len(await bare_world.clients()) == 3, "also where the answer of the create was lost"
    assert [(await bare_world.client(each))["city"] for each in candidates] == ["Oldtown", "Oldtown"]


async def doubled(world: World) -> tuple[list[str], str, dict[str, Any]]:
    """Two contacts with one e-mail, a client with the same, and the conflict."""
    await allow_doubles(world, allowed=True)
    both = [await world.add_contact(**{**JANE, "firstName": name}) for name in ("Jane", "Janet")]
    await connect(world)
    client = await world.add_client(name="Other", contacts=[{"email": "jane@acme.example"}])
    await until(lambda: world.rows("conflicts", kind="ambiguous"))
    await rest(world)
    found = await conflict(world)
    assert {each["id"] for each in found["candidates"]} == set(both)
    return both, client["id"], found


async def allow_doubles(world: World, *, allowed: bool) -> None:
    place = "/_control/locations/sandboxLocation0001"
    (await world.highlevel.post(place, json={"allow_duplicate_contact": allowed})).raise_for_status()


async def test_where_the_vendor_allows_no_second_one_its_refusal_links_nothing(bare_world: World) -> None:
    """HighLevel names one of the two when it refuses a third."""
    _, client, found = await doubled(bare_world)
    await allow_doubles(bare_world, allowed=False)
    await decide(bare_world, found["id"], create=True)
    again = await conflict(bare_world)
    assert "allows no second record" in again["detail"]
    assert (again["billing_id"], again["crm_id"]) == (client, None)


async def test_a_lost_answer_makes_one_partner_beside_the_candidates(bare_world: World) -> None:
    """HighLevel's contacts carry no id of ours: what came of the lost create looks like the candidates."""
    both, client, found = await doubled(bare_world)
    await bare_world.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await bare_world.fault(bare_world.highlevel, kind="drop_after", method="POST", path="^/contacts/$", times=1)
    await decide(bare_world, found["id"], create=True)
    (link,) = await until(lambda: bare_world.rows("links", billing_id=client, state="ok"))
    await rest(bare_world)
    assert link["crm_id"] not in both
    assert len(await contacts(bare_world)) == 3


async def test_a_candidate_that_nobody_has_seen_is_not_passed_over(bare_world: World) -> None:
    _, _, found = await doubtful(bare_world)
    third = await silent_client(bare_world, "Acme three")
    await decide(bare_world, found["id"], create=True)
    again = (await bare_world.admin.get(f"/api/v1/conflicts/{found['id']}")).json()
    assert [each["id"] for each in again["candidates"]] == [third["id"]]
    assert (again["conflicts"], again["billing_id"]) == (["ambiguous"], None)
    assert len(await bare_world.clients()) == 3


async def test_who_is_kept_apart_is_asked_about_no_more_until_a_person_decides_otherwise(bare_world: World) -> None:
    contact_id, (first, second), found = await doubtful(bare_world)
    await decide(bare_world, found["id"], keep_apart=True)
    (link,) = await bare_world.rows("links", crm_id=contact_id)
    assert (link["state"], link["problem"], link["apart"]) == ("excluded", "kept_apart", True)
    assert link["detail"] == "admin token keeps it apart: it is not synced."
    await bare_world.forget_calls()
    await bare_world.edit_contact(contact_id, city="York")
    await rest(bare_world)
    assert await bare_world.calls(bare_world.highlevel) + await bare_world.calls(bare_world.ninja) == []
    for client in (first, second):
        await bare_world.edit_client(client, website="https://new.example")
    await rest(bare_world)
    told = [await bare_world.rows("links", billing_id=client) for client in (first, second)]
    assert [(row["state"], row["problem"]) for rows in told for row in rows] == [("excluded", "kept_apart")] * 2
    assert len(await contacts(bare_world)) == 1
    assert await bare_world.rows("conflicts") == []
    await decide(bare_world, found["id"], partner=first)
    (link,) = await bare_world.rows("links", crm_id=contact_id)
    assert (link["state"], link["billing_id"], link["apart"]) == ("ok", first, False)


async def test_what_cannot_be_decided_so_is_refused(bare_world: World) -> None:
    _, _, found = await doubtful(bare_world)
    path = f"/api/v1/conflicts/{found['id']}/decide"
    tried = {
        409: [{"partner": "nobody"}, {"deletion": "keep"}, {"fields": {"city": {"take": "crm"}}}],
        422: [{}, {"keep_apart": True, "create": True}, {"fields": {"city": {"take": "value"}}}],
    }
    for status, bodies in tried.items():
        for body in bodies:
            answer = await bare_world.admin.post(path, json=body)
            assert answer.status_code == status, (body, answer.text)
    assert (await bare_world.admin.post("/api/v1/conflicts/77/decide", json={"create": True})).status_code == 404
    off = await bare_world.admin.patch(f"/api/v1/bridges/{bare_world.bridge_id}", json={"enabled": False})
    off.raise_for_status()
    assert (await bare_world.admin.post(path, json={"keep_apart": True})).status_code == 409
    (link,) = await bare_world.rows("links", state="conflict")
    assert link["decisions"] == {"fields": {}, "partner": None, "apart": None, "parting": None}


async def test_what_is_in_step_has_nothing_to_decide(world: World) -> None:
    await linked(world)
    (link,) = await world.rows("links")
    answer = await world.admin.post(f"/api/v1/conflicts/{link['id']}/decide", json={"keep_apart": True})
    assert answer.status_code == 409


# -- a deletion met an edit -----------------------------------------------------------------------------------------


async def parted(world: World) -> tuple[str, str, dict[str, Any], dict[str, Any]]:
    """A task that was deleted in billing after an edit in the CRM that has not arrived: contact, task, mirror,
    conflict."""
    await connect(world, task={"enabled": True, "billing_deleted": "delete"})
    contact, _ = await pair(world)
    task = await add_task(world, contact)
    await until(lambda: world.rows("links", object="task", state="ok"))
    await world.quiet()
    (made,) = await tasks(world)
    await world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Edited"})
    (await world.ninja.delete(f"/api/v1/tasks/{made['id']}")).raise_for_status()
    await until(lambda: world.rows("conflicts", kind="deletion"))
    await rest(world)
    return contact, task, made, await conflict(world, kind="deletion")


async def test_a_deletion_that_met_an_edit_shows_what_would_be_lost(bare_world: World) -> None:
    _, _, _, found = await parted(bare_world)
    assert options(found) == ["delete", "keep", "restore", "keep_apart"]
    told = found["held"]["title"]["conflict"]
    assert (told["kind"], told["base_crm"], told["crm"], told["billing"]) == ("deletion", "Call Dora", "Edited", None)
    assert found["fields"] == [], "there is no value to take from a record that is gone"


async def there(world: World, contact: str) -> list[str]:
    answer = (await world.highlevel.get(f"/contacts/{contact}/tasks")).raise_for_status()
    return [each["title"] for each in answer.json()["tasks"]]


async def test_the_edited_record_is_deleted_as_well(bare_world: World) -> None:
    contact, _, _, found = await parted(bare_world)
    await decide(bare_world, found["id"], deletion="delete")
    assert await there(bare_world, contact) == []
    (link,) = await bare_world.rows("links", object="task")
    assert (link["state"], link["problem"], link["conflicts"]) == ("unlinked", "billing_gone_deleted", [])
    (activity,) = await bare_world.rows("activities", action="unlinked", link_id=link["id"])
    assert "admin token decided so." in activity["detail"]


async def test_the_edited_record_is_kept_alone(bare_world: World) -> None:
    contact, _, _, found = await parted(bare_world)
    await decide(bare_world, found["id"], deletion="keep")
    assert await there(bare_world, contact) == ["Edited"]
    (link,) = await bare_world.rows("links", object="task")
    assert (link["state"], link["problem"], link["conflicts"]) == ("unlinked", "billing_gone", [])


async def test_the_deleted_record_is_brought_back_and_gets_the_edits(bare_world: World) -> None:
    contact, task, made, found = await parted(bare_world)
    await decide(bare_world, found["id"], deletion="restore")
    (back,) = await tasks(bare_world)
    assert (back["id"], back["description"].partition("\n")[0], back["is_deleted"]) == (made["id"], "Edited", False)
    assert (await crm_task(bare_world, contact, task))["title"] == "Edited"
    (link,) = await bare_world.rows("links", object="task")
    assert (link["state"], link["conflicts"], link["held"]) == ("ok", [], {})


async def test_further_edits_are_not_deleted_by_a_decision_about_the_first(bare_world: World) -> None:
    contact, task, _, found = await parted(bare_world)
    await bare_world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Edited again"})
    await decide(bare_world, found["id"], deletion="delete")
    assert await there(bare_world, contact) == ["Edited again"]
    again = await conflict(bare_world, kind="deletion")
    assert again["held"]["title"]["conflict"]["crm"] == "Edited again"
    await decide(bare_world, found["id"], deletion="delete")
    assert await there(bare_world, contact) == []


async def test_what_its_vendor_cannot_bring_back_is_asked_about_again(bare_world: World) -> None:
    """HighLevel has no bin for contacts."""
    world = bare_world
    await connect(world, contact={"crm_deleted": "delete"})
    contact_id, client_id = await linked(world)
    await world.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    (await world.highlevel.delete(f"/contacts/{contact_id}")).raise_for_status()
    await world.edit_client(client_id, city="York")
    await until(lambda: world.rows("conflicts", kind="deletion"))
    await rest(world)
    found = await conflict(world)
    assert found["held"]["city"]["conflict"]["billing"] == "York"
    await decide(world, found["id"], deletion="restore")
    again = await conflict(world)
    assert again["detail"].endswith("It cannot be restored: it is not shown any more.")
    assert (await world.client(client_id))["is_deleted"] is False
    await decide(world, found["id"], deletion="delete")
    assert (await world.client(client_id))["is_deleted"] is True
    assert await world.rows("conflicts") == []


# -- money ----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def billed(bare_world: World) -> World:
    return await joined(bare_world, invoice={"enabled": True}, payment={"enabled": True})


async def person(world: World) -> str:
    from tests.flows.invoicing import pair as couple

    return (await couple(world))[0]


async def apart(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """An invoice whose mirror came to another sum by hand, and the conflict."""
    invoice = await add(world, await person(world))
    (made,) = await invoices(world)
    await change(world, made["id"], cost=60)
    return invoice, made, await conflict(world, kind="total")


async def test_another_total_is_a_conflict_with_both_sums_and_the_source_can_be_taken(billed: World) -> None:
    invoice, made, found = await apart(billed)
    (field,) = found["fields"]
    effects = {each["decide"]: each["effect"] or each["refused"] for each in field["options"]}
    assert effects["crm"] == "Lines in billing: “180.00 USD” becomes “149.97 USD”"
    assert effects["billing"] == "values of this field do not go to the CRM"
    assert (field["conflict"]["kind"], found["state"]) == ("total", "conflict")
    await decide(billed, found["id"], fields={"document": {"take": "crm"}})
    assert [(each["id"], each["amount"]) for each in await invoices(billed)] == [(made["id"], 149.97)]
    assert (await invoice_of(billed, invoice))["total"] == 149.97
    assert [row["state"] for row in await links(billed)] == ["ok"]
    assert await billed.rows("conflicts") == []


async def test_a_total_that_was_changed_again_is_not_overwritten(billed: World) -> None:
    _, made, found = await apart(billed)
    await billed.ninja.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await change(billed, made["id"], cost=70)
    await decide(billed, found["id"], fields={"document": {"take": "crm"}})
    assert [each["amount"] for each in await invoices(billed)] == [210]
    assert "149.97 USD in the CRM, 210.00 USD in billing" in (await conflict(billed))["detail"]


async def test_a_pair_whose_totals_differ_can_be_kept_apart(billed: World) -> None:
    invoice, made, found = await apart(billed)
    await decide(billed, found["id"], keep_apart=True)
    (link,) = await links(billed)
    assert (link["state"], link["problem"], link["apart"]) == ("unlinked", "kept_apart", True)
    await change(billed, made["id"], cost=10)
    assert (await invoice_of(billed, invoice))["total"] == 149.97
    assert [each["amount"] for each in await invoices(billed)] == [30]
    assert await billed.rows("conflicts") == []
    cut = (await billed.admin.get(f"/api/v1/conflicts/{found['id']}")).json()
    assert options(cut) == [f"partner {made['id']}"]
    await decide(billed, found["id"], partner=made["id"])
    (link,) = await links(billed)
    assert (link["state"], link["apart"], link["conflicts"]) == ("conflict", False, ["total"]), "a pair again"


async def test_another_currency_is_a_conflict_of_its_kind_and_nothing_is_made(billed: World) -> None:
    contact = await person(billed)
    await add(billed, contact, {**WORK, "currency": "EUR"}, currency="EUR")
    found = await conflict(billed, kind="currency")
    assert "nothing is converted" in found["detail"]
    assert options(found) == ["keep_apart"]
    await decide(billed, found["id"], keep_apart=True)
    assert await invoices(billed) == []
    (link,) = await links(billed)
    assert (link["state"], link["problem"]) == ("excluded", "kept_apart")


@pytest.mark.parametrize(("choice", "number"), [("partner", 1), ("create", 2)])
async def test_a_payment_that_looks_like_another_is_that_one_or_it_is_not(
    billed: World, choice: str, number: int
) -> None:
    contact = await person(billed)
    invoice = await add(billed, contact)
    await press_there(billed, invoice, "send")
    (mirror,) = await invoices(billed)
    entered = await take(billed, mirror["client_id"], mirror["id"], 50, date=await today(billed))
    await press_there(billed, invoice, "pay", amount=50)
    found = await conflict(billed, kind="ambiguous")
    (candidate,) = found["candidates"]
    assert entered in candidate["id"]
    await decide(billed, found["id"], **({"partner": candidate["id"]} if choice == "partner" else {"create": True}))
    (row,) = await links(billed, "payment", state="ok", crm_id=found["crm_id"])
    assert (row["billing_id"] == candidate["id"]) is (choice == "partner")
    assert len(await payments(billed)) == number

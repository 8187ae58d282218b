"""Businesses and their contacts, both ways, between the running service and both simulators."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.sync.store import Store, Target
from tests.conftest import LOCATION, World, connect, until
from tests.flows.resting import rest, swept


@pytest.fixture
async def grouped(bare_world: World) -> World:
    """A bridge with businesses and tasks switched on; a move between businesses is told."""
    await connect(bare_world, business={"enabled": True}, task={"enabled": True})
    await bare_world.highlevel.post("/_control/settings", json={"business_move_is_told": True})
    records = {
        f"Record{what}": f"{bare_world.url}/webhooks/highlevel/Record{what}" for what in ("Create", "Update", "Delete")
    }
    told = (await bare_world.highlevel.get("/_control/webhooks")).json()["webhooks"]
    url = f"{bare_world.url}/webhooks/highlevel"
    await bare_world.highlevel.post("/_control/webhooks", json={"url": url, "events": {**told, **records}})
    return bare_world


async def add_business(world: World, name: str = "Acme", **fields: Any) -> str:
    body = {"name": name, "locationId": LOCATION, **fields}
    answer = await world.highlevel.post("/businesses/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["buiseness"]["id"])


async def join(world: World, business: str | None, *contacts: str) -> None:
    for contact in contacts:
        body = {"businessId": business}
        (await world.highlevel.patch(f"/_control/contacts/{contact}", json=body)).raise_for_status()


async def ada_and_bob(world: World, business: str) -> tuple[str, str]:
    """Two contacts of a business, in step."""
    ada = await world.add_contact(firstName="Ada", lastName="Lovelace", email="ada@example.com", phone="+14155550101")
    bob = await world.add_contact(firstName="Bob", lastName="Byte", email="bob@example.com")
    await join(world, business, ada, bob)
    await world.quiet()
    return ada, bob


async def company(world: World, name: str = "Acme") -> dict[str, Any]:
    (found,) = [each for each in await world.clients("active,archived") if each["name"] == name]
    return found


def emails(client: dict[str, Any]) -> list[str]:
    return sorted(each["email"] for each in client["contacts"])


async def links(world: World, object_: str = "contact") -> dict[str, dict[str, Any]]:
    return {row["crm_id"]: row for row in await world.rows("links", object=object_) if row["crm_id"]}


async def business_of(world: World, contact: str) -> str:
    return str((await world.contact(contact)).get("businessId") or "")


async def test_a_business_with_two_contacts_becomes_one_client_with_two(grouped: World) -> None:
    acme = await add_business(
        grouped, phone="+14155550100", website="https://acme.example", city="Berlin", country="DE"
    )
    await grouped.quiet()
    ada, bob = await ada_and_bob(grouped, acme)
    client = await company(grouped)
    assert emails(client) == ["ada@example.com", "bob@example.com"]
    assert (client["phone"], client["website"], client["city"]) == ("+14155550100", "https://acme.example", "Berlin")
    rows = await links(grouped)
    ids = {each["email"]: each["id"] for each in client["contacts"]}
    assert rows[ada]["billing_id"] == f"{client['id']}/{ids['ada@example.com']}"
    assert rows[bob]["billing_id"] == f"{client['id']}/{ids['bob@example.com']}"
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert (await links(grouped, "business"))[acme]["billing_id"] == client["id"]


async def test_ten_contacts_that_join_at_once_are_all_there_in_the_end(grouped: World) -> None:
    """A list of contacts replaces the set: of two that read it at once, one would undo the other."""
    acme = await add_business(grouped)
    await grouped.quiet()
    people = [await grouped.add_contact(firstName=f"P{n}", email=f"p{n}@example.com") for n in range(10)]
    await join(grouped, acme, *people)
    await grouped.quiet(60)
    client = await company(grouped)
    assert emails(client) == sorted(f"p{n}@example.com" for n in range(10))
    rows = await links(grouped)
    assert {row["state"] for row in rows.values()} == {"ok"}
    assert {row["billing_id"].partition("/")[0] for row in rows.values()} == {client["id"]}


async def test_edits_of_two_persons_at_once_keep_both_and_all_else(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, bob = await ada_and_bob(grouped, acme)
    client = await company(grouped)
    settings = {**client["settings"], "currency_id": "2", "payment_terms": "14"}
    extra = {"first_name": "Carl", "email": "carl@example.com", "custom_value1": "theirs"}
    await grouped.edit_client(client["id"], settings=settings, contacts=[*client["contacts"], extra])
    await grouped.quiet()
    for number in range(3):
        await grouped.edit_contact(ada, firstName=f"Ada{number}")
        await grouped.edit_contact(bob, firstName=f"Bob{number}")
    await grouped.quiet()
    after = await company(grouped)
    # Which of the two that joined at once came first is not said.
    assert sorted(each["first_name"] for each in after["contacts"]) == ["Ada2", "Bob2", "Carl"]
    assert [each["id"] for each in after["contacts"]][:2] == [each["id"] for each in client["contacts"]]
    assert after["contacts"][2]["custom_value1"] == "theirs"
    assert (after["settings"]["currency_id"], after["settings"]["payment_terms"]) == ("2", "14")


async def test_a_later_person_keeps_the_others_and_the_clients_settings(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    await ada_and_bob(grouped, acme)
    client = await company(grouped)
    await grouped.edit_client(client["id"], settings={**client["settings"], "currency_id": "2"})
    carl = await grouped.add_contact(firstName="Carl", email="carl@example.com")
    await join(grouped, acme, carl)
    await grouped.quiet()
    after = await company(grouped)
    assert emails(after) == ["ada@example.com", "bob@example.com", "carl@example.com"]
    assert [each["id"] for each in after["contacts"]][:2] == [each["id"] for each in client["contacts"]]
    assert after["settings"]["currency_id"] == "2"
    assert [each["send_email"] for each in after["contacts"]] == [True, False, False]


async def test_a_contact_that_moves_takes_its_client_contact_along(grouped: World) -> None:
    acme, brick = await add_business(grouped), await add_business(grouped, "Brick")
    await grouped.quiet()
    ada, _ = await ada_and_bob(grouped, acme)
    before = await company(grouped)
    (own,) = [each["id"] for each in before["contacts"] if each["email"] == "ada@example.com"]
    await join(grouped, brick, ada)
    await grouped.quiet()
    there = await company(grouped, "Brick")
    assert emails(await company(grouped)) == ["bob@example.com"]
    assert [(each["id"], each["email"], each["phone"]) for each in there["contacts"]] == [
        (own, "ada@example.com", "+14155550101")
    ]
    assert (await links(grouped))[ada]["billing_id"] == f"{there['id']}/{own}"
    moved = [row for row in await grouped.rows("activities") if row["action"] == "moved"]
    assert moved[0]["detail"].startswith(f"moved from {before['id']}/{own} to {there['id']}/{own}")


@pytest.mark.parametrize("fault", ["drop_after", "drop"])
async def test_a_move_whose_answer_is_lost_neither_loses_nor_doubles_the_person(grouped: World, fault: str) -> None:
    """Also one without an e-mail, whom nothing but the id tells apart."""
    acme, brick = await add_business(grouped), await add_business(grouped, "Brick")
    await grouped.quiet()
    await ada_and_bob(grouped, acme)
    nora = await grouped.add_contact(firstName="Nora", phone="+14155550103")
    await join(grouped, acme, nora)
    await grouped.quiet()
    there = await company(grouped, "Brick")
    await grouped.fault(grouped.ninja, kind=fault, method="PUT", path=f"^/api/v1/clients/{there['id']}$", times=1)
    await join(grouped, brick, nora)

    async def arrived() -> bool:
        row = (await links(grouped))[nora]
        return row["state"] == "ok" and str(row["billing_id"]).startswith(f"{there['id']}/")

    await until(arrived, 20)
    assert emails(await company(grouped)) == ["ada@example.com", "bob@example.com"]
    assert [each["first_name"] for each in (await company(grouped, "Brick"))["contacts"]] == ["Nora"]


async def test_a_contact_that_leaves_gets_a_client_of_its_own(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, bob = await ada_and_bob(grouped, acme)
    await join(grouped, None, ada)
    await grouped.quiet()
    row = (await links(grouped))[ada]
    assert row["state"] == "ok"
    own = await grouped.client(row["billing_id"])
    assert emails(own) == ["ada@example.com"]
    assert own["custom_value4"] == ada
    assert emails(await company(grouped)) == ["bob@example.com"]
    assert (await links(grouped))[bob]["state"] == "ok"


async def test_leaving_with_a_lost_answer_makes_one_client(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, _ = await ada_and_bob(grouped, acme)
    await grouped.fault(grouped.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    await join(grouped, None, ada)

    async def arrived() -> bool:
        row = (await links(grouped))[ada]
        return row["state"] == "ok" and "/" not in row["billing_id"]

    await until(arrived, 20)
    assert [emails(each) for each in await grouped.clients() if "ada@example.com" in emails(each)] == [
        ["ada@example.com"]
    ]
    assert emails(await company(grouped)) == ["bob@example.com"]


async def test_one_that_joins_leaves_its_own_client_archived_unless_there_is_an_invoice(grouped: World) -> None:
    acme = await add_business(grouped)
    ada = await grouped.add_contact(firstName="Ada", email="ada@example.com")
    bob = await grouped.add_contact(firstName="Bob", email="bob@example.com")
    await grouped.quiet()
    own = {contact: row["billing_id"] for contact, row in (await links(grouped)).items()}
    line = {"product_key": "x", "cost": 5, "quantity": 1}
    invoice = {"client_id": own[bob], "line_items": [line]}
    (await grouped.ninja.post("/api/v1/invoices", json=invoice)).raise_for_status()
    await join(grouped, acme, ada, bob)
    await grouped.quiet()
    assert emails(await company(grouped)) == ["ada@example.com", "bob@example.com"]
    assert (await grouped.client(own[ada]))["archived_at"] > 0
    left = await grouped.client(own[bob])
    assert (left["archived_at"], left["is_deleted"], emails(left)) == (0, False, ["bob@example.com"])
    told = " ".join(row["detail"] for row in await grouped.rows("activities") if row["action"] == "moved")
    assert f"{own[bob]} has invoices" in told
    assert f"{own[ada]} was archived" in told


async def test_a_client_that_is_the_businesss_already_is_kept_as_it_is(grouped: World) -> None:
    """The contact's own client has the business's name: it is found, and its person becomes a part of it."""
    ada = await grouped.add_contact(firstName="Ada", email="ada@example.com", companyName="Acme")
    await grouped.quiet()
    (client,) = await grouped.clients()
    acme = await add_business(grouped)
    await join(grouped, acme, ada)
    await grouped.quiet()
    after = await company(grouped)
    assert after["id"] == client["id"]
    assert [each["id"] for each in after["contacts"]] == [each["id"] for each in client["contacts"]]
    assert (await links(grouped))[ada]["billing_id"] == f"{client['id']}/{client['contacts'][0]['id']}"
    assert len(await grouped.clients("active,archived")) == 1


async def test_a_client_with_two_contacts_becomes_a_business_with_both(grouped: World) -> None:
    """One of them is known in the CRM by its e-mail: it is attached, not doubled."""
    await grouped.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    known = await grouped.add_contact(firstName="Ada", email="ada@example.com")
    persons = [
        {"first_name": "Ada", "email": "ada@example.com"},
        {"first_name": "Bob", "last_name": "Byte", "email": "bob@example.com", "phone": "+14155550102"},
    ]
    client = await grouped.add_client(name="Acme", city="Berlin", contacts=persons)
    await grouped.quiet()
    (business,) = (await grouped.highlevel.get("/businesses/", params={"locationId": LOCATION})).json()["businesses"]
    assert (business["name"], business["city"]) == ("Acme", "Berlin")
    state = (await grouped.highlevel.get("/_control/state")).json()["contacts"]
    found = {each["email"]: each for each in state if each["email"].endswith("@example.com")}
    assert found["ada@example.com"]["id"] == known
    assert len(found) == 2
    assert {each["businessId"] for each in found.values()} == {business["id"]}
    assert found["bob@example.com"]["phone"] == "+14155550102"
    ids = {each["email"]: f"{client['id']}/{each['id']}" for each in client["contacts"]}
    rows = await links(grouped)
    assert {row["billing_id"] for row in rows.values()} == set(ids.values())
    assert emails(await company(grouped)) == ["ada@example.com", "bob@example.com"]


async def test_the_echo_of_a_new_client_with_two_contacts_is_silent(grouped: World) -> None:
    persons = [{"first_name": name, "email": f"{name}@example.com"} for name in ("ada", "bob")]
    await grouped.add_client(name="Acme", contacts=persons)
    await grouped.quiet()
    assert len(await grouped.clients()) == 1
    rows = (await links(grouped)).values()
    assert sorted(row["state"] for row in rows) == ["ok", "ok"]
    assert [row for row in await grouped.rows("activities") if row["action"] == "conflict"] == []
    assert await grouped.calls(grouped.ninja, "PUT") == []


async def test_a_client_with_one_contact_stays_a_contact(grouped: World) -> None:
    await grouped.add_client(name="Solo", contacts=[{"first_name": "Ada", "email": "ada@example.com"}])
    await grouped.quiet()
    (row,) = (await links(grouped)).values()
    assert (row["state"], "/" in row["billing_id"]) == ("ok", False)
    assert await business_of(grouped, row["crm_id"]) == ""
    assert (await grouped.highlevel.get("/businesses/", params={"locationId": LOCATION})).json()["businesses"] == []


async def test_a_client_that_gets_a_second_contact_becomes_a_business(grouped: World) -> None:
    first = {"first_name": "Ada", "email": "ada@example.com"}
    client = await grouped.add_client(name="Acme", contacts=[first])
    await grouped.quiet()
    (ada,) = await links(grouped)
    second = {"first_name": "Bob", "email": "bob@example.com"}
    whole = await grouped.client(client["id"])
    await grouped.edit_client(client["id"], city="Bonn", contacts=[*whole["contacts"], second])
    await grouped.quiet()
    rows = await links(grouped)
    assert sorted(row["state"] for row in rows.values()) == ["ok", "ok"]
    assert {row["billing_id"].partition("/")[0] for row in rows.values()} == {client["id"]}
    assert len({await business_of(grouped, each) for each in rows} - {""}) == 1
    assert ada in rows
    assert emails(await grouped.client(client["id"])) == ["ada@example.com", "bob@example.com"]


async def test_a_task_of_a_contact_of_a_business_lands_at_its_client_and_back(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, bob = await ada_and_bob(grouped, acme)
    body = {"title": "Call Bob", "dueDate": "2026-12-01T16:30:00Z", "completed": False}
    (await grouped.highlevel.post(f"/contacts/{bob}/tasks", json=body)).raise_for_status()
    await grouped.quiet()
    client = await company(grouped)
    (made,) = (await grouped.ninja.get("/api/v1/tasks", params={"status": "active"})).json()["data"]
    assert made["client_id"] == client["id"]

    body = {"client_id": client["id"], "description": "Send the offer"}
    (await grouped.ninja.post("/api/v1/tasks", json=body)).raise_for_status()

    async def arrived() -> bool:
        return [row["state"] for row in await grouped.rows("links", object="task")] == ["ok", "ok"]

    await until(arrived)
    there = [(await grouped.highlevel.get(f"/contacts/{each}/tasks")).json()["tasks"] for each in (ada, bob)]
    assert sorted(each["title"] for found in there for each in found) == ["Call Bob", "Send the offer"]


async def test_a_move_that_nobody_tells_is_found_by_polling_and_costs_a_page_of_contacts(grouped: World) -> None:
    acme, brick = await add_business(grouped), await add_business(grouped, "Brick")
    await grouped.quiet()
    ada, _ = await ada_and_bob(grouped, acme)
    await grouped.highlevel.post("/_control/settings", json={"business_move_is_told": False})
    await grouped.forget_calls()
    await swept(grouped)
    await grouped.quiet()
    paths = sorted(each["path"] for each in await grouped.calls(grouped.highlevel))
    assert paths == ["/businesses/", "/contacts/search", f"/locations/{LOCATION}/tasks/search"]
    assert await grouped.calls(grouped.ninja) == []

    await join(grouped, brick, ada)
    await grouped.quiet()
    assert emails(await company(grouped)) == ["ada@example.com", "bob@example.com"]
    await swept(grouped)
    await grouped.quiet()
    assert emails(await company(grouped)) == ["bob@example.com"]
    assert emails(await company(grouped, "Brick")) == ["ada@example.com"]


async def test_a_lost_answer_makes_no_second_person_and_no_second_client(grouped: World) -> None:
    await grouped.fault(grouped.ninja, kind="drop_after", method="POST", path="^/api/v1/clients$", times=1)
    acme = await add_business(grouped)

    async def made() -> bool:
        return [row["state"] for row in await grouped.rows("links", object="business")] == ["ok"]

    await until(made, 20)
    client = await company(grouped)
    await grouped.fault(grouped.ninja, kind="drop_after", method="PUT", path=f"^/api/v1/clients/{client['id']}$")
    ada = await grouped.add_contact(firstName="Ada", email="ada@example.com")
    await join(grouped, acme, ada)
    await until(lambda: grouped.rows("links", object="contact", state="retrying"), 20)
    await grouped.mend()

    async def arrived() -> bool:
        return str((await links(grouped))[ada]["state"]) == "ok"

    await until(arrived, 20)
    assert emails(await company(grouped)) == ["ada@example.com"]
    assert set(await links(grouped)) == {ada}  # nobody took the client, while it was being made, for a contact
    assert (await links(grouped))[ada]["billing_id"].startswith(f"{client['id']}/")


async def test_a_change_of_a_person_costs_three_calls_and_is_one_write(grouped: World) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, _ = await ada_and_bob(grouped, acme)
    await grouped.forget_calls()
    await grouped.edit_contact(ada, lastName="King")
    await grouped.quiet()
    calls = [each["method"] for vendor in (grouped.highlevel, grouped.ninja) for each in await grouped.calls(vendor)]
    assert sorted(calls) == ["GET", "GET", "PUT"]  # a change of contacts alone is told to nobody


async def test_a_person_deleted_in_the_crm_stays_with_its_client_and_a_deleted_business_is_archived(
    grouped: World,
) -> None:
    acme = await add_business(grouped)
    await grouped.quiet()
    ada, _ = await ada_and_bob(grouped, acme)
    (await grouped.highlevel.delete(f"/contacts/{ada}")).raise_for_status()
    await grouped.quiet()
    client = await company(grouped)
    assert (emails(client), client["archived_at"]) == (["ada@example.com", "bob@example.com"], 0)
    row = (await links(grouped))[ada]
    assert (row["state"], row["problem"]) == ("unlinked", "crm_gone")
    (await grouped.highlevel.delete(f"/businesses/{acme}")).raise_for_status()
    await grouped.quiet()
    assert (await company(grouped))["archived_at"] > 0


async def test_a_deleted_business_leaves_its_persons_with_its_client(grouped: World) -> None:
    """Its contacts are told to be without a business, some of them before it is told that it is deleted."""
    acme = await add_business(grouped)
    await grouped.quiet()
    await ada_and_bob(grouped, acme)
    (await grouped.highlevel.delete(f"/businesses/{acme}")).raise_for_status()
    await grouped.quiet()
    await swept(grouped)
    await grouped.quiet()
    client = await company(grouped)
    assert emails(client) == ["ada@example.com", "bob@example.com"]
    assert client["archived_at"] > 0
    assert len(await grouped.clients("active,archived")) == 1


async def test_where_businesses_are_off_nothing_is_asked_and_a_contact_is_as_before(bare_world: World) -> None:
    await connect(bare_world)
    acme = await add_business(bare_world)
    ada = await bare_world.add_contact(firstName="Ada", email="ada@example.com")
    await bare_world.quiet()
    await bare_world.forget_calls()
    await bare_world.highlevel.post("/_control/settings", json={"business_move_is_told": True})
    await join(bare_world, acme, ada)
    persons = [{"first_name": name, "email": f"{name}@x.example"} for name in ("carl", "dora")]
    await bare_world.add_client(name="Two", contacts=persons)
    await swept(bare_world)
    await bare_world.quiet()
    asked = [each["path"] for each in await bare_world.calls(bare_world.highlevel)]
    assert [path for path in asked if "business" in path] == []
    assert {"/" in row["billing_id"] for row in (await links(bare_world)).values()} == {False}
    assert await bare_world.calls(bare_world.ninja, "PUT") == []


async def test_two_clients_of_the_businesss_name_are_left_to_a_person(grouped: World) -> None:
    for _ in range(2):
        await grouped.ninja.post("/api/v1/clients", json={"name": "Acme", "contacts": [{"email": ""}]})
    await add_business(grouped)
    await grouped.quiet()
    (row,) = (await links(grouped, "business")).values()
    assert (row["state"], row["detail"]) == ("conflict", "2 records match by name; which one is it?")
    assert len(await grouped.clients()) == 2


@pytest.mark.parametrize("name", ["Ünïcode 🎉", "שלום בע״מ", "B" * 300, "<b>Bold</b> & Co"])
async def test_odd_names_arrive_and_come_to_rest(grouped: World, name: str) -> None:
    acme = await add_business(grouped, name)
    await grouped.quiet()
    row = (await links(grouped, "business"))[acme]
    assert row["state"] == "ok"
    (edited,) = await grouped.clients()
    assert edited["name"]
    await grouped.forget_calls()
    (await grouped.highlevel.put(f"/businesses/{acme}", json={"city": "Köln"})).raise_for_status()
    await grouped.quiet()
    assert (await grouped.client(edited["id"]))["city"] == "Köln"
    assert len(await grouped.calls(grouped.ninja, "PUT")) == 1
    assert (await grouped.highlevel.get(f"/businesses/{acme}")).json()["business"]["name"] == name


async def test_a_contact_that_waits_for_its_business_has_that_looked_at(grouped: World) -> None:
    """News of the client, while its contact is in a business that is not known yet: its webhook was lost."""
    ada = await grouped.add_contact(firstName="Ada", email="ada@example.com")
    await rest(grouped)
    told = (await grouped.highlevel.get("/_control/webhooks")).json()["webhooks"]
    await grouped.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    acme = await add_business(grouped)
    await join(grouped, acme, ada)
    await rest(grouped)
    await grouped.highlevel.post("/_control/webhooks", json={"url": "", "events": told})
    own = (await links(grouped))[ada]["billing_id"]
    await grouped.edit_client(own, website="https://ada.example")
    await rest(grouped)
    assert [each["state"] for each in await grouped.rows("links", object="business", crm_id=acme)] == ["ok"]
    assert (await links(grouped))[ada]["state"] == "ok"


@pytest.mark.parametrize("killed", [False, True], ids=["", "killed"])
async def test_who_waits_for_the_parts_of_a_client_is_woken_also_by_the_worker_that_comes_next(
    grouped: World, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    """`killed`: after a pair was stored, and before those were woken that waited for it."""
    wake = Store.wake

    async def wake_never(self: Store, target: Target, columns: Mapping[str, Any]) -> None:
        if not killed:
            await wake(self, target, columns)

    monkeypatch.setattr(Store, "wake", wake_never)
    await grouped.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    await add_business(grouped)
    persons = [{"first_name": "Ada", "email": "ada@example.com"}, {"first_name": "Bob", "email": "bob@example.com"}]
    await grouped.fault(grouped.highlevel, kind="status", status=500, method="POST", path="^/contacts/$")
    client = await grouped.add_client(name="Brick", contacts=persons)
    body = {"client_id": client["id"], "description": "Call"}
    (await grouped.ninja.post("/api/v1/tasks", json=body)).raise_for_status()
    await until(lambda: grouped.rows("links", object="task", state="waiting_for_parent"))
    await grouped.mend()

    async def both() -> bool:
        return len(await grouped.rows("links", object="contact", state="ok")) == 2

    await until(both)
    await rest(grouped)
    await grouped.service.worker._rescue_orphans()
    await rest(grouped)
    assert [each["state"] for each in await grouped.rows("links", object="task")] == ["ok"]

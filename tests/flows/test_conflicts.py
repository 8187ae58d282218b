"""Conflicts that a person decides, between the running service and both simulators: each kind, each decision."""

import asyncio
import itertools
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.main import build
from tests.conftest import World, connect, serving, until
from tests.flows.resting import rest, swept
from tests.flows.test_contacts import linked
from tests.flows.test_tasks import add_task, edit, pair, tasks

_CODES = itertools.count(2)


@pytest.fixture
async def asked(bare_world: World) -> World:
    """A bridge that asks."""
    await connect(bare_world, prefer="ask")
    return bare_world


async def differing(world: World, **sides: tuple[str, str]) -> tuple[str, str, dict[str, Any]]:
    """A pair in which both sides changed these fields while the bridge was off, and its conflict. Cities by default."""
    contact_id, client_id = await linked(world)
    await differ(world, contact_id, client_id, **(sides or {"city": ("Crmton", "Billingham")}))
    return contact_id, client_id, await conflict(world)


async def differ(world: World, contact_id: str, client_id: str, **sides: tuple[str, str]) -> None:
    await switch(world, on=False)
    await world.edit_contact(contact_id, **{name: crm for name, (crm, _) in sides.items()})
    await world.edit_client(client_id, **{name: billing for name, (_, billing) in sides.items()})
    await rest(world)
    await switch(world, on=True)
    await world.edit_contact(contact_id, postalCode=f"N2 {next(_CODES)}BB")
    await rest(world)


async def switch(world: World, *, on: bool) -> None:
    (await world.admin.patch(f"/api/v1/bridges/{world.bridge_id}", json={"enabled": on})).raise_for_status()


async def conflict(world: World, **like: Any) -> dict[str, Any]:
    """The only one that waits."""
    (row,) = await world.rows("conflicts", **like)
    return dict((await world.admin.get(f"/api/v1/conflicts/{row['id']}")).raise_for_status().json())


async def decide(world: World, link_id: int, **decision: Any) -> None:
    answer = await world.admin.post(f"/api/v1/conflicts/{link_id}/decide", json=decision)
    assert answer.status_code == 202, answer.text
    assert answer.json()["queued"] >= 1
    await rest(world)


async def cities(world: World, contact_id: str, client_id: str) -> tuple[str, str]:
    return (await world.contact(contact_id))["city"], (await world.client(client_id))["city"]


# -- both sides changed the same field ------------------------------------------------------------------------------


async def test_neither_value_is_written_while_it_waits_and_other_fields_go_on(asked: World) -> None:
    contact_id, client_id, found = await differing(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Billingham")
    assert (await asked.client(client_id))["postal_code"] == (await asked.contact(contact_id))["postalCode"] != "N1 1AA"
    (field,) = found["fields"]
    assert (found["conflicts"], found["state"], field["field"]) == (["field"], "ok", "city")
    told = field["conflict"]
    assert (told["base_crm"], told["crm"], told["base_billing"], told["billing"]) == (
        "London",
        "Crmton",
        "London",
        "Billingham",
    )
    assert told["crm_at"]
    assert told["billing_at"]
    assert told["cause"] in ("ContactUpdate", "EVENT_UPDATE_CLIENT")  # whichever comes first when the bridge goes on
    effects = {each["decide"]: (each["effect"], each["refused"]) for each in field["options"]}
    assert effects == {
        "crm": ("City in billing: “Billingham” becomes “Crmton”", ""),
        "billing": ("City in the CRM: “Crmton” becomes “Billingham”", ""),
        "value": ("the value that is typed is written to both sides", ""),
    }
    await asked.edit_client(client_id, website="https://new.example")
    await rest(asked)
    assert (await asked.contact(contact_id))["website"] == "https://new.example"
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Billingham")
    again = await conflict(asked)
    assert again["fields"][0]["conflict"] == told, "since, times and cause are the first ones"


@pytest.mark.parametrize(
    ("decision", "expected"),
    [
        ({"take": "crm"}, "Crmton"),
        ({"take": "billing"}, "Billingham"),
        ({"take": "value", "value": "Cambridge"}, "Cambridge"),
        ({"take": "value", "value": "Crmton"}, "Crmton"),
    ],
    ids=lambda value: value["take"] if isinstance(value, dict) else "",
)
async def test_a_decision_brings_both_sides_in_step_and_is_told(
    asked: World, decision: dict[str, str], expected: str
) -> None:
    contact_id, client_id, found = await differing(asked)
    await decide(asked, found["id"], fields={"city": decision})
    assert await cities(asked, contact_id, client_id) == (expected, expected)
    assert await asked.rows("conflicts") == []
    (link,) = await asked.rows("links")
    assert (link["held"], link["decisions"]["fields"], link["conflicts"]) == ({}, {}, [])
    activity = next(each for each in await asked.rows("activities") if each["action"] == "updated")
    assert {change["why"] for change in activity["changes"]} == {"decided by admin token"}
    before = {change["side"]: change["before"] for change in activity["changes"]}
    assert before.items() <= {"crm": "Crmton", "billing": "Billingham"}.items()
    (entry, *_) = await asked.rows("audit", action="POST /conflicts/{link_id}/decide")
    assert (entry["actor"], entry["outcome"], entry["thing"]) == ("admin token", "done", f"link {found['id']}")
    await asked.forget_calls()
    await asked.edit_contact(contact_id, city="York")
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("York", "York"), "it is an ordinary field again"


async def test_a_typed_value_has_to_suit_both_sides(asked: World) -> None:
    sides = {"phone": ("+442079460077", "+442079460088")}
    contact_id, client_id = await linked(asked)
    await switch(asked, on=False)
    await asked.edit_contact(contact_id, phone=sides["phone"][0])
    await asked.edit_person(client_id, phone=sides["phone"][1])
    await rest(asked)
    await switch(asked, on=True)
    await asked.edit_contact(contact_id, city="York")
    await rest(asked)
    found = await conflict(asked)
    body = {"fields": {"phone": {"take": "value", "value": "ask my wife"}}}
    answer = await asked.admin.post(f"/api/v1/conflicts/{found['id']}/decide", json=body)
    assert answer.status_code == 422
    assert "“ask my wife” is not a phone number" in answer.json()["detail"]
    assert (await conflict(asked))["decisions"]["fields"] == {}
    await decide(asked, found["id"], fields={"phone": {"take": "value", "value": "+442079460099"}})
    assert (await asked.contact(contact_id))["phone"] == "+442079460099"
    assert (await asked.client(client_id))["contacts"][0]["phone"] == "+442079460099"


async def test_what_one_side_cannot_take_says_so_before_anybody_decides(asked: World) -> None:
    """HighLevel does not change the company of a contact."""
    contact_id, client_id = await linked(asked)
    await switch(asked, on=False)
    state = (await asked.highlevel.get("/_control/state")).json()
    assert [each["companyName"] for each in state["contacts"]] == ["Acme"]
    await asked.edit_client(client_id, name="Acme Ltd")
    await rest(asked)
    async with asked.service.engine.begin() as connection:  # as if the CRM had another name as well
        await connection.exec_driver_sql("UPDATE links SET base_crm = jsonb_set(base_crm, '{name}', '\"Old\"')")
    await switch(asked, on=True)
    await asked.edit_contact(contact_id, city="York")
    await rest(asked)
    found = await conflict(asked)
    (field,) = found["fields"]
    refused = {each["decide"]: each["refused"] for each in field["options"]}
    assert refused["crm"] == ""
    assert "cannot be changed" in refused["billing"]
    assert "cannot be changed" in refused["value"]
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide", json={"fields": {"name": {"take": "billing"}}}
    )
    assert (answer.status_code, "cannot be changed" in answer.json()["detail"]) == (422, True)
    await decide(asked, found["id"], fields={"name": {"take": "crm"}})
    assert (await asked.client(client_id))["name"] == "Acme"


async def test_a_decision_about_values_that_are_no_longer_there_overwrites_nothing(asked: World) -> None:
    """Both sides are edited while the decision waits for its job: the conflict is shown anew."""
    contact_id, client_id, found = await differing(asked)
    await asked.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    await asked.edit_contact(contact_id, city="Newton")
    await decide(asked, found["id"], fields={"city": {"take": "crm"}})
    assert await cities(asked, contact_id, client_id) == ("Newton", "Billingham")
    again = await conflict(asked)
    told = again["fields"][0]["conflict"]
    assert (told["crm"], told["billing"], told["base_crm"]) == ("Newton", "Billingham", "London")
    assert told["since"] == found["fields"][0]["conflict"]["since"]
    assert again["decisions"]["fields"] == {}, "it is not tried again with other values"
    old = {"fields": {"city": {"take": "crm", "crm": "Crmton", "billing": "Billingham"}}}
    answer = await asked.admin.post(f"/api/v1/conflicts/{found['id']}/decide", json=old)
    assert (answer.status_code, "“Newton”" in answer.json()["detail"]) == (409, True), answer.text
    seen = {"fields": {"city": {"take": "crm", "crm": "Newton", "billing": "Billingham"}}}
    await decide(asked, found["id"], **seen)
    assert await cities(asked, contact_id, client_id) == ("Newton", "Newton")


async def test_a_decision_that_is_made_while_a_webhook_is_worked_on_is_not_lost(asked: World) -> None:
    """The job that runs has read the link before: it carries out nothing, and wipes nothing out."""
    contact_id, client_id, found = await differing(asked)
    await asked.fault(asked.ninja, kind="latency", method="GET", path="clients", seconds=3, times=1)
    await asked.edit_contact(contact_id, website="https://new.example")
    await until(lambda: is_claimed(asked, found["id"]))
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide", json={"fields": {"city": {"take": "billing"}}}
    )
    assert answer.status_code == 202
    assert await is_claimed(asked, found["id"]), "the job had ended before the decision was made"
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Billingham", "Billingham")
    assert (await asked.client(client_id))["website"] == "https://new.example"
    assert await asked.rows("conflicts") == []


async def is_claimed(world: World, link_id: int) -> bool:
    async with world.service.engine.connect() as connection:
        claimed = text("SELECT claimed_until > now() FROM links WHERE id = :id")
        return bool(await connection.scalar(claimed, {"id": link_id}))


async def test_equal_values_close_a_conflict_by_themselves(asked: World) -> None:
    _, client_id, _ = await differing(asked)
    await asked.forget_calls()
    await asked.edit_client(client_id, city="Crmton")
    await rest(asked)
    assert await asked.rows("conflicts") == []
    assert await asked.calls(asked.highlevel, "PUT") == []
    (latest, *_) = await asked.rows("activities")
    assert latest["action"] == "settled"


async def test_a_conflict_and_its_decision_survive_retries_and_further_events(asked: World) -> None:
    contact_id, client_id, found = await differing(asked)
    await asked.fault(asked.ninja, kind="status", status=500, method="PUT", path="clients", times=2)
    await asked.edit_contact(contact_id, website="https://new.example")
    await until(lambda: has_website(asked, client_id))
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Billingham")
    assert (await conflict(asked))["fields"] == found["fields"]
    await asked.fault(asked.ninja, kind="status", status=500, method="PUT", path="clients")
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide", json={"fields": {"city": {"take": "crm"}}}
    )
    assert answer.status_code == 202
    await until(lambda: asked.rows("links", state="retrying"))
    assert [row["id"] for row in await asked.rows("conflicts", decided=True)] == [found["id"]]
    assert await asked.rows("conflicts", decided=False) == []
    await asked.mend()
    await until(lambda: agree(asked, contact_id, client_id))
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Crmton")
    assert await asked.rows("conflicts") == []


async def test_a_typed_value_that_has_reached_one_side_only_goes_on_to_the_other(asked: World) -> None:
    contact_id, client_id, found = await differing(asked)
    await asked.fault(asked.highlevel, kind="status", status=500, method="PUT", path="contacts", times=1)
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide", json={"fields": {"city": {"take": "value", "value": "Cambridge"}}}
    )
    assert answer.status_code == 202
    await until(lambda: agree(asked, contact_id, client_id))
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Cambridge", "Cambridge")
    assert await asked.rows("conflicts") == []


async def test_a_process_that_has_just_started_knows_what_waits(asked: World, database: str) -> None:
    contact_id, client_id, found = await differing(asked)
    async with serving(build(asked.service.settings, database)) as url:
        headers = dict(asked.admin.headers)
        async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as admin:
            shown = (await admin.get(f"/api/v1/conflicts/{found['id']}")).raise_for_status().json()
            assert shown == found
            body = {"fields": {"city": {"take": "billing"}}}
            assert (await admin.post(f"/api/v1/conflicts/{found['id']}/decide", json=body)).status_code == 202
            await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Billingham", "Billingham")


async def has_website(world: World, client_id: str) -> bool:
    return bool((await world.client(client_id))["website"] == "https://new.example")


async def agree(world: World, contact_id: str, client_id: str) -> bool:
    crm, billing = await cities(world, contact_id, client_id)
    return crm == billing


async def test_what_was_decided_while_the_credentials_are_refused_is_done_when_they_work_again(asked: World) -> None:
    contact_id, client_id, found = await differing(asked)
    await asked.fault(asked.ninja, kind="status", status=403, path="clients", body={"message": "Invalid token"})
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide", json={"fields": {"city": {"take": "crm"}}}
    )
    assert answer.status_code == 202
    await until(lambda: asked.rows("links", state="waiting"))
    await asked.mend()
    answer = await asked.admin.post(f"/api/v1/connections/{asked.billing_connection_id}/check")
    assert answer.status_code == 200, answer.text
    await until(lambda: agree(asked, contact_id, client_id))
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Crmton")


async def test_always_becomes_policy_and_decides_what_waits_of_that_field(asked: World) -> None:
    contact_id, client_id = await linked(asked)
    other_id, other_client = await linked(asked, email="joe@other.example", phone="+442079460055", companyName="Other")
    for each, client in ((contact_id, client_id), (other_id, other_client)):
        await differ(
            asked, each, client, city=("Crmton", "Billingham"), website=("https://c.example", "https://b.example")
        )
    assert len(await asked.rows("conflicts")) == 2
    found = (await asked.rows("conflicts"))[0]
    await decide(asked, found["id"], fields={"city": {"take": "billing", "always": True}})
    for each, client in ((contact_id, client_id), (other_id, other_client)):
        assert await cities(asked, each, client) == ("Billingham", "Billingham")
    bridge = (await asked.admin.get(f"/api/v1/bridges/{asked.bridge_id}")).json()
    assert bridge["settings"]["contact"]["prefer"] == {"city": "billing"}
    assert bridge["settings"]["prefer"] == "ask"
    waiting = await asked.rows("conflicts")
    assert [list(row["held"]) for row in waiting] == [["website"], ["website"]], "no other field is decided by it"
    await differ(asked, contact_id, client_id, city=("Crmton 2", "Billingham 2"))
    assert await cities(asked, contact_id, client_id) == ("Billingham 2", "Billingham 2")
    answer = await asked.admin.post(
        f"/api/v1/conflicts/{found['id']}/decide",
        json={"fields": {"website": {"take": "value", "value": "https://x.example", "always": True}}},
    )
    assert answer.status_code == 422


async def test_many_are_decided_alike_and_only_those_that_fit(asked: World) -> None:
    pairs = []
    for number in range(3):
        contact_id, client_id = await linked(asked, email=f"p{number}@x.example", phone="", companyName=f"C{number}")
        await differ(
            asked,
            contact_id,
            client_id,
            city=("Crmton", "Billingham"),
            website=("https://c.example", "https://b.example"),
        )
        pairs.append((contact_id, client_id))
    assert len(await asked.rows("conflicts", kind="field", object="contact", field="city")) == 3
    assert await asked.rows("conflicts", kind="total") == []
    assert await asked.rows("conflicts", field="phone") == []
    nothing = await asked.admin.post("/api/v1/conflicts/decide", json={"take": "crm", "field": "phone"})
    assert (nothing.status_code, nothing.json()) == (202, {"queued": 0})
    answer = await asked.admin.post("/api/v1/conflicts/decide", json={"take": "crm", "field": "city", "kind": "field"})
    assert (answer.status_code, answer.json()) == (202, {"queued": 3})
    await rest(asked)
    for contact_id, client_id in pairs:
        assert await cities(asked, contact_id, client_id) == ("Crmton", "Crmton")
        assert (await asked.client(client_id))["website"] == "https://b.example"
    assert [list(row["held"]) for row in await asked.rows("conflicts")] == [["website"]] * 3


async def test_two_people_who_decide_at_once_are_both_heard(asked: World) -> None:
    sides = {"city": ("Crmton", "Billingham"), "website": ("https://c.example", "https://b.example")}
    contact_id, client_id, found = await differing(asked, **sides)
    bodies = ({"city": {"take": "crm"}}, {"website": {"take": "billing"}})
    path = f"/api/v1/conflicts/{found['id']}/decide"
    answers = await asyncio.gather(*(asked.admin.post(path, json={"fields": each}) for each in bodies))
    assert {answer.status_code for answer in answers} <= {202}
    await rest(asked)
    assert await cities(asked, contact_id, client_id) == ("Crmton", "Crmton")
    assert (await asked.contact(contact_id))["website"] == "https://b.example"


async def test_a_bridge_that_does_not_ask_decides_as_before_and_has_no_conflicts(world: World) -> None:
    contact_id, client_id = await linked(world)
    await differ(world, contact_id, client_id, city=("Crmton", "Billingham"))
    assert await cities(world, contact_id, client_id) == ("Crmton", "Crmton")
    assert await world.rows("conflicts") == []


async def test_a_poll_takes_what_waits_for_no_news_until_it_is_another_value(bare_world: World) -> None:
    world = bare_world
    await connect(world, prefer="ask", task={"enabled": True})
    contact, _ = await pair(world)
    task = await add_task(world, contact)
    await rest(world)
    await switch(world, on=False)
    (made,) = await tasks(world)
    await edit(world, made, description="Billed")
    await world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Called"})
    await rest(world)
    await switch(world, on=True)
    await swept(world)
    await rest(world)
    assert [row["object"] for row in await world.rows("conflicts", kind="field", field="title")] == ["task"]
    found = len(await world.rows("events", kind="sweep"))
    await swept(world)
    await rest(world)
    assert len(await world.rows("events", kind="sweep")) == found
    await world.highlevel.put(f"/contacts/{contact}/tasks/{task}", json={"title": "Called twice"})
    await swept(world)
    await rest(world)
    assert len(await world.rows("events", kind="sweep")) == found + 1
    assert (await conflict(world))["held"]["title"]["conflict"]["crm"] == "Called twice"
    assert [each["description"].partition("\n")[0] for each in await tasks(world)] == ["Billed"]

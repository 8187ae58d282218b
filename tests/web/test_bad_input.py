"""What people and vendors send that nobody expects, from end to end. After each, a normal contact still syncs.

Values that the simulator would refuse (a phone that is none, NUL) are put into its answer as a fault.
"""

import asyncio
import base64
import json
import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.providers.highlevel.mapping import CONTACT
from app.sandbox.highlevel.config import Config
from app.sandbox.highlevel.webhooks import Signer
from tests.conftest import LOCATION, World, until

LONG = "Maximiliane " * 25


async def link_of(world: World, state: str = "ok", **ids: str) -> dict[str, Any]:
    """The one link of a record, when it has come to this state."""
    (link,) = await until(lambda: world.rows("links", state=state, **ids), 15, f"it never became {state}")
    await world.quiet()
    return dict(link)


async def still_works(world: World) -> None:
    """A normal contact, entered now, becomes a client; a change of it arrives."""
    await world.mend()
    contact_id = await world.add_contact(firstName="Norma", email=f"norma-{secrets.token_hex(4)}@example.com")
    link = await link_of(world, crm_id=contact_id)
    await world.edit_contact(contact_id, city="Bern")

    async def arrived() -> bool:
        return bool((await world.client(link["billing_id"]))["city"] == "Bern")

    await until(arrived, 15, "a normal contact does not sync any more")


async def linked(world: World, **fields: Any) -> tuple[str, str]:
    contact_id = await world.add_contact(**{"firstName": "Ada", "email": "ada@example.com", **fields})
    return contact_id, str((await link_of(world, crm_id=contact_id))["billing_id"])


async def answer_with(world: World, contact_id: str, body: str) -> None:
    """From now on HighLevel answers this, byte by byte, when asked for the contact."""
    headers = {"content-type": "application/json"}
    await world.fault(
        world.highlevel,
        kind="status",
        method="GET",
        path=f"/contacts/{contact_id}$",
        status=200,
        headers=headers,
        body=body,
    )


async def turn_odd(world: World, contact_id: str, **values: Any) -> None:
    """The contact has such values suddenly, as HighLevel tells it. Text is sent with \\u escapes."""
    contact = {**await world.contact(contact_id), **values}
    await answer_with(world, contact_id, json.dumps({"contact": contact}))


async def delivered(world: World, contact_id: str, **fields: Any) -> httpx.Response:
    """A delivery that HighLevel signed, as the simulator would send it."""
    config = Config()
    event = {"type": "ContactUpdate", "locationId": LOCATION, "id": contact_id, "webhookId": secrets.token_hex(8)}
    raw = json.dumps({**event, "appId": config.app_id, **fields}).encode()
    headers = Signer(config.signing_seed).headers(raw, config)
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as sender:
        return await sender.post("/webhooks/highlevel", content=raw, headers=headers)


async def looked_at(world: World, contact_id: str) -> dict[str, Any]:
    """Its link, after one more delivery about it was dealt with."""
    assert (await delivered(world, contact_id)).status_code == 202
    await world.quiet()
    (link,) = await world.rows("links", crm_id=contact_id)
    return link


async def no_job_is_left(world: World) -> bool:
    async with world.service.engine.connect() as connection:
        left = await connection.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'sync'"))
    return not left


# -- contacts that people enter -------------------------------------------------------------------------------------


async def test_a_contact_without_any_name_or_email_takes_no_part_and_that_is_said(world: World) -> None:
    contact_id = await world.add_contact(city="Paris", phone="+33142345678")
    link = await link_of(world, "excluded", crm_id=contact_id)

    assert link["billing_id"] is None
    (activity,) = await world.rows("activities", crm_id=contact_id)
    assert activity["action"] == "excluded"
    assert "no name, no company and no e-mail" in activity["detail"]
    assert await world.clients() == []
    await still_works(world)


async def test_a_contact_that_gets_a_name_later_takes_part_then(world: World) -> None:
    contact_id = await world.add_contact(city="Paris")
    await link_of(world, "excluded", crm_id=contact_id)
    await world.edit_contact(contact_id, firstName="Zoé")
    assert (await link_of(world, crm_id=contact_id))["billing_id"]


async def test_a_name_of_300_characters_is_cut_visibly_and_the_crm_keeps_it(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.edit_contact(contact_id, firstName=LONG)
    await world.quiet()

    kept = (await world.client(client_id))["contacts"][0]["first_name"]
    assert kept == LONG[:191].rstrip()
    assert (await world.contact(contact_id))["firstName"] == LONG.strip()
    told = (await world.rows("activities", crm_id=contact_id))[0]["changes"]
    assert [change["note"] for change in told if change["field"] == "first_name"] == ["shortened to 191 characters"]
    await still_works(world)


async def test_a_name_of_300_characters_is_cut_at_its_creation_as_well(world: World) -> None:
    contact_id, client_id = await linked(world, firstName="x" * 300, companyName="y" * 300)
    client = await world.client(client_id)
    assert (client["contacts"][0]["first_name"], client["name"]) == ("x" * 191, "y" * 191)
    assert (await world.contact(contact_id))["firstName"] == "x" * 300
    (activity,) = await world.rows("activities", crm_id=contact_id)
    notes = {change["field"]: change.get("note") for change in activity["changes"]}
    assert notes["first_name"] == "shortened to 191 characters"


async def test_a_cut_name_is_not_written_to_and_fro(world: World) -> None:
    contact_id, client_id = await linked(world, firstName=LONG)
    await world.forget_calls()
    await world.edit_contact(contact_id, city="Bern")
    await world.quiet()
    await world.edit_client(client_id, website="https://ada.example")
    await world.quiet()

    assert len(await world.calls(world.ninja, "PUT")) == 1
    assert len(await world.calls(world.highlevel, "PUT")) == 1
    assert (await world.contact(contact_id))["firstName"] == LONG.strip()
    assert (await world.client(client_id))["contacts"][0]["first_name"] == LONG[:191].rstrip()


@pytest.mark.parametrize(
    "name",
    [
        "Ada 👩🏽‍🚀 🇮🇹",
        "أحمد بن محمد",
        "‏שלום‏ world",
        "<b>Ada</b><script>alert(1)</script>",
        'O\'Brien "& Sons" \\ %s {{x}} ${y}',
        "'; DROP TABLE links; --",
        "𝔄𝔡𝔞 ﷽",
    ],
    ids=["emoji", "arabic", "marks", "html", "quotes", "sql", "rare"],
)
async def test_an_odd_name_arrives_as_it_is_and_its_echo_is_silent(world: World, name: str) -> None:
    contact_id, client_id = await linked(world, firstName=name)
    assert (await world.client(client_id))["contacts"][0]["first_name"] == name

    await world.forget_calls()
    await looked_at(world, contact_id)
    writes = [call for vendor in (world.ninja, world.highlevel) for call in await world.calls(vendor, "PUT")]
    assert writes == []
    await still_works(world)


async def test_a_name_of_combining_characters_arrives_composed_and_its_echo_is_silent(world: World) -> None:
    contact_id, client_id = await linked(world, firstName="Zoe\u0308")
    assert (await world.client(client_id))["contacts"][0]["first_name"] == "Zo\u00eb"

    await world.forget_calls()
    await looked_at(world, contact_id)
    assert await world.calls(world.highlevel, "PUT") == []
    assert (await world.contact(contact_id))["firstName"] == "Zoe\u0308"


async def test_an_odd_name_comes_back_from_billing_as_it_is(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.edit_person(client_id, first_name="<i>Zoë</i> 🦄 שלום")
    await world.quiet()
    assert (await world.contact(contact_id))["firstName"] == "<i>Zoë</i> 🦄 שלום"


# -- values that the other side cannot take --------------------------------------------------------------------------


async def test_a_phone_that_is_none_is_not_sent_to_the_crm_and_that_is_said(world: World) -> None:
    contact_id, client_id = await linked(world, phone="+442079460018")
    await world.edit_person(client_id, phone="ask for Tom")
    await world.quiet()

    (link,) = await world.rows("links", crm_id=contact_id)
    assert link["held"]["phone"]["reason"] == "“ask for Tom” is not a phone number"
    assert (await world.contact(contact_id))["phone"] == "+442079460018"
    assert (await world.client(client_id))["contacts"][0]["phone"] == "ask for Tom"
    await still_works(world)


async def test_a_held_value_does_not_keep_other_fields_from_arriving(world: World) -> None:
    contact_id, client_id = await linked(world, phone="+442079460018")
    await world.edit_person(client_id, phone="ask for Tom", last_name="Lovelace")
    await world.quiet()
    assert (await world.contact(contact_id))["lastName"] == "Lovelace"


async def test_a_phone_that_is_none_reaches_billing_as_it_was_written(world: World) -> None:
    contact_id, client_id = await linked(world)
    await turn_odd(world, contact_id, phone="call me")
    link = await looked_at(world, contact_id)

    assert link["state"] == "ok"
    assert (await world.client(client_id))["contacts"][0]["phone"] == "call me"
    await still_works(world)


@pytest.mark.parametrize(
    ("field", "ours", "value", "reason"),
    [
        ("country", "country", "Narnia", "“Narnia” is not a known country"),
        ("email", "email", "not an address", "“not an address” is not an e-mail address"),
        ("email", "email", "a" * 60 + "@" + "b" * 60 + ".example", "longer than the 100 characters"),
        ("email", "email", "a" * 300 + "@example.com", "is not an e-mail address"),
    ],
    ids=["unknown country", "no address", "long address", "address beyond 255"],
)
async def test_a_value_that_billing_cannot_take_is_held_and_said(
    world: World, field: str, ours: str, value: str, reason: str
) -> None:
    contact_id, client_id = await linked(world, country="GB")
    before = await world.client(client_id)
    await turn_odd(world, contact_id, **{field: value}, city="Bern")
    link = await looked_at(world, contact_id)

    assert link["state"] == "ok"
    assert reason in link["held"][ours]["reason"]
    after = await world.client(client_id)
    assert (after["country_id"], after["contacts"][0]["email"]) == ("826", before["contacts"][0]["email"])
    assert after["city"] == "Bern"
    await still_works(world)


async def test_a_country_that_nobody_knows_is_not_sent_to_the_crm(world: World) -> None:
    contact_id, client_id = await linked(world, country="GB")
    client = await world.client(client_id)
    body = json.dumps({"data": {**client, "country_id": "99999"}})
    await world.fault(
        world.ninja,
        kind="status",
        method="GET",
        path=f"/clients/{client_id}$",
        status=200,
        headers={"content-type": "application/json"},
        body=body,
    )
    link = await looked_at(world, contact_id)

    assert "not a known country" in link["held"]["country"]["reason"]
    assert (await world.contact(contact_id))["country"] == "GB"
    await still_works(world)


async def test_a_held_value_is_said_once_not_at_every_event(world: World) -> None:
    contact_id, _ = await linked(world, country="GB")
    await turn_odd(world, contact_id, country="Narnia")
    await looked_at(world, contact_id)
    said = len(await world.rows("activities", crm_id=contact_id))
    for _ in range(3):
        await looked_at(world, contact_id)
    assert len(await world.rows("activities", crm_id=contact_id)) == said


# -- text that cannot be stored --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arrives"),
    [
        ("Ada\x00Lovelace", "AdaLovelace"),
        ("Ada\ud800", "Ada"),
        ("\udc00Ada", "Ada"),
        ("Ada\ude00\ud83d!", "Ada!"),
        ("Ada\x07\x1b[31m\x7f", "Ada\x07\x1b[31m\x7f"),
        ("Ada\r\nLovelace", "Ada\nLovelace"),
        ("Ada\u2028\ufeff\ufffe", "Ada\u2028\ufeff\ufffe"),
    ],
    ids=["NUL", "high surrogate", "low surrogate", "swapped pair", "control", "line end", "separators"],
)
async def test_text_that_cannot_be_stored_does_not_wedge_its_record(world: World, name: str, arrives: str) -> None:
    contact_id, client_id = await linked(world)
    await turn_odd(world, contact_id, firstName=name, lastName="L")
    link = await looked_at(world, contact_id)

    assert (link["state"], link["base_crm"]["last_name"]) == ("ok", "L")
    assert (await world.client(client_id))["contacts"][0]["first_name"] == arrives
    assert await no_job_is_left(world)
    await world.forget_calls()
    await looked_at(world, contact_id)
    assert await world.calls(world.ninja, "PUT") == []
    await still_works(world)


@pytest.mark.parametrize("name", ["A\x00da", "Ada\ud800"], ids=["NUL", "surrogate"])
async def test_a_contact_with_text_that_cannot_be_stored_becomes_one_client(world: World, name: str) -> None:
    (await world.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "times": 1})).raise_for_status()
    contact_id = await world.add_contact(firstName="Ada", email="ada@example.com")
    await turn_odd(world, contact_id, firstName=name)
    link = await looked_at(world, contact_id)

    assert link["state"] == "ok"
    assert len(await world.clients()) == 1
    await still_works(world)


async def test_text_that_cannot_be_stored_comes_from_billing_as_well(world: World) -> None:
    contact_id, client_id = await linked(world)
    client = await world.client(client_id)
    person = {**client["contacts"][0], "last_name": "L\x00\ud800ovelace"}
    await world.fault(
        world.ninja,
        kind="status",
        method="GET",
        path=f"/clients/{client_id}$",
        status=200,
        headers={"content-type": "application/json"},
        body=json.dumps({"data": {**client, "contacts": [person], "private_notes": "\x00"}}),
    )
    link = await looked_at(world, contact_id)
    assert link["state"] == "ok"
    assert (await world.contact(contact_id))["lastName"] == "Lovelace"
    await still_works(world)


# -- answers that are no contact -------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", sorted({field.theirs for field in CONTACT}))
@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}], ids=["list", "object"])
async def test_a_field_that_is_not_text_never_clears_the_other_side(world: World, field: str, value: Any) -> None:
    contact_id, client_id = await linked(world, phone="+442079460018", country="GB", city="London")
    before = await world.client(client_id)
    await turn_odd(world, contact_id, **{field: value})
    link = await looked_at(world, contact_id)

    assert link["state"] == "failed"
    after = await world.client(client_id)
    assert {name: after[name] for name in ("name", "city", "country_id")} == {
        name: before[name] for name in ("name", "city", "country_id")
    }
    assert after["contacts"] == before["contacts"]


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", "{}", '{"contact": null}', '{"contact": {}}', '{"contact": {"id": 7}}', "<html>", '{"contact"'],
)
async def test_an_answer_that_is_no_contact_changes_nothing_and_is_visible(world: World, body: str) -> None:
    contact_id, client_id = await linked(world, city="London")
    before = await world.client(client_id)
    await answer_with(world, contact_id, body)
    assert (await delivered(world, contact_id)).status_code == 202

    async def troubled() -> Any:
        rows = await world.rows("links", crm_id=contact_id)
        return rows[0] if rows[0]["state"] in ("failed", "retrying") else None

    link = await until(troubled, 15, "the trouble was never shown")
    assert link["detail"]
    assert await world.client(client_id) == before
    await still_works(world)


async def test_another_contact_than_the_one_asked_for_changes_nothing(world: World) -> None:
    contact_id, client_id = await linked(world)
    other_id, _ = await linked(world, firstName="Grace", email="grace@example.com")
    other = await world.contact(other_id)
    await answer_with(world, contact_id, json.dumps({"contact": other}))
    await delivered(world, contact_id)
    await asyncio.sleep(0.5)
    await world.mend()
    await world.quiet()

    assert (await world.client(client_id))["contacts"][0]["first_name"] == "Ada"
    assert len(await world.rows("links", crm_id=other_id)) == 1
    await still_works(world)


# -- ids --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact_id", ["x" * 100, "0", "__proto__", "-" * 20])
async def test_an_id_that_nobody_has_leaves_nothing_behind(world: World, contact_id: str) -> None:
    assert (await delivered(world, contact_id)).status_code == 202
    await world.quiet()
    assert await world.rows("links", crm_id=contact_id) == []
    (event,) = await world.rows("events")
    assert event["state"] == "done"
    await still_works(world)


@pytest.mark.parametrize("contact_id", ["x" * 10_000, "../contacts", "a/b", "a b", "%2e%2e", "ü", "", 12, None])
async def test_an_id_that_is_none_is_refused_at_the_door(world: World, contact_id: Any) -> None:
    assert (await delivered(world, contact_id)).status_code == 400
    assert await world.rows("events") == []
    await still_works(world)


async def test_a_delivery_that_is_forged_changes_nothing(world: World) -> None:
    contact_id, client_id = await linked(world)
    await world.forget_calls()
    raw = json.dumps({"type": "ContactDelete", "locationId": LOCATION, "id": contact_id, "webhookId": "x"}).encode()
    forged = {"X-GHL-Signature": base64.b64encode(b"x" * 64).decode()}
    async with httpx.AsyncClient(base_url=world.url, trust_env=False) as sender:
        assert (await sender.post("/webhooks/highlevel", content=raw, headers=forged)).status_code == 401
    assert await world.calls(world.ninja) == []
    assert (await world.client(client_id))["archived_at"] == 0


async def test_a_proven_deletion_of_a_contact_that_is_still_there_deletes_nothing(world: World) -> None:
    """A delivery is a hint: what counts is what the vendor answers now."""
    contact_id, client_id = await linked(world)
    assert (await delivered(world, contact_id, type="ContactDelete")).status_code == 202
    await world.quiet()
    assert (await world.client(client_id))["archived_at"] == 0
    assert (await link_of(world, crm_id=contact_id))["billing_id"] == client_id

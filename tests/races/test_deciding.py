"""A person changes something while an attempt works by what was there before."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.connections import Connections
from app.directory import ConnectionView, Directory
from app.errors import Reconnect
from app.queue import RecordJob
from app.sync.store import LinkRow, Store, Target
from tests.conftest import World, connect, until
from tests.flows.driver import SERVICE_TOKENS
from tests.flows.resting import rest
from tests.flows.test_contacts import linked
from tests.mapping.test_mapping import EMAIL, NAMES, _patch, pair
from tests.races.racing import before_it_is_stored

BEFORE = [EMAIL, *NAMES, pair("website", "website"), pair("city", "public_notes")]
AFTER = [EMAIL, *NAMES, pair("website", "website"), pair("state", "public_notes")]
REFUSED = {"statusCode": 401, "message": "Invalid JWT"}


@pytest.mark.parametrize("raced", [False, True], ids=["", "raced"])
async def test_a_field_that_is_mapped_to_another_erases_nothing(
    bare_world: World, monkeypatch: pytest.MonkeyPatch, raced: bool
) -> None:
    await connect(bare_world, contact={"fields": BEFORE})
    contact, client = await linked(bare_world, state="")
    if raced:
        before_it_is_stored(monkeypatch, lambda: _patch(bare_world, fields=AFTER), lambda *_: True)
    await bare_world.edit_contact(contact, website="https://one.example")
    await rest(bare_world)
    if not raced:
        await _patch(bare_world, fields=AFTER)
    await bare_world.edit_contact(contact, website="https://two.example")
    await rest(bare_world)
    there = await bare_world.client(client)
    assert (there["website"], there["public_notes"]) == ("https://two.example", "London")


async def test_nor_where_another_process_has_the_old_map_for_a_moment(
    bare_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where web and worker are two: what was changed in one is not known to the other at once."""
    await connect(bare_world, contact={"fields": BEFORE})
    contact, client = await linked(bare_world, state="")
    await bare_world.edit_contact(contact, website="https://zero.example")
    await rest(bare_world)
    known = await bare_world.service.directory.one(bare_world.bridge_id)
    await _patch(bare_world, fields=AFTER)
    bridge, answered = Directory.bridge, list[int]()

    async def of_before(self: Directory, bridge_id: int) -> Any:
        answered.append(bridge_id)
        return known if len(answered) == 1 else await bridge(self, bridge_id)

    monkeypatch.setattr(Directory, "bridge", of_before)
    await bare_world.edit_contact(contact, website="https://one.example")
    await rest(bare_world)
    await bare_world.edit_contact(contact, website="https://two.example")
    await rest(bare_world)
    assert len(answered) > 1
    there = await bare_world.client(client)
    assert (there["website"], there["public_notes"]) == ("https://two.example", "London")


@pytest.mark.parametrize("raced", [False, True], ids=["", "raced"])
async def test_what_no_filter_leaves_out_any_more_takes_part(
    bare_world: World, monkeypatch: pytest.MonkeyPatch, raced: bool
) -> None:
    await connect(bare_world, contact={"only": [{"field": "city", "op": "filled"}]})
    if raced:
        before_it_is_stored(
            monkeypatch, lambda: _patch(bare_world, only=[]), lambda _, end: end.link.get("problem") == "filtered"
        )
    await bare_world.add_contact(firstName="Ada", email="ada@example.com")
    await rest(bare_world)
    if not raced:
        await _patch(bare_world, only=[])
    await rest(bare_world)
    assert [(row["state"], row["problem"]) for row in await bare_world.rows("links")] == [("ok", "")]


async def test_what_is_left_out_while_it_is_made_stays_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def leave_out() -> None:
        link = next(each for each in await world.rows("links") if each["crm_id"])
        (await world.admin.post(f"/api/v1/links/{link['id']}/exclude")).raise_for_status()

    before_it_is_stored(monkeypatch, leave_out, lambda _, end: end.outcome == "created")
    contact = await world.add_contact(firstName="Ada", email="ada@example.com")
    await until(lambda: world.rows("links"))
    await rest(world)
    (row,) = await world.rows("links", crm_id=contact)
    assert (row["state"], row["problem"]) == ("excluded", "left_out")


async def test_what_is_left_out_stays_so_when_its_like_is_entered(bare_world: World) -> None:
    await connect(bare_world, contact={"only": [{"field": "city", "op": "filled"}]})
    contact = await bare_world.add_contact(firstName="Ada", email="ada@example.com")
    (row,) = await until(lambda: bare_world.rows("links", state="excluded"))
    (await bare_world.admin.post(f"/api/v1/links/{row['id']}/exclude")).raise_for_status()
    await bare_world.edit_contact(contact, city="York")
    await rest(bare_world)
    person = {"first_name": "Ada", "email": "ada@example.com"}
    client = await bare_world.add_client(name="Ada", city="York", contacts=[person])
    await rest(bare_world)
    (now,) = await bare_world.rows("links", crm_id=contact)
    assert (now["state"], now["problem"]) == ("excluded", "left_out")
    (like,) = await bare_world.rows("links", billing_id=client["id"])
    assert (like["state"], like["detail"]) == ("excluded", f"Its match {contact} is left out, by a person.")
    (await bare_world.admin.post(f"/api/v1/links/{row['id']}/include")).raise_for_status()
    (both,) = await until(lambda: bare_world.rows("links", state="ok"))
    assert (both["crm_id"], both["billing_id"]) == (contact, client["id"])


@pytest.mark.parametrize("raced", [False, True], ids=["", "raced"])
async def test_an_account_that_is_connected_again_in_the_moment_of_its_refusal(
    world: World, monkeypatch: pytest.MonkeyPatch, raced: bool
) -> None:
    """A record that a person asked for, so no event waits for it."""
    contact, client = await linked(world)
    await rest(world)
    (row,) = await world.rows("links", crm_id=contact)
    await world.highlevel.post("/_control/webhooks", json={"url": "", "events": {}})
    await world.edit_contact(contact, city="York")
    await world.fault(world.highlevel, kind="status", status=401, body=REFUSED)
    postpone = Store.postpone

    async def renewed() -> None:
        await world.mend()
        await world.service.connections.renew(world.crm_connection_id)

    async def postpone_late(
        self: Store, target: Target, link: LinkRow | None, columns: Mapping[str, Any], job: RecordJob | None
    ) -> None:
        if raced and columns.get("state") == "waiting":
            await renewed()
        await postpone(self, target, link, columns, job)

    monkeypatch.setattr(Store, "postpone", postpone_late)
    (await world.admin.post(f"/api/v1/links/{row['id']}/sync")).raise_for_status()
    if not raced:
        await until(lambda: world.rows("links", state="waiting"))
        await renewed()

    async def arrived() -> bool:
        return bool((await world.client(client))["city"] == "York")

    await until(arrived)
    await rest(world)
    assert [each["state"] for each in await world.rows("links")] == ["ok"]


async def test_a_refusal_of_old_credentials_says_nothing_of_new_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep is answered 401; before that is noted, a person has brought new credentials."""
    await linked(world)
    await rest(world)
    await world.fault(world.highlevel, kind="status", status=401, body=REFUSED)
    noted, said = Connections.needs_reconnect, list[bool]()

    async def noted_late(self: Connections, failure: Reconnect, used: ConnectionView | None = None) -> bool:
        await world.mend()
        check = f"/api/v1/connections/{world.crm_connection_id}/check"
        (await world.admin.post(check, json={"private_token": SERVICE_TOKENS["highlevel"]})).raise_for_status()
        said.append(await noted(self, failure, used))
        return said[-1]

    monkeypatch.setattr(Connections, "needs_reconnect", noted_late)
    (await world.admin.post(f"/api/v1/bridges/{world.bridge_id}/sweep", json={})).raise_for_status()

    async def noticed() -> bool:
        return bool(said)

    await until(noticed)
    assert said == [False]
    (account,) = [each for each in await world.rows("connections") if each["id"] == world.crm_connection_id]
    assert account["state"] == "active"

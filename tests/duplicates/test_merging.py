"""A merge is done by the vendor, at a person's word, once; and the links follow."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.duplicates.merging import Merging
from app.queue import RecordJob, defer
from app.sync.records import Side, own_of
from tests.conftest import World, connect, until
from tests.duplicates.conftest import client, ids, search, shown
from tests.flows.test_businesses import ada_and_bob, add_business, company, links
from tests.flows.test_contacts import JANE, linked
from tests.flows.test_policies import SECOND, second_location

PASSWORD = "sandbox-password"
PHONE = JANE["phone"]


async def merge(
    world: World, cluster: dict[str, Any], survivor: str, *others: str, password: str = PASSWORD
) -> httpx.Response:
    """As somebody who has just looked at it."""
    version = (await shown(world, cluster))["version"]
    body = {"survivor": survivor, "others": others, "version": version, "password": password}
    return await world.admin.post(f"/api/v1/duplicates/{cluster['id']}/merge", json=body)


async def merges(world: World) -> list[str]:
    """The merges that were asked for."""
    calls = await world.calls(world.ninja, "POST")
    return [each["path"].removeprefix("/api/v1") for each in calls if each["path"].endswith("/merge")]


async def alive(world: World) -> set[str]:
    return {each["id"] for each in await world.clients("active,archived,deleted")}


async def add_invoice(world: World, client_id: str) -> str:
    lines = [{"product_key": "x", "quantity": 1, "cost": 100}]
    answer = await world.ninja.post(
        "/api/v1/invoices?mark_sent=true", json={"client_id": client_id, "line_items": lines}
    )
    return str(answer.raise_for_status().json()["data"]["id"])


async def link_of(world: World, contact_id: str) -> dict[str, Any]:
    (row,) = await world.rows("links", crm_id=contact_id, object="contact")
    return row


@pytest.fixture
async def beside(bare_world: World) -> tuple[World, str, str, str]:
    """A client from before, the contact with its phone who was linked to another one, and that one."""
    old = await client(bare_world, "Acme Holding", "office@acme.example", phone=PHONE)
    await connect(bare_world)
    contact_id, ours = await linked(bare_world)
    return bare_world, old, contact_id, ours


@pytest.fixture
async def two_pairs(bare_world: World) -> tuple[World, tuple[str, str], tuple[str, str]]:
    """Two contacts with one phone, each with its client."""
    await connect(bare_world)
    settings = {"burst_limit": 0, "delivery_delay": 0.01, "allow_duplicate_contact": True}
    (await bare_world.highlevel.post("/_control/settings", json=settings)).raise_for_status()
    jane = await linked(bare_world)
    janet = await linked(bare_world, firstName="Janet", email="janet@acme.example", postalCode="")
    return bare_world, jane, janet


async def test_what_is_at_stake_is_shown_and_the_survivor_proposed(beside: tuple[World, str, str, str]) -> None:
    world, old, contact_id, ours = beside
    await add_invoice(world, old)
    await world.quiet()
    (cluster,) = await search(world, side="billing")
    await world.forget_calls()
    detail = await shown(world, cluster)
    members = {each["id"]: each for each in detail["members"]}
    assert (members[old]["invoices"], members[ours]["invoices"]) == (1, 0)
    assert members[old]["money"] == {"balance": "100", "paid_to_date": "0", "currency": "USD"}
    assert [(each["object"], each["id"]) for each in members[ours]["partners"]] == [("contact", contact_id)]
    assert detail["proposal"] == {"survivor": old, "reason": "it has invoices or payments"}
    assert detail["merges"] is True
    assert "gone for good" in detail["warnings"][-1]
    assert len(await world.calls(world.ninja)) == 2, "one call for each record"


async def test_a_link_follows_its_client_into_the_survivor(beside: tuple[World, str, str, str]) -> None:
    world, old, contact_id, ours = beside
    invoice = await add_invoice(world, ours)
    await world.quiet()
    (cluster,) = await search(world, side="billing")
    await world.forget_calls()
    answer = await merge(world, cluster, old, ours)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], ids(answer.json())) == ("merged", {old})
    assert await merges(world) == [f"/clients/{old}/{ours}/merge"]
    await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"))
    await world.edit_contact(contact_id, city="York")
    await until(lambda: _city(world, old, "York"))
    await world.quiet()
    assert await alive(world) == {old}
    survivor = await world.client(old)
    names = {each["email"]: each["first_name"] for each in survivor["contacts"]}
    assert names == {"office@acme.example": "", "jane@acme.example": "Jane"}, "nobody has another one's name"
    assert (await world.ninja.get(f"/api/v1/invoices/{invoice}")).json()["data"]["client_id"] == old
    told = {each["action"]: each for each in await world.rows("activities") if each["cause"] == "duplicates"}
    assert set(told) == {"merged", "linked"}
    assert told["merged"]["detail"] == f"client {ours} was merged into {old} by admin token, for good"
    (note,) = [each for each in await world.rows("audit") if "/merge" in each["action"]]
    assert (note["outcome"], note["detail"]) == ("done", f"{ours} into {old}")


async def _city(world: World, client_id: str, city: str) -> bool:
    return bool((await world.client(client_id))["city"] == city)


async def test_two_contacts_that_have_one_client_now_are_a_conflict(
    two_pairs: tuple[World, tuple[str, str], tuple[str, str]],
) -> None:
    world, (jane, janes), (janet, janets) = two_pairs
    (cluster,) = await search(world, side="billing")
    warned = (await shown(world, cluster))["warnings"]
    assert any("linked to different records" in each and jane in each and janet in each for each in warned)
    assert (await merge(world, cluster, janes, janets)).status_code == 200
    await world.quiet()
    left = await link_of(world, janet)
    assert (left["state"], left["problem"]) == ("conflict", "billing_merged")
    assert f"linked to {jane}" in left["detail"]
    assert (await link_of(world, jane))["state"] == "ok"
    await world.edit_contact(janet, city="York")
    await world.quiet()
    assert await link_of(world, janet) == {**left, "tries": 0}, "it waits for a person"
    assert await alive(world) == {janes}, "and no new client is made of it"
    (await world.highlevel.delete(f"/contacts/{janet}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=janet, state="unlinked"))
    await world.quiet()
    survivor = await world.client(janes)
    assert (survivor["archived_at"], (await link_of(world, jane))["state"]) == (0, "ok")


async def test_a_wrong_password_changes_nothing_and_is_written_nowhere(
    beside: tuple[World, str, str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    world, old, contact_id, ours = beside
    (cluster,) = await search(world, side="billing")
    before = await link_of(world, contact_id)
    for wrong in ("a-wrong-password-4711", ""):
        answer = await merge(world, cluster, old, ours, password=wrong)
        assert answer.status_code == 422
        assert "password" in answer.json()["detail"]
        assert "4711" not in answer.text
    answer = await merge(world, cluster, old, ours, password="a-wrong-password-4711")
    assert answer.json()["detail"] == "Invoice Ninja wants the user's password for this: Invalid Password"
    assert (await merge(world, cluster, old, ours, password="pässword")).status_code == 422
    await world.quiet()
    assert await alive(world) == {old, ours}
    assert await link_of(world, contact_id) == before
    detail = await shown(world, cluster)
    assert (detail["state"], detail["unfinished"]) == ("open", False)
    assert (await merge(world, cluster, old, ours)).status_code == 200
    await world.quiet()
    output = capfd.readouterr()
    for secret in ("4711", PASSWORD):
        assert secret not in output.out + output.err
        assert secret not in await _everything(world)


async def _everything(world: World) -> str:
    """All that our database holds, as text."""
    async with world.service.engine.connect() as connection:
        tables = (
            await connection.execute(
                text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'pg_%'")
            )
        ).scalars()
        rows = [(await connection.execute(text(f"SELECT t::text FROM {name} t"))).scalars() for name in tables]  # noqa: S608
        return "\n".join(row for each in rows for row in each)


async def test_what_changed_since_it_was_shown_is_shown_anew_and_not_merged(
    beside: tuple[World, str, str, str],
) -> None:
    world, old, _, ours = beside
    (cluster,) = await search(world, side="billing")
    before = await shown(world, cluster)
    await asyncio.sleep(1.1)  # its times are whole seconds
    await world.edit_client(old, name="Acme Holding Ltd")
    answer = await merge(world, cluster, old, ours)
    assert answer.status_code == 409
    assert old in answer.json()["detail"]
    assert await merges(world) == []
    detail = await shown(world, cluster)
    assert detail["version"] != before["version"]
    assert {each["company"] for each in detail["members"]} == {"Acme Holding Ltd", "Acme"}
    body = {"survivor": old, "others": [ours], "version": before["version"], "password": PASSWORD}
    assert (await world.admin.post(f"/api/v1/duplicates/{cluster['id']}/merge", json=body)).status_code == 409
    assert await merges(world) == []
    assert (await merge(world, cluster, old, ours)).status_code == 200


async def test_one_that_is_gone_by_then_is_not_merged(beside: tuple[World, str, str, str]) -> None:
    world, old, _, ours = beside
    third = await client(world, "Third", phone=PHONE)
    await until(lambda: world.rows("links", billing_id=third))
    await world.quiet()
    (cluster,) = await search(world, side="billing")
    await world.ninja.post("/api/v1/clients/bulk", json={"action": "archive", "ids": [third]})
    answer = await merge(world, cluster, old, third, ours)
    assert answer.status_code == 409
    assert third in answer.json()["detail"]
    assert await merges(world) == []
    assert ids(await shown(world, cluster)) == {old, ours}


async def test_only_what_was_shown_together_is_merged(beside: tuple[World, str, str, str]) -> None:
    world, old, _, ours = beside
    stranger = await client(world, "Stranger")
    (cluster,) = await search(world, side="billing")
    for survivor, others in ((old, [stranger]), (stranger, [ours]), (old, [old]), (old, [ours, ours])):
        answer = await merge(world, cluster, survivor, *others)
        assert (answer.status_code, "Name each" in answer.json()["detail"]) == (422, True)
    (await world.admin.post(f"/api/v1/duplicates/{cluster['id']}/dismiss")).raise_for_status()
    assert (await merge(world, cluster, old, ours)).status_code == 409
    assert await merges(world) == []


async def test_a_lost_answer_is_resolved_by_reading(beside: tuple[World, str, str, str]) -> None:
    world, old, contact_id, ours = beside
    (cluster,) = await search(world, side="billing")
    await world.fault(world.ninja, kind="drop_after", method="POST", path="/merge", times=1)
    await world.forget_calls()
    answer = await merge(world, cluster, old, ours)
    assert (answer.status_code, answer.json()["state"]) == (200, "merged")
    assert len(await merges(world)) == 1
    await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"))


async def test_a_merge_that_was_lost_on_its_way_is_not_taken_for_done(beside: tuple[World, str, str, str]) -> None:
    world, old, contact_id, ours = beside
    (cluster,) = await search(world, side="billing")
    await world.fault(world.ninja, kind="drop", method="POST", path="/merge", times=1)
    await world.forget_calls()
    answer = await merge(world, cluster, old, ours)
    assert answer.status_code == 503
    assert f"{ours} is still there" in answer.json()["detail"]
    assert len(await merges(world)) == 1, "it is not sent again by itself"
    assert (await shown(world, cluster))["unfinished"] is True
    assert (await link_of(world, contact_id))["billing_id"] == ours
    assert (await merge(world, cluster, old, ours)).status_code == 200
    await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"))


async def test_a_merge_that_arrived_late_is_found_out_by_the_next_search(beside: tuple[World, str, str, str]) -> None:
    """No answer came, the client was still there, and then the vendor merged. Meanwhile the contact has news."""
    world, old, contact_id, ours = beside
    (cluster,) = await search(world, side="billing")
    await world.fault(world.ninja, kind="drop", method="POST", path="/merge", times=1)
    await world.forget_calls()
    assert (await merge(world, cluster, old, ours)).status_code == 503
    late = await world.ninja.post(f"/api/v1/clients/{old}/{ours}/merge", headers={"X-API-PASSWORD": PASSWORD})
    late.raise_for_status()
    await world.edit_contact(contact_id, city="York")

    async def is_cut() -> bool:
        """It may have found the survivor by now."""
        (link,) = await world.rows("links", crm_id=contact_id)
        return bool(link["state"] == "unlinked" or link["billing_id"] == old)

    await until(is_cut)
    await world.quiet()
    assert await search(world, side="billing") == []
    await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"))
    assert len(await merges(world)) == 1
    assert "merged" in [each["action"] for each in await world.rows("activities") if each["cause"] == "duplicates"]


async def test_nothing_else_works_on_these_records_meanwhile(beside: tuple[World, str, str, str]) -> None:
    """A job owns the link: the merge waits for it."""
    world, old, _, ours = beside
    (cluster,) = await search(world, side="billing")
    own = text("UPDATE links SET claim = 'a job', claimed_until = now() + interval '1 hour' WHERE billing_id = :id")
    waits = text(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FOR UPDATE OF l%' AND pid <> pg_backend_pid()"
    )
    async with world.service.engine.begin() as connection:
        await connection.execute(own, {"id": ours})
    await world.forget_calls()
    merging = asyncio.create_task(merge(world, cluster, old, ours))

    async def has_tried() -> bool:
        async with world.service.engine.connect() as connection:
            return bool(await connection.scalar(waits))

    await until(has_tried)
    assert await merges(world) == []
    async with world.service.engine.begin() as connection:
        await connection.execute(text("UPDATE links SET claimed_until = NULL WHERE billing_id = :id"), {"id": ours})
    assert (await merging).status_code == 200
    async with world.service.engine.connect() as connection:
        left = text("SELECT count(*) FROM links WHERE claim LIKE 'merge-%' OR crm_id IS NULL")
        await world.quiet()
        assert await connection.scalar(left) == 0


async def test_several_are_merged_one_after_the_other(beside: tuple[World, str, str, str]) -> None:
    world, old, contact_id, ours = beside
    third = await client(world, "Third", phone=PHONE)
    await until(lambda: world.rows("links", billing_id=third))
    await world.quiet()
    (cluster,) = await search(world, side="billing")
    await world.forget_calls()
    answer = await merge(world, cluster, old, ours, third)
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == "merged"
    assert await merges(world) == [f"/clients/{old}/{ours}/merge", f"/clients/{old}/{third}/merge"]
    await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"))
    await world.quiet()
    assert await alive(world) == {old}
    assert [each["problem"] for each in await world.rows("links", state="conflict")] == ["billing_merged"]


@pytest.fixture
async def apart(beside: tuple[World, str, str, str]) -> tuple[World, tuple[str, str, str, str], int, str]:
    """Two locations bring their contacts to one company: a contact of the second, its bridge, and its client."""
    world, *_ = beside
    second = await second_location(world)
    headers = {"Authorization": "Bearer sandbox-highlevel-human-token-2", "Version": "2021-07-28"}
    mia = {**JANE, "firstName": "Mia", "email": "mia@acme.example", "locationId": SECOND}
    made = await world.highlevel.post("/contacts/", json=mia, headers=headers)
    mia_id = made.raise_for_status().json()["contact"]["id"]
    (link,) = await until(lambda: world.rows("links", crm_id=mia_id, state="ok"))
    await world.quiet()
    return world, (*beside[1:], link["billing_id"]), second, mia_id


async def test_the_link_of_another_bridge_that_shares_the_account_is_not_forgotten(
    apart: tuple[World, tuple[str, str, str, str], int, str],
) -> None:
    """No client gets a contact of each without a person's word."""
    world, (old, contact_id, ours, theirs), second, mia_id = apart
    (cluster,) = await search(world, side="billing")
    assert ids(cluster) == {old, ours, theirs}
    assert (await merge(world, cluster, old, theirs, ours)).status_code == 200
    await until(lambda: world.rows("links", crm_id=mia_id, billing_id=old, state="ok"))
    await world.quiet()
    left = await link_of(world, contact_id)
    assert (left["state"], left["problem"], left["bridge_id"]) == ("conflict", "billing_merged", world.bridge_id)
    assert (await link_of(world, mia_id))["bridge_id"] == second


async def test_no_bridge_of_the_account_begins_with_these_records_meanwhile(
    apart: tuple[World, tuple[str, str, str, str], int, str],
) -> None:
    """Another location's bridge hears of both while the vendor takes its time: it has to wait like our own."""
    world, (old, _, _, theirs), second, mia_id = apart
    (cluster,) = await search(world, side="billing")
    await world.fault(world.ninja, kind="latency", method="POST", path="/merge", seconds=1, times=1)
    merging = asyncio.create_task(merge(world, cluster, old, theirs))
    await until(lambda: _is_asked_for(world, cluster))
    async with world.service.engine.begin() as connection:
        jobs = [
            RecordJob(bridge_id=second, object="contact", side=Side.BILLING, external_id=id_) for id_ in (old, theirs)
        ]
        await defer(connection, jobs)
    assert (await merging).status_code == 200
    await until(lambda: world.rows("links", crm_id=mia_id, billing_id=old, state="ok"))
    await world.quiet()
    assert await world.rows("links", billing_id=theirs) == []


async def test_different_currencies_are_a_warning(bare_world: World) -> None:
    await connect(bare_world)
    for currency in ("1", "3"):
        await bare_world.add_client(name=f"C{currency}", vat_number="GB123456", settings={"currency_id": currency})
    await bare_world.quiet()
    (cluster,) = await search(bare_world, side="billing")
    first, *_ = (await shown(bare_world, cluster))["warnings"]
    assert "currencies differ" in first
    assert "USD" in first
    assert "EUR" in first


@dataclass(frozen=True)
class Doubled:
    """A business with two persons, made in billing as `acme`; `old` was there before, with the same number."""

    old: str
    acme: str
    cluster: dict[str, Any]


@pytest.fixture
async def doubled(bare_world: World) -> Doubled:
    world = bare_world
    old = await client(world, "Acme Holding", vat_number="GB123456")
    await connect(world, business={"enabled": True})
    await ada_and_bob(world, await add_business(world))
    await until(lambda: _both_linked(world))
    await world.quiet()
    acme = (await company(world))["id"]
    await world.edit_client(acme, vat_number="GB123456")
    await world.quiet()
    (cluster,) = await search(world, side="billing")
    return Doubled(old, acme, cluster)


async def test_persons_who_are_synced_one_by_one_move_with_their_client(bare_world: World, doubled: Doubled) -> None:
    """All links follow."""
    world, old = bare_world, doubled.old
    before = {row["crm_id"]: row["billing_id"] for row in await world.rows("links", object="contact")}
    answer = await merge(world, doubled.cluster, old, doubled.acme)
    assert answer.status_code == 200, answer.text
    await until(lambda: world.rows("links", object="business", billing_id=old, state="ok"))
    await world.quiet()
    after = await links(world)
    assert {id_: row["billing_id"] for id_, row in after.items()} == {
        id_: f"{old}/{own_of(billing_id)}" for id_, billing_id in before.items() if id_
    }
    assert {row["state"] for row in after.values()} == {"ok"}
    assert await alive(world) == {old}
    assert {"ada@example.com", "bob@example.com"} <= {each["email"] for each in (await world.client(old))["contacts"]}


async def test_a_row_that_a_moved_person_gets_meanwhile_makes_room(bare_world: World, doubled: Doubled) -> None:
    """A sweep may read the merged client before our links have followed, and ask for its new persons."""
    world, cluster = bare_world, doubled.cluster
    moved = [f"{doubled.old}/{own_of(row['billing_id'])}" for row in (await links(world)).values()]
    await world.fault(world.ninja, kind="latency", method="POST", path="/merge", seconds=1, times=1)
    merging = asyncio.create_task(merge(world, cluster, doubled.old, doubled.acme))
    await until(lambda: _is_asked_for(world, cluster))
    made = "INSERT INTO links (bridge_id, object, billing_id) VALUES (%s, 'contact', %s)"
    async with world.service.engine.begin() as connection:
        for billing_id in moved:
            await connection.exec_driver_sql(made, (world.bridge_id, billing_id))
    answer = await merging
    assert answer.status_code == 200, answer.text
    await world.quiet()
    assert sorted(row["billing_id"] for row in (await links(world)).values()) == sorted(moved)


async def _is_asked_for(world: World, cluster: dict[str, Any]) -> bool:
    """The vendor is about to merge."""
    return bool((await shown(world, cluster))["unfinished"])


async def _both_linked(world: World) -> bool:
    return len([each for each in (await links(world)).values() if each["state"] == "ok"]) == 2


async def test_highlevel_has_no_merge_and_what_is_merged_there_is_followed(
    two_pairs: tuple[World, tuple[str, str], tuple[str, str]],
) -> None:
    """Kept: the contact with the client's e-mail. The other one is deleted by HighLevel's own merge."""
    world, (jane, janes), _ = two_pairs
    await world.highlevel.post("/_control/webhook-faults", json={"kind": "lose", "share": 1.0})
    twin = await world.add_contact(firstName="J.", email=JANE["email"], phone=PHONE)
    (cluster,) = await search(world, side="crm")
    detail = await shown(world, cluster)
    assert detail["merges"] is False
    assert {each["invoices"] for each in detail["members"]} == {0, None}
    answer = await merge(world, cluster, twin, jane)
    assert answer.status_code == 422
    said = answer.json()["detail"]
    assert f"Keep {twin}, and merge into it: {jane}." in said
    assert "In HighLevel, open Contacts" in said
    await world.highlevel.delete("/_control/webhook-faults")
    (await world.highlevel.delete(f"/contacts/{jane}")).raise_for_status()
    await until(lambda: world.rows("links", crm_id=twin, billing_id=janes, state="ok"))
    await world.quiet()
    assert (await world.client(janes))["archived_at"] == 0
    (fewer,) = await search(world, side="crm")
    assert jane not in ids(fewer)


@pytest.mark.parametrize("raced", [False, True], ids=["", "raced"])
async def test_a_merge_that_was_killed_is_followed_by_the_next_search(
    beside: tuple[World, str, str, str], monkeypatch: pytest.MonkeyPatch, raced: bool
) -> None:
    """`raced`: a search takes the cluster's place between the merge's look at it and its note there."""
    world, old, contact_id, ours = beside
    (cluster,) = await search(world, side="billing")
    keep, follow, done, dead = Merging._keep, Merging._follow, list[str](), list[str]()

    async def keep_late(self: Merging, bench: Any, note: Any) -> None:
        if raced and note is not None and not done:
            done.append("searched")
            await search(world, side="billing")
        await keep(self, bench, note)

    async def killed(self: Merging, *given: Any) -> None:
        if not dead:
            dead.append("killed")
            raise KeyError("killed")
        await follow(self, *given)

    monkeypatch.setattr(Merging, "_keep", keep_late)
    monkeypatch.setattr(Merging, "_follow", killed)
    with contextlib.suppress(KeyError):
        await merge(world, cluster, old, ours)
    await search(world, side="billing")
    if raced:  # nothing was merged: the person is to look again
        assert ours in await alive(world)
    else:
        await until(lambda: world.rows("links", crm_id=contact_id, billing_id=old, state="ok"), 8)
